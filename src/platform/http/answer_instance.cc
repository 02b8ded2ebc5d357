// What is about no app: who asks, what apps run on.
#include "platform/http/api.h"
#include "platform/http/errors.h"
#include "platform/http/shapes.h"

namespace skiff::platform {

using json::Value;

io::Task<Api::Answer> Api::answer_instance(std::string method, std::string path) {
  if (method != "GET") co_return no_endpoint();
  if (path == "account" || path == "users/~") co_return json_response(200, user_shape());
  if (path == "stacks") co_return json_response(200, Value::array({stack_shape()}));
  if (path == "users/~/apps") {
    auto apps = co_await answer_apps("GET", Value());
    co_return apps;
  }
  co_return no_endpoint();
}

}  // namespace skiff::platform
