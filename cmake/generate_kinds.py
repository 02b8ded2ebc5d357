#!/usr/bin/env python3
"""Turns src/kube/kinds/*.json into the C++ tables that kube/schema/kind_tables.h declares.

usage: generate_kinds.py OUTPUT.cc INPUT.json...
"""
import json
import sys

# JSON forms that are not an object of the type's fields.
CUSTOM = {
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "kTime",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "kMicroTime",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Duration": "kDuration",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "kAny",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "kAny",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "kIntOrString",
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "kQuantity",
}
EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."
# Either a schema or something else: any JSON, but messages of their own in protobuf. What else, as a format.
UNIONS = {
    EXTENSIONS + "JSONSchemaPropsOrArray": "schema-or-list",
    EXTENSIONS + "JSONSchemaPropsOrBool": "schema-or-bool",
    EXTENSIONS + "JSONSchemaPropsOrStringArray": "schema-or-strings",
}
for name in (EXTENSIONS + "JSON", *UNIONS):
    CUSTOM[name] = "kAny"

SCALARS = {
    "string": "kString", "boolean": "kBool", "bool": "kBool", "integer": "kInteger", "int64": "kInteger",
    "int32": "kInteger", "number": "kNumber", "object": "kAny", "any": "kAny", "bytes": "kBytes",
}


def quote(text):
    return json.dumps(text or "")


def shape_of(kind):
    """The shape and the innermost type name of a field's type."""
    if not isinstance(kind, dict):
        return "kSingle", kind
    if "list" in kind:
        return "kList", kind["list"]
    inner = kind["map"]
    return ("kMapOfLists", inner["list"]) if isinstance(inner, dict) else ("kMap", inner)


def field_row(field, type_index):
    shape, name = shape_of(field["type"])
    format_ = field.get("format") or field.get("itemFormat") or field.get("valueFormat") or ""
    index = -1
    if name in CUSTOM:
        scalar = CUSTOM[name]
        if name in UNIONS:
            format_, index = UNIONS[name], type_index[EXTENSIONS + "JSONSchemaProps"]
    elif name in type_index:
        scalar, index = "kObject", type_index[name]
    elif name in SCALARS:
        scalar = SCALARS[name]
        if name == "string" and format_ == "byte":
            scalar = "kBytes"
        if name in ("int32", "int64"):
            format_ = name
    else:
        sys.exit(f"field {field.get('name')}: unknown type {name}")
    flags = ["0"]
    for key, flag in (("inline", "kInlined"), ("required", "kRequired"), ("pointer", "kPointer")):
        if field.get(key):
            flags.append(flag)
    if field.get("omitempty") is False:
        flags.append("kKeepEmpty")
    proto = field.get("proto", [0, ""])
    enum = field.get("enum") or field.get("itemEnum") or []
    return (f'  {{{quote(field.get("name"))}, Scalar::{scalar}, FieldShape::{shape}, {index}, {"|".join(flags)}, '
            f'{proto[0]}, {quote(proto[1])}, {quote("|".join(enum))}, {quote(field.get("patchStrategy"))}, '
            f'{quote(field.get("patchMergeKey"))}, {quote(field.get("listType"))}, '
            f'{quote("|".join(field.get("listMapKeys", [])))}, {quote(field.get("mapType"))}, {quote(format_)}}},')


def subresource_text(kind):
    rows = ((s["name"], s["kind"], s.get("group", ""), s.get("version", ""), ",".join(s["verbs"]))
            for s in kind.get("subresources", []))
    return "|".join(";".join(row) for row in rows)


def kind_row(document, kind, type_index):
    index = type_index[document["package"] + "." + kind["kind"]]
    return (f'  {{{quote(document["group"])}, {quote(document["version"])}, {quote(kind["kind"])}, '
            f'{quote(kind.get("plural"))}, {quote(kind.get("singular"))}, {quote("|".join(kind.get("shortNames", [])))}, '
            f'{quote("|".join(kind.get("categories", [])))}, {quote("|".join(kind.get("verbs", [])))}, '
            f'{quote(subresource_text(kind))}, {quote(kind.get("storageVersionHash"))}, '
            f'{str(kind.get("namespaced", True)).lower()}, {str(kind.get("hidden", False)).lower()}, {index}}},')


def main():
    output, inputs = sys.argv[1], sorted(sys.argv[2:])
    documents = []
    for path in inputs:
        with open(path, encoding="utf-8") as file:
            documents.append(json.load(file))
    type_index = {}
    for document in documents:
        for name in document["types"]:
            type_index[document["package"] + "." + name] = len(type_index)
    fields, types, kinds = [], [], []
    for document in documents:
        group = "meta" if document["group"] == "meta.k8s.io" else document["group"] or "core"
        for name, rows in document["types"].items():
            types.append(f'  {{{quote(document["package"] + "." + name)}, '
                         f'{quote(group + "/" + document["version"])}, {len(fields)}, {len(rows)}}},')
            fields += [field_row(row, type_index) for row in rows]
        kinds += [kind_row(document, kind, type_index) for kind in document["kinds"]]
    text = ["// Made by cmake/generate_kinds.py from src/kube/kinds.",
            '#include "kube/schema/kind_tables.h"', "", "namespace skiff::kube::tables {", "namespace {", "",
            "constexpr RawField kFieldRows[] = {", *fields, "};", "",
            "constexpr RawType kTypeRows[] = {", *types, "};", "",
            "constexpr RawKind kKindRows[] = {", *kinds, "};", "", "}  // namespace", "",
            "std::span<const RawField> fields() { return kFieldRows; }",
            "std::span<const RawType> types() { return kTypeRows; }",
            "std::span<const RawKind> kinds() { return kKindRows; }", "",
            "}  // namespace skiff::kube::tables", ""]
    with open(output, "w", encoding="utf-8") as file:
        file.write("\n".join(text))


if __name__ == "__main__":
    main()
