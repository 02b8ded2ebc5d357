#!/usr/bin/env python3
"""keep_times.py FOLDER NOTES: a file that is as it was at the last build gets the time that it had then.

Jekyll writes all files at each build. With their old times, what a browser or a proxy has kept (ETag, Last-Modified) stays
good after a push that did not change it. NOTES holds [digest, time] for each path.
"""
import hashlib
import json
import os
import sys


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            notes = json.load(file)
        return notes if isinstance(notes, dict) else {}
    except (OSError, ValueError):
        return {}


def digest(path):
    with open(path, "rb") as file:
        return hashlib.blake2b(file.read(), digest_size=16).hexdigest()


def main(folder, notes_path):
    before, now = read(notes_path), {}
    for root, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(root, name)
            if os.path.islink(path):
                continue
            key = os.fsencode(os.path.relpath(path, folder)).decode("utf-8", "surrogateescape")
            found = digest(path)
            old = before.get(key)
            time = old[1] if isinstance(old, list) and old[0] == found else int(os.stat(path).st_mtime)
            os.utime(path, (time, time))
            now[key] = [found, time]
    with open(notes_path, "w", encoding="utf-8") as file:
        json.dump(now, file)


if __name__ == "__main__":
    main(*sys.argv[1:3])
