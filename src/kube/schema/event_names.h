// An Event of v1 and one of events.k8s.io/v1 are one object, whose members have other names. Inside kube
// only; pure.
#pragma once

#include "kube/schema/schema.h"

namespace skiff::kube {

bool is_newer_event(const Kind& kind);  // of events.k8s.io
// The members of an event of events.k8s.io under their names in v1, and the way back; apiVersion too.
json::Value to_core_event(const json::Value& newer);
json::Value to_newer_event(const json::Value& core);

}  // namespace skiff::kube
