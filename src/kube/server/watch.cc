// GET ?watch: a stream of lines until the client leaves, its time is over or it falls too far behind.
#include "base/strings.h"
#include "io/sync.h"
#include "kube/server/definition_guard.h"
#include "kube/server/list_query.h"
#include "kube/server/status.h"
#include "kube/server/watch_events.h"

namespace skiff::kube {

namespace {

constexpr int64_t kShortest = 1800, kSpread = 1800;  // seconds, of a watch that names no timeout
constexpr Duration kBookmarkEvery = std::chrono::seconds(60);
constexpr size_t kFlushBytes = 64 << 10;  // at most this much is gathered into one chunk

// What the writing task waits for: an event, the time of a bookmark, the end.
struct Shared {
  explicit Shared(io::Loop& loop) : ready(loop), taken(loop), scope(loop) {}
  std::optional<store::Event> event;
  bool ended = false, timed_out = false, bookmark = false;
  io::Event ready, taken;
  io::TaskScope scope;
};

// One event at a time, so that the store's own bound on a slow watcher holds.
io::Task<void> pump(Shared* shared, store::Watch* watch) {
  for (;;) {
    auto event = co_await watch->next();
    shared->ended = !event;
    shared->event = std::move(event);
    shared->taken.reset();
    shared->ready.set();
    if (shared->ended) co_return;
    co_await shared->taken.wait();
  }
}
io::Task<void> tick(Shared* shared, io::Loop& loop) {
  for (;;) {
    co_await io::sleep(loop, kBookmarkEvery);
    shared->bookmark = true;
    shared->ready.set();
  }
}
io::Task<void> expire(Shared* shared, io::Loop& loop, Duration limit) {
  co_await io::sleep(loop, limit);
  shared->timed_out = true;
  shared->ready.set();
}

// Wakes the writing task when the definition of what it shows may have changed.
io::Task<void> follow(Shared* shared, store::Watch* changes) {
  for (;;) {
    auto change = co_await changes->next();
    shared->ready.set();
    if (!change) co_return;
  }
}

struct Plan {
  Selection selection;
  store::Revision after{};
  bool initial = false, initial_end = false, bookmarks = false;
  Duration limit{};
};

Result<Plan> plan_watch(const Exchange& exchange) {
  Plan plan;
  auto selection =
      parse_selection(*exchange.kind, exchange.query("labelSelector"), exchange.query("fieldSelector"));
  if (!selection) return std::unexpected(selection.error());
  plan.selection = std::move(*selection);
  plan.selection.name = exchange.info.name;
  const auto timeout = exchange.query("timeoutSeconds");
  const auto seconds = parse_int(timeout);
  if (!timeout.empty() && !seconds) {
    return std::unexpected(bad_request(bad_integer(timeout)));
  }
  const int64_t random = kShortest + static_cast<int64_t>(exchange.objects.loop().random().below(kSpread));
  plan.limit = std::chrono::seconds(seconds && *seconds > 0 ? *seconds : random);
  auto revision = parse_revision(exchange.query("resourceVersion"));
  if (!revision) return std::unexpected(revision.error());
  plan.after = *revision;
  plan.bookmarks = exchange.flag("allowWatchBookmarks");
  const bool streamed = exchange.flag("sendInitialEvents");
  if (streamed && exchange.query("resourceVersionMatch") != "NotOlderThan") {
    return std::unexpected(
        invalid("meta.k8s.io", "ListOptions", "",
                {{"FieldValueForbidden", "resourceVersionMatch",
                  "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"}}));
  }
  const bool refused = exchange.query("sendInitialEvents") == "false";
  plan.initial = streamed || (store::number(plan.after) == 0 && !refused);
  plan.initial_end = streamed && plan.bookmarks;
  return plan;
}

// Sends what is left to say, and the end.
io::Task<void> end_watch(Exchange& exchange, std::string left) {
  if (!left.empty()) {
    auto sent = co_await exchange.writer.write(left);
    if (!sent) co_return;
  }
  auto finished = co_await exchange.writer.finish();
  static_cast<void>(finished);  // the client is gone: nobody is left to tell
}

}  // namespace

io::Task<void> serve_watch(Exchange& exchange) {
  auto plan = plan_watch(exchange);
  if (!plan) {
    co_await send_error(exchange, plan.error());
    co_return;
  }
  io::Loop& loop = exchange.objects.loop();
  store::Store& store = exchange.objects.store();
  DefinitionGuard guard(store, *exchange.kind);
  const std::string prefix = collection_prefix(exchange.target());
  WatchEncoder encoder(exchange.objects.registry(), exchange.kind, plan->selection,
                       negotiate(exchange.request.headers.get("Accept")),
                       include_of(exchange.query("includeObject")));
  std::string out;
  const store::Revision asked = plan->after;
  if (plan->initial) {
    auto page = store.list({prefix, "", 0, {}});
    if (!page) {
      co_await send_error(exchange, page.error());
      co_return;
    }
    for (const auto& entry : page->entries) encoder.append_added(entry, loop.wall_now(), out);
    plan->after = page->revision;
    if (plan->initial_end)
      encoder.append_bookmark(page->revision, WatchEncoder::InitialEnd::kYes, loop.wall_now(), out);
  } else if (store::number(plan->after) == 0) {
    plan->after = store.current();
  }
  // A revision of the future is waited for in silence.
  auto watch = store.watch(prefix, std::min(plan->after, store.current()));
  net::Response head;
  head.headers.set("Content-Type", encoder.content_type());
  head.headers.set("Cache-Control", "no-cache, private");
  auto started = co_await exchange.writer.start(std::move(head));
  if (!started) co_return;
  if (!watch) {
    const std::string text = "too old resource version: " + std::to_string(store::number(asked)) + " (" +
                             std::to_string(store::number(store.compacted())) + ")";
    out.clear();
    encoder.append_error(make_status_error(410, "Expired", text), out);
    co_await end_watch(exchange, std::move(out));
    co_return;
  }
  Shared shared(loop);
  shared.scope.spawn(pump(&shared, watch->get()));
  shared.scope.spawn(expire(&shared, loop, plan->limit));
  if (plan->bookmarks) shared.scope.spawn(tick(&shared, loop));
  if (guard.changes() != nullptr) shared.scope.spawn(follow(&shared, guard.changes()));
  for (;;) {
    if (!out.empty()) {
      auto sent = co_await exchange.writer.write(out);
      if (!sent) co_return;
      out.clear();
    }
    co_await shared.ready.wait();
    shared.ready.reset();
    const auto definition = guard.look();
    if (definition == DefinitionGuard::State::kChanged) {
      // What waits here is read again by the watch that follows, in the new form.
      co_await end_watch(exchange, std::move(out));
      co_return;
    }
    const bool gone = definition == DefinitionGuard::State::kGone;
    auto event = std::exchange(shared.event, std::nullopt);
    if (gone && !event) event = (*watch)->try_next();
    while (event) {
      if (event->entry.modified > plan->after) encoder.append(*event, loop.wall_now(), out);
      if (out.size() > kFlushBytes) break;
      event = (*watch)->try_next();
    }
    shared.taken.set();
    if (gone && event) shared.ready.set();  // there may be more to say first
    const bool over = shared.ended || shared.timed_out || (gone && !event);
    if (plan->bookmarks && (shared.bookmark || shared.timed_out)) {
      shared.bookmark = false;
      encoder.append_bookmark(std::max((*watch)->seen(), plan->after), WatchEncoder::InitialEnd::kNo,
                              loop.wall_now(), out);
    }
    if (!over) continue;
    co_await end_watch(exchange, std::move(out));
    co_return;
  }
}

}  // namespace skiff::kube
