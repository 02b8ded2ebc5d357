// Watches the pods of all apps: gives them their names as dynos, tells of them in the app's log, has their
// output collected.
#pragma once

#include <string>

#include "kube/client/informer.h"
#include "platform/dynos/dyno_names.h"
#include "platform/logs/collector.h"
#include "platform/logs/log_store.h"

namespace skiff::platform {

class DynoWatch {
 public:
  // `pods` are those of all apps; all outlive it.
  DynoWatch(io::Loop& loop, kube::Client& api, kube::Informer& pods, LogStore& logs, LogCollector& collector);

 private:
  void on_change(const json::Value& before, const json::Value& after);
  void on_synced();
  void observe(const json::Value& pod);
  std::string name_of(const json::Value& pod);
  void tell(const json::Value& pod, const std::string& name);
  void collect(const json::Value& pod, const std::string& name);
  static io::Task<void> write_name(DynoWatch* self, std::string path, std::string name);
  io::Loop& loop_;
  kube::Client& api_;
  LogStore& logs_;
  LogCollector& collector_;
  DynoNames names_;
  kube::Informer& pods_;
  io::TaskScope scope_;
};

}  // namespace skiff::platform
