// A test runner of a page, because the build image has no test library.
//
//   TEST("a sentence that says what holds") { CHECK_EQ(1 + 1, 2); }
#pragma once

#include <iostream>
#include <sstream>
#include <string>
#include <string_view>

namespace ipify::testing {

using Body = void (*)();

struct Registration {
  Registration(const char* name, Body body);
};

// Counts a failed check and prints where it is.
void fail(const char* file, int line, const std::string& what);

template <typename A, typename B>
void check_equal(const A& actual, const B& expected, const char* text, const char* file, int line) {
  if (actual == expected) return;
  std::ostringstream what;
  what << text << "\n    is:       " << actual << "\n    expected: " << expected;
  fail(file, line, what.str());
}

}  // namespace ipify::testing

#define IPIFY_JOIN_(a, b) a##b
#define IPIFY_JOIN(a, b) IPIFY_JOIN_(a, b)
#define TEST(name)                                                                 \
  static void IPIFY_JOIN(test_, __LINE__)();                                       \
  static const ::ipify::testing::Registration IPIFY_JOIN(registration_, __LINE__)( \
      name, &IPIFY_JOIN(test_, __LINE__));                                         \
  static void IPIFY_JOIN(test_, __LINE__)()
#define CHECK(condition) \
  if (!(condition)) ::ipify::testing::fail(__FILE__, __LINE__, #condition)
#define CHECK_EQ(actual, expected) \
  ::ipify::testing::check_equal((actual), (expected), #actual, __FILE__, __LINE__)
