#include "kube/server/move_services.h"

#include <algorithm>
#include <optional>

#include "base/log.h"
#include "kube/server/service_range.h"

namespace skiff::kube {

namespace {

// The address at the same place in the range; nothing for one that lies there, or is none ("None", "", IPv6).
std::optional<std::string> moved(const std::string& text, const ServiceRange& range) {
  const auto address = ServiceRange::parse(text);
  const uint32_t place = range.size() - 1;  // a power of two's
  if (!address || (*address & ~place) == range.base()) return std::nullopt;
  return ServiceRange::format(range.base() | (*address & place));
}

// The Service with its new addresses; nothing when it stays where it is.
std::optional<json::Value> move_service(json::Value service, const ServiceRange& range) {
  bool changed = false;
  json::Value& spec = service.edit("spec");
  if (auto address = moved(spec["clusterIP"].str(), range)) {
    spec.set("clusterIP", *address);
    changed = true;
  }
  if (spec["clusterIPs"].empty()) return changed ? std::optional(std::move(service)) : std::nullopt;
  for (auto& one : spec.edit("clusterIPs").edit_items()) {
    if (auto address = moved(one.str(), range)) {
      one = *address;
      changed = true;
    }
  }
  return changed ? std::optional(std::move(service)) : std::nullopt;
}

store::Write plan_write(const store::Entry& entry, json::Value service) {
  auto shared = std::make_shared<json::Value>(std::move(service));
  store::Write write;
  write.key = entry.key;
  write.expect = store::Expect::at(entry.modified);
  write.encode = [shared](store::Revision revision) {
    shared->edit("metadata").set("resourceVersion", std::to_string(store::number(revision)));
    return json::encode(*shared);
  };
  return write;
}

}  // namespace

io::Task<Result<void>> move_services(Objects& objects) {
  const ServiceRange range(objects.options().service_range);
  if (range.base() == 0) co_return Result<void>();
  const Target all{objects.kind("", "services"), "", ""};
  auto page = objects.store().list({collection_prefix(all), "", 0, {}});
  if (!page) co_return std::unexpected(page.error());
  for (const auto& entry : page->entries) {
    auto service = json::parse(*entry.value);
    if (!service) continue;
    auto other = move_service(std::move(*service), range);
    if (!other) continue;
    log_info("service gets an address of the new range",
             {{"service", entry.key}, {"address", (*other)["spec"]["clusterIP"].str()}});
    auto written = co_await objects.store().write(plan_write(entry, std::move(*other)));
    if (!written) co_return wrap(written.error(), "move services to " + objects.options().service_range);
  }
  co_return Result<void>();
}

}  // namespace skiff::kube
