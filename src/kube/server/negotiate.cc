#include "kube/server/negotiate.h"

#include "base/strings.h"

namespace skiff::kube {

Acceptable negotiate(std::string_view accept, Tables tables) {
  if (trim(accept).empty()) return {};
  Acceptable last{Form::kNone, Encoding::kJson};
  for (const auto& alternative : split(accept, ',')) {
    const auto parts = split(alternative, ';');
    const std::string media = to_lower(trim(parts[0]));
    std::string as;
    for (const auto& part : parts) {
      const auto [name, value, found] = split_once(trim(part), "=");
      if (found && name == "as") as = value;
    }
    if (media == "application/vnd.kubernetes.protobuf" && as.empty())
      last = {Form::kObject, Encoding::kProtobuf};
    const bool yaml = media == "application/yaml";
    if (!yaml && media != "application/json" && media != "*/*" && media != "application/*") continue;
    const Encoding encoding = yaml ? Encoding::kYaml : Encoding::kJson;
    if (as == "Table" && tables == Tables::kServed) return {Form::kTable, encoding};
    if (as == "PartialObjectMetadata" || as == "PartialObjectMetadataList")
      return {Form::kMetadata, encoding};
    if (as.empty()) return {Form::kObject, encoding};
  }
  return last;
}

IncludeObject include_of(std::string_view text) {
  if (text == "None") return IncludeObject::kNone;
  return text == "Object" ? IncludeObject::kObject : IncludeObject::kMetadata;
}

json::Value partial_metadata(const json::Value& object) {
  return json::Value::object({{"kind", "PartialObjectMetadata"},
                              {"apiVersion", "meta.k8s.io/v1"},
                              {"metadata", object["metadata"]}});
}

}  // namespace skiff::kube
