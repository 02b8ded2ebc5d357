#!/usr/bin/env python3
"""process_types.py PROCFILE: prints an app's process types in the form of a Procfile.

The lines of PROCFILE come first, as they are. What a buildpack's bin/release printed is standard input: YAML, whose
default_process_types fill in what the Procfile does not name. Without a PROCFILE there are only those. What is wrong with
the YAML is told in one line, and the exit code is 1.
"""
import re
import sys

from plain_yaml import NotYaml, parse_mapping

MAX_RELEASE_BYTES = 1 << 20
TAKEN = "default_process_types"
# Buildpacks of old print these; they were for an app's first release.
NOT_TAKEN = ("config_vars", "addons")


def read_procfile(path):
    """Its text, without the mark that some editors of Windows put at the start."""
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def named_types(procfile):
    return set(re.findall(r"^[ \t]*([A-Za-z0-9_-]+)[ \t]*:", procfile, re.MULTILINE))


def read_release(stream):
    """The mapping that bin/release printed, its scalars as they are written. ValueError says what is wrong."""
    text = stream.read(MAX_RELEASE_BYTES + 1)
    if len(text) > MAX_RELEASE_BYTES:
        raise ValueError(f"it printed more than {MAX_RELEASE_BYTES >> 20} MB")
    try:
        found = parse_mapping(text)
    except NotYaml as error:
        raise ValueError(f"what it printed is not YAML: {f'line {error.line}: ' if error.line else ''}{error}") from None
    if found is None:
        raise ValueError("what it printed is no mapping with default_process_types")
    return found


def default_types(release):
    types = release.get(TAKEN) or {}
    if not isinstance(types, dict):
        raise ValueError(f"{TAKEN} is no mapping of process types to commands")
    for name, command in types.items():
        if not isinstance(command, str) or not command.strip():
            raise ValueError(f"{TAKEN}: the command of {name} is no text")
    return types


def one_line(command):
    """A command of several lines as bash reads it from one."""
    command = command.strip()
    if "\n" not in command:
        return command
    escaped = command.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"eval $'{escaped}'"


def main(path):
    procfile = read_procfile(path)
    try:
        release = read_release(sys.stdin)
        types = default_types(release)
    except ValueError as error:
        print(f" !     The bin/release of the buildpack can't be used: {error}.", file=sys.stderr)
        return 1
    for key in NOT_TAKEN:
        if release.get(key):
            print(f" !     The buildpack's {key} are not taken over; set what you need with skiff config:set.", file=sys.stderr)
    lines = [procfile] if procfile.endswith("\n") or not procfile else [procfile + "\n"]
    known = named_types(procfile)
    lines += [f"{name}: {one_line(command)}\n" for name, command in types.items() if name not in known]
    sys.stdout.reconfigure(errors="surrogateescape")
    sys.stdout.write("".join(lines))
    return 0


if __name__ == "__main__":
    sys.stdin.reconfigure(errors="surrogateescape")
    sys.exit(main(sys.argv[1]))
