// Upstream's defaults by group of kinds: small pure functions that fill in what is missing. Inside
// kube/schema only.
#pragma once

#include <string_view>

#include "base/json.h"

namespace skiff::kube::defaults {

// Sets a member that is absent, null, "" or 0: the zero values of Go.
void set_if_zero(json::Value& object, std::string_view key, json::Value value);
// Sets a member that is absent or null: pointers of Go.
void set_if_absent(json::Value& object, std::string_view key, json::Value value);

enum class PodSpecOf { kPod, kTemplate };  // some defaults are for pods only
void pod_spec(json::Value& spec, PodSpecOf of);
void pod(json::Value& pod);
void deployment(json::Value& deployment);
void replica_set(json::Value& replica_set);
void service(json::Value& service);
void endpoints(json::Value& endpoints);
void endpoint_slice(json::Value& slice);
void secret(json::Value& secret);
void name_space(json::Value& name_space);
void node(json::Value& node);
void role_binding(json::Value& binding);
void ingress_class(json::Value& ingress_class);
void custom_resource_definition(json::Value& definition);

}  // namespace skiff::kube::defaults
