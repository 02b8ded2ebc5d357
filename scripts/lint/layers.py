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
            if match and match.group(1) not in allowed and match.group(1) in ALLOWED:
                yield f"{path.relative_to(root)}:{number}: {area} must not include {match.group(1)}/"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = list(findings(root))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
