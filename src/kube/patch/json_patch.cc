#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include "base/strings.h"
#include "kube/patch/patch.h"

namespace skiff::kube {

namespace {

// What all "copy" and "move" operations of one patch may handle, in bytes of text: each copy may double the
// object.
constexpr size_t kMaxCopiedBytes = size_t{3} << 20;
// What insertions and removals of one patch may move along: each moves what stands behind it in its list.
constexpr size_t kMaxMoved = 10'000'000;
// Levels of what a patch makes, as of what is read.
constexpr size_t kMaxDepth = 256;

std::unexpected<Error> refused(std::string_view what, std::string_view path) {
  return fail(Code::kNotFound, fmt::format("{}: {}", what, path));
}

// Adds the rough size of `value` to `size`; stops once the bound is passed.
bool measure(const json::Value& value, size_t& size) {
  size += 8 + value.str().size();
  if (size > kMaxCopiedBytes) return false;
  for (const auto& item : value.items()) {
    if (!measure(item, size)) return false;
  }
  for (const auto& [key, item] : value.members()) {
    size += key.size();
    if (!measure(item, size)) return false;
  }
  return true;
}

// Levels of `value`, up to one more than `most`.
size_t height(const json::Value& value, size_t most) {
  size_t below = 0;
  if (most == 0) return value.size() > 0 ? 1 : 0;
  for (const auto& item : value.items()) below = std::max(below, height(item, most - 1));
  for (const auto& [key, item] : value.members()) below = std::max(below, height(item, most - 1));
  return value.is_array() || value.is_object() ? below + 1 : 0;
}

// The keys of a pointer. What stands before the first slash is ignored, as upstream does.
std::vector<std::string> keys_of(std::string_view pointer) {
  auto keys = split(pointer, '/');
  keys.erase(keys.begin());
  for (auto& key : keys) key = replace_all(replace_all(std::move(key), "~1", "/"), "~0", "~");
  return keys;
}

// An index of an array of `size`; negative ones count from the end.
std::optional<size_t> index_of(std::string_view key, size_t size) {
  auto index = parse_int(key);
  if (!index) return std::nullopt;
  if (*index < 0) *index += static_cast<int64_t>(size);
  if (*index < 0 || *index >= static_cast<int64_t>(size)) return std::nullopt;
  return static_cast<size_t>(*index);
}

class Patcher {
 public:
  explicit Patcher(json::Value object) : object_(std::move(object)) {}

  Result<void> apply(const json::Value& operation) {
    const std::string& op = operation["op"].str();
    if (!operation["path"].is_string()) return refused("operation without path", op);
    const std::string& path = operation["path"].str();
    if (op == "add") return add(path, operation["value"]);
    if (op == "remove") return remove(path);
    if (op == "replace") return replace(path, operation["value"]);
    if (op == "test") return test(path, operation["value"]);
    if (op == "move") return move(operation["from"].str(), path);
    if (op == "copy") return copy(operation["from"].str(), path);
    return refused("unexpected kind of operation", op);
  }

  json::Value take() { return std::move(object_); }

 private:
  // Null when a container on the way is missing.
  json::Value* parent_of(const std::vector<std::string>& keys) {
    json::Value* at = &object_;
    for (size_t i = 0; i + 1 < keys.size(); ++i) {
      if (at->is_array()) {
        auto index = index_of(keys[i], at->size());
        if (!index) return nullptr;
        at = &at->edit_at(*index);
      } else if (at->contains(keys[i])) {
        at = &at->edit(keys[i]);
      } else {
        return nullptr;
      }
    }
    return at->is_array() || at->is_object() ? at : nullptr;
  }

  // The value, null for a missing member; an error for a missing container or item.
  Result<const json::Value*> read(const std::string& path) const {
    static const json::Value kMissing;
    const json::Value* at = &object_;
    auto keys = keys_of(path);
    for (size_t i = 0; i < keys.size(); ++i) {
      if (at->is_array()) {
        auto index = index_of(keys[i], at->size());
        if (!index) return refused("no such item", path);
        at = &at->at(*index);
        continue;
      }
      if (!at->is_object()) return refused("no such container", path);
      const json::Value* next = at->find(keys[i]);
      if (next == nullptr && i + 1 < keys.size()) return refused("no such container", path);
      if (next == nullptr) return &kMissing;
      at = next;
    }
    return at;
  }

  static Result<void> check_depth(const std::vector<std::string>& keys, const json::Value& value) {
    if (keys.size() + height(value, kMaxDepth) <= kMaxDepth) return {};
    return fail(Code::kResourceExhausted,
                fmt::format("what a patch makes may be nested at most {} levels deep", kMaxDepth));
  }

  // Counts what an insertion or a removal moves.
  Result<void> charge(size_t moved) {
    moved_ += moved;
    if (moved_ <= kMaxMoved) return {};
    return fail(
        Code::kResourceExhausted,
        fmt::format("insertions and removals of one patch may move at most {} list items; replace the "
                    "list instead",
                    kMaxMoved));
  }

  Result<void> add(const std::string& path, json::Value value) {
    auto keys = keys_of(path);
    SKIFF_RETURN_IF_ERROR(check_depth(keys, value));
    if (keys.empty()) {
      object_ = std::move(value);
      return {};
    }
    json::Value* parent = parent_of(keys);
    if (parent == nullptr) return refused("add operation does not apply: no such container", path);
    if (parent->is_object()) {
      parent->set(keys.back(), std::move(value));
      return {};
    }
    size_t index = parent->size();
    if (keys.back() != "-") {
      auto place = index_of(keys.back(), parent->size() + 1);
      if (!place) return refused("add operation does not apply: no such item", path);
      index = *place;
    }
    SKIFF_RETURN_IF_ERROR(charge(parent->size() - index));
    auto& items = parent->edit_items();
    items.insert(items.begin() + static_cast<std::ptrdiff_t>(index), std::move(value));
    return {};
  }

  Result<void> remove(const std::string& path) {
    auto keys = keys_of(path);
    json::Value* parent = keys.empty() ? nullptr : parent_of(keys);
    if (parent == nullptr) return refused("remove operation does not apply: no such container", path);
    SKIFF_RETURN_IF_ERROR(charge(parent->size()));
    if (parent->is_object()) {
      if (!parent->erase(keys.back())) return refused("unable to remove nonexistent key", path);
      return {};
    }
    auto index = index_of(keys.back(), parent->size());
    if (!index) return refused("unable to remove nonexistent item", path);
    parent->erase_at(*index);
    return {};
  }

  Result<void> replace(const std::string& path, const json::Value& value) {
    auto keys = keys_of(path);
    if (keys.empty()) {
      object_ = value;
      return {};
    }
    json::Value* parent = parent_of(keys);
    if (parent == nullptr) return refused("replace operation does not apply: no such container", path);
    if (parent->is_object()) return add(path, value);
    auto index = index_of(keys.back(), parent->size());
    if (!index) return refused("replace operation does not apply: no such item", path);
    SKIFF_RETURN_IF_ERROR(check_depth(keys, value));
    parent->edit_at(*index) = value;
    return {};
  }

  Result<void> test(const std::string& path, const json::Value& value) {
    auto current = read(path);
    if (!current) return std::unexpected(current.error());
    if (!(**current == value)) return refused("testing value failed", path);
    return {};
  }

  // What moves or is copied is measured: its text is copied, and its levels are counted.
  Result<json::Value> measured(const std::string& path) {
    auto value = read(path);
    if (!value) return std::unexpected(value.error());
    if (!measure(**value, copied_)) {
      return fail(Code::kResourceExhausted,
                  "\"copy\" and \"move\" operations of one patch may handle at most 3 MiB");
    }
    return **value;
  }

  Result<void> move(const std::string& from, const std::string& path) {
    auto value = measured(from);
    if (!value) return std::unexpected(value.error());
    SKIFF_RETURN_IF_ERROR(remove(from));
    return add(path, std::move(*value));
  }

  Result<void> copy(const std::string& from, const std::string& path) {
    auto value = measured(from);
    if (!value) return std::unexpected(value.error());
    return add(path, std::move(*value));
  }

  json::Value object_;
  size_t copied_ = 0;
  size_t moved_ = 0;
};

}  // namespace

Result<json::Value> apply_json_patch(const json::Value& object, const json::Value& patch) {
  if (!patch.is_array()) {
    return fail(Code::kInvalidArgument,
                "a JSON patch is a list of operations: [{\"op\": ..., \"path\": ...}]");
  }
  if (patch.size() > kMaxJsonPatchOperations) {
    return fail(Code::kResourceExhausted,
                fmt::format("The allowed maximum operations in a JSON patch is {}, got {}",
                            kMaxJsonPatchOperations, patch.size()));
  }
  Patcher patcher(object);
  for (const auto& operation : patch.items()) SKIFF_RETURN_IF_ERROR(patcher.apply(operation));
  return patcher.take();
}

}  // namespace skiff::kube
