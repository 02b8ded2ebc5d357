// What form of answer the Accept header asks for. Pure.
//
// Protobuf goes to clients that accept nothing else: whoever reads it reads JSON too, as a rule.
#pragma once

#include <string_view>

#include "kube/print/table.h"

namespace skiff::kube {

enum class Form { kObject, kTable, kMetadata, kNone };  // kNone: nothing acceptable, 406
enum class Encoding { kJson, kYaml, kProtobuf };
struct Acceptable {
  Form form = Form::kObject;
  Encoding encoding = Encoding::kJson;
};

// What is answered and not stored has no Table: such an alternative is passed over.
enum class Tables { kServed, kNone };
// The first acceptable alternative; "" and "*/*" are plain objects in JSON.
Acceptable negotiate(std::string_view accept, Tables tables = Tables::kServed);
// ?includeObject.
IncludeObject include_of(std::string_view text);
// Kind, version and metadata alone.
json::Value partial_metadata(const json::Value& object);

}  // namespace skiff::kube
