#include "base/json.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <set>

namespace skiff::json {

namespace {
const Value kNullValue;
const std::string kEmptyString;
const Array kEmptyArray;
const Members kEmptyMembers;

// Objects of more members are searched through an index. What is asked for comes from outside: searching
// each of 200,000 members by walking them would take minutes.
constexpr size_t kIndexFrom = 32;

// Where a member stands. A removal moves what stands behind it, which leaves the order by name as it is.
struct Position {
  mutable uint32_t at;
};
struct ByName {
  using is_transparent = void;
  const Members* members;
  const std::string& name(Position position) const { return (*members)[position.at].first; }
  bool operator()(Position a, Position b) const { return name(a) < name(b); }
  bool operator()(Position a, std::string_view b) const { return name(a) < b; }
  bool operator()(std::string_view a, Position b) const { return a < name(b); }
};
}  // namespace

struct Value::Object {
  Object() = default;
  explicit Object(Members given) : members(std::move(given)) { make_index(); }
  Object(const Object& other) : members(other.members) { make_index(); }
  Object& operator=(const Object&) = delete;

  // The position of the first member of this name; the number of members when there is none.
  size_t find(std::string_view key) const {
    if (index) {
      const auto found = index->find(key);
      return found == index->end() ? members.size() : found->at;
    }
    size_t at = 0;
    while (at < members.size() && members[at].first != key) ++at;
    return at;
  }
  Value& append(std::string key, Value value) {
    members.emplace_back(std::move(key), std::move(value));
    if (index) {
      index->insert({static_cast<uint32_t>(members.size() - 1)});
    } else {
      make_index();
    }
    return members.back().second;
  }
  void erase(size_t at) {
    if (index) index->erase(index->find(std::string_view(members[at].first)));
    members.erase(members.begin() + static_cast<ptrdiff_t>(at));
    if (!index) return;
    for (const Position& position : *index) position.at -= position.at > at ? 1 : 0;
  }

  Members members;
  std::unique_ptr<std::set<Position, ByName>> index;  // null for few members, and after raw writes

 private:
  void make_index() {
    if (members.size() < kIndexFrom) return;
    index = std::make_unique<std::set<Position, ByName>>(ByName{&members});
    for (uint32_t i = 0; i < members.size(); ++i) index->insert({i});
  }
};

Value::Value(unsigned long value) : Value(static_cast<unsigned long long>(value)) {}

Value::Value(unsigned long long value) {
  if (value <= static_cast<unsigned long long>(std::numeric_limits<int64_t>::max())) {
    data_ = static_cast<int64_t>(value);
  } else {
    data_ = static_cast<uint64_t>(value);
  }
}

Value::Value(Array value) : data_(std::make_shared<Array>(std::move(value))) {}

Value Value::object(std::initializer_list<Member> members) {
  Value result;
  auto& list = result.edit_members();
  list.reserve(members.size());
  for (const auto& [key, value] : members) result.set(key, value);
  return result;
}

Value Value::object(Members members) {
  Value result;
  result.data_ = std::make_shared<Object>(std::move(members));
  return result;
}

Value Value::array(std::initializer_list<Value> items) {
  return Value(Array(items));
}

Kind Value::kind() const {
  return static_cast<Kind>(data_.index());
}

bool Value::empty() const {
  switch (kind()) {
    case Kind::kNull:
      return true;
    case Kind::kString:
      return str().empty();
    case Kind::kArray:
      return items().empty();
    case Kind::kObject:
      return members().empty();
    default:
      return false;
  }
}

size_t Value::size() const {
  return is_array() ? items().size() : members().size();
}

bool Value::as_bool(bool otherwise) const {
  const bool* value = std::get_if<bool>(&data_);
  return value ? *value : otherwise;
}

int64_t Value::as_int(int64_t otherwise) const {
  if (auto* value = std::get_if<int64_t>(&data_)) return *value;
  if (auto* value = std::get_if<double>(&data_); value && std::abs(*value) < 9.2e18) {
    return static_cast<int64_t>(*value);
  }
  return otherwise;
}

uint64_t Value::as_uint(uint64_t otherwise) const {
  if (auto* value = std::get_if<uint64_t>(&data_)) return *value;
  if (auto* value = std::get_if<int64_t>(&data_); value && *value >= 0) return static_cast<uint64_t>(*value);
  return otherwise;
}

double Value::as_double(double otherwise) const {
  if (auto* value = std::get_if<double>(&data_)) return *value;
  if (auto* value = std::get_if<int64_t>(&data_)) return static_cast<double>(*value);
  if (auto* value = std::get_if<uint64_t>(&data_)) return static_cast<double>(*value);
  return otherwise;
}

const std::string& Value::str() const {
  const auto* value = std::get_if<std::string>(&data_);
  return value ? *value : kEmptyString;
}

std::string Value::str_or(std::string_view otherwise) const {
  return is_string() ? str() : std::string(otherwise);
}

const Value* Value::find(std::string_view key) const {
  const auto* object = std::get_if<ObjectPtr>(&data_);
  if (!object) return nullptr;
  const size_t at = (*object)->find(key);
  return at < (*object)->members.size() ? &(*object)->members[at].second : nullptr;
}

const Value& Value::operator[](std::string_view key) const {
  const Value* value = find(key);
  return value ? *value : kNullValue;
}

const Value& Value::at(size_t index) const {
  const auto& list = items();
  return index < list.size() ? list[index] : kNullValue;
}

const Array& Value::items() const {
  const auto* array = std::get_if<ArrayPtr>(&data_);
  return array ? **array : kEmptyArray;
}

const Members& Value::members() const {
  const auto* object = std::get_if<ObjectPtr>(&data_);
  return object ? (*object)->members : kEmptyMembers;
}

Array& Value::edit_items() {
  auto* array = std::get_if<ArrayPtr>(&data_);
  if (!array) {
    data_ = std::make_shared<Array>();
  } else if (array->use_count() > 1) {
    data_ = std::make_shared<Array>(**array);
  }
  return *std::get<ArrayPtr>(data_);
}

Value::Object& Value::edit_object() {
  auto* object = std::get_if<ObjectPtr>(&data_);
  if (!object) {
    data_ = std::make_shared<Object>();
  } else if (object->use_count() > 1) {
    data_ = std::make_shared<Object>(**object);
  }
  return *std::get<ObjectPtr>(data_);
}

Members& Value::edit_members() {
  Object& object = edit_object();
  object.index.reset();  // the caller may do anything to the list; the next new member makes it again
  return object.members;
}

Value& Value::edit(std::string_view key) {
  Object& object = edit_object();
  const size_t at = object.find(key);
  return at < object.members.size() ? object.members[at].second : object.append(std::string(key), Value());
}

bool Value::insert_or_assign(std::string key, Value value) {
  Object& object = edit_object();
  const size_t at = object.find(key);
  const bool fresh = at == object.members.size();
  if (fresh) {
    object.append(std::move(key), std::move(value));
  } else {
    object.members[at].second = std::move(value);
  }
  return fresh;
}

Value& Value::edit_at(size_t index) {
  auto& list = edit_items();
  if (index >= list.size()) list.resize(index + 1);
  return list[index];
}

Value& Value::set(std::string_view key, Value value) {
  Value& member = edit(key);
  member = std::move(value);
  return member;
}

bool Value::erase(std::string_view key) {
  if (!find(key)) return false;
  Object& object = edit_object();
  object.erase(object.find(key));
  return true;
}

void Value::erase_at(size_t index) {
  if (index >= items().size()) return;
  auto& list = edit_items();
  list.erase(list.begin() + static_cast<ptrdiff_t>(index));
}

Value& Value::push_back(Value value) {
  return edit_items().emplace_back(std::move(value));
}

bool Value::same_storage(const Value& other) const {
  if (auto* array = std::get_if<ArrayPtr>(&data_)) {
    auto* theirs = std::get_if<ArrayPtr>(&other.data_);
    return theirs && *array == *theirs;
  }
  if (auto* object = std::get_if<ObjectPtr>(&data_)) {
    auto* theirs = std::get_if<ObjectPtr>(&other.data_);
    return theirs && *object == *theirs;
  }
  return false;
}

static bool equal_members(const Value& a, const Value& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.members().size(); ++i) {
    const auto& [key, value] = a.members()[i];
    // Objects of one origin have their members in one order: look there before searching.
    const auto& twin = b.members()[i];
    const Value* other = twin.first == key ? &twin.second : b.find(key);
    if (!other || !(value == *other)) return false;
  }
  return true;
}

bool operator==(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    if (a.kind() == b.kind()) return a.data_ == b.data_;
    return a.as_double() == b.as_double();
  }
  if (a.kind() != b.kind()) return false;
  if (a.same_storage(b)) return true;
  if (a.is_array()) return a.items() == b.items();
  if (a.is_object()) return equal_members(a, b);
  return a.data_ == b.data_;
}

}  // namespace skiff::json
