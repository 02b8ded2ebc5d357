#include "kube/server/objects.h"

#include "base/log.h"
#include "base/strings.h"
#include "kube/server/admission.h"
#include "kube/server/object_rules.h"
#include "kube/server/status.h"
#include "kube/server/target_rules.h"

namespace skiff::kube {

namespace {

constexpr int kNameAttempts = 8;     // as upstream, for a generated name that is taken
constexpr int kModifyAttempts = 20;  // conflicts of a change that named no revision

std::string name_of(const json::Value& object) {
  return object["metadata"]["name"].str();
}

// As large as a request may be. Patches and defaults make more of an object than was sent, and again with
// each request.
constexpr size_t kMaxObject = 3 << 20;  // bytes

// About the length of the text of `value`; stops once it is over the bound.
size_t rough_size(const json::Value& value, size_t so_far) {
  so_far += 1 + value.str().size();
  for (const auto& item : value.items()) {
    if (so_far > kMaxObject) return so_far;
    so_far = rough_size(item, so_far + 1);
  }
  for (const auto& [key, member] : value.members()) {
    if (so_far > kMaxObject) return so_far;
    so_far = rough_size(member, so_far + key.size() + 4);
  }
  return so_far;
}

Result<void> check(const Kind& kind, const json::Value& object, const json::Value* before) {
  if (rough_size(object, 0) > kMaxObject) {
    return std::unexpected(make_status_error(413, "RequestEntityTooLarge",
                                             "Request entity too large: the object would be larger than " +
                                                 std::to_string(kMaxObject) + " bytes"));
  }
  auto errors = check_metadata(object);
  if (errors.empty()) errors = validate(kind, object, before);
  if (errors.empty()) return {};
  return std::unexpected(invalid(kind.group, kind.kind, name_of(object), errors));
}

// A store's refusal in the API's words.
Error write_error(const Error& error, const Kind& kind, const std::string& name) {
  switch (error.code) {
    case Code::kAlreadyExists:
      return already_exists(kind, name);
    case Code::kConflict:
      return stale(kind, name);
    case Code::kNotFound:
      return not_found(kind.group, kind.plural, name);
    case Code::kResourceExhausted:
      return make_status_error(
          507, "InsufficientStorage",
          "the store cannot write: " + error.message + "; free disk space and try again");
    default:
      return make_status_error(500, "InternalError", "the store cannot write: " + error.message);
  }
}

}  // namespace

Objects::Objects(io::Loop& loop, store::Store& store, Registry& registry, const ServerOptions& options)
    : loop_(loop),
      store_(store),
      registry_(registry),
      options_(options),
      admission_(std::make_unique<Admission>(*this)) {}
Objects::~Objects() = default;

KindPtr Objects::kind(std::string_view group, std::string_view plural) const {
  return registry_.find(group, "v1", plural);
}

json::Value Objects::find(const Target& target) const {
  const auto entry = store_.get(object_path(target));
  if (!entry) return {};
  auto value = served_object(*target.kind, entry->value);
  return value ? std::move(*value) : json::Value();
}

Result<json::Value> Objects::get(const Target& target) const {
  json::Value object = find(target);
  if (object.is_null())
    return std::unexpected(not_found(target.kind->group, target.kind->plural, target.name));
  return object;
}

std::function<std::string(store::Revision)> Objects::encoder(KindPtr kind,
                                                             std::shared_ptr<json::Value> object) const {
  return [this, kind = std::move(kind), object = std::move(object)](store::Revision revision) {
    object->edit("metadata").set("resourceVersion", std::to_string(store::number(revision)));
    return json::encode(stored_object(registry_, *kind, *object));
  };
}

bool Objects::is_stored(const Target& target, const json::Value& object) const {
  if (!target.kind->custom) return true;
  const auto entry = store_.get(object_path(target));
  const auto kept = entry ? json::parse(*entry->value) : Result<json::Value>(json::Value());
  return kept && *kept == stored_object(registry_, *target.kind, object);
}

io::Task<Result<json::Value>> Objects::put(Target target, json::Value object, store::Expect expect) {
  const std::string name = name_of(object);
  auto shared = std::make_shared<json::Value>(std::move(object));
  store::Write write;
  target.name = name;
  write.key = object_path(target);
  write.expect = expect;
  write.encode = encoder(target.kind, shared);
  auto written = co_await store_.write(std::move(write));
  if (!written) co_return std::unexpected(write_error(written.error(), *target.kind, name));
  co_return *shared;
}

io::Task<Result<json::Value>> Objects::create(Target target, json::Value object, WriteOptions options) {
  auto fits = fit_to_target(target, object);
  SKIFF_CO_RETURN_IF_ERROR(fits);
  json::Value& metadata = object.edit("metadata");
  if (!metadata["resourceVersion"].str().empty()) {
    co_return std::unexpected(
        make_status_error(500, "", "resourceVersion should not be set on objects to be created"));
  }
  metadata.erase("resourceVersion");
  std::string base = metadata["generateName"].str();
  if (!metadata["name"].str().empty() || base.empty()) {
    auto created = co_await try_create(target, std::move(object), std::move(options));
    co_return created;
  }
  if (base.size() > kMaxGeneratedBase) base.resize(kMaxGeneratedBase);
  for (int attempt = 1;; ++attempt) {
    json::Value named = object;
    named.edit("metadata").set("name", base + make_name_suffix(loop_.random()));
    auto created = co_await try_create(target, std::move(named), options);
    if (created || created.error().code != Code::kAlreadyExists || attempt == kNameAttempts)
      co_return created;
  }
}

io::Task<Result<json::Value>> Objects::try_create(Target target, json::Value object, WriteOptions options) {
  const Kind& kind = *target.kind;
  prepare_create(kind, object, loop_.random(), loop_.wall_now());
  if (kind.type || kind.custom) apply_defaults(kind, object);
  auto admitted = admission_->admit_create(target, object);
  SKIFF_CO_RETURN_IF_ERROR(admitted);
  const Admission::Claim claim(*admission_, kind, object);
  auto valid = check(kind, object, nullptr);
  if (valid && options.guard) valid = options.guard(target, object, nullptr);
  SKIFF_CO_RETURN_IF_ERROR(valid);
  target.name = name_of(object);
  if (options.dry_run) {
    if (store_.get(object_path(target))) co_return std::unexpected(already_exists(kind, target.name));
    co_return object;
  }
  auto written = co_await put(target, std::move(object), store::Expect::absent());
  co_return written;
}

io::Task<Result<Updated>> Objects::update(Target target, json::Value object, WriteOptions options) {
  auto fits = fit_to_target(target, object);
  SKIFF_CO_RETURN_IF_ERROR(fits);
  const bool may_create = options.subresource.empty() && creates_on_update(*target.kind);
  const auto whole = [object, target](const json::Value&) -> Result<json::Value> {
    SKIFF_RETURN_IF_ERROR(check_has_revision(target, object));
    return object;
  };
  for (int attempt = 1;; ++attempt) {
    const bool creates = may_create && !store_.get(object_path(target));
    Result<json::Value> written = fail(Code::kInternal, "");
    if (creates) {
      written = co_await create_unseen(target, object, options);
    } else {
      written = co_await modify(target, whole, options);
    }
    if (written) co_return Updated{std::move(*written), creates};
    // It came or went meanwhile.
    const Code changed = creates ? Code::kAlreadyExists : Code::kNotFound;
    if (!may_create || written.error().code != changed || attempt == kModifyAttempts)
      co_return std::unexpected(written.error());
  }
}

io::Task<Result<json::Value>> Objects::create_unseen(Target target, json::Value object,
                                                     WriteOptions options) {
  auto unseen = check_seen(target, object, {});
  SKIFF_CO_RETURN_IF_ERROR(unseen);
  // A revision says nothing where there is no object, as upstream.
  object.edit("metadata").erase("resourceVersion");
  auto created = co_await try_create(std::move(target), std::move(object), std::move(options));
  co_return created;
}

io::Task<Result<json::Value>> Objects::modify(Target target, Change change, WriteOptions options) {
  for (int attempt = 1;; ++attempt) {
    auto before = get(target);
    if (!before) co_return std::unexpected(before.error());
    auto after = change(*before);
    if (!after) co_return std::unexpected(after.error());
    auto seen = check_seen(target, *after, *before);
    SKIFF_CO_RETURN_IF_ERROR(seen);
    auto fits = fit_to_target(target, *after);
    SKIFF_CO_RETURN_IF_ERROR(fits);
    auto written = co_await replace(target, *before, std::move(*after), options);
    // Another write came between; what this one asks for may still hold on the newer state.
    const bool again = !written && written.error().code == Code::kConflict && attempt < kModifyAttempts;
    if (!again) co_return written;
  }
}

io::Task<Result<json::Value>> Objects::replace(Target target, json::Value before, json::Value after,
                                               WriteOptions options) {
  const Kind& kind = *target.kind;
  const bool internal = options.subresource == "binding" || options.subresource == "finalize";
  if (internal) {
    after.edit("metadata").erase("managedFields");  // the server's own change of spec and status
  } else if (options.subresource == "status") {
    prepare_status(kind, before, after);
  } else {
    prepare_update(kind, before, after);
  }
  apply_defaults(kind, after);
  if (!internal) {
    auto admitted = admission_->admit_update(target, before, after);
    SKIFF_CO_RETURN_IF_ERROR(admitted);
  }
  const Admission::Claim claim(*admission_, kind, after);
  after.edit("metadata").set("resourceVersion", before["metadata"]["resourceVersion"]);
  if (!internal) {
    auto valid = check(kind, after, &before);
    if (valid && options.guard) valid = options.guard(target, after, &before);
    SKIFF_CO_RETURN_IF_ERROR(valid);
  }
  const json::Value& metadata = after["metadata"];
  const bool released = !before["metadata"]["finalizers"].empty() || options.subresource == "finalize";
  const bool last_finalizer = !metadata["deletionTimestamp"].is_null() && metadata["finalizers"].empty() &&
                              released && metadata["deletionGracePeriodSeconds"].as_int() == 0;
  const bool namespace_held =
      kind.group.empty() && kind.kind == "Namespace" && !after["spec"]["finalizers"].empty();
  if (options.dry_run || (after == before && is_stored(target, after))) co_return after;
  if (last_finalizer && !namespace_held) {
    auto gone = co_await erase(target, after);
    if (!gone) co_return std::unexpected(gone.error());
    co_return gone->object;
  }
  auto written = co_await put(target, std::move(after), store::Expect::at(revision_of(before)));
  co_return written;
}

}  // namespace skiff::kube
