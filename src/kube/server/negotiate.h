// What form of answer the Accept header asks for. Pure.
//
// Answers are JSON or YAML; protobuf is read but not written, so a client that accepts nothing else gets 406.
#pragma once

#include <string_view>

#include "kube/print/table.h"

namespace skiff::kube {

enum class Form { kObject, kTable, kMetadata, kNone };  // kNone: nothing acceptable, 406
enum class Encoding { kJson, kYaml };
struct Acceptable {
  Form form = Form::kObject;
  Encoding encoding = Encoding::kJson;
};

// The first acceptable alternative; "" and "*/*" are plain objects in JSON.
Acceptable negotiate(std::string_view accept);
// ?includeObject.
IncludeObject include_of(std::string_view text);
// Kind, version and metadata alone.
json::Value partial_metadata(const json::Value& object);

}  // namespace skiff::kube
