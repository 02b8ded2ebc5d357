// Events of the store as lines (or protobuf frames) of a watch: selectors with their edges, forms, the first
// Table's columns (contracts 2.4). No I/O.
#pragma once

#include "kube/server/negotiate.h"
#include "kube/server/selection.h"

namespace skiff::kube {

class WatchEncoder {
 public:
  // The registry outlives the encoder.
  WatchEncoder(const Registry& registry, KindPtr kind, Selection selection, Acceptable wanted,
               IncludeObject include)
      : registry_(registry),
        kind_(std::move(kind)),
        selection_(std::move(selection)),
        wanted_(wanted),
        include_(include) {}
  std::string_view content_type() const;
  // Appends the line of an event, or nothing when the event does not concern the watcher.
  void append(const store::Event& event, WallTime now, std::string& out);
  void append_added(const store::Entry& entry, WallTime now, std::string& out);
  enum class InitialEnd { kNo, kYes };
  void append_bookmark(store::Revision revision, InitialEnd end, WallTime now, std::string& out);
  void append_error(const Error& error, std::string& out) const;

 private:
  json::Value in_form(json::Value object, WallTime now);
  void line(std::string_view type, const store::Bytes& bytes, const json::Value* object, WallTime now,
            std::string& out);
  void frame(std::string_view type, const json::Value& object, std::string& out) const;
  const Registry& registry_;
  KindPtr kind_;
  Selection selection_;
  Acceptable wanted_;
  IncludeObject include_;
  bool first_ = true;
};

}  // namespace skiff::kube
