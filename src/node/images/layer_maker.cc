#include "node/images/layer_maker.h"

#include <fmt/core.h>

#include "base/strings.h"
#include "io/file.h"
#include "node/images/layer_script.h"
#include "node/images/stack_step.h"

namespace skiff::node {

namespace {

constexpr Duration kLimit = std::chrono::minutes(25);
constexpr size_t kMaxPlainLines = 5;  // of a failure in which no line is marked as an error
constexpr std::string_view kPlanWord = "skiff: plan ", kFetchedWord = "Fetched ";
constexpr double kMegabyte = 1e6;

// "skiff: plan PACKAGES BYTES"
std::string describe_plan(const std::string& layer, std::string_view words) {
  const auto numbers = split_once(words, " ");
  const auto packages = parse_int(numbers.before), bytes = parse_int(numbers.after);
  if (!packages || !bytes) return "";
  return fmt::format("Making the stack layer {}: {} package{}, {:.0f} MB to download", layer, *packages,
                     *packages == 1 ? "" : "s", static_cast<double>(*bytes) / kMegabyte);
}

bool says_error(const std::string& line) {
  return line.starts_with("E: ") || line.starts_with("Err:") || line.starts_with("dpkg: error");
}

}  // namespace

std::string describe_layer_words(const std::string& layer, const std::string& line) {
  if (line.starts_with(kPlanWord))
    return describe_plan(layer, std::string_view(line).substr(kPlanWord.size()));
  if (!line.starts_with(kFetchedWord)) return "";
  // "Fetched 38.2 MB in 3s (12.9 MB/s)"
  const auto halves = split_once(std::string_view(line).substr(kFetchedWord.size()), " (");
  return fmt::format("{}: downloaded {}, installing", layer, halves.before);
}

std::string pick_apt_error(const std::string& lines) {
  std::vector<std::string> errors, all = split(lines, '\n');
  for (const auto& line : all) {
    if (says_error(line)) errors.push_back(line);
  }
  if (!errors.empty()) return join(errors, "\n");
  if (all.size() > kMaxPlainLines) all.erase(all.begin(), all.end() - kMaxPlainLines);
  return join(all, "\n");
}

io::Task<Result<LayerTars>> make_layer(io::Loop& loop, LayerRecipe recipe, LayerGround ground,
                                       TellLayer tell) {
  const std::string script = ground.work + "/make.sh";
  auto written = io::write_file_atomic(script, kLayerScript, 0700);
  if (!written) co_return std::unexpected(written.error());
  auto argv = in_namespaces(ground.unshare, {"sh", script, ground.work, ground.run_base, ground.build_base,
                                             recipe.name, join(recipe.run, " "), join(recipe.build, " ")});
  const StackWords words = [tell, layer = recipe.name, updated = false](const std::string& line) mutable {
    // What apt fetches before the plan are its lists.
    updated = updated || line.starts_with(kPlanWord);
    const std::string message = updated ? describe_layer_words(layer, line) : "";
    if (!message.empty() && tell) tell(message);
  };
  auto made = co_await run_stack_step(loop, std::move(argv), words, kLimit);
  if (!made) {
    co_return fail(made.error().code, fmt::format("the stack layer {} can't be made: {}", recipe.name,
                                                  pick_apt_error(made.error().message)));
  }
  co_return LayerTars{recipe.run.empty() ? "" : ground.work + "/run.tar", ground.work + "/build.tar"};
}

}  // namespace skiff::node
