// Any bytes as YAML: no crash, and each document is a value that JSON can carry.
#include "base/yaml.h"

#include "input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto documents = skiff::yaml::parse_all(skiff::fuzz::Input(data, size).rest());
  if (!documents) return 0;
  for (const auto& document : *documents) {
    const auto again = skiff::json::parse(skiff::json::encode(document));
    skiff::fuzz::require(again && *again == document);
  }
  return 0;
}
