#include "base/yaml.h"

#include <fmt/core.h>
#include <yaml.h>

#include <algorithm>
#include <map>
#include <string>

#include "base/yaml_scalar.h"

namespace skiff::yaml {

namespace {

// What one document may mean, aliases expanded (3 MiB is the largest request body, so honest documents stay
// far below).
constexpr size_t kMaxNodes = 2'000'000;
// What its aliases may add, in bytes of scalars and keys.
constexpr size_t kMaxAliasedBytes = size_t{4} << 20;
// What its merge keys ("<<") may bring in.
constexpr size_t kMaxMergedKeys = 100'000;
// libyaml compares each directive with all before it.
constexpr size_t kMaxTagDirectives = 64;
constexpr std::string_view kTagDirective = "%TAG";

std::unexpected<Error> refused(std::string_view why) {
  return fail(Code::kInvalidArgument, fmt::format("yaml: {}", why));
}

struct Stream {
  yaml_parser_t raw{};
  bool ready = false;
  Stream() { ready = yaml_parser_initialize(&raw) != 0; }
  ~Stream() {
    if (ready) yaml_parser_delete(&raw);
  }
};

struct Event {
  yaml_event_t raw{};
  ~Event() { yaml_event_delete(&raw); }
};

std::string_view text_of(const yaml_char_t* text) {
  return text != nullptr ? reinterpret_cast<const char*>(text) : "";
}

// Lines are counted as go-yaml counts them, because clients see these words.
std::unexpected<Error> fault(const yaml_parser_t& parser) {
  size_t line = parser.problem_mark.line != 0 ? parser.problem_mark.line : parser.context_mark.line;
  if (line != 0 && parser.error == YAML_SCANNER_ERROR) ++line;
  std::string where = line != 0 ? fmt::format("line {}: ", line) : "";
  return refused(where + (parser.problem ? parser.problem : "unreadable document"));
}

// A value with what it costs to repeat it.
struct Built {
  json::Value value;
  size_t nodes = 1;
  size_t bytes = 0;   // of scalars and keys
  size_t height = 0;  // levels below it
};

struct Key {
  std::string text;
  bool quoted;  // where it is shown: it was a string
};

// One document from the parser's events; every bound is checked on an event, before anything is built of it.
class Builder {
 public:
  Builder(yaml_parser_t& parser, const json::ParseOptions& options) : parser_(parser), options_(options) {}

  // `event` is the root's.
  Result<json::Value> run(const Event& event) {
    auto built = build(event.raw);
    if (!built) return std::unexpected(built.error());
    return std::move(built->value);
  }

 private:
  Result<void> next(Event& event) {
    if (yaml_parser_parse(&parser_, &event.raw) == 0) return fault(parser_);
    return {};
  }

  Result<Built> build(const yaml_event_t& event) {
    if (event.type == YAML_ALIAS_EVENT) return repeat(text_of(event.data.alias.anchor));
    if (++nodes_ > kMaxNodes) return refused("document contains excessive aliasing");
    if (event.type == YAML_SCALAR_EVENT) return build_scalar(event);
    if (depth_ >= options_.max_depth)
      return refused(fmt::format("nested deeper than {} levels", options_.max_depth));
    const bool list = event.type == YAML_SEQUENCE_START_EVENT;
    const std::string anchor(
        text_of(list ? event.data.sequence_start.anchor : event.data.mapping_start.anchor));
    if (!anchor.empty()) anchors_.insert_or_assign(anchor, nullptr);  // until it is whole
    ++depth_;
    auto built = list ? build_sequence() : build_mapping();
    --depth_;
    if (built && !anchor.empty()) anchors_.insert_or_assign(anchor, std::make_shared<Built>(*built));
    return built;
  }

  // What an alias stands for, once more.
  Result<Built> repeat(std::string_view name) {
    const auto found = anchors_.find(name);
    if (found == anchors_.end()) return refused(fmt::format("unknown anchor '{}' referenced", name));
    if (!found->second) return refused(fmt::format("anchor '{}' value contains itself", name));
    const Built& built = *found->second;
    nodes_ += built.nodes;
    aliased_bytes_ += built.bytes;
    if (nodes_ > kMaxNodes || aliased_bytes_ > kMaxAliasedBytes)
      return refused("document contains excessive aliasing");
    if (depth_ + built.height > options_.max_depth)
      return refused(fmt::format("nested deeper than {} levels", options_.max_depth));
    return built;
  }

  Result<Built> build_scalar(const yaml_event_t& event) {
    const auto& scalar = event.data.scalar;
    auto value = resolve(event);
    if (!value) return std::unexpected(value.error());
    Built built{std::move(*value), 1, scalar.length, 0};
    if (const auto anchor = text_of(scalar.anchor); !anchor.empty())
      anchors_.insert_or_assign(std::string(anchor), std::make_shared<Built>(built));
    return built;
  }

  static Result<json::Value> resolve(const yaml_event_t& event) {
    const auto& scalar = event.data.scalar;
    const bool plain = scalar.style == YAML_PLAIN_SCALAR_STYLE && scalar.plain_implicit != 0;
    return resolve_scalar({reinterpret_cast<const char*>(scalar.value), scalar.length}, text_of(scalar.tag),
                          plain ? ScalarStyle::kPlain : ScalarStyle::kQuoted);
  }

  static void add(Built& whole, const Built& part) {
    whole.nodes += part.nodes;
    whole.bytes += part.bytes;
    whole.height = std::max(whole.height, part.height + 1);
  }

  Result<Built> build_sequence() {
    Built out{json::Value::array(), 1, 0, 1};
    for (;;) {
      Event event;
      SKIFF_RETURN_IF_ERROR(next(event));
      if (event.raw.type == YAML_SEQUENCE_END_EVENT) return out;
      auto item = build(event.raw);
      if (!item) return item;
      add(out, *item);
      out.value.push_back(std::move(item->value));
    }
  }

  Result<Built> build_mapping() {
    Built out{json::Value::object(), 1, 0, 1};
    json::Value merged;
    for (;;) {
      Event event;
      SKIFF_RETURN_IF_ERROR(next(event));
      if (event.raw.type == YAML_MAPPING_END_EVENT) break;
      auto key = read_key(event.raw);
      if (!key) return std::unexpected(key.error());
      Event value_event;
      SKIFF_RETURN_IF_ERROR(next(value_event));
      auto value = build(value_event.raw);
      if (!value) return value;
      add(out, *value);
      out.bytes += key->text.size();
      if (is_merge_key(event.raw)) {
        SKIFF_RETURN_IF_ERROR(collect_merge(value->value, merged));
        continue;
      }
      const bool known = !out.value.insert_or_assign(key->text, std::move(value->value));
      if (known || merged.contains(key->text)) note_duplicate(*key, value_event.raw);
    }
    for (const auto& [key, value] : merged.members()) {
      if (!out.value.contains(key)) out.value.set(key, value);
    }
    return out;
  }

  static bool is_merge_key(const yaml_event_t& event) {
    return event.type == YAML_SCALAR_EVENT && event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           text_of(event.data.scalar.value) == "<<";
  }

  // "<<": a mapping or a list of mappings; earlier ones win.
  Result<void> collect_merge(const json::Value& value, json::Value& merged) {
    const json::Array sources = value.is_array() ? value.items() : json::Array{value};
    for (const auto& source : sources) {
      if (!source.is_object()) return refused("map merge requires map or sequence of maps as the value");
      merged_keys_ += source.size();
      if (merged_keys_ > kMaxMergedKeys) return refused("too many merged keys");
      for (const auto& [key, item] : source.members()) {
        if (!merged.contains(key)) merged.set(key, item);
      }
    }
    return {};
  }

  // In go-yaml's words, which name the line of the value.
  void note_duplicate(const Key& key, const yaml_event_t& value) {
    if (!options_.duplicate_keys) return;
    json::note_duplicate_key(*options_.duplicate_keys,
                             fmt::format("line {}: key {} already set in map", value.start_mark.line + 1,
                                         key.quoted ? json::encode(json::Value(key.text)) : key.text));
  }

  // JSON keys are strings: numbers and booleans become their text, as upstream does.
  Result<Key> read_key(const yaml_event_t& event) {
    if (event.type != YAML_SCALAR_EVENT && event.type != YAML_ALIAS_EVENT)
      return refused("unsupported map key: only strings, numbers and booleans may be keys");
    auto built = build(event);
    if (!built) return std::unexpected(built.error());
    const json::Value& value = built->value;
    if (value.is_array() || value.is_object())
      return refused("unsupported map key: only strings, numbers and booleans may be keys");
    if (value.is_string()) return Key{value.str(), true};
    if (value.is_null() && event.type == YAML_SCALAR_EVENT)
      return Key{std::string(text_of(event.data.scalar.value)), false};
    return Key{json::encode(value), false};
  }

  yaml_parser_t& parser_;
  const json::ParseOptions& options_;
  std::map<std::string, std::shared_ptr<const Built>, std::less<>> anchors_;  // null while it is being read
  size_t nodes_ = 0;
  size_t aliased_bytes_ = 0;
  size_t merged_keys_ = 0;
  size_t depth_ = 0;
};

// Directives stand at the start of a line; every line break of YAML 1.1 ends in one of these bytes, as does a
// byte order mark.
Result<void> check_directives(std::string_view text) {
  constexpr std::string_view kBefore = "\n\r\x85\xA8\xA9\xBF";
  size_t count = 0;
  for (size_t at = text.find(kTagDirective); at != std::string_view::npos;
       at = text.find(kTagDirective, at + 1)) {
    if (at > 0 && kBefore.find(text[at - 1]) == std::string_view::npos) continue;
    if (++count > kMaxTagDirectives)
      return refused(fmt::format("more than {} {} directives", kMaxTagDirectives, kTagDirective));
  }
  return {};
}

// Reads documents until the stream ends or `limit` were converted.
Result<std::vector<json::Value>> read(std::string_view text, const json::ParseOptions& options,
                                      size_t limit) {
  SKIFF_RETURN_IF_ERROR(check_directives(text));
  Stream stream;
  if (!stream.ready) return fail(Code::kResourceExhausted, "yaml: no memory for a parser");
  yaml_parser_set_input_string(&stream.raw, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  yaml_parser_set_encoding(&stream.raw, YAML_UTF8_ENCODING);
  std::vector<json::Value> result;
  while (result.size() < limit) {
    Event event;
    if (yaml_parser_parse(&stream.raw, &event.raw) == 0) return fault(stream.raw);
    const auto type = event.raw.type;
    if (type == YAML_STREAM_END_EVENT) return result;
    if (type == YAML_STREAM_START_EVENT || type == YAML_DOCUMENT_START_EVENT ||
        type == YAML_DOCUMENT_END_EVENT)
      continue;
    auto value = Builder(stream.raw, options).run(event);
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
