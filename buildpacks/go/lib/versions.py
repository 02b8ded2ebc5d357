#!/usr/bin/env python3
"""Which Go an app is built with: a pure decision over what the app asks for and which releases there are.

    versions.py wanted APP ENV_DIR          prints KIND, VERSION and WHERE of what is asked for, tab between them
    versions.py choose KIND VERSION WHERE   reads releases (1.27.3), one a line, and prints the one to take

KIND is `exact`, `line` (the newest release of 1.27), `least` (that one, or the first newer one that there is) or `newest`.
Asked in this order: GOVERSION, `// +heroku goVersion` in go.mod, .go-version, .tool-versions, the toolchain line, the go
line; of a workspace the lines of go.work. The lines of go.mod are a least version in Go's own words, so they are met by a newer release
when their own can't be had; the others are obeyed to the letter. Errors are told in one line each, and the exit code is 1.
"""
import os
import re
import sys

MAX_FILE_BYTES = 1 << 20
SHOWN_RELEASES = 12
RELEASE = re.compile(r"1\.(\d+)(?:\.(\d+)|(beta|rc)(\d+))?")
# Before 1.21 a line's first release had no third number.
FIRST_WITH_ZERO = 21


class Refused(Exception):
    pass


def read_lines(path):
    """The lines of a file of the app, with or without the mark and line ends of Windows; none without the file."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return []
    except OSError as error:
        raise Refused(f"{os.path.basename(path)} can't be read: {error.strerror}.")
    if len(data) > MAX_FILE_BYTES:
        raise Refused(f"{os.path.basename(path)} is larger than {MAX_FILE_BYTES >> 20} MB: that is no such file.")
    return data.decode("utf-8-sig", errors="replace").splitlines()


def sort_key(release):
    """Orders releases: 1.27rc1 < 1.27.0 < 1.27.1. None for what is no release of Go. 1.27 alone counts as 1.27.0."""
    match = RELEASE.fullmatch(release)
    if not match:
        return None
    minor, patch, stage, number = match.groups()
    if stage:
        return int(minor), -1, stage, int(number)
    return int(minor), int(patch or 0), "", 0


def is_stable(release):
    return sort_key(release)[1] >= 0


def line_of(release):
    return sort_key(release)[0]


def clean(text, where):
    """(KIND, VERSION) of a wish in one of the forms that people write: go1.27.3, 1.27, v1.27.x, =1.27.3, latest."""
    wish = text.strip().strip("\"'")
    if wish in ("latest", "stable"):
        return "newest", "-"
    wish = re.sub(r"^(=|go\s*|v)+", "", wish)
    wish = re.sub(r"\.[x*]$", "", wish)
    if not RELEASE.fullmatch(wish):
        raise Refused(f"{where} asks for Go \"{text.strip()[:60]}\", which is no version of Go: write one such as 1.27 or 1.27.3.")
    if re.fullmatch(r"1\.\d+", wish):
        return "line", wish
    minor = line_of(wish)
    if wish.endswith(".0") and minor < FIRST_WITH_ZERO:
        wish = f"1.{minor}"
    return "exact", wish


def uncommented(line):
    return line.split("//")[0].split()


def find_directive(lines, name):
    for line in lines:
        words = uncommented(line)
        if len(words) == 2 and words[0] == name:
            return words[1]
    return None


def find_heroku(lines, name):
    for line in lines:
        match = re.fullmatch(rf"\s*//\s*\+heroku\s+{name}\s+(.+?)\s*(?:\s//.*)?", line)
        if match:
            return match.group(1)
    return None


def first_entry(lines):
    for line in lines:
        words = line.split("#")[0].split()
        if words:
            return words
    return None


def find_pin(app, env):
    """(text, where) of the first place that pins a version to the letter."""
    in_app = lambda name: read_lines(os.path.join(app, name))
    value = first_entry(read_lines(os.path.join(env, "GOVERSION")))
    if value:
        return " ".join(value), "The config var GOVERSION"
    value = find_heroku(in_app("go.mod"), "goVersion")
    if value:
        return value, "go.mod (// +heroku goVersion)"
    value = first_entry(in_app(".go-version"))
    if value:
        return " ".join(value), ".go-version"
    for line in in_app(".tool-versions"):
        words = line.split("#")[0].split()
        if len(words) >= 2 and words[0] in ("golang", "go"):
            return words[1], ".tool-versions"
    return None


def find_least(app):
    """(VERSION, where) of the least version that the module or workspace names."""
    name = "go.work" if os.path.isfile(os.path.join(app, "go.work")) else "go.mod"
    lines = read_lines(os.path.join(app, name))
    for directive in ("toolchain", "go"):
        value = find_directive(lines, directive)
        if value and value not in ("default", "local"):
            where = f"{name} (the line \"{directive} {value[:60]}\")"
            text = value.removeprefix("go").split("-")[0] if directive == "toolchain" else value
            if not RELEASE.fullmatch(text):
                raise Refused(f"{where} names no version of Go: write one such as 1.27 or 1.27.3.")
            return text, where
    return None


def find_wanted(app, env):
    pin, least = find_pin(app, env), find_least(app)
    if not pin:
        return ("least", *least) if least else ("newest", "-", "Nothing")
    text, where = pin
    kind, version = clean(text, where)
    module = "go.work" if os.path.isfile(os.path.join(app, "go.work")) else "go.mod"
    needed = find_directive(read_lines(os.path.join(app, module)), "go")
    if version != "-" and needed and RELEASE.fullmatch(needed):
        # The language 1.27 is older than its first candidate, 1.27rc1, and that than 1.27.0.
        whole_line = kind == "line" or re.fullmatch(r"1\.\d+", needed)
        too_old = line_of(version) < line_of(needed) if whole_line else sort_key(version) < sort_key(needed)
        if too_old:
            raise Refused(f"{where} asks for Go {version}, but the line \"go {needed}\" in {module} needs {needed} or newer: change one of them.")
    return kind, version, where


def shown(releases):
    """What can be had, newest first: the newest of each line, as many as fit in a line of text."""
    newest = {}
    for release in sorted(filter(is_stable, releases), key=sort_key):
        newest[line_of(release)] = release
    return ", ".join([newest[line] for line in sorted(newest, reverse=True)][:SHOWN_RELEASES])


def choose(kind, version, where, releases):
    releases = sorted({release for release in releases if sort_key(release)}, key=sort_key)
    stable = [release for release in releases if is_stable(release)]
    fitting = {
        "newest": lambda: stable[-1:],
        "line": lambda: [r for r in stable if line_of(r) == line_of(version)][-1:],
        "exact": lambda: [r for r in releases if r == version],
        "least": lambda: choose_least(version, releases, stable),
    }[kind]()
    if fitting:
        return fitting[-1]
    if not releases:
        raise Refused("No release of Go can be had: the module proxy lists none.")
    lines = [f"{where} asks for Go {version}, which can't be had."]
    same = [r for r in releases if line_of(r) == line_of(version)] if version != "-" else []
    if same:
        lines.append(f"Of Go 1.{line_of(version)} there are: {', '.join(reversed(same[-SHOWN_RELEASES:]))}")
    lines.append(f"The newest of each line: {shown(releases)}")
    raise Refused("\n".join(lines))


def choose_least(version, releases, stable):
    """Itself; of a bare line (1.27) its newest release; else the newest of its line, else the newest of all."""
    if version in releases and "." in version[2:]:
        return [version]
    newer = [r for r in stable if sort_key(r) >= sort_key(version)]
    same = [r for r in newer if line_of(r) == line_of(version)]
    return same[-1:] or newer[-1:]


def main(arguments):
    try:
        if arguments[0] == "wanted":
            print("\t".join(find_wanted(*arguments[1:])))
        elif arguments[0] == "directive":
            print(find_heroku(read_lines(arguments[1]), arguments[2]) or "")
        else:
            print(choose(*arguments[1:], sys.stdin.read().split()))
    except Refused as refused:
        for line in str(refused).splitlines():
            print(f" !     {line}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
