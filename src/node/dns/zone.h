// The names of a cluster (kubernetes/dns specification 1.1.0) from Services and EndpointSlices. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/json.h"
#include "node/dns/message.h"
#include "node/services/object_index.h"

namespace skiff::node {

class ClusterZone {
 public:
  explicit ClusterZone(std::string domain) : domain_(std::move(domain)) {}

  // Objects by "namespace/name"; kept by reference for the time of the call.
  struct Objects {
    const std::map<std::string, json::Value>& services;
    const std::map<std::string, json::Value>& slices;
    const ObjectIndex& index;  // of these
    // False before the cluster has told of all of them once: what is not among them may exist all the same,
    // and clients that are told otherwise give up or remember it.
    bool complete = true;
  };
  // Nothing when the name is not ours and must be asked elsewhere. An answer with an `alias` is complete with
  // the addresses of that name, which is not ours either.
  std::optional<DnsAnswer> answer(const Objects& objects, const std::string& name, uint16_t type) const;

 private:
  std::optional<DnsAnswer> look_up(const Objects& objects, const std::string& name, uint16_t type) const;
  std::optional<DnsAnswer> answer_reverse(const Objects& objects, const std::string& name,
                                          uint16_t type) const;
  std::string name_of(const Objects& objects, const std::string& ip) const;
  DnsAnswer answer_service(const Objects& objects, const std::vector<std::string>& labels,
                           const std::string& name, uint16_t type) const;
  DnsAnswer answer_pod(const std::vector<std::string>& labels, const std::string& name, uint16_t type) const;
  std::string domain_;
};

}  // namespace skiff::node
