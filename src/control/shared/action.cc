#include "control/shared/action.h"

namespace skiff::control {

std::string Action::to_string() const {
  switch (verb) {
    case Verb::kCreate:
      return "create " + path + "/" + name_of(body);
    case Verb::kUpdate:
      return "update " + path;
    case Verb::kPatch:
      return "patch " + path + " " + json::encode(body);
    case Verb::kDelete:
      return "delete " + path;
    case Verb::kConfirm:
      return "confirm " + path;
    case Verb::kEvent:
      return "event " + type + " " + reason + " " + message;
  }
  return "";
}

Action create(std::string path, Value body) {
  return {.verb = Action::Verb::kCreate, .path = std::move(path), .body = std::move(body)};
}
Action update(std::string path, Value body) {
  return {.verb = Action::Verb::kUpdate, .path = std::move(path), .body = std::move(body)};
}
Action merge_patch(std::string path, Value body) {
  return {.verb = Action::Verb::kPatch, .path = std::move(path), .body = std::move(body)};
}
Action strategic_patch(std::string path, Value body) {
  return {.verb = Action::Verb::kPatch,
          .path = std::move(path),
          .body = std::move(body),
          .patch = kube::PatchType::kStrategicMerge};
}
Action remove(std::string path, Value options) {
  return {.verb = Action::Verb::kDelete, .path = std::move(path), .body = std::move(options)};
}
Action confirm(std::string path, std::string uid) {
  return {.verb = Action::Verb::kConfirm, .path = std::move(path), .body = std::move(uid)};
}

static Action make_event(std::string type, Value about, std::string reason, std::string message) {
  return {.verb = Action::Verb::kEvent,
          .path = "",
          .body = std::move(about),
          .type = std::move(type),
          .reason = std::move(reason),
          .message = std::move(message)};
}
Action normal_event(Value about, std::string reason, std::string message) {
  return make_event("Normal", std::move(about), std::move(reason), std::move(message));
}
Action warning_event(Value about, std::string reason, std::string message) {
  return make_event("Warning", std::move(about), std::move(reason), std::move(message));
}

std::string Plan::to_string() const {
  std::string out;
  for (const auto& action : actions) out += action.to_string() + "\n";
  return out;
}

}  // namespace skiff::control
