#include "kube/server/objects.h"

#include "base/log.h"
#include "base/strings.h"
#include "kube/server/admission.h"
#include "kube/server/object_rules.h"
#include "kube/server/status.h"

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
  auto errors = check_metadata(object, before);
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

Result<void> fit_to_target(const Target& target, json::Value& object) {
  // A patch must not turn an object into one of another kind.
  const Kind& kind = *target.kind;
  if (object["kind"].str_or(kind.kind) != kind.kind ||
      object["apiVersion"].str_or(kind.api_version()) != kind.api_version()) {
    return std::unexpected(bad_request("the object is a " + object["apiVersion"].str() + " " +
                                       object["kind"].str() + ", this path holds " + kind.api_version() +
                                       " " + kind.kind));
  }
  json::Value& metadata = object.edit("metadata");
  if (!target.kind->namespaced) {
    metadata.erase("namespace");
  } else {
    const std::string given = metadata["namespace"].str();
    if (!given.empty() && given != target.name_space) {
      return std::unexpected(bad_request(
          "the namespace of the provided object does not match the namespace sent on the request"));
    }
    metadata.set("namespace", target.name_space);
  }
  const std::string given = metadata["name"].str();
  if (target.name.empty() || given == target.name) return {};
  return std::unexpected(bad_request("the name of the object (" + given +
                                     ") does not match the name on the URL (" + target.name + ")"));
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

io::Task<Result<json::Value>> Objects::update(Target target, json::Value object, WriteOptions options) {
  auto fits = fit_to_target(target, object);
  SKIFF_CO_RETURN_IF_ERROR(fits);
  if (target.kind->custom && object["metadata"]["resourceVersion"].str().empty()) {
    const FieldError error{"FieldValueInvalid", "metadata.resourceVersion",
                           "Invalid value: 0x0: must be specified for an update"};
    co_return std::unexpected(invalid(target.kind->group, target.kind->plural, target.name, {error}));
  }
  const auto whole = [object](const json::Value&) -> Result<json::Value> { return object; };
  auto updated = co_await modify(target, whole, std::move(options));
  co_return updated;
}

io::Task<Result<json::Value>> Objects::modify(Target target, Change change, WriteOptions options) {
  for (int attempt = 1;; ++attempt) {
    auto before = get(target);
    if (!before) co_return std::unexpected(before.error());
    auto after = change(*before);
    if (!after) co_return std::unexpected(after.error());
    const json::Value& now = (*before)["metadata"];
    const json::Value& said = (*after)["metadata"];
    const std::string revision = said["resourceVersion"].str();
    const bool digits = revision.find_first_not_of("0123456789") == std::string::npos;
    if (!revision.empty() && !parse_uint(revision) && !digits) {
      co_return std::unexpected(make_status_error(
          500, "", "strconv.ParseUint: parsing " + json::encode(revision) + ": invalid syntax"));
    }
    if (!revision.empty() && revision != now["resourceVersion"].str()) {
      co_return std::unexpected(stale(*target.kind, target.name));
    }
    const std::string uid = said["uid"].str();
    if (!uid.empty() && uid != now["uid"].str()) {
      co_return std::unexpected(conflict(
          *target.kind, target.name,
          "StorageError: invalid object, Code: 4, Key: /registry/" + target.kind->plural + "/" +
              (target.name_space.empty() ? "" : target.name_space + "/") + target.name +
              ", ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: " + uid +
              ", UID in object meta: " + now["uid"].str()));
    }
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
  if (options.dry_run || after == before) co_return after;
  if (last_finalizer && !namespace_held) {
    auto gone = co_await erase(target, after);
    if (!gone) co_return std::unexpected(gone.error());
    co_return gone->object;
  }
  auto written = co_await put(target, std::move(after), store::Expect::at(revision_of(before)));
  co_return written;
}

}  // namespace skiff::kube
