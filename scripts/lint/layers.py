#!/usr/bin/env python3
"""Refuses an include that the layers of src/ do not allow (docs/architecture.md). Prints one line a finding."""
import pathlib
import re
import sys

ALLOWED = {
    "base": set(),
    "io": {"base"},
    "wire": {"base"},
    "net": {"base", "io", "wire"},
    "store": {"base", "io"},
    "kube": {"base", "io", "wire", "net", "store"},
    "control": {"base", "io", "wire", "net", "kube"},
    "node": {"base", "io", "wire", "net", "kube"},
    "edge": {"base", "io", "wire", "net", "kube"},
    "platform": {"base", "io", "wire", "net", "kube"},
    "cli": {"base", "io", "wire", "net", "kube"},
    "testing": {"base", "io", "wire", "net", "store", "kube"},
}
# Simulations join the layers: a test may use the store below the API server.
TEST_EXTRA = {"store", "testing"}
INCLUDE = re.compile(r'^\s*#include "([a-z_]+)/')


def findings(root):
    for path in sorted((root / "src").rglob("*")):
        if path.suffix not in (".h", ".cc"):
            continue
        area = path.relative_to(root / "src").parts[0]
        if area == "skiff":
            continue
        allowed = ALLOWED.get(area, set()) | {area}
        if path.stem.endswith("_test") or path.stem.startswith(("fake_", "sim_")):
            allowed = allowed | TEST_EXTRA
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if match and refused(area, match.group(1), allowed):
                yield f"{path.relative_to(root)}:{number}: {area} must not include {match.group(1)}/"


def refused(area, included, allowed):
    """`skiff` is the wiring above all areas; what is no area of ours is a library."""
    return included not in allowed and (included in ALLOWED or included == "skiff")


def self_test():
    bad = [("edge", "platform"), ("base", "io"), ("node", "store"), ("kube", "control"), ("cli", "skiff")]
    good = [("edge", "net"), ("control", "kube"), ("base", "base"), ("net", "openssl")]
    for area, included in bad + good:
        allowed = ALLOWED[area] | {area}
        assert refused(area, included, allowed) == ((area, included) in bad), f"{area} including {included}"


def main():
    self_test()
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = list(findings(root))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
