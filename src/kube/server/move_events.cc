#include "kube/server/move_events.h"

#include "base/log.h"

namespace skiff::kube {

namespace {

constexpr std::string_view kOldPrefix = "/events.k8s.io/events/";

store::Write plan_copy(const Objects& objects, const KindPtr& kind, const json::Value& event) {
  auto shared = std::make_shared<json::Value>(stored_object(objects.registry(), *kind, event));
  const json::Value& metadata = (*shared)["metadata"];
  store::Write write;
  write.key = object_path({kind, metadata["namespace"].str(), metadata["name"].str()});
  write.expect = store::Expect::absent();
  write.encode = [shared](store::Revision revision) {
    shared->edit("metadata").set("resourceVersion", std::to_string(store::number(revision)));
    return json::encode(*shared);
  };
  return write;
}

store::Write plan_removal(const store::Entry& entry) {
  store::Write write;
  write.key = entry.key;
  write.remove = true;
  write.expect = store::Expect::at(entry.modified);
  write.encode = [last = *entry.value](store::Revision) { return last; };
  return write;
}

}  // namespace

io::Task<Result<void>> move_events(Objects& objects) {
  const KindPtr kind = objects.kind("events.k8s.io", "events");
  auto page = objects.store().list({std::string(kOldPrefix), "", 0, {}});
  if (!page) co_return std::unexpected(page.error());
  if (!page->entries.empty()) {
    log_info("events of events.k8s.io move to those of v1",
             {{"events", std::to_string(page->entries.size())}});
  }
  for (const auto& entry : page->entries) {
    auto event = json::parse(*entry.value);
    if (event) {
      auto copied = co_await objects.store().write(plan_copy(objects, kind, *event));
      if (!copied && copied.error().code != Code::kAlreadyExists)
        co_return wrap(copied.error(), "move " + entry.key);
    }
    auto removed = co_await objects.store().write(plan_removal(entry));
    if (!removed) co_return wrap(removed.error(), "move " + entry.key);
  }
  co_return Result<void>();
}

}  // namespace skiff::kube
