// What builds an app, and what its builds keep from one to the next.
#include <fmt/core.h>

#include "base/strings.h"
#include "platform/apps/buildpacks.h"
#include "platform/http/api.h"
#include "platform/http/errors.h"

namespace skiff::platform {

using json::Value;

// "buildpack-installations": GET, and PUT of all of them.
io::Task<Api::Answer> Api::answer_buildpacks(Question question) {
  if (question.method == "PUT") {
    auto changed = co_await apps_.set_buildpacks(question.app, std::move(question.body));
    SKIFF_CO_RETURN_IF_ERROR(changed);
    std::vector<std::string> shown;
    for (const auto& entry : *changed) shown.push_back(show_buildpack(entry));
    note(question.app, shown.empty() ? std::string("Remove all buildpacks by user skiff")
                                     : fmt::format("Set buildpacks {} by user skiff", join(shown, ", ")));
    co_return json_response(200, buildpack_installations(*changed));
  }
  if (question.method != "GET") co_return no_endpoint();
  auto present = co_await apps_.buildpacks(question.app);
  SKIFF_CO_RETURN_IF_ERROR(present);
  co_return json_response(200, buildpack_installations(*present));
}

io::Task<Api::Answer> Api::answer_build_cache(Question question) {
  if (question.method != "DELETE") co_return no_endpoint();
  auto purged = co_await builder_.purge_cache(question.app);
  SKIFF_CO_RETURN_IF_ERROR(purged);
  note(question.app, "Purge build cache by user skiff");
  co_return json_response(200, Value::object());
}

}  // namespace skiff::platform
