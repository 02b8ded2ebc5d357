// Names of the functions in a program's file: what makes a list of addresses a stack that people can read.
//
// Reads the file's own symbol table (.symtab), which has the functions of unnamed namespaces too; those of
// shared libraries and of a stripped file stay numbers. For the rare case: the whole table is read each time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace skiff {

class Symbols {
 public:
  // Of a 64-bit ELF file.
  static Result<Symbols> read(const std::string& path);
  // "skiff::edge::Worker::run()" for an address counted from the begin of the file's lowest segment; "" where
  // no function is known.
  std::string name_at(uint64_t address) const;

 private:
  class File;
  struct Function {
    uint64_t begin, size;
    uint64_t name;  // where it stands in the file
  };
  std::shared_ptr<const File> file_;
  std::vector<Function> functions_;  // by `begin`
};

}  // namespace skiff
