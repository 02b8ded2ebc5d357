// Events of the store as lines of a watch: selectors with their edges, forms, the first Table's columns
// (contracts 2.4). No I/O.
#pragma once

#include "kube/server/negotiate.h"
#include "kube/server/selection.h"

namespace skiff::kube {

class WatchEncoder {
 public:
  WatchEncoder(KindPtr kind, Selection selection, Form form, IncludeObject include)
      : kind_(std::move(kind)), selection_(std::move(selection)), form_(form), include_(include) {}
  // Appends the line of an event, or nothing when the event does not concern the watcher.
  void append(const store::Event& event, WallTime now, std::string& out);
  void append_added(const store::Entry& entry, WallTime now, std::string& out);
  enum class InitialEnd { kNo, kYes };
  void append_bookmark(store::Revision revision, InitialEnd end, std::string& out) const;

 private:
  void line(std::string_view type, const store::Bytes& bytes, const json::Value* object, WallTime now,
            std::string& out);
  KindPtr kind_;
  Selection selection_;
  Form form_;
  IncludeObject include_;
  bool first_ = true;
};
std::string watch_error_line(const Error& error);

}  // namespace skiff::kube
