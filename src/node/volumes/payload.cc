#include "node/volumes/payload.h"

#include <algorithm>

#include "base/strings.h"

namespace skiff::node {

namespace {

using json::Value;

constexpr int kDefaultMode = 0644;
constexpr size_t kBlock = 4096;  // of usual file systems

bool valid_path(const std::string& path) {
  if (path.empty() || path.front() == '/') return false;
  for (const auto& part : split(path, '/')) {
    if (part == ".." || part.empty()) return false;
  }
  return !path.starts_with("..");
}

size_t disk_size(const std::string& path, size_t bytes) {
  const auto folders = static_cast<size_t>(std::ranges::count(path, '/'));
  return (folders + std::max<size_t>(1, (bytes + kBlock - 1) / kBlock)) * kBlock;
}

// Files as far as there is room for them. One that replaces another counts, too: copying it is work.
struct Files {
  Payload payload;
  size_t room;

  Result<void> add(const std::string& path, std::string data, const Value& mode, int otherwise) {
    if (!valid_path(path)) return fail(Code::kInvalidArgument, "invalid path in a volume: \"" + path + "\"");
    const size_t size = disk_size(path, data.size());
    if (size > room) {
      return fail(Code::kInvalidArgument,
                  "the pod's files from ConfigMaps, Secrets and the downward API come to more than " +
                      std::to_string(kMaxPayloadBytes) + " bytes; mount fewer of them");
    }
    room -= size;
    payload[path] = {std::move(data), static_cast<int>(mode.as_int(otherwise))};
    return {};
  }
};

struct Source {
  const Value& ref;
  const std::string name;
  bool secret;
};

// All entries, or those that `items` picks.
Result<void> add_object(const PayloadInput& input, const Source& source, int mode, Files& out) {
  const auto& objects = source.secret ? input.objects.secrets : input.objects.config_maps;
  const auto found = objects.find(source.name);
  const bool optional = source.ref["optional"].as_bool();
  if (found == objects.end() || found->second.is_null()) {
    if (optional) return {};
    return fail(Code::kNotFound,
                std::string(source.secret ? "secret" : "configmap") + " \"" + source.name + "\" not found");
  }
  const Value& object = found->second;
  const auto value_of = [&](const std::string& key) {
    return source.secret ? secret_value(object, key) : config_map_value(object, key);
  };
  if (source.ref["items"].size() > 0) {
    for (const auto& item : source.ref["items"].items()) {
      auto value = value_of(item["key"].str());
      if (!value && optional) continue;
      if (!value)
        return fail(Code::kNotFound, "references non-existent " +
                                         std::string(source.secret ? "secret" : "config") +
                                         " key: " + item["key"].str());
      SKIFF_RETURN_IF_ERROR(out.add(item["path"].str(), std::move(*value), item["mode"], mode));
    }
    return {};
  }
  for (const char* part : {"data", "binaryData"}) {
    for (const auto& [key, ignored] : object[part].members()) {
      SKIFF_RETURN_IF_ERROR(out.add(key, value_of(key).value_or(""), {}, mode));
    }
  }
  return {};
}

Result<void> add_downward(const PayloadInput& input, const Value& source, int mode, Files& out) {
  for (const auto& item : source["items"].items()) {
    std::string text;
    if (item.contains("fieldRef")) {
      auto value = read_field(input.identity, item["fieldRef"]["fieldPath"].str());
      if (!value)
        return fail(Code::kInvalidArgument, "unsupported fieldPath: " + item["fieldRef"]["fieldPath"].str());
      text = std::move(*value);
    } else {
      const Value& ref = item["resourceFieldRef"];
      const Value& container = find_container(input.identity.pod, ref["containerName"].str());
      auto value = read_resource(input.identity, container, ref);
      if (!value) return std::unexpected(value.error());
      text = std::move(*value);
    }
    SKIFF_RETURN_IF_ERROR(out.add(item["path"].str(), std::move(text), item["mode"], mode));
  }
  return {};
}

Result<void> add_projected(const PayloadInput& input, const Value& source, int mode, Files& out) {
  if (source.contains("configMap")) {
    const Value& ref = source["configMap"];
    return add_object(input, {ref, ref["name"].str(), false}, mode, out);
  }
  if (source.contains("secret")) {
    const Value& ref = source["secret"];
    return add_object(input, {ref, ref["name"].str(), true}, mode, out);
  }
  if (source.contains("downwardAPI")) return add_downward(input, source["downwardAPI"], mode, out);
  if (source.contains("serviceAccountToken")) {
    const Value& ref = source["serviceAccountToken"];
    const auto token = input.tokens.find(ref["audience"].str());
    if (token == input.tokens.end()) return fail(Code::kUnavailable, "failed to fetch token");
    return out.add(ref["path"].str(), token->second, {}, mode);
  }
  return fail(Code::kUnimplemented, "a projected volume source is not supported");
}

}  // namespace

bool is_payload_volume(const Value& volume) {
  return volume.contains("configMap") || volume.contains("secret") || volume.contains("downwardAPI") ||
         volume.contains("projected");
}

ObjectNames volume_references(const Value& volume) {
  ObjectNames out;
  if (volume.contains("configMap")) out.config_maps.insert(volume["configMap"]["name"].str());
  if (volume.contains("secret")) out.secrets.insert(volume["secret"]["secretName"].str());
  for (const auto& source : volume["projected"]["sources"].items()) {
    if (source.contains("configMap")) out.config_maps.insert(source["configMap"]["name"].str());
    if (source.contains("secret")) out.secrets.insert(source["secret"]["name"].str());
  }
  return out;
}

std::vector<Value> token_requests(const Value& volume) {
  std::vector<Value> out;
  for (const auto& source : volume["projected"]["sources"].items()) {
    if (source.contains("serviceAccountToken")) out.push_back(source["serviceAccountToken"]);
  }
  return out;
}

Result<Payload> make_payload(const PayloadInput& input) {
  Files out{{}, input.room};
  const Value& volume = input.volume;
  Result<void> done;
  if (volume.contains("configMap")) {
    const Value& ref = volume["configMap"];
    const int mode = static_cast<int>(ref["defaultMode"].as_int(kDefaultMode));
    done = add_object(input, {ref, ref["name"].str(), false}, mode, out);
  } else if (volume.contains("secret")) {
    const Value& ref = volume["secret"];
    const int mode = static_cast<int>(ref["defaultMode"].as_int(kDefaultMode));
    done = add_object(input, {ref, ref["secretName"].str(), true}, mode, out);
  } else if (volume.contains("downwardAPI")) {
    const int mode = static_cast<int>(volume["downwardAPI"]["defaultMode"].as_int(kDefaultMode));
    done = add_downward(input, volume["downwardAPI"], mode, out);
  } else {
    const int mode = static_cast<int>(volume["projected"]["defaultMode"].as_int(kDefaultMode));
    for (const auto& source : volume["projected"]["sources"].items()) {
      SKIFF_RETURN_IF_ERROR(add_projected(input, source, mode, out));
    }
  }
  if (!done) return std::unexpected(done.error());
  return std::move(out.payload);
}

size_t payload_size(const Payload& payload) {
  size_t out = 0;
  for (const auto& [path, file] : payload) out += disk_size(path, file.data.size());
  return out;
}

}  // namespace skiff::node
