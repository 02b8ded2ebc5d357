#!/usr/bin/env python3
"""unpack_maven_python.py ARCHIVE FOLDER: an installation of CPython out of JavaCPP's Java archive.

What neither runs an app nor compiles an extension stays out, such as CPython's own tests. Compiled modules look for libffi
beside themselves, not where the archive has it.
"""
import os
import re
import shutil
import sys
import zipfile

PREFIX = "org/bytedeco/cpython/linux-x86_64/"
KEPT = re.compile(r"bin/python3(\.\d+)?(-config)?$|lib/python3\.\d+/|include/python3\.\d+/")
LIBRARIES = re.compile(r"lib(python|ffi)[0-9.]*\.so\.[0-9.]+$")
LEFT_OUT = re.compile(r"lib/python3\.\d+/(test|idlelib|turtledemo|site-packages|config-[^/]*)/|.*\.a$")


def place_of(name):
    """Where the archive's file goes below the folder; None when it stays out."""
    if LIBRARIES.match(name):
        return "lib/" + name
    return name if KEPT.match(name) and not LEFT_OUT.match(name) else None


def unpack(archive, folder):
    for entry in archive.infolist():
        place = entry.filename.startswith(PREFIX) and not entry.is_dir() and place_of(entry.filename[len(PREFIX):])
        if not place:
            continue
        path = os.path.join(folder, place)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with archive.open(entry) as source, open(path, "wb") as target:
            shutil.copyfileobj(source, target)
        os.chmod(path, 0o755 if place.startswith("bin/") else 0o644)


def finish(folder):
    standard = next(os.path.join(folder, "lib", name) for name in os.listdir(os.path.join(folder, "lib"))
                    if name.startswith("python3"))
    os.makedirs(os.path.join(standard, "site-packages"), exist_ok=True)
    for name in os.listdir(os.path.join(folder, "lib")):
        if name.startswith("libffi"):
            shutil.move(os.path.join(folder, "lib", name), os.path.join(standard, "lib-dynload", name))


if __name__ == "__main__":
    with zipfile.ZipFile(sys.argv[1]) as opened:
        unpack(opened, sys.argv[2])
    finish(sys.argv[2])
