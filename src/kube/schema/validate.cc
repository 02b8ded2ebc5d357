#include "kube/schema/validate.h"
namespace skiff::kube {
std::vector<FieldError> validate(const Kind&, const json::Value&, const json::Value*) {
  return {};
}
}  // namespace skiff::kube
