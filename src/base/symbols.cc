#include "base/symbols.h"

#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>

namespace skiff {

// Functions written in assembler have no size.
constexpr uint64_t kUnsizedReach = 64;

// A file mapped for reading.
class Symbols::File {
 public:
  explicit File(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat info{};
    if (fd_ < 0 || ::fstat(fd_, &info) != 0 || info.st_size <= 0) return;
    void* at = ::mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ, MAP_PRIVATE, fd_, 0);
    if (at != MAP_FAILED) bytes_ = {static_cast<const char*>(at), static_cast<size_t>(info.st_size)};
  }
  File(const File&) = delete;
  ~File() {
    if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
    if (fd_ >= 0) ::close(fd_);
  }
  bool is_elf() const {
    return bytes_.size() > sizeof(Elf64_Ehdr) && std::memcmp(bytes_.data(), ELFMAG, SELFMAG) == 0 &&
           bytes_[EI_CLASS] == ELFCLASS64;
  }
  // `count` records at `offset`; none when the file ends before.
  template <typename Record>
  std::span<const Record> records(uint64_t offset, uint64_t count) const {
    if (offset > bytes_.size() || count > (bytes_.size() - offset) / sizeof(Record)) return {};
    if (offset % alignof(Record) != 0) return {};
    return {reinterpret_cast<const Record*>(bytes_.data() + offset), static_cast<size_t>(count)};
  }
  std::string text_at(uint64_t offset) const {
    if (offset >= bytes_.size()) return "";
    const char* begin = bytes_.data() + offset;
    return std::string(begin, ::strnlen(begin, bytes_.size() - offset));
  }

 private:
  int fd_;
  std::span<const char> bytes_;
};

namespace {

std::string readable(const std::string& name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free);
  return status == 0 && text ? text.get() : name;
}

}  // namespace

Result<Symbols> Symbols::read(const std::string& path) {
  Symbols out;
  out.file_ = std::make_shared<const File>(path);
  const File& file = *out.file_;
  if (!file.is_elf()) return fail(Code::kInvalidArgument, path + " is no 64-bit ELF file");
  const auto& head = file.records<Elf64_Ehdr>(0, 1)[0];
  const auto sections = file.records<Elf64_Shdr>(head.e_shoff, head.e_shnum);
  for (const auto& section : sections) {
    if (section.sh_type != SHT_SYMTAB || section.sh_link >= sections.size()) continue;
    const uint64_t names = sections[section.sh_link].sh_offset;
    for (const auto& symbol :
         file.records<Elf64_Sym>(section.sh_offset, section.sh_size / sizeof(Elf64_Sym))) {
      if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_value == 0) continue;
      out.functions_.push_back({symbol.st_value, symbol.st_size, names + symbol.st_name});
    }
  }
  std::ranges::sort(out.functions_, {}, &Function::begin);
  return out;
}

std::string Symbols::name_at(uint64_t address) const {
  auto next = std::ranges::upper_bound(functions_, address, {}, &Function::begin);
  if (next == functions_.begin()) return "";
  const auto& function = *std::prev(next);
  if (address - function.begin >= std::max(function.size, kUnsizedReach)) return "";
  return readable(file_->text_at(function.name));
}

}  // namespace skiff
