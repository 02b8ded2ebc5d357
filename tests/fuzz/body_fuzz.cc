// Any bytes as the body of a request, in JSON, YAML and protobuf, for any kind: no crash; what is accepted
// keeps its form when it is sent again, and defaults are filled in once.
#include "input.h"
#include "kube/schema/schema.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace skiff;
  static const kube::Registry registry;
  static const auto kinds = registry.all();
  static constexpr kube::MediaType kMedia[] = {kube::MediaType::kJson, kube::MediaType::kYaml,
                                               kube::MediaType::kProtobuf};
  fuzz::Input input(data, size);
  const kube::Kind& kind = *kinds[input.choose(kinds.size())];
  const auto media = kMedia[input.choose(std::size(kMedia))];
  if (media == kube::MediaType::kProtobuf) (void)kube::decode_protobuf(registry, input.rest());
  auto decoded = kube::decode(registry, kind, media, input.rest());
  if (!decoded) return 0;
  const auto again = kube::conform(kind, decoded->object);
  fuzz::require(again && again->object == decoded->object);
  json::Value object = decoded->object;
  kube::apply_defaults(kind, object);
  json::Value twice = object;
  kube::apply_defaults(kind, twice);
  fuzz::require(twice == object);
  (void)kube::validate(kind, object, nullptr);
  (void)kube::validate(kind, object, &decoded->object);
  return 0;
}
