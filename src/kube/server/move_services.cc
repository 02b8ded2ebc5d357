#include "kube/server/move_services.h"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>

#include "base/log.h"
#include "base/strings.h"

namespace skiff::kube {

namespace {

struct Range {
  uint32_t base = 0, mask = 0;
};

std::optional<uint32_t> parse_address(const std::string& text) {
  in_addr address{};
  if (::inet_pton(AF_INET, text.c_str(), &address) != 1) return std::nullopt;
  return ntohl(address.s_addr);
}

std::string format_address(uint32_t address) {
  char text[INET_ADDRSTRLEN] = {};
  const in_addr raw{htonl(address)};
  ::inet_ntop(AF_INET, &raw, text, sizeof text);
  return text;
}

std::optional<Range> parse_range(const std::string& text) {
  const auto halves = split_once(text, "/");
  const auto base = parse_address(std::string(halves.before));
  const auto bits = parse_uint(halves.after);
  if (!base || !bits || *bits == 0 || *bits > 32) return std::nullopt;
  return Range{*base, ~uint32_t{0} << (32 - *bits)};
}

// The address at the same place in the range; nothing for one that lies there, or is none ("None", "", IPv6).
std::optional<std::string> moved(const std::string& text, const Range& range) {
  const auto address = parse_address(text);
  if (!address || (*address & range.mask) == range.base) return std::nullopt;
  return format_address(range.base | (*address & ~range.mask));
}

// The Service with its new addresses; nothing when it stays where it is.
std::optional<json::Value> move_service(json::Value service, const Range& range) {
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
  const auto range = parse_range(objects.options().service_range);
  if (!range) co_return Result<void>();
  const Target all{objects.kind("", "services"), "", ""};
  auto page = objects.store().list({collection_prefix(all), "", 0, {}});
  if (!page) co_return std::unexpected(page.error());
  for (const auto& entry : page->entries) {
    auto service = json::parse(*entry.value);
    if (!service) continue;
    auto other = move_service(std::move(*service), *range);
    if (!other) continue;
    log_info("service gets an address of the new range",
             {{"service", entry.key}, {"address", (*other)["spec"]["clusterIP"].str()}});
    auto written = co_await objects.store().write(plan_write(entry, std::move(*other)));
    if (!written) co_return wrap(written.error(), "move services to " + objects.options().service_range);
  }
  co_return Result<void>();
}

}  // namespace skiff::kube
