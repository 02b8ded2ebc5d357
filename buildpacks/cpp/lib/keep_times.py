#!/usr/bin/env python3
"""keep_times.py FOLDER FILE: gives the files of FOLDER that did not change since the last time their times of then.

The files of a push all have the time of its commit; make would build everything again. FILE keeps hashes and times.
"""
import hashlib
import json
import os
import sys
import time

OUTPUTS = ("build", ".apt", ".git")


def files(folder):
    for place, folders, names in os.walk(folder):
        if place == folder:
            folders[:] = [name for name in folders if name not in OUTPUTS]
        for name in names:
            path = os.path.join(place, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def main(folder, kept):
    try:
        with open(kept, encoding="utf-8") as file:
            before = json.load(file)
    except (OSError, ValueError):
        before = {}
    after, now = {}, time.time_ns()
    for path in files(folder):
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        name = os.path.relpath(path, folder)
        known = before.get(name)
        after[name] = [digest, known[1] if known and known[0] == digest else now]
        os.utime(path, ns=(after[name][1], after[name][1]))
    with open(kept, "w", encoding="utf-8") as file:
        json.dump(after, file)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
