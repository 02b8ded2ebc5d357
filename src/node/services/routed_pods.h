// Which pods the edge routes to: those that an EndpointSlice of a Service names which an Ingress names.
#pragma once

#include <map>
#include <set>
#include <string>

#include "node/api/cluster_api.h"
#include "node/services/service_proxy.h"

namespace skiff::node {

class RoutedPods {
 public:
  // For a follower of the Ingresses of all namespaces.
  void on_change(const ObjectChange& change);
  // True also while the Ingresses are not known: a pause too many costs less than a request.
  bool contains(const json::Value& pod, const ServiceObjects& objects) const;

 private:
  using Names = std::set<std::string>;
  using ByIngress = std::map<std::string, Names>;  // names of Services, by "namespace/name" of the Ingress
  bool names_service(const std::string& name_space, const std::string& service) const;

  ByIngress known_, incoming_;
  bool complete_ = false;   // was known once
  bool replacing_ = false;  // `incoming_` grows to replace `known_`
};

}  // namespace skiff::node
