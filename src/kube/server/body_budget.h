// What the bodies of requests that are being read may take of memory together: who sends many halves of large
// bodies and waits would else take all of it. One thread.
#pragma once

#include <cstddef>
#include <map>
#include <string>

namespace skiff::kube {

class BodyBudget {
 public:
  static constexpr size_t kMaxOfAll = 128 << 20;  // bytes
  static constexpr size_t kMaxOfOne = 16 << 20;   // of one user

  // What one body has; given back with it.
  class Share {
   public:
    Share(BodyBudget& budget, const std::string& user) : budget_(budget), user_(user) {}
    ~Share() {
      budget_.used_ -= bytes_;
      const auto found = budget_.of_user_.find(user_);
      if (found != budget_.of_user_.end() && (found->second -= bytes_) == 0) budget_.of_user_.erase(found);
    }
    Share(const Share&) = delete;
    // False when the bytes are more than are left, for all or for this user.
    bool take(size_t bytes) {
      if (budget_.used_ + bytes > kMaxOfAll || budget_.of_user_[user_] + bytes > kMaxOfOne) return false;
      bytes_ += bytes;
      budget_.used_ += bytes;
      budget_.of_user_[user_] += bytes;
      return true;
    }

   private:
    BodyBudget& budget_;
    const std::string user_;
    size_t bytes_ = 0;
  };

 private:
  size_t used_ = 0;
  std::map<std::string, size_t> of_user_;
};

}  // namespace skiff::kube
