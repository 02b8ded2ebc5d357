#include "base/json.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace skiff::json {

namespace {
const Value kNullValue;
const std::string kEmptyString;
const Array kEmptyArray;
const Members kEmptyMembers;
}  // namespace

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
  result.data_ = std::make_shared<Members>(std::move(members));
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
  for (const auto& [name, value] : **object) {
    if (name == key) return &value;
  }
  return nullptr;
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
  return object ? **object : kEmptyMembers;
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

Members& Value::edit_members() {
  auto* object = std::get_if<ObjectPtr>(&data_);
  if (!object) {
    data_ = std::make_shared<Members>();
  } else if (object->use_count() > 1) {
    data_ = std::make_shared<Members>(**object);
  }
  return *std::get<ObjectPtr>(data_);
}

Value& Value::edit(std::string_view key) {
  auto& list = edit_members();
  for (auto& [name, value] : list) {
    if (name == key) return value;
  }
  return list.emplace_back(std::string(key), Value()).second;
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
  auto& list = edit_members();
  std::erase_if(list, [&](const Member& member) { return member.first == key; });
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
