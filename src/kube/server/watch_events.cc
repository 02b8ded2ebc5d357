#include "kube/server/watch_events.h"

#include "kube/schema/protobuf.h"
#include "kube/server/status.h"

namespace skiff::kube {

std::string_view WatchEncoder::content_type() const {
  return wanted_.encoding == Encoding::kProtobuf ? "application/vnd.kubernetes.protobuf;stream=watch"
                                                 : "application/json";
}

// One event whose object is not stored in the form that is sent.
void WatchEncoder::frame(std::string_view type, const json::Value& object, std::string& out) const {
  if (wanted_.encoding == Encoding::kProtobuf) {
    // Only kinds that have the form are watched in it.
    out += encode_protobuf_event(registry_, type, object).value_or("");
    return;
  }
  json::encode_to(json::Value::object({{"type", type}, {"object", object}}), out);
  out += '\n';
}

// The object in the form that was asked for.
json::Value WatchEncoder::in_form(json::Value object, WallTime now) {
  if (wanted_.form == Form::kMetadata) return partial_metadata(object);
  if (wanted_.form != Form::kTable) return object;
  const json::Value metadata =
      json::Value::object({{"resourceVersion", object["metadata"]["resourceVersion"]}});
  json::Value table = make_table(*kind_, {std::move(object)}, metadata, include_, now);
  if (!std::exchange(first_, false)) table.set("columnDefinitions", nullptr);
  return table;
}

void WatchEncoder::line(std::string_view type, const store::Bytes& bytes, const json::Value* object,
                        WallTime now, std::string& out) {
  if (wanted_.form == Form::kObject && wanted_.encoding != Encoding::kProtobuf && bytes) {
    out += "{\"type\":\"";
    out += type;
    out += "\",\"object\":";
    out += *served_bytes(*kind_, bytes);
    out += "}\n";
    return;
  }
  json::Value value;
  if (object) {
    value = *object;
  } else if (auto parsed = served_object(*kind_, bytes)) {
    value = std::move(*parsed);
  }
  frame(type, in_form(std::move(value), now), out);
}

void WatchEncoder::append_added(const store::Entry& entry, WallTime now, std::string& out) {
  if (selection_.everything()) return line("ADDED", entry.value, nullptr, now, out);
  auto object = served_object(*kind_, entry.value);
  if (object && selection_.matches(*object)) line("ADDED", entry.value, &*object, now, out);
}

void WatchEncoder::append(const store::Event& event, WallTime now, std::string& out) {
  const bool removed = event.kind == store::Event::Kind::kRemove;
  if (selection_.everything()) {
    const char* type = removed ? "DELETED" : event.previous ? "MODIFIED" : "ADDED";
    return line(type, event.entry.value, nullptr, now, out);
  }
  auto after = served_object(*kind_, event.entry.value);
  json::Value before;
  if (event.previous) {
    if (auto parsed = served_object(*kind_, event.previous)) before = std::move(*parsed);
  }
  const bool was = !before.is_null() && selection_.matches(before);
  const bool is = !removed && after && selection_.matches(*after);
  if (is) return line(was ? "MODIFIED" : "ADDED", event.entry.value, &*after, now, out);
  if (!was) return;
  if (removed) return line("DELETED", event.entry.value, nullptr, now, out);
  // It left the selector: the last state that matched, with the revision at which it left.
  before.edit("metadata").set("resourceVersion", std::to_string(store::number(event.entry.modified)));
  line("DELETED", nullptr, &before, now, out);
}

void WatchEncoder::append_bookmark(store::Revision revision, InitialEnd end, WallTime now, std::string& out) {
  json::Value metadata = json::Value::object({{"resourceVersion", std::to_string(store::number(revision))}});
  if (end == InitialEnd::kYes) {
    metadata.set("annotations", json::Value::object({{"k8s.io/initial-events-end", "true"}}));
  }
  json::Value object = json::Value::object(
      {{"kind", kind_->kind}, {"apiVersion", kind_->api_version()}, {"metadata", std::move(metadata)}});
  frame("BOOKMARK", in_form(std::move(object), now), out);
}

void WatchEncoder::append_error(const Error& error, std::string& out) const {
  frame("ERROR", answer_of(error).status, out);
}

}  // namespace skiff::kube
