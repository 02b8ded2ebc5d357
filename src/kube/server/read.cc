// GET of an object and of a collection (contracts 2.3).
#include "base/strings.h"
#include "kube/print/table.h"
#include "kube/server/list_query.h"
#include "kube/server/negotiate.h"
#include "kube/server/selection.h"
#include "kube/server/status.h"

namespace skiff::kube {

namespace {

constexpr size_t kListFrame = 16;  // bytes around the items

json::Value list_metadata(const store::Page& page, const std::string& next, bool counted) {
  json::Value metadata =
      json::Value::object({{"resourceVersion", std::to_string(store::number(page.revision))}});
  if (next.empty()) return metadata;
  metadata.set("continue", next);
  if (counted && page.remaining > 0) metadata.set("remainingItemCount", page.remaining);
  return metadata;
}

// Stored bytes go out as they are, copied once.
std::string join_items(const Kind& kind, const std::vector<store::Entry>& entries,
                       const json::Value& metadata) {
  std::vector<store::Bytes> items;
  items.reserve(entries.size());
  size_t size = 0;
  for (const auto& entry : entries) {
    items.push_back(served_bytes(kind, entry.value));
    size += items.back()->size() + 1;
  }
  std::string out =
      "{\"kind\":\"" + kind.kind + "List\",\"apiVersion\":\"" + kind.api_version() + "\",\"metadata\":";
  json::encode_to(metadata, out);
  out.reserve(out.size() + size + kListFrame);
  out += ",\"items\":[";
  for (const auto& item : items) {
    if (&item != &items.front()) out += ',';
    out += *item;
  }
  out += "]}";
  return out;
}

std::vector<json::Value> parse_all(const Kind& kind, const std::vector<store::Entry>& entries) {
  std::vector<json::Value> out;
  for (const auto& entry : entries) {
    auto value = served_object(kind, entry.value);
    if (value) out.push_back(std::move(*value));
  }
  return out;
}

json::Value make_list(Exchange& exchange, Form form, const std::vector<store::Entry>& entries,
                      const json::Value& metadata) {
  const Kind& kind = *exchange.kind;
  std::vector<json::Value> objects = parse_all(kind, entries);
  if (form == Form::kTable) {
    return make_table(kind, objects, metadata, include_of(exchange.query("includeObject")),
                      exchange.objects.loop().wall_now());
  }
  const bool partial = form == Form::kMetadata;
  json::Value items = json::Value::array();
  for (auto& object : objects) items.push_back(partial ? partial_metadata(object) : std::move(object));
  return json::Value::object({{"kind", partial ? "PartialObjectMetadataList" : kind.kind + "List"},
                              {"apiVersion", partial ? "meta.k8s.io/v1" : kind.api_version()},
                              {"metadata", metadata},
                              {"items", std::move(items)}});
}

}  // namespace

io::Task<void> serve_get(Exchange& exchange) {
  const std::string text = exchange.query("resourceVersion");
  const auto asked = parse_revision(text);
  const store::Revision current = exchange.objects.store().current();
  if (!asked) {
    co_await send_error(exchange, asked.error());
    co_return;
  }
  if (*asked > current) {
    co_await send_error(exchange, too_large_revision(text, store::number(current)));
    co_return;
  }
  auto object = exchange.objects.get(exchange.target());
  if (!object) {
    co_await send_error(exchange, object.error());
    co_return;
  }
  co_await send_object(exchange, 200, std::move(*object));
}

io::Task<void> serve_list(Exchange& exchange) {
  auto selection =
      parse_selection(*exchange.kind, exchange.query("labelSelector"), exchange.query("fieldSelector"));
  if (!selection) {
    co_await send_error(exchange, selection.error());
    co_return;
  }
  const std::string prefix = collection_prefix(exchange.target());
  auto query = parse_list_query(exchange.request, prefix, exchange.objects.store().current());
  if (!query) {
    co_await send_error(exchange, query.error());
    co_return;
  }
  store::ListOptions options = *query;
  std::vector<store::Entry> kept;
  std::string next;
  store::Page page;
  // With a selector, pages of the store are read until enough objects match.
  for (;;) {
    auto step = exchange.objects.store().list(options);
    if (!step) {
      co_await send_error(exchange, list_error(step.error(), options));
      co_return;
    }
    page = std::move(*step);
    if (!page.entries.empty()) options.start_after = page.entries.back().key;
    for (auto& entry : page.entries) {
      if (!selection->everything()) {
        auto object = served_object(*exchange.kind, entry.value);
        if (!object || !selection->matches(*object)) continue;
      }
      kept.push_back(std::move(entry));
    }
    if (!page.more) break;
    options.at = page.revision;
    if (options.limit > 0 && kept.size() >= query->limit) {
      next = encode_continue(page.revision, options.start_after.substr(prefix.size()));
      break;
    }
    options.limit = query->limit - kept.size();
  }
  const json::Value metadata = list_metadata(page, next, selection->everything());
  const Acceptable wanted = negotiate(exchange.request.headers.get("Accept"));
  if (wanted.form == Form::kObject && wanted.encoding == Encoding::kJson) {
    co_await send_response(exchange, net::Response::json(200, join_items(*exchange.kind, kept, metadata)));
    co_return;
  }
  json::Value list = make_list(exchange, wanted.form, kept, metadata);
  co_await send_json(exchange, 200, std::move(list));
}

}  // namespace skiff::kube
