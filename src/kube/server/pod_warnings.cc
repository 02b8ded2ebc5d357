#include "kube/server/pod_warnings.h"

#include <fmt/format.h>

#include <functional>
#include <map>
#include <set>

#include "kube/schema/quantity.h"

namespace skiff::kube {

namespace {

using json::Value;

struct Deprecated {
  std::string_view name, words;
};
constexpr Deprecated kNodeLabels[] = {
    {"beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead"},
    {"beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead"},
    {"failure-domain.beta.kubernetes.io/region",
     "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead"},
    {"failure-domain.beta.kubernetes.io/zone",
     "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead"},
    {"beta.kubernetes.io/instance-type",
     "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead"},
};
constexpr Deprecated kAnnotations[] = {
    {"scheduler.alpha.kubernetes.io/critical-pod",
     "non-functional in v1.16+; use the \"priorityClassName\" field instead"},
    {"security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"},
    {"security.alpha.kubernetes.io/unsafe-sysctls",
     "non-functional in v1.11+; use the \"sysctls\" field instead"},
};
constexpr Deprecated kVolumes[] = {
    {"photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"},
    {"gitRepo", "deprecated in v1.11"},
    {"scaleIO", "deprecated in v1.16, non-functional in v1.22+"},
    {"flocker", "deprecated in v1.22, non-functional in v1.25+"},
    {"storageos", "deprecated in v1.22, non-functional in v1.25+"},
    {"quobyte", "deprecated in v1.22, non-functional in v1.25+"},
    {"glusterfs", "deprecated in v1.25, non-functional in v1.26+"},
    {"cephfs", "deprecated in v1.28, non-functional in v1.31+"},
    {"rbd", "deprecated in v1.28, non-functional in v1.31+"},
};
constexpr std::string_view kSeccompPod = "seccomp.security.alpha.kubernetes.io/pod";
constexpr std::string_view kSeccompContainer = "container.seccomp.security.alpha.kubernetes.io/";
constexpr std::string_view kAppArmorContainer = "container.apparmor.security.beta.kubernetes.io/";

std::string_view node_label_words(const std::string& label) {
  for (const auto& known : kNodeLabels) {
    if (label == known.name) return known.words;
  }
  return {};
}

// True when an annotation says the same as the pod's AppArmor profile.
bool is_profile(const Value& profile, std::string_view annotation) {
  constexpr std::string_view kLocal = "localhost/";
  const auto& type = profile["type"].str();
  if (annotation == "unconfined") return type == "Unconfined";
  if (annotation == "runtime/default") return type == "RuntimeDefault";
  return type == "Localhost" && annotation.starts_with(kLocal) &&
         profile["localhostProfile"].str() == annotation.substr(kLocal.size());
}

using ContainerVisit = std::function<void(const Value& container, const std::string& path)>;

// One pod (template) and what was found in it.
class Inspection {
 public:
  Inspection(std::string at, const Value& metadata, const Value& spec)
      : at_(at.empty() ? "" : at + "."), annotations_(metadata["annotations"]), spec_(spec) {}

  std::vector<std::string> run() {
    check_node_labels();
    check_spread();
    check_annotations();
    check_volumes();
    check_token_paths();
    for (auto& text : volume_warnings(spec_["volumes"])) out_.push_back(std::move(text));
    check_lists();
    for (const auto& [name, amount] : spec_["overhead"].members())
      check_whole(name, amount, path("overhead"));
    check_containers();
    check_ports();
    if (spec_["terminationGracePeriodSeconds"].as_int() < 0) {
      say("{}: must be >= 0; negative values are invalid and will be treated as 1",
          path("terminationGracePeriodSeconds"));
    }
    for (const char* kind : {"podAffinity", "podAntiAffinity"}) check_pod_affinity(kind);
    return std::move(out_);
  }

 private:
  template <typename... Args>
  void say(fmt::format_string<Args...> format, Args&&... args) {
    out_.push_back(fmt::format(format, std::forward<Args>(args)...));
  }
  void say_null_selector(const std::string& at) {
    say("{}: a null labelSelector results in matching no pod", at);
  }
  std::string path(std::string_view field) const { return fmt::format("{}spec.{}", at_, field); }
  std::string annotation(std::string_view name) const {
    return fmt::format("{}metadata.annotations[{}]", at_, name);
  }
  void each_container(const ContainerVisit& visit) const {
    for (const char* list : {"initContainers", "containers", "ephemeralContainers"}) {
      const auto& items = spec_[list].items();
      for (size_t i = 0; i < items.size(); ++i) visit(items[i], fmt::format("{}[{}]", path(list), i));
    }
  }

  void check_term(const Value& term, const std::string& at) {
    const auto& expressions = term["matchExpressions"].items();
    for (size_t i = 0; i < expressions.size(); ++i) {
      const auto& key = expressions[i]["key"].str();
      if (const auto words = node_label_words(key); !words.empty())
        say("{}.matchExpressions[{}].key: {} is {}", at, i, key, words);
    }
  }

  void check_node_labels() {
    for (const auto& [key, value] : spec_["nodeSelector"].members()) {
      if (const auto words = node_label_words(key); !words.empty())
        say("{}[{}]: {}", path("nodeSelector"), key, words);
    }
    const Value& affinity = spec_["affinity"]["nodeAffinity"];
    const std::string required = "requiredDuringSchedulingIgnoredDuringExecution";
    const auto& terms = affinity[required]["nodeSelectorTerms"].items();
    for (size_t i = 0; i < terms.size(); ++i) {
      check_term(terms[i],
                 fmt::format("{}.{}.nodeSelectorTerms[{}]", path("affinity.nodeAffinity"), required, i));
    }
    const std::string preferred = "preferredDuringSchedulingIgnoredDuringExecution";
    const auto& wishes = affinity[preferred].items();
    for (size_t i = 0; i < wishes.size(); ++i) {
      check_term(wishes[i]["preference"],
                 fmt::format("{}.{}[{}].preference", path("affinity.nodeAffinity"), preferred, i));
    }
  }

  void check_spread() {
    const auto& constraints = spec_["topologySpreadConstraints"].items();
    for (size_t i = 0; i < constraints.size(); ++i) {
      const std::string at = fmt::format("{}[{}]", path("topologySpreadConstraints"), i);
      const auto& key = constraints[i]["topologyKey"].str();
      if (const auto words = node_label_words(key); !words.empty())
        say("{}.topologyKey: {} is {}", at, key, words);
      if (constraints[i]["labelSelector"].is_null()) say_null_selector(at + ".labelSelector");
    }
  }

  void check_annotations() {
    for (const auto& known : kAnnotations) {
      if (annotations_.contains(known.name)) say("{}: {}", annotation(known.name), known.words);
    }
  }

  void check_volumes() {
    const auto& volumes = spec_["volumes"].items();
    for (size_t i = 0; i < volumes.size(); ++i) {
      for (const auto& known : kVolumes) {
        if (volumes[i][known.name].is_null()) continue;
        const std::string_view shown = known.name == "storageos" ? "storageOS" : known.name;
        say("{}[{}].{}: {}", path("volumes"), i, shown, known.words);
      }
    }
  }

  // Files of a projected volume that hide its token.
  void check_token_paths() {
    std::set<std::string> tokens;
    for (const auto& volume : spec_["volumes"].items()) {
      for (const auto& source : volume["projected"]["sources"].items()) {
        if (const auto& token = source["serviceAccountToken"]; !token.is_null())
          tokens.insert(token["path"].str());
      }
    }
    if (tokens.empty()) return;
    const auto& volumes = spec_["volumes"].items();
    for (size_t i = 0; i < volumes.size(); ++i) {
      for (const auto& source : volumes[i]["projected"]["sources"].items()) {
        for (const auto& [field, shown] :
             {std::pair{"configMap", "configMap"}, {"secret", "secrets"}, {"downwardAPI", "downwardAPI"}}) {
          const auto& items = source[field]["items"].items();
          for (size_t j = 0; j < items.size(); ++j) {
            const auto& file = items[j]["path"].str();
            if (!tokens.contains(file)) continue;
            say("{}[{}].projected.sources.{}[{}]: has duplicated path with ServiceAccountToken {}",
                path("volumes"), i, shown, j, json::encode(file));
          }
        }
      }
    }
  }

  void check_lists() {
    check_repeats("hostAliases", "ip");
    check_repeats("imagePullSecrets", "name");
    const auto& secrets = spec_["imagePullSecrets"].items();
    for (size_t i = 0; i < secrets.size(); ++i) {
      if (secrets[i]["name"].str().empty())
        say("{}[{}].name: invalid empty name \"\"", path("imagePullSecrets"), i);
    }
  }
  void check_repeats(const char* list, const char* field) {
    std::set<std::string> seen;
    const auto& items = spec_[list].items();
    for (size_t i = 0; i < items.size(); ++i) {
      const auto& value = items[i][field].str();
      if (!seen.insert(value).second)
        say("{}[{}].{}: duplicate {} {}", path(list), i, field, field, json::encode(value));
    }
  }

  // Bytes come whole.
  void check_whole(const std::string& name, const Value& amount, const std::string& at) {
    constexpr long long kMilli = 1000;
    if (name != "memory" && name != "ephemeral-storage") return;
    const auto quantity = parse_quantity(amount.is_string() ? amount.str() : json::encode(amount));
    if (!quantity || quantity->milli() % kMilli == 0) return;
    say("{}[{}]: fractional byte value \"{}\" is invalid, must be an integer", at, name,
        format_quantity(*quantity));
  }

  void check_containers() {
    const Value& security = spec_["securityContext"];
    if (security["seccompProfile"].is_null() && annotations_.contains(kSeccompPod))
      say("{}: non-functional in v1.27+; use the \"seccompProfile\" field instead", annotation(kSeccompPod));
    each_container([&](const Value& container, const std::string& at) {
      const std::string& name = container["name"].str();
      const Value& own = container["securityContext"];
      if (const std::string key = std::string(kSeccompContainer) + name;
          own["seccompProfile"].is_null() && annotations_.contains(key))
        say("{}: non-functional in v1.27+; use the \"seccompProfile\" field instead", annotation(key));
      if (const std::string key = std::string(kAppArmorContainer) + name;
          annotations_.contains(key) && own["appArmorProfile"].is_null() &&
          !is_profile(security["appArmorProfile"], annotations_[key].str()))
        say("{}: deprecated since v1.30; use the \"appArmorProfile\" field instead", annotation(key));
      for (const char* kind : {"limits", "requests"}) {
        for (const auto& [resource, amount] : container["resources"][kind].members())
          check_whole(resource, amount, at + ".resources." + kind);
      }
      check_environment(container["env"], at);
    });
  }

  void check_environment(const Value& env, const std::string& at) {
    std::set<std::string> seen;
    const auto& items = env.items();
    for (size_t i = 0; i < items.size(); ++i) {
      const auto& name = items[i]["name"].str();
      if (seen.insert(name).second) continue;
      // One that builds on the former is meant so: PATH=$(PATH):/more.
      const auto& value = items[i]["value"].str();
      const std::string reference = "$(" + name + ")";
      const bool extends =
          items[i]["valueFrom"].is_null() && value != reference && value.find(reference) != std::string::npos;
      if (!extends) {
        say("{}.env[{}]: hides previous definition of {}, which may be dropped when using apply", at, i,
            json::encode(name));
      }
    }
  }

  struct SeenPort {
    std::string at;
    Value port;
  };
  void check_ports() {
    std::map<std::string, std::vector<SeenPort>> seen;
    each_container([&](const Value& container, const std::string& at) {
      const auto& ports = container["ports"].items();
      for (size_t i = 0; i < ports.size(); ++i) {
        const SeenPort now{fmt::format("{}.ports[{}]", at, i), ports[i]};
        check_host_address(now);
        auto& others = seen[fmt::format("{}/{}", ports[i]["containerPort"].as_int(),
                                        ports[i]["protocol"].str_or("TCP"))];
        for (const auto& other : others) compare_ports(now, other);
        others.push_back(now);
      }
    });
  }
  void check_host_address(const SeenPort& now) {
    const Value& port = now.port;
    if (port["hostIP"].str().empty() || port["hostPort"].as_int() != 0) return;
    say("{}: hostIP set without hostPort: {{Name:{} HostPort:0 ContainerPort:{} Protocol:{} HostIP:{}}}",
        now.at, port["name"].str(), port["containerPort"].as_int(), port["protocol"].str_or("TCP"),
        port["hostIP"].str());
  }
  void compare_ports(const SeenPort& now, const SeenPort& other) {
    const auto& address = now.port["hostIP"].str();
    const auto& other_address = other.port["hostIP"].str();
    const auto port = now.port["hostPort"].as_int(), other_port = other.port["hostPort"].as_int();
    if (address == other_address && port == other_port) {
      say("{}: duplicate port definition with {}", now.at, other.at);
    } else if (port == 0 || other_port == 0) {
      say("{}: overlapping port definition with {}", now.at, other.at);
    } else if (port == other_port && address.empty() != other_address.empty()) {
      say("{}: dangerously ambiguous port definition with {}", now.at, other.at);
    }
  }

  void check_pod_affinity(const std::string& kind) {
    const Value& affinity = spec_["affinity"][kind];
    const std::string required = "requiredDuringSchedulingIgnoredDuringExecution";
    const auto& terms = affinity[required].items();
    for (size_t i = 0; i < terms.size(); ++i) {
      if (terms[i]["labelSelector"].is_null())
        say_null_selector(fmt::format("{}.{}[{}].labelSelector", path("affinity." + kind), required, i));
    }
    const std::string preferred = "preferredDuringSchedulingIgnoredDuringExecution";
    const auto& wishes = affinity[preferred].items();
    for (size_t i = 0; i < wishes.size(); ++i) {
      if (wishes[i]["podAffinityTerm"]["labelSelector"].is_null())
        say_null_selector(
            fmt::format("{}.{}[{}].podAffinityTerm.labelSelector", path("affinity." + kind), preferred, i));
    }
  }

  std::string at_;
  const Value& annotations_;
  const Value& spec_;
  std::vector<std::string> out_;
};

}  // namespace

std::vector<std::string> pod_warnings(const std::string& at, const Value& metadata, const Value& spec) {
  return Inspection(at, metadata, spec).run();
}

}  // namespace skiff::kube
