// Files of configMap, secret, downwardAPI and projected volumes: what they hold, and writing them so that a
// reader sees either all of the old or all of the new.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "node/pod/env.h"

namespace skiff::node {

struct PayloadFile {
  std::string data;
  int mode = 0644;
  bool operator==(const PayloadFile&) const = default;
};
using Payload = std::map<std::string, PayloadFile>;  // by path relative to the volume

// A token for a projected volume, fetched beforehand: by audience.
using Tokens = std::map<std::string, std::string>;

// What a volume of the spec refers to.
ObjectNames volume_references(const json::Value& volume);
// Audiences of the tokens a projected volume wants ("" is the API server's).
std::vector<json::Value> token_requests(const json::Value& volume);

// The files that the node writes for one pod take no more of its disk; a ConfigMap holds 1 MiB at most. What
// they are made of may be no more either.
inline constexpr size_t kMaxPayloadBytes = size_t{16} << 20;

// Pure. An error is the message of the FailedMount event: also when the files would take more than `room`.
struct PayloadInput {
  const json::Value& volume;
  const PodIdentity& identity;
  const ConfigObjects& objects;
  const Tokens& tokens;
  size_t room = kMaxPayloadBytes;
};
Result<Payload> make_payload(const PayloadInput& input);
// What the files take on a disk: whole blocks, one for each folder too.
size_t payload_size(const Payload& payload);
// True for the volume kinds that make_payload() knows.
bool is_payload_volume(const json::Value& volume);

// Writes into `folder`: a hidden folder with the files, "..data" pointing to it, a link for each top entry.
// The switch is one rename of "..data". `group` (fsGroup) gets read access. Blocking; nothing is written when
// all is the same.
Result<void> write_payload(const std::string& folder, const Payload& payload, std::optional<uint32_t> group);

}  // namespace skiff::node
