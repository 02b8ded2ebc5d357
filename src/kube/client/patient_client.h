// Another client's questions, asked again for a while when the API server does not answer: it may be in the
// middle of a restart. Nothing is carried out twice: a change is repeated only when it can't have reached the
// server, or when it does the same a second time. A question that is taken and not answered is given up,
// since the server may stand still; a change is not, since it may be carried out.
//
// Following collections has a patience of its own and goes straight through.
#pragma once

#include "io/loop.h"
#include "kube/client/client.h"

namespace skiff::kube {

// From the first try to the last, and for the answer to a question.
constexpr Duration kApiPatience = std::chrono::seconds(10);

class PatientClient final : public Client {
 public:
  // Both outlive it.
  PatientClient(io::Loop& loop, Client& inner) : loop_(loop), inner_(inner) {}
  io::Task<Result<json::Value>> get(std::string path) override;
  io::Task<Result<json::Value>> list(std::string path, std::string query) override;
  io::Task<Result<json::Value>> create(std::string path, json::Value object) override;
  io::Task<Result<json::Value>> update(std::string path, json::Value object) override;
  io::Task<Result<json::Value>> patch(std::string path, PatchType type, json::Value patch) override;
  io::Task<Result<void>> remove(std::string path, json::Value options) override;
  io::Task<void> follow(std::string path, std::string query, ChangeCallback on_change) override;

 private:
  enum class Again { kHarmless, kHarmful };  // when the first try was carried out after all
  // `ask()` gives the task of one try.
  template <typename Answer, typename Ask>
  io::Task<Answer> insist(Again again, Ask ask);
  // Waits before the next try; false when there is none.
  io::Task<bool> pause(Error error, Again again, MonotonicTime begin);
  io::Loop& loop_;
  Client& inner_;
};

}  // namespace skiff::kube
