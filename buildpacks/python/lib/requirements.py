#!/usr/bin/env python3
"""requirements.py APP files|variables|local|hashes: what pip will read, beginning at APP/requirements.txt.

files: each requirements and constraints file of the app. variables: the names in ${NAME}. local: the requirements that are
folders or archives of the app and no editable ones. hashes: "yes" when a requirement has one.
"""
import os
import re
import shlex
import sys

MAX_FILES = 200
INCLUDED = re.compile(r"(?:-r|--requirement|-c|--constraint)(?:[ \t=]+|(?=[^ \t]))(.+)")
EDITABLE = re.compile(r"(?:-e|--editable)(?:[ \t=]+|(?=[^ \t-]))(.+)")


def decode(data):
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    return data.decode("utf-8", "replace")


def lines_of(path):
    """Whole requirements: what goes on in the next line is joined, comments are gone."""
    try:
        with open(path, "rb") as file:
            text = decode(file.read())
    except OSError:
        return []  # pip says so, and where it is named
    text = re.sub(r"\\\r?\n", " ", text)
    lines = (re.sub(r"(^|\s+)#.*", "", line).strip() for line in text.splitlines())
    return [line for line in lines if line]


def included(line):
    match = INCLUDED.fullmatch(line)
    if not match:
        return None
    try:
        return (shlex.split(match[1]) or [""])[0]
    except ValueError:
        return match[1]


def files_from(path):
    """The file and what it includes, each once."""
    found, open_ones = [], [os.path.normpath(path)]
    while open_ones and len(found) < MAX_FILES:
        name = open_ones.pop()
        if name in found or not os.path.isfile(name):
            continue
        found.append(name)
        for line in lines_of(name):
            other = included(line)
            if other and "://" not in other:
                open_ones.append(os.path.normpath(os.path.join(os.path.dirname(name), other)))
    return found


def is_local(line):
    if line.startswith("-"):
        return False
    target = line.split(" @ ", 1)[1] if " @ " in line else line
    target = target.split(";")[0].split(" --")[0].strip()
    return target.startswith((".", "/", "file:")) or (os.sep in target and "://" not in target and os.path.exists(target))


def main(app, what):
    os.chdir(app)
    files = files_from("requirements.txt")
    lines = [line for name in files for line in lines_of(name)]
    if what == "files":
        return files
    if what == "variables":
        return sorted({name for line in lines for name in re.findall(r"\$\{([A-Z0-9_]+)\}", line)})
    if what == "local":
        return [line for line in lines if is_local(line)]
    return ["yes"] if any(re.search(r"\s--hash[= ]", line) for line in lines) else []


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="surrogateescape")
    sys.stdout.writelines(f"{line}\n" for line in main(sys.argv[1], sys.argv[2]))
