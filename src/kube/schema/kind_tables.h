// The built-in kinds as constant rows, made at build time by cmake/generate_kinds.py from
// src/kube/kinds/*.json. Only the Registry reads them. Lists inside one text are separated by '|'.
#pragma once

#include <cstdint>
#include <span>

#include "kube/schema/schema.h"

namespace skiff::kube::tables {

enum FieldFlag : uint8_t { kInlined = 1, kRequired = 2, kPointer = 4, kKeepEmpty = 8 };

struct RawField {
  const char* name;
  Scalar scalar;
  FieldShape shape;
  int type_index;  // into types(), -1 for none
  int flags;       // of FieldFlag
  int proto_number;
  const char* proto_wire;
  const char* enum_values;
  const char* patch_strategy;
  const char* patch_merge_key;
  const char* list_type;
  const char* list_map_keys;
  const char* map_type;
  const char* format;
};

struct RawType {
  const char* name;
  const char* package;  // "core/v1", "meta/v1", "apps/v1"
  int first_field;
  int field_count;
};

struct RawKind {
  const char* group;
  const char* version;
  const char* kind;
  const char* plural;
  const char* singular;
  const char* short_names;
  const char* categories;
  const char* verbs;
  const char* subresources;  // "name;kind;group;version;verb,verb"
  const char* storage_version_hash;
  bool namespaced;
  bool hidden;  // no resource of its own: Scale, DeleteOptions
  int type_index;
};

std::span<const RawField> fields();
std::span<const RawType> types();
std::span<const RawKind> kinds();

}  // namespace skiff::kube::tables
