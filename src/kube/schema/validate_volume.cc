// Volumes of pods: one source each, and paths that stay where they belong.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/strings.h"
#include "kube/schema/names.h"
#include "kube/schema/quantity.h"
#include "kube/schema/validate.h"

namespace skiff::kube {
namespace {

using json::Value;

constexpr int64_t kMaxMode = 0777;

void check_mode(const Value& mode, const std::string& field, Findings& findings) {
  if (mode.is_int() && (mode.as_int() < 0 || mode.as_int() > kMaxMode))
    findings.invalid(field, mode, "must be a number between 0 and 0777 (octal), both inclusive");
}

// A file that is written into a volume: names that begin with ".." are the writer's own.
void check_file_path(const Value& path, const std::string& field, Findings& findings) {
  const std::string& text = path.str();
  if (text.empty()) {
    findings.required(field);
    return;
  }
  validate_descending_path(path, field, findings);
  if (text.starts_with("..") && !text.starts_with("../"))
    findings.invalid(field, path, "must not start with '..'");
}

// Items of ConfigMaps and Secrets.
void check_items(const Value& source, const std::string& field, Findings& findings) {
  check_mode(source["defaultMode"], field + ".defaultMode", findings);
  for (size_t i = 0; i < source["items"].size(); ++i) {
    const Value& item = source["items"].at(i);
    const auto at = fmt::format("{}.items[{}]", field, i);
    if (item["key"].empty()) findings.required(at + ".key");
    check_file_path(item["path"], at + ".path", findings);
    check_mode(item["mode"], at + ".mode", findings);
  }
}

// The fields of a pod that files may show.
void check_file_field(const Value& path, const std::string& field, Findings& findings) {
  const std::vector<std::string> known = {"metadata.annotations", "metadata.labels", "metadata.name",
                                          "metadata.namespace", "metadata.uid"};
  const auto& text = path.str();
  for (std::string_view prefix : {"metadata.annotations['", "metadata.labels['"}) {
    if (text.starts_with(prefix) && text.ends_with("']")) return;
  }
  if (text.empty()) return findings.required(field + ".fieldPath");
  if (std::ranges::find(known, text) != known.end()) return;
  findings.unsupported(field + ".fieldPath", path, known);
}

// Files of the downward API; upstream does not number them in its words.
void check_downward(const Value& source, const std::string& field, Findings& findings) {
  check_mode(source["defaultMode"], field + ".defaultMode", findings);
  for (const auto& item : source["items"].items()) {
    check_file_path(item["path"], field + ".path", findings);
    const bool own = item["fieldRef"].is_object(), resource = item["resourceFieldRef"].is_object();
    if (own && resource) {
      findings.invalid(field, Value("resource"),
                       "fieldRef and resourceFieldRef can not be specified simultaneously");
    } else if (!own && !resource) {
      findings.required(field, "one of fieldRef and resourceFieldRef is required");
    } else if (own) {
      check_file_field(item["fieldRef"]["fieldPath"], field + ".fieldRef", findings);
    } else {
      if (item["resourceFieldRef"]["containerName"].empty())
        findings.required(field + ".resourceFieldRef.containerName");
      else
        validate_resource_field(item["resourceFieldRef"], field + ".resourceFieldRef", findings);
    }
    check_mode(item["mode"], field + ".mode", findings);
  }
}

// Notes the paths of a source; two may not write the same file.
void note_paths(const Value& items, std::set<std::string>& paths, const std::string& field,
                Findings& findings) {
  for (const auto& item : items.items()) {
    const auto& path = item["path"].str();
    if (!path.empty() && !paths.insert(path).second)
      findings.invalid(field, item["path"], "conflicting duplicate paths");
  }
}

void check_token(const Value& token, const std::string& field, Findings& findings) {
  // What a TokenRequest allows: the pod could else never get its token.
  if (const auto& seconds = token["expirationSeconds"]; seconds.is_int())
    findings.invalid_all(field + ".expirationSeconds", seconds, check_token_lifetime(seconds.as_int()));
  check_file_path(token["path"], field + ".path", findings);
}

void check_projected(const Value& projected, const std::string& field, Findings& findings) {
  check_mode(projected["defaultMode"], field + ".defaultMode", findings);
  std::set<std::string> paths;
  for (size_t i = 0; i < projected["sources"].size(); ++i) {
    const Value& source = projected["sources"].at(i);
    const auto at = fmt::format("{}.sources[{}]", field, i);
    size_t given = 0;
    for (const char* name : {"secret", "configMap", "downwardAPI", "serviceAccountToken"}) {
      const Value& one = source[name];
      if (!one.is_object()) continue;
      const std::string here = at + "." + name;
      if (++given > 1) {
        findings.forbidden(here, "may not specify more than 1 volume type per source");
        continue;
      }
      const std::string_view kind = name;
      if (kind == "serviceAccountToken") {
        check_token(one, here, findings);
        note_paths(Value::array({one}), paths, here, findings);
        continue;
      }
      if (kind == "downwardAPI") {
        check_downward(one, here, findings);
      } else {
        if (one["name"].empty()) findings.required(here + ".name");
        check_items(one, here, findings);
      }
      note_paths(one["items"], paths, here, findings);
    }
  }
}

// Upstream reads the sources in the order of the struct; the first of them counts.
void check_one_source(const Value& volume, const std::string& at, Findings& findings) {
  bool first = true;
  for (auto source : {"emptyDir", "hostPath", "secret", "configMap", "downwardAPI", "projected",
                      "persistentVolumeClaim", "nfs", "csi", "ephemeral", "image"}) {
    if (volume[source].is_null()) continue;
    if (!first)
      findings.forbidden(fmt::format("{}.{}", at, source), "may not specify more than 1 volume type");
    first = false;
  }
}

// Volumes that others make, and those of the node's own space.
void check_claims(const Value& volume, const std::string& at, Findings& findings) {
  if (const auto& claim = volume["persistentVolumeClaim"]; claim.is_object() && claim["claimName"].empty())
    findings.required(at + ".persistentVolumeClaim.claimName");
  if (const auto& csi = volume["csi"]; csi.is_object()) {
    if (csi["driver"].empty())
      findings.required(at + ".csi.driver");
    else
      findings.invalid_all(at + ".csi.driver", csi["driver"],
                           check_dns_subdomain(to_lower(csi["driver"].str())));
  }
  if (const auto& own = volume["ephemeral"]; own.is_object() && own["volumeClaimTemplate"].is_null())
    findings.required(at + ".ephemeral.volumeClaimTemplate");
  const auto size = parse_quantity(volume["emptyDir"]["sizeLimit"].str());
  if (size && size->nano < 0)
    findings.forbidden(at + ".emptyDir.sizeLimit", "SizeLimit field must be a valid resource quantity");
}

void check_source(const Value& volume, const std::string& at, Findings& findings) {
  check_claims(volume, at, findings);
  if (const auto& host = volume["hostPath"]; host.is_object()) {
    const std::vector<std::string> kinds = {
        "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"};
    if (std::ranges::find(kinds, host["type"].str()) == kinds.end())
      findings.unsupported(at + ".hostPath.type", host["type"], kinds);
    if (host["path"].empty()) {
      findings.required(at + ".hostPath.path");
    } else {
      validate_no_backsteps(host["path"], at + ".hostPath.path", findings);
    }
  }
  if (const auto& secret = volume["secret"]; secret.is_object()) {
    if (secret["secretName"].empty()) findings.required(at + ".secret.secretName");
    check_items(secret, at + ".secret", findings);
  }
  if (const auto& map = volume["configMap"]; map.is_object()) {
    if (map["name"].empty()) findings.required(at + ".configMap.name");
    check_items(map, at + ".configMap", findings);
  }
  if (const auto& nfs = volume["nfs"]; nfs.is_object()) {
    if (nfs["server"].empty()) findings.required(at + ".nfs.server");
    if (nfs["path"].empty()) {
      findings.required(at + ".nfs.path");
    } else if (!nfs["path"].str().starts_with('/')) {
      findings.invalid(at + ".nfs.path", nfs["path"], "must be an absolute path");
    }
  }
  check_downward(volume["downwardAPI"], at + ".downwardAPI", findings);
  check_projected(volume["projected"], at + ".projected", findings);
}

}  // namespace

void validate_no_backsteps(const Value& path, const std::string& field, Findings& findings) {
  std::string_view rest = path.str();
  for (bool more = true; more;) {
    const auto halves = split_once(rest, "/");
    if (halves.before == "..") return findings.invalid(field, path, "must not contain '..'");
    rest = halves.after;
    more = halves.found;
  }
}

void validate_descending_path(const Value& path, const std::string& field, Findings& findings) {
  if (path.str().starts_with('/')) findings.invalid(field, path, "must be a relative path");
  validate_no_backsteps(path, field, findings);
}

void validate_volumes(const Value& volumes, const std::string& field, Findings& findings) {
  std::set<std::string> names;
  size_t index = 0;
  for (const auto& volume : volumes.items()) {
    auto at = fmt::format("{}[{}]", field, index++);
    const auto& name = volume["name"].str();
    if (name.empty()) {
      findings.required(at + ".name");
    } else {
      findings.invalid_all(at + ".name", volume["name"], check_dns_label(name));
      if (!names.insert(name).second) findings.duplicate(at + ".name", volume["name"]);
    }
    check_one_source(volume, at, findings);
    check_source(volume, at, findings);
  }
}

}  // namespace skiff::kube
