#!/usr/bin/env python3
"""missing_library.py: what native code lacked when it was compiled or loaded, by the words of compilers on standard input.

Prints two lines: what is missing, and the Debian package of debian_packages.tsv that has it, empty when none is known.
Prints nothing when nothing speaks of such a thing.
"""
import os
import re
import sys

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "debian_packages.tsv")
MOST_BYTES = 16 << 20
# gcc, ld, pkg-config, meson, the loader of programs.
CERTAIN = re.compile(r"""fatal\ error:\ ([^:\s]+):\ No\ such\ file | cannot\ find\ -l([\w.+-]+)
    | Package\ '?([\w.+-]+)'?(?:,\ required\ by|\ was\ not\ found) | Dependency\ "?([\w.+-]+)"?\ not\ found
    | ([\w.+-]+\.so[.\d]*):\ cannot\ open\ shared""", re.VERBOSE)
# What also speaks of other things than libraries: it counts when the table knows the name.
LIKELY = re.compile(r"""([\w.+-]+):\ (?:command\ )?not\ found | ([\w.+-]+)\ executable\ not\ found
    | No\ such\ file\ or\ directory:\ '([\w./+-]+)' | could\ not\ be\ found\ for\ (\w+)
    | Command\ 'pkg-config\ --exists\ ([\w.+-]+)'\ returned\ non-zero | (?:command|execute)\ '([\w.+-]+)'(?:\ failed)?:\ No\ such
    | make\ sure\ the\ (libxml2\ and\ libxslt)\ development | can't\ find\ (Rust)\ compiler | (Cargo),\ the\ Rust\ package\ manager
    | (Fortran)\ compiler | Unknown\ compiler\(s\):\ \[\['(gfortran)' | An\ error\ occurred\ while\ installing\ (?P<gem>[\w-]+)\ """, re.VERBOSE)


def read_table():
    with open(TABLE, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    return [(re.compile(pattern), package) for pattern, package in rows]


def package_of(name, table):
    return next((package for pattern, package in table if pattern.fullmatch(name)), "")


def find_missing(text):
    """(name, package) or None: the first thing whose package is known, else the first one."""
    table, unknown = read_table(), None
    for line in text.splitlines():
        for found in (CERTAIN.search(line), LIKELY.search(line)):
            if not found:
                continue
            name = next(filter(None, found.groups()))
            package = package_of(f"gem {name}" if found.groupdict().get("gem") else name, table)
            if package:
                return ("a library" if found.groupdict().get("gem") else name), package
            if found.re is CERTAIN:
                unknown = unknown or (name, "")
    return unknown


if __name__ == "__main__":
    missing = find_missing(sys.stdin.buffer.read(MOST_BYTES).decode(errors="replace"))
    if missing:
        print(*missing, sep="\n")
