// The rules for metadata and status that hold for every kind (contracts 2.2). Pure.
#pragma once

#include "base/json.h"
#include "base/random.h"
#include "base/time.h"
#include "kube/schema/schema.h"

namespace skiff::kube {

// Fresh metadata of a new object: the server's fields are set, those of the client dropped; status dropped
// where a kind has the subresource.
void prepare_create(const Kind& kind, json::Value& object, Random& random, WallTime now);
// What an update may not change comes from `before`; counts the generation.
void prepare_update(const Kind& kind, const json::Value& before, json::Value& after);
// A write to /status: everything but status and annotations comes from `before`.
void prepare_status(const Kind& kind, const json::Value& before, json::Value& after);
// Name and generateName rules that need no knowledge of the kind.
std::vector<FieldError> check_metadata(const json::Value& object);
bool keeps_generation(const Kind& kind);
// An update of an object that is not there creates it.
bool creates_on_update(const Kind& kind);
// An update has to say which state it saw.
bool needs_revision(const Kind& kind);

constexpr size_t kMaxGeneratedBase = 58;  // 63 less the suffix

}  // namespace skiff::kube
