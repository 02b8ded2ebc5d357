#include "node/images/layer_recipe.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/strings.h"
#include "io/file.h"

namespace skiff::node {

namespace {

constexpr size_t kMaxRecipeBytes = 16 << 10;
constexpr size_t kMaxNameBytes = 32;
constexpr size_t kMaxPackages = 200;  // of a recipe; those that they depend on come by themselves
constexpr std::string_view kNameLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
// Debian policy 5.6.1; at least two characters, the first a letter or digit.
constexpr std::string_view kPackageLetters = "abcdefghijklmnopqrstuvwxyz0123456789+-.";

bool is_package_name(std::string_view name) {
  return name.size() >= 2 && kNameLetters.find(name.front()) != kNameLetters.npos &&
         name.find_first_not_of(kPackageLetters) == name.npos;
}

std::string where(const std::string& name, size_t line) {
  return fmt::format("buildpacks/layers/{}, line {}", name, line);
}

Result<void> add_packages(std::vector<std::string>& packages, std::string_view words,
                          const std::string& place) {
  for (const auto& word : split(replace_all(std::string(words), "\t", " "), ' ')) {
    if (word.empty()) continue;
    if (!is_package_name(word)) {
      return fail(Code::kInvalidArgument, place + ": \"" + word + "\" is no name of a Debian package");
    }
    packages.push_back(word);
  }
  if (packages.size() > kMaxPackages)
    return fail(Code::kInvalidArgument, fmt::format("{}: more than {} packages", place, kMaxPackages));
  return {};
}

void sort_once(std::vector<std::string>& names) {
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

}  // namespace

bool is_layer_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes && name.find_first_not_of(kNameLetters) == name.npos;
}

Result<LayerRecipe> parse_layer_recipe(const std::string& name, std::string_view text) {
  LayerRecipe out{name, {}, {}};
  size_t number = 0;
  for (const auto& line : split(text, '\n')) {
    ++number;
    const std::string_view bare = trim(std::string_view(line).substr(0, line.find('#')));
    if (bare.empty()) continue;
    const auto halves = split_once(bare, ":");
    if (!halves.found || (halves.before != "build" && halves.before != "run")) {
      return fail(Code::kInvalidArgument,
                  where(name, number) + ": a line is \"build: PACKAGE ...\" or \"run: PACKAGE ...\"");
    }
    SKIFF_RETURN_IF_ERROR(
        add_packages(halves.before == "run" ? out.run : out.build, halves.after, where(name, number)));
  }
  if (out.run.empty() && out.build.empty())
    return fail(Code::kInvalidArgument, "buildpacks/layers/" + name + " names no package");
  sort_once(out.run);
  sort_once(out.build);
  return out;
}

std::vector<std::string> list_layer_recipes(const std::string& folder) {
  auto names = io::list_directory(folder).value_or(std::vector<std::string>{});
  std::erase_if(names, [](const std::string& name) { return !is_layer_name(name); });
  return names;
}

Result<LayerRecipe> read_layer_recipe(const std::string& folder, const std::string& name) {
  auto text = is_layer_name(name) ? io::read_file(folder + "/" + name, kMaxRecipeBytes)
                                  : Result<std::string>(fail(Code::kNotFound, ""));
  if (!text && text.error().code == Code::kNotFound) {
    return fail(Code::kNotFound, "there is no stack layer \"" + name + "\"; there are " +
                                     join(list_layer_recipes(folder), ", ") + " (in " + folder + ")");
  }
  if (!text) return std::unexpected(text.error());
  return parse_layer_recipe(name, *text);
}

Result<StackTag> parse_stack_tag(const std::string& tag) {
  auto words = split(tag, '-');
  StackTag out;
  if (words.front() == "build") out.set = StackTag::Set::kBuild;
  const bool known = words.front() == "build" || words.front() == "run";
  out.layers.assign(words.begin() + 1, words.end());
  const bool in_order = std::ranges::adjacent_find(out.layers, std::greater_equal<>()) == out.layers.end();
  if (!known || !in_order || !std::ranges::all_of(out.layers, is_layer_name)) {
    return fail(
        Code::kInvalidArgument,
        "no stack image is named \"" + tag +
            "\": names are run, build, and these with stack layers in order, such as build-node-ruby");
  }
  return out;
}

}  // namespace skiff::node
