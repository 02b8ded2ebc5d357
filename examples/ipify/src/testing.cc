#include "testing.h"

#include <vector>

namespace ipify::testing {
namespace {

struct Test {
  const char* name;
  Body body;
};

// The registry fills while the program starts, so it must exist before any of its entries.
std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

int& failures() {
  static int count = 0;
  return count;
}

}  // namespace

Registration::Registration(const char* name, Body body) {
  tests().push_back({name, body});
}

void fail(const char* file, int line, const std::string& what) {
  ++failures();
  std::cerr << file << ":" << line << ": " << what << "\n";
}

}  // namespace ipify::testing

int main() {
  using namespace ipify::testing;
  for (const auto& test : tests()) {
    const int before = failures();
    test.body();
    if (failures() > before) std::cerr << "  FAILED: " << test.name << "\n";
  }
  std::cout << tests().size() << " tests, " << failures() << " failed checks\n";
  return failures() == 0 ? 0 : 1;
}
