#include "node/pod/exec_budget.h"

namespace skiff::node {

namespace {
constexpr size_t kMaxShownName = 256;
}  // namespace

Result<void> ExecBudget::take(std::string_view kind, std::string_view name, size_t bytes) {
  const std::string advice = "; give the program a file of a volume instead";
  if (bytes > kMaxExecString) {
    return fail(Code::kInvalidArgument, std::string(kind) + " " + std::string(name.substr(0, kMaxShownName)) +
                                            " is longer than " + std::to_string(kMaxExecString) +
                                            " bytes, the most that a program can be given" + advice);
  }
  taken_ += bytes + 1 + sizeof(char*);
  if (taken_ <= kMaxExecTotal) return {};
  return fail(Code::kInvalidArgument, "environment and arguments come to more than " +
                                          std::to_string(kMaxExecTotal) +
                                          " bytes, the most that a program can be given" + advice);
}

}  // namespace skiff::node
