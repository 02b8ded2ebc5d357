// A runtime without processes, for simulations: programs are scripts of the test.
#pragma once

#include <map>

#include "io/loop.h"
#include "node/runtime/runtime.h"

namespace skiff::node {

class FakeRuntime final : public Runtime {
 public:
  // How a container behaves; the default runs for ever and ends with 0 on SIGTERM at once.
  struct Behaviour {
    Duration start_takes{};
    std::optional<std::string> cannot_start;  // message of the StartError
    std::optional<Duration> ends_after;       // by itself
    int exit_code = 0;
    std::optional<Duration> ends_on_term = Duration{};  // nothing: ignores SIGTERM
    int exec_exit_code = 0;
  };
  explicit FakeRuntime(io::Loop& loop) : loop_(loop) {}

  // By container name; applies from the next start on.
  void behave(const std::string& container, Behaviour behaviour) { behaviours_[container] = behaviour; }
  // Ends a running container.
  void end(const ContainerKey& key, int exit_code, std::string reason = "");
  const std::vector<ContainerKey>& starts() const { return starts_; }
  size_t running() const;

  io::Task<Result<ContainerRun>> start(ContainerSpec spec) override;
  Result<void> signal(const ContainerKey& key, int number) override;
  io::Task<Result<void>> remove(ContainerKey key) override;
  io::Task<Result<void>> release(ContainerKey key) override;
  io::Task<Result<ExecResult>> exec(ContainerKey key, std::vector<std::string> argv, Duration limit) override;
  std::optional<ContainerRun> find(const ContainerKey& key) const override;
  std::vector<ContainerRun> list(const std::string& pod_uid) const override;
  void on_exit(ExitCallback callback) override { on_exit_ = std::move(callback); }
  Result<void> reopen_log(const ContainerKey&) override { return {}; }

 private:
  io::Loop& loop_;
  ExitCallback on_exit_;
  std::map<std::string, Behaviour> behaviours_;
  std::map<ContainerKey, ContainerRun> runs_;
  std::vector<ContainerKey> starts_;
};

}  // namespace skiff::node
