// SHA-256, whole or piece by piece.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace skiff::node {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void update(std::string_view data);
  // In hexadecimal; the object is of no use afterwards.
  std::string finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::string sha256_hex(std::string_view data);

}  // namespace skiff::node
