// Probes and lifecycle hooks of containers.
#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "kube/schema/names.h"
#include "kube/schema/validate.h"

namespace skiff::kube {
namespace {

using json::Value;

void check_port(const Value& port, const std::string& field, Findings& findings) {
  if (port.is_string()) return findings.invalid_all(field, port, check_port_name(port.str()));
  const auto number = port.as_int();
  if (number < 1 || number > 65535)
    findings.invalid(field, Value(number), "must be between 1 and 65535, inclusive");
}

void check_http(const Value& http, const std::string& field, Findings& findings) {
  if (http["path"].empty()) findings.required(field + ".path");
  check_port(http["port"], field + ".port", findings);
  const auto& scheme = http["scheme"].str();
  if (scheme != "HTTP" && scheme != "HTTPS")
    findings.unsupported(field + ".scheme", http["scheme"], {"HTTP", "HTTPS"});
  for (const auto& header : http["httpHeaders"].items()) {
    const auto& name = header["name"].str();
    const auto plain = [](unsigned char c) { return std::isalnum(c) || c == '-'; };
    if (!name.empty() && std::ranges::all_of(name, plain)) continue;
    findings.invalid(
        field + ".httpHeaders", Value(name),
        "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', "
        "regex used for validation is '[-A-Za-z0-9]+')");
  }
}

void check_action(const Value& action, std::string_view kind, const std::string& field, Findings& findings) {
  if (kind == "exec" && action["command"].empty()) findings.required(field + ".command");
  if (kind == "httpGet") check_http(action, field, findings);
  if (kind == "tcpSocket" || kind == "grpc") check_port(action["port"], field + ".port", findings);
}

// One action, no more.
void check_handler(const Value& handler, std::initializer_list<const char*> kinds, const std::string& field,
                   Findings& findings) {
  int handlers = 0;
  for (const char* kind : kinds) {
    const auto& action = handler[kind];
    const auto at = fmt::format("{}.{}", field, kind);
    if (!action.is_object()) continue;
    if (++handlers > 1) {
      findings.forbidden(at, "may not specify more than 1 handler type");
    } else {
      check_action(action, kind, at, findings);
    }
  }
  if (handlers == 0) findings.required(field, "must specify a handler type");
}

void check_probe(const Value& probe, const std::string& field, bool only_one_success, Findings& findings) {
  if (!probe.is_object()) return;
  check_handler(probe, {"exec", "httpGet", "tcpSocket", "grpc"}, field, findings);
  for (auto name :
       {"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"}) {
    findings.at_least(fmt::format("{}.{}", field, name), probe[name], 0);
  }
  if (const auto& grace = probe["terminationGracePeriodSeconds"]; grace.is_int() && grace.as_int() <= 0)
    findings.invalid(field + ".terminationGracePeriodSeconds", grace, "must be greater than 0");
  if (only_one_success && probe["successThreshold"].as_int(1) != 1) {
    findings.invalid(field + ".successThreshold", probe["successThreshold"], "must be 1");
  }
}

void check_lifecycle(const Value& lifecycle, const std::string& field, Findings& findings) {
  for (auto name : {"postStart", "preStop"}) {
    const auto& hook = lifecycle[name];
    if (!hook.is_object()) continue;
    check_handler(hook, {"exec", "httpGet", "tcpSocket", "sleep"},
                  fmt::format("{}.lifecycle.{}", field, name), findings);
  }
}

}  // namespace

void validate_handlers(const Value& container, const std::string& field, ContainerKind which,
                       Findings& findings) {
  bool sidecar = container["restartPolicy"].str() == "Always";
  for (auto name : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    auto at = fmt::format("{}.{}", field, name);
    if (which == ContainerKind::kInit && !sidecar) {
      if (container[name].is_object()) {
        findings.forbidden(at, "may not be set for init containers without restartPolicy=Always");
      }
      continue;
    }
    check_probe(container[name], at, std::string_view(name) != "readinessProbe", findings);
  }
  if (which == ContainerKind::kInit && !sidecar && container["lifecycle"].is_object()) {
    findings.forbidden(field + ".lifecycle",
                       "may not be set for init containers without restartPolicy=Always");
    return;
  }
  check_lifecycle(container["lifecycle"], field, findings);
}

}  // namespace skiff::kube
