#include <algorithm>
#include <deque>
#include <map>
#include <tuple>

#include "kube/schema/kind_tables.h"
#include "kube/schema/schema.h"

namespace skiff::kube {
namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    auto end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// Unlike split(), keeps empty parts.
std::vector<std::string> split_columns(std::string_view text, char separator) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back().push_back(c);
    }
  }
  return parts;
}

Field make_field(const tables::RawField& row, const std::deque<Type>& types) {
  return Field{
      .name = row.name,
      .scalar = row.scalar,
      .shape = row.shape,
      .type = row.type_index < 0 ? nullptr : &types[static_cast<size_t>(row.type_index)],
      .inlined = (row.flags & tables::kInlined) != 0,
      .required = (row.flags & tables::kRequired) != 0,
      .omit_empty = (row.flags & tables::kKeepEmpty) == 0,
      .pointer = (row.flags & tables::kPointer) != 0,
      .proto_number = row.proto_number,
      .proto_wire = row.proto_wire,
      .enum_values = split(row.enum_values, '|'),
      .patch_strategy = row.patch_strategy,
      .patch_merge_key = row.patch_merge_key,
      .list_type = row.list_type,
      .list_map_keys = split(row.list_map_keys, '|'),
      .map_type = row.map_type,
      .format = row.format,
  };
}

std::vector<Subresource> make_subresources(std::string_view text) {
  std::vector<Subresource> out;
  for (const auto& row : split(text, '|')) {
    auto columns = split_columns(row, ';');
    if (columns.size() != 5) continue;
    out.push_back({columns[0], columns[1], columns[2], columns[3], split(columns[4], ',')});
  }
  return out;
}

KindPtr make_kind(const tables::RawKind& row, const std::deque<Type>& types) {
  auto kind = std::make_shared<Kind>();
  kind->group = row.group;
  kind->version = row.version;
  kind->kind = row.kind;
  kind->plural = row.plural;
  kind->singular = row.singular;
  kind->short_names = split(row.short_names, '|');
  kind->categories = split(row.categories, '|');
  kind->verbs = split(row.verbs, '|');
  kind->namespaced = row.namespaced;
  kind->subresources = make_subresources(row.subresources);
  kind->storage_version_hash = row.storage_version_hash;
  kind->type = &types[static_cast<size_t>(row.type_index)];
  for (const auto& sub : kind->subresources) {
    if (sub.name == "status") kind->has_status = true;
    if (sub.name == "scale") kind->has_scale = true;
  }
  kind->listed = std::ranges::find(kind->verbs, "list") != kind->verbs.end();
  return kind;
}

// Everything the tables say, made once: fields point to types, so both live as long as the program.
struct BuiltIn {
  std::deque<Type> types;
  std::map<std::pair<std::string, std::string>, const Type*, std::less<>> by_name;  // (package, short name)
  std::vector<KindPtr> served;
  std::vector<KindPtr> hidden;

  BuiltIn() {
    for (const auto& row : tables::types()) types.push_back({.name = row.name, .fields = {}});
    for (size_t i = 0; i < types.size(); ++i) {
      const auto& row = tables::types()[i];
      auto first = static_cast<size_t>(row.first_field);
      for (const auto& field : tables::fields().subspan(first, static_cast<size_t>(row.field_count))) {
        types[i].fields.push_back(make_field(field, types));
      }
      auto short_name = types[i].name.substr(types[i].name.rfind('.') + 1);
      by_name[{row.package, short_name}] = &types[i];
    }
    for (const auto& row : tables::kinds()) (row.hidden ? hidden : served).push_back(make_kind(row, types));
  }
};

const BuiltIn& built_in() {
  static const BuiltIn instance;
  return instance;
}

bool is_of(const Kind& kind, std::string_view group, std::string_view version) {
  return kind.group == group && kind.version == version;
}

}  // namespace

const Field* Type::find(std::string_view json_name) const {
  for (const auto& field : fields) {
    if (!field.inlined) {
      if (field.name == json_name) return &field;
    } else if (const auto* found = field.type->find(json_name)) {
      return found;
    }
  }
  return nullptr;
}

struct Registry::Impl {
  using Key = std::tuple<std::string, std::string, std::string>;  // group, version, plural or kind
  std::map<Key, KindPtr> by_plural;
  std::map<Key, KindPtr> by_kind;
  std::vector<KindPtr> all;

  void add(const KindPtr& kind) {
    by_plural[{kind->group, kind->version, kind->plural}] = kind;
    by_kind[{kind->group, kind->version, kind->kind}] = kind;
    all.push_back(kind);
  }
  void remove(const KindPtr& kind) {
    by_plural.erase({kind->group, kind->version, kind->plural});
    by_kind.erase({kind->group, kind->version, kind->kind});
    std::erase(all, kind);
  }
  static KindPtr look_up(const std::map<Key, KindPtr>& map, std::string_view group, std::string_view version,
                         std::string_view name) {
    auto found = map.find(Key(group, version, name));
    return found == map.end() ? nullptr : found->second;
  }
};

Registry::Registry() : impl_(std::make_unique<Impl>()) {
  for (const auto& kind : built_in().served) impl_->add(kind);
  for (const auto& kind : built_in().hidden) impl_->by_kind[{kind->group, kind->version, kind->kind}] = kind;
}

Registry::~Registry() = default;

KindPtr Registry::find(std::string_view group, std::string_view version, std::string_view plural) const {
  return Impl::look_up(impl_->by_plural, group, version, plural);
}

KindPtr Registry::find_kind(std::string_view group, std::string_view version, std::string_view kind) const {
  return Impl::look_up(impl_->by_kind, group, version, kind);
}

bool Registry::has_group_version(std::string_view group, std::string_view version) const {
  return std::ranges::any_of(impl_->all, [&](const KindPtr& kind) { return is_of(*kind, group, version); });
}

std::vector<KindPtr> Registry::all() const {
  return impl_->all;
}

void Registry::add_custom(KindPtr kind) {
  // A built-in resource is never replaced; the same custom one is.
  if (auto old = find(kind->group, kind->version, kind->plural)) {
    if (!old->custom) return;
    impl_->remove(old);
  }
  impl_->add(kind);
}

void Registry::remove_custom(std::string_view group, std::string_view plural) {
  auto kinds = impl_->all;
  for (const auto& kind : kinds) {
    if (kind->custom && kind->group == group && kind->plural == plural) impl_->remove(kind);
  }
}

const Type* Registry::find_type(std::string_view package, std::string_view name) const {
  const auto& names = built_in().by_name;
  auto found = names.find(std::pair<std::string, std::string>(package, name));
  return found == names.end() ? nullptr : found->second;
}

}  // namespace skiff::kube
