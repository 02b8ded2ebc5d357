#!/usr/bin/env python3
"""keep_times.py FOLDER CACHE: gives the files of FOLDER that did not change since the last time their times of then.

The files of a push all have the time of its commit; make would build everything again. CACHE/times.json keeps hashes and
times. Objects of then in CACHE/build are removed when times can't tell what they lack:
 - A link points elsewhere: its target may be older than they are.
 - The stack is another one (skiff stack:update): new headers and libraries are older than they are, too.
 - A Makefile need not know that headers and itself are what objects are made from, or which ones go; CMake does.
"""
import hashlib
import json
import os
import shutil
import sys
import time

OUTPUTS = ("build", ".git")
STACK = "/var/lib/dpkg/status"  # says which compilers, headers and libraries there are
SOURCES = (".c", ".cc", ".cpp", ".cxx", ".c++", ".C")


def entries(folder):
    """Paths of all files and links below the folder."""
    for place, folders, names in os.walk(folder):
        if place == folder:
            folders[:] = [name for name in folders if name not in OUTPUTS]
        for name in folders + names:
            path = os.path.join(place, name)
            if os.path.islink(path) or os.path.isfile(path):
                yield path


def fingerprint(path):
    if os.path.islink(path):
        return "-> " + os.readlink(path)
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def objects_must_go(folder, before, after):
    def is_link(name):
        return any(files.get(name, [""])[0].startswith("->") for files in (before, after))

    if before and before.get(STACK) != after[STACK]:
        return True
    changed = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    if os.path.exists(os.path.join(folder, "CMakeLists.txt")):
        return any(is_link(name) for name in changed)
    return any(is_link(name) or name not in after or not name.endswith(SOURCES) for name in changed)


def main(folder, cache):
    kept = os.path.join(cache, "times.json")
    try:
        with open(kept, encoding="utf-8") as file:
            before = json.load(file)
    except (OSError, ValueError):
        before = {}
    after, now = {STACK: [fingerprint(STACK), 0]}, time.time_ns()
    for path in entries(folder):
        name, found = os.path.relpath(path, folder), fingerprint(path)
        known = before.get(name)
        after[name] = [found, known[1] if known and known[0] == found else now]
        os.utime(path, ns=(after[name][1], after[name][1]), follow_symlinks=False)
    if objects_must_go(folder, before, after):
        shutil.rmtree(os.path.join(cache, "build"), ignore_errors=True)
    with open(kept, "w", encoding="utf-8") as file:
        json.dump(after, file)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
