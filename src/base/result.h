// Errors as values.
//
// Every fallible function returns Result<T>. An Error carries a code, chosen for what the caller may do about
// it, and a message for people: what was wrong, where, what to do. Wrap with context at layer borders:
//
//   auto file = read_file(path);
//   if (!file) return wrap(file.error(), "load kubeconfig");
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace skiff {

enum class Code {
  kInvalidArgument,    // the request can never succeed as it is
  kNotFound,           // the thing does not exist
  kAlreadyExists,      // a thing of this name exists
  kConflict,           // the thing changed meanwhile: read it again and retry
  kForbidden,          // known caller, not allowed
  kUnauthenticated,    // unknown caller
  kUnavailable,        // try again later
  kTimeout,            // the deadline passed
  kCancelled,          // the caller gave up
  kResourceExhausted,  // a bound or the disk is full
  kExpired,            // the revision asked for is compacted
  kDataLoss,           // stored data is damaged
  kUnimplemented,      // not supported
  kInternal,           // a bug of ours
  kEof,                // the stream ended
};

// "NotFound" and so on; for logs.
std::string_view code_name(Code code);

// Extra facts an area attaches to an error, for example the Kubernetes Status body it came from.
struct ErrorDetails {
  virtual ~ErrorDetails() = default;
};

struct Error {
  Code code = Code::kInternal;
  std::string message;
  std::shared_ptr<const ErrorDetails> details = nullptr;
};

template <typename T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Code code, std::string message) {
  return std::unexpected(Error{code, std::move(message), nullptr});
}

// The same error with "context: " before its message.
std::unexpected<Error> wrap(Error error, std::string_view context);

// The error of a failed system call: "<what>: <strerror>", the code from errno.
std::unexpected<Error> fail_errno(int error_number, std::string_view what);

}  // namespace skiff

// Leaves the enclosing function (or, with the CO_ form, coroutine) with the error of a failed
// Result<void>-like value.
#define SKIFF_RETURN_IF_ERROR(expression)                     \
  do {                                                        \
    if (auto status_ = (expression); !status_) {              \
      return ::std::unexpected(::std::move(status_).error()); \
    }                                                         \
  } while (0)
#define SKIFF_CO_RETURN_IF_ERROR(value)                                    \
  do {                                                                     \
    if (!(value)) co_return ::std::unexpected(::std::move(value).error()); \
  } while (0)
