#include "base/yaml.h"

#include <fmt/core.h>
#include <yaml.h>

#include <string>
#include <unordered_map>

#include "base/strings.h"
#include "base/yaml_scalar.h"

namespace skiff::yaml {

namespace {

// Aliases may multiply what a document means; a document may mean at most this many nodes (3 MiB is the
// largest request body, so honest documents stay far below).
constexpr size_t kMaxNodes = 2'000'000;
constexpr size_t kMaxMergedKeys = 10'000;

struct Document {
  yaml_document_t raw{};
  bool loaded = false;
  ~Document() {
    if (loaded) yaml_document_delete(&raw);
  }
};

struct Stream {
  yaml_parser_t raw{};
  bool ready = false;
  Stream() { ready = yaml_parser_initialize(&raw) != 0; }
  ~Stream() {
    if (ready) yaml_parser_delete(&raw);
  }
};

// Lines are counted as go-yaml counts them, because clients see these words.
std::unexpected<Error> fault(const yaml_parser_t& parser) {
  size_t line = parser.problem_mark.line != 0 ? parser.problem_mark.line : parser.context_mark.line;
  if (line != 0 && parser.error == YAML_SCANNER_ERROR) ++line;
  std::string where = line != 0 ? fmt::format("line {}: ", line) : "";
  return fail(Code::kInvalidArgument,
              fmt::format("yaml: {}{}", where, parser.problem ? parser.problem : "unreadable document"));
}

class Converter {
 public:
  Converter(yaml_document_t& document, const json::ParseOptions& options)
      : document_(document), options_(options) {}

  Result<json::Value> run() { return convert(yaml_document_get_root_node(&document_), ""); }

 private:
  Result<json::Value> convert(yaml_node_t* node, const std::string& path) {
    if (++nodes_ > kMaxNodes)
      return fail(Code::kInvalidArgument, "yaml: document contains excessive aliasing");
    if (depth_ >= options_.max_depth) {
      return fail(Code::kInvalidArgument,
                  fmt::format("yaml: nested deeper than {} levels", options_.max_depth));
    }
    if (node == nullptr) return json::Value();
    ++depth_;
    Result<json::Value> result = convert_node(*node, path);
    --depth_;
    return result;
  }

  Result<json::Value> convert_node(yaml_node_t& node, const std::string& path) {
    switch (node.type) {
      case YAML_SCALAR_NODE:
        return convert_scalar(node);
      case YAML_SEQUENCE_NODE:
        return convert_sequence(node, path);
      case YAML_MAPPING_NODE:
        return convert_mapping(node, path);
      default:
        return json::Value();
    }
  }

  static std::string_view text_of(const yaml_node_t& node) {
    return {reinterpret_cast<const char*>(node.data.scalar.value), node.data.scalar.length};
  }
  static std::string_view tag_of(const yaml_node_t& node) {
    return node.tag ? reinterpret_cast<const char*>(node.tag) : "";
  }

  // The loader gives untagged scalars the string tag, so the style tells whether to resolve.
  static Result<json::Value> convert_scalar(const yaml_node_t& node) {
    std::string_view tag = tag_of(node);
    bool plain = node.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return resolve_scalar(text_of(node), tag, plain ? ScalarStyle::kPlain : ScalarStyle::kQuoted);
  }

  Result<json::Value> convert_sequence(const yaml_node_t& node, const std::string& path) {
    json::Value result = json::Value::array();
    size_t index = 0;
    for (auto* item = node.data.sequence.items.start; item < node.data.sequence.items.top; ++item, ++index) {
      auto value = convert(yaml_document_get_node(&document_, *item), fmt::format("{}[{}]", path, index));
      if (!value) return value;
      result.push_back(std::move(*value));
    }
    return result;
  }

  Result<json::Value> convert_mapping(const yaml_node_t& node, const std::string& path) {
    json::Members members;
    std::unordered_map<std::string, size_t> index;
    json::Value merged;
    for (auto* pair = node.data.mapping.pairs.start; pair < node.data.mapping.pairs.top; ++pair) {
      yaml_node_t* key_node = yaml_document_get_node(&document_, pair->key);
      auto key = key_text(key_node);
      if (!key) return std::unexpected(key.error());
      std::string child = path.empty() ? *key : path + "." + *key;
      auto value = convert(yaml_document_get_node(&document_, pair->value), child);
      if (!value) return value;
      if (is_merge_key(*key_node)) {
        SKIFF_RETURN_IF_ERROR(collect_merge(*value, merged));
        continue;
      }
      auto [at, fresh] = index.emplace(*key, members.size());
      if (fresh) {
        members.emplace_back(std::move(*key), std::move(*value));
        continue;
      }
      if (options_.duplicate_keys) options_.duplicate_keys->push_back(std::move(child));
      members[at->second].second = std::move(*value);
    }
    for (const auto& [key, value] : merged.members()) {
      if (!index.contains(key)) members.emplace_back(key, value);
    }
    return json::Value::object(std::move(members));
  }

  static bool is_merge_key(const yaml_node_t& node) {
    return node.type == YAML_SCALAR_NODE && node.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           text_of(node) == "<<";
  }

  // "<<": a mapping or a list of mappings; earlier ones win.
  static Result<void> collect_merge(const json::Value& value, json::Value& merged) {
    json::Array sources = value.is_array() ? value.items() : json::Array{value};
    for (const auto& source : sources) {
      if (!source.is_object())
        return fail(Code::kInvalidArgument, "yaml: map merge requires map or sequence of maps as the value");
      for (const auto& [key, item] : source.members()) {
        if (merged.size() >= kMaxMergedKeys)
          return fail(Code::kInvalidArgument, "yaml: too many merged keys");
        if (!merged.contains(key)) merged.set(key, item);
      }
    }
    return {};
  }

  // JSON keys are strings: numbers and booleans become their text, as upstream does.
  static Result<std::string> key_text(const yaml_node_t* node) {
    if (node == nullptr || node->type != YAML_SCALAR_NODE) {
      return fail(Code::kInvalidArgument,
                  "yaml: unsupported map key: only strings, numbers and booleans may be keys");
    }
    auto value = convert_scalar(*node);
    if (!value) return std::unexpected(value.error());
    if (value->is_string()) return value->str();
    if (value->is_null()) return std::string(text_of(*node));
    return json::encode(*value);
  }

  yaml_document_t& document_;
  const json::ParseOptions& options_;
  size_t nodes_ = 0;
  size_t depth_ = 0;
};

// Reads documents until the stream ends or `limit` were converted.
Result<std::vector<json::Value>> read(std::string_view text, const json::ParseOptions& options,
                                      size_t limit) {
  Stream stream;
  if (!stream.ready) return fail(Code::kResourceExhausted, "yaml: no memory for a parser");
  yaml_parser_set_input_string(&stream.raw, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  std::vector<json::Value> result;
  while (result.size() < limit) {
    Document document;
    if (!yaml_parser_load(&stream.raw, &document.raw)) return fault(stream.raw);
    document.loaded = true;
    if (yaml_document_get_root_node(&document.raw) == nullptr) return result;
    auto value = Converter(document.raw, options).run();
    if (!value) return std::unexpected(value.error());
    if (!value->is_null() || limit == 1) result.push_back(std::move(*value));
  }
  return result;
}

}  // namespace

Result<json::Value> parse(std::string_view text, const json::ParseOptions& options) {
  auto documents = read(text, options, 1);
  if (!documents) return std::unexpected(documents.error());
  return documents->empty() ? json::Value() : std::move(documents->front());
}

Result<std::vector<json::Value>> parse_all(std::string_view text, const json::ParseOptions& options) {
  return read(text, options, static_cast<size_t>(-1));
}

}  // namespace skiff::yaml
