// An object and a patch from any bytes, in each of the three forms: no crash, no endless growth; a merge
// patch applied again changes nothing.
#include "input.h"
#include "kube/patch/patch.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace skiff;
  static const kube::Registry registry;
  static const auto deployment = registry.find("apps", "v1", "deployments");
  fuzz::Input input(data, size);
  const size_t form = input.choose(3);
  const auto object = json::parse(input.part());
  const auto patch = json::parse(input.rest());
  if (!object || !patch) return 0;
  if (form == 0) {
    (void)kube::apply_json_patch(*object, *patch);
  } else if (form == 1) {
    const auto once = kube::apply_merge_patch(*object, *patch);
    fuzz::require(kube::apply_merge_patch(once, *patch) == once);
  } else {
    (void)kube::apply_strategic_merge_patch(*deployment->type, *object, *patch);
    (void)kube::print_go(*patch);
  }
  return 0;
}
