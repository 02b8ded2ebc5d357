// A JSON value: the currency between the wire, the store and the controllers.
//
// Objects keep the order of insertion; a member is found in logarithmic time, however many there are. Copies
// are cheap: arrays and objects are shared until one copy is written (copy on write). A value may be read
// from several threads, but each Value object is written by one. Reading never fails: a missing member is
// null, and the typed getters return a default for another type.
//
//   auto replicas = deployment["spec"]["replicas"].as_int(1);
//   deployment.edit("spec").set("replicas", 3);
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace skiff::json {

class Value;
using Array = std::vector<Value>;
using Member = std::pair<std::string, Value>;
using Members = std::vector<Member>;

enum class Kind { kNull, kBool, kInt, kUint, kDouble, kString, kArray, kObject };

class Value {
 public:
  Value() = default;
  Value(std::nullptr_t) {}                                      // NOLINT: implicit on purpose
  Value(bool value) : data_(value) {}                           // NOLINT
  Value(int value) : data_(int64_t{value}) {}                   // NOLINT
  Value(unsigned value) : data_(int64_t{value}) {}              // NOLINT
  Value(long value) : data_(int64_t{value}) {}                  // NOLINT
  Value(long long value) : data_(int64_t{value}) {}             // NOLINT
  Value(unsigned long value);                                   // NOLINT
  Value(unsigned long long value);                              // NOLINT
  Value(double value) : data_(value) {}                         // NOLINT
  Value(const char* value) : data_(std::string(value)) {}       // NOLINT
  Value(std::string value) : data_(std::move(value)) {}         // NOLINT
  Value(std::string_view value) : data_(std::string(value)) {}  // NOLINT
  Value(Array value);                                           // NOLINT

  // {"a": 1, ...} and [1, ...]. Later members of the same name replace earlier ones.
  static Value object(std::initializer_list<Member> members = {});
  static Value object(Members members);
  static Value array(std::initializer_list<Value> items = {});

  Kind kind() const;
  bool is_null() const { return kind() == Kind::kNull; }
  bool is_bool() const { return kind() == Kind::kBool; }
  // True for whole numbers, and for doubles too with is_number().
  bool is_int() const { return kind() == Kind::kInt || kind() == Kind::kUint; }
  bool is_number() const { return is_int() || kind() == Kind::kDouble; }
  bool is_string() const { return kind() == Kind::kString; }
  bool is_array() const { return kind() == Kind::kArray; }
  bool is_object() const { return kind() == Kind::kObject; }
  // Null, "", [], {}; not 0 or false.
  bool empty() const;
  // Items of an array, members of an object, else 0.
  size_t size() const;

  bool as_bool(bool otherwise = false) const;
  int64_t as_int(
      int64_t otherwise = 0) const;  // a double is truncated, an unsigned one too large is `otherwise`
  uint64_t as_uint(uint64_t otherwise = 0) const;
  double as_double(double otherwise = 0) const;
  // The text of a string, else an empty one. The reference lives as long as this value is not written.
  const std::string& str() const;
  std::string str_or(std::string_view otherwise) const;

  // Null when there is no such member or item.
  const Value& operator[](std::string_view key) const;
  const Value& operator[](const char* key) const { return (*this)[std::string_view(key)]; }
  const Value& operator[](const std::string& key) const { return (*this)[std::string_view(key)]; }
  const Value& at(size_t index) const;
  bool contains(std::string_view key) const { return find(key) != nullptr; }
  const Value* find(std::string_view key) const;

  // Empty when this is not an array or object.
  const Array& items() const;
  const Members& members() const;

  // Sets a member; a value that is no object becomes one. Returns the member.
  Value& set(std::string_view key, Value value);
  // The same, telling whether the member is new.
  bool insert_or_assign(std::string key, Value value);
  // The member to write into, made null when missing; a value that is no object becomes one.
  Value& edit(std::string_view key);
  Value& edit_at(size_t index);
  // Removes a member; false when there was none.
  bool erase(std::string_view key);
  void erase_at(size_t index);
  // Appends; a value that is no array becomes one.
  Value& push_back(Value value);
  // Write access to the whole container; a value of another kind becomes an empty one. The reference is used
  // before the next call that writes to this value.
  Array& edit_items();
  Members& edit_members();

  // Deep equality; 1 and 1.0 are equal, the order of members does not matter.
  friend bool operator==(const Value& a, const Value& b);
  // True when both share one container, so equality needs no walk.
  bool same_storage(const Value& other) const;

 private:
  struct Object;  // members, and their order by name once they are many
  Object& edit_object();
  using ArrayPtr = std::shared_ptr<Array>;
  using ObjectPtr = std::shared_ptr<Object>;
  std::variant<std::monostate, bool, int64_t, uint64_t, double, std::string, ArrayPtr, ObjectPtr> data_;
};

// Bounds and reports of parse().
struct ParseOptions {
  size_t max_depth = 256;
  // Receives the path of each duplicate key, for example "metadata.labels.a" or "spec.ports[0].name"; of the
  // first kMaxDuplicateKeys, as upstream does, and each cut to kMaxShownPath bytes.
  std::vector<std::string>* duplicate_keys = nullptr;
};
inline constexpr size_t kMaxDuplicateKeys = 100;
inline constexpr size_t kMaxShownPath = 1024;
void note_duplicate_key(std::vector<std::string>& found, std::string_view path);

// Strict RFC 8259. The last of duplicate keys wins. Error texts follow those of Go's encoding/json where that
// is what Kubernetes clients see ("invalid character 'x' looking for beginning of value").
Result<Value> parse(std::string_view text, const ParseOptions& options = {});

// Compact text. Strings that are not UTF-8 get U+FFFD for each bad byte.
std::string encode(const Value& value);
void encode_to(const Value& value, std::string& out);
// Indented by `indent` spaces a level.
std::string encode_pretty(const Value& value, int indent = 2);
// Appends the quoted and escaped form of `text`.
void encode_string_to(std::string_view text, std::string& out);

}  // namespace skiff::json
