#!/usr/bin/env python3
"""choose_version.py APP MANAGER PYTHONS: which Python an app asks for, and where it is to come from.

Prints four lines: what is asked for (3.12 or 3.12.4), the version of PYTHONS that fits (or the request itself), its source
(debian, maven, or uv for one that only uv may have), and the file that asks ("default" when none does). What can't be
used is told in words, and the exit code is 1.
"""
import json
import os
import re
import sys
import tomllib

OLDEST = (3, 11)  # 3.10 had its last security fix in October 2026
NEWEST = (3, 15)
MAX_FILE_BYTES = 1 << 16
MAX_LOCK_BYTES = 1 << 27
VERSION = re.compile(r"3\.(0|[1-9]\d?)(\.(0|[1-9]\d{0,2}))?|[0-9]\d*\.\d+(\.\d+)?")
MISSPELLED = ("python-version", ".python_version", ".python-version.txt", "python-version.txt", ".Python-version", ".pythonversion")


class Refusal(Exception):
    """Its lines are for the pusher."""


def read_text(app, name, limit=MAX_FILE_BYTES):
    """The text of a file of the app, or None when there is none."""
    path = os.path.join(app, name)
    if not os.path.lexists(path):
        return None
    if not os.path.isfile(path):
        raise Refusal(f"{name} is no file: commit it as one.")
    with open(path, "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise Refusal(f"{name} has more than {limit >> 10} kB, and should name one version.")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise Refusal(f"{name} is not in UTF-8: save it so. PowerShell's > writes UTF-16.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refusal(f"{name} is not in UTF-8: save it so.") from None


def lines_of(text):
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def one_line(name, text, example):
    lines = lines_of(text)
    if len(lines) != 1:
        found = f"{len(lines)} lines" if lines else "no version"
        raise Refusal(f"{name} has {found}: write one version into it, such as {example}")
    return lines[0]


def checked(name, version, example):
    if not VERSION.fullmatch(version):
        raise Refusal(f"{name}: \"{printable(version)}\" is no version of Python; write one such as {example}")
    return version


def printable(text):
    return "".join(c if c.isprintable() else "?" for c in text[:60])


def from_runtime_txt(app):
    text = read_text(app, "runtime.txt")
    if text is None:
        return None
    line = one_line("runtime.txt", text, "python-3.11")
    if not line.startswith("python-"):
        raise Refusal(f"runtime.txt: \"{printable(line)}\" is no version of Python; write one such as python-3.11")
    return checked("runtime.txt", line.removeprefix("python-"), "python-3.11")


def from_python_version(app):
    for name in MISSPELLED:
        if os.path.isfile(os.path.join(app, name)):
            raise Refusal(f"The file {name} is misspelled: git mv {name} .python-version")
    text = read_text(app, ".python-version")
    return text if text is None else checked(".python-version", one_line(".python-version", text, "3.11"), "3.11")


def from_tool_versions(app):
    text = read_text(app, ".tool-versions")
    for line in lines_of(text or ""):
        words = line.split("#")[0].split()
        if words[:1] == ["python"]:
            return checked(".tool-versions", words[1] if len(words) > 1 else "", "python 3.11")
    return None


def from_pipfile_lock(app):
    text = read_text(app, "Pipfile.lock", MAX_LOCK_BYTES)
    try:
        requires = json.loads(text or "{}").get("_meta", {}).get("requires", {})
        version = requires.get("python_full_version") or requires.get("python_version")
    except (ValueError, AttributeError) as error:
        raise Refusal(f"Pipfile.lock is not JSON ({error}): run \"pipenv lock\" again.") from None
    return checked("Pipfile.lock", str(version), "3.11") if version else None


def range_of(app, manager):
    """(file, the range of versions that a project of uv's or Poetry's works with) or None."""
    name = {"uv": "uv.lock", "poetry": "poetry.lock"}.get(manager)
    if not name:
        return None
    try:
        lock = tomllib.loads(read_text(app, name, MAX_LOCK_BYTES) or "")
    except tomllib.TOMLDecodeError as error:
        raise Refusal(f"{name} is not TOML ({error}): run \"{manager} lock\" again.") from None
    found = lock.get("requires-python") if manager == "uv" else lock.get("metadata", {}).get("python-versions")
    return (name, found) if isinstance(found, str) else None


def numbers(version):
    return tuple(int(part) for part in version.split("."))


def fits_clause(version, clause):
    """Whether a version such as (3, 11, 2) is in a range such as ">=3.11", "~=3.11.1", "==3.12.*" or Poetry's "^3.11"."""
    match = re.fullmatch(r"(>=|<=|===|==|!=|~=|>|<|\^|~|)\s*v?(\d+(?:\.\d+)*)(\.\*)?.*", clause.strip())
    if not match:
        return True  # what is not understood is left to the package manager, which says so itself
    sign, wanted, star = match[1], numbers(match[2]), match[3]
    same = version[:len(wanted)] == wanted if star or sign in ("", "~") else version == (wanted + (0, 0))[:3]
    if sign in ("==", "===", "", "~"):
        return same if sign != "~" else version[:2] == wanted[:2] and version >= wanted
    if sign == "~=":
        return version >= wanted and version[:len(wanted) - 1] == wanted[:-1]
    if sign == "^":
        return version >= wanted and version[0] == wanted[0]
    return {">=": version >= wanted, "<": version < wanted, "!=": not same, "<=": version <= wanted or same,
            ">": version > wanted and not same}[sign]


def fits(version, wanted):
    return any(all(fits_clause(version, clause) for clause in part.split(",") if clause.strip()) for part in wanted.split("||"))


def asked(app, manager):
    """(version, file) or (None, "default"), in Heroku's order."""
    for name, read in (("runtime.txt", from_runtime_txt), (".python-version", from_python_version),
                       (".tool-versions", from_tool_versions)):
        version = read(app)
        if version:
            return version, name
    if manager == "pipenv":
        version = from_pipfile_lock(app)
        if version:
            return version, "Pipfile.lock"
    return None, "default"


def check_age(version, origin):
    if numbers(version)[:2] < OLDEST:
        raise Refusal(f"{origin} asks for Python {version}, which has no security fixes any more.",
                      f"Supported are 3.{OLDEST[1]} to 3.{NEWEST[1]}; \"3.11\" is the stack's own.")
    if numbers(version)[:2] > NEWEST:
        raise Refusal(f"{origin} asks for Python {version}, which is not known. Supported are 3.{OLDEST[1]} to 3.{NEWEST[1]}.")


def choose(app, manager, pythons):
    version, origin = asked(app, manager)
    if version:
        check_age(version, origin)
        for known, source in pythons:
            if known == version or known.startswith(version + "."):
                return version, known, source, origin
        return version, version, "uv", origin
    wanted = range_of(app, manager)
    if not wanted:
        return "", *pythons[0], origin
    for known, source in pythons:
        if fits(numbers(known), wanted[1]):
            origin = "default" if source == "debian" else wanted[0]
            return known.rsplit(".", 1)[0], known, source, origin
    for minor in range(OLDEST[1], NEWEST[1] + 1):
        if any(fits((3, minor, patch), wanted[1]) for patch in (0, 99)):
            return f"3.{minor}", f"3.{minor}", "uv", wanted[0]
    raise Refusal(f"{wanted[0]} asks for Python {printable(wanted[1])}. Supported are 3.{OLDEST[1]} to 3.{NEWEST[1]}.")


def read_pythons(path):
    with open(path, encoding="utf-8") as file:
        return [tuple(line.split()[:2]) for line in file if line.strip() and not line.startswith("#")]


if __name__ == "__main__":
    try:
        print(*choose(sys.argv[1], sys.argv[2], read_pythons(sys.argv[3])), sep="\n")
    except Refusal as refusal:
        first, *rest = refusal.args
        print(f" !     {first}", *(f"       {line}" for line in rest), sep="\n", file=sys.stderr)
        sys.exit(1)
