// Objects as protobuf bodies, for clients that accept nothing else. Reading them is decode_protobuf in
// schema.h. Pure.
#pragma once

#include <optional>
#include <string>

#include "kube/schema/schema.h"

namespace skiff::kube {

// False for kinds that have no protobuf form: custom ones.
bool has_protobuf(const Kind& kind);
// "k8s\0", the envelope and the message of an object, a list of objects or a Status; nothing when the kind
// has no such form.
std::optional<std::string> encode_protobuf(const Registry& registry, const json::Value& object);
// One event of a watch: its length in four bytes, then type and object.
std::optional<std::string> encode_protobuf_event(const Registry& registry, std::string_view type,
                                                 const json::Value& object);

}  // namespace skiff::kube
