#include "platform/builds/pod_start.h"

#include <fmt/core.h>

#include "platform/builds/limits.h"

namespace skiff::platform {

namespace {

constexpr Duration kQueueTime = std::chrono::minutes(60);  // some builds, each to the end of its own time
constexpr Duration kPodStart = std::chrono::minutes(3);
// Packages of a language are some 100 MB to fetch and unpack.
constexpr Duration kLayerTime = std::chrono::minutes(30);
constexpr Duration kPatience = std::chrono::seconds(3);  // before the pusher is told what the build waits for
constexpr Duration kLook = std::chrono::seconds(1);      // between looks at the other builds

}  // namespace

PodStart::PodStart(io::Loop& loop, kube::Client& api, PodWatch& watch, const std::string& name_space,
                   const std::string& name, LayerNames layers, BuildOutput& output, CountOthers count_others)
    : loop_(loop),
      watch_(watch),
      layers_(std::move(layers)),
      output_(output),
      count_others_(std::move(count_others)),
      stage_begin_(loop.now()),
      scope_(loop) {
  if (layers_.empty()) return;  // nothing to make, nothing to hear of
  scope_.spawn(api.follow(fmt::format("/api/v1/namespaces/{}/events", name_space),
                          "fieldSelector=involvedObject.name%3D" + name,
                          [this](const kube::ObjectChange& change) { on_event(change); }));
}

void PodStart::on_event(const kube::ObjectChange& change) {
  const auto& event = change.object;
  if (change.kind != kube::ObjectChange::Kind::kUpsert || event["reason"].str() != kStackLayerReason) return;
  const int64_t count = event["count"].is_int() ? event["count"].as_int() : 1;
  int64_t& heard = heard_[event["metadata"]["name"].str()];
  if (count <= heard) return;
  heard = count;
  if (!makes_layers_)
    output_.write(fmt::format("-----> Preparing the stack ({})\n", join_layers(layers_, " ")));
  makes_layers_ = true;
  output_.write(fmt::format("       {}\n", event["message"].str()));
}

Duration PodStart::longest(Stage stage) {
  switch (stage) {
    case Stage::kQueued:
      return kQueueTime;
    case Stage::kStarting:
      return kPodStart;
    case Stage::kMakingLayers:
      return kLayerTime;
  }
  return kPodStart;
}

PodStart::Stage PodStart::stage() const {
  if (makes_layers_) return Stage::kMakingLayers;
  return watch_.lacks_room() && count_others_() > 0 ? Stage::kQueued : Stage::kStarting;
}

void PodStart::tell_what_it_waits_for() {
  const std::string why = watch_.what_it_waits_for();
  if (why.empty() || makes_layers_) return;  // then the node tells it
  const std::string text = watch_.is_being_made()
                               ? fmt::format("       The build {}\n", why)
                               : describe_wait(why, watch_.lacks_room() ? count_others_() : 0);
  if (text != told_) output_.write(text);
  told_ = text;
}

Result<void> PodStart::check_time() {
  if (const Stage now = stage(); now != stage_) {
    stage_ = now;
    stage_begin_ = loop_.now();
  }
  const Duration limit = longest(stage_);
  if (loop_.now() - stage_begin_ < limit) return {};
  const std::string why = watch_.what_it_waits_for();
  return fail(
      Code::kUnavailable,
      fmt::format("the build did not start within {}{}; push again when that has passed",
                  describe_seconds(limit / std::chrono::seconds(1)), why.empty() ? "" : ": it " + why));
}

io::Task<Result<void>> PodStart::wait() {
  const MonotonicTime begin = loop_.now();
  for (;;) {
    if (watch_.is_gone()) co_return fail(Code::kUnavailable, "somebody deleted the build's pod; push again");
    if (watch_.has_begun()) co_return Result<void>{};
    const std::string failure = watch_.image_failure();
    if (!failure.empty() && !layers_.empty()) co_return fail(Code::kNotFound, failure);
    const Duration waited = loop_.now() - begin;
    auto in_time = check_time();
    SKIFF_CO_RETURN_IF_ERROR(in_time);
    if (waited >= kPatience) tell_what_it_waits_for();
    co_await watch_.change(waited < kPatience ? kPatience - waited : kLook);
  }
}

std::string describe_wait(const std::string& why, size_t others) {
  const std::string before = others == 0   ? ""
                             : others == 1 ? "; another build is before it"
                                           : fmt::format("; {} other builds are before it", others);
  return fmt::format(" !     The build {}{}\n", why, before);
}

}  // namespace skiff::platform
