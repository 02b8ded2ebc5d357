#!/usr/bin/env python3
"""versions.py APP RUBY: whether RUBY, the one that is here, is the one that the app asks for.

Prints what a pusher should know; the exit code is 1 when the push is to be refused. The first file that says something
counts: the Gemfile, .ruby-version, .tool-versions, Gemfile.lock. An exact version in the Gemfile is Bundler's rule and
obeyed to the letter; elsewhere another patch of the same minor version will do, as its libraries are the same.
"""
import os
import re
import sys

MAX_BYTES = 1 << 20
OPERATORS = ("~>", ">=", "<=", "!=", "=", ">", "<")


def read(app, name):
    path = os.path.join(app, name)
    if not os.path.isfile(path):
        return None
    if os.path.getsize(path) > MAX_BYTES:
        raise ValueError(f"{name} is larger than {MAX_BYTES >> 20} MB: is it the right file?")
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        return file.read()


def numbers(version):
    return [int(part) for part in version.split(".")]


def compare(left, right):
    """-1, 0 or 1; 3.1 is 3.1.0."""
    left, right = numbers(left), numbers(right)
    length = max(len(left), len(right))
    left, right = left + [0] * (length - len(left)), right + [0] * (length - len(right))
    return (left > right) - (left < right)


def fits(requirement, have):
    """Whether `have` meets one requirement of RubyGems, such as "~> 3.1"; ValueError when it is none."""
    found = re.fullmatch(r"\s*(~>|>=|<=|!=|=|>|<)?\s*(\d+(?:\.\d+)*)\s*", requirement)
    if not found:
        raise ValueError(requirement)
    operator, version = found[1] or "=", found[2]
    order = compare(have, version)
    if operator == "~>":
        parts = numbers(version)
        return order >= 0 and numbers(have)[:max(len(parts) - 1, 1)] == parts[:max(len(parts) - 1, 1)]
    return {"=": order == 0, "!=": order != 0, ">": order > 0, "<": order < 0, ">=": order >= 0, "<=": order <= 0}[operator]


def plain(word):
    """A version as the files of version managers write it: ruby-3.1.2, 3.1.2p20. None when it is no Ruby of C."""
    found = re.fullmatch(r"(?:ruby-)?(\d+(?:\.\d+){0,2})(?:-?p\d+)?", word)
    return found and found[1]


def first_word(text):
    for line in text.splitlines():
        line = line.split("#")[0].strip()
        if line:
            return line.split()[0]
    return None


def tool_version(text):
    found = re.search(r"^[ \t]*ruby[ \t]+(\S+)", text, re.MULTILINE)
    return found and found[1]


def gemfile_asks(app):
    """(where, [requirements], exact) of the Gemfile's `ruby` line, or None. What is computed there is Bundler's matter."""
    text = read(app, "Gemfile") or ""
    line = re.search(r"^[ \t]*ruby[ (]+([^#\n]*)", text, re.MULTILINE)
    if not line:
        return None
    other = re.search(r"engine(?:[\"']?\s*=>|:)\s*[\"':]?(\w+)", line[1])
    if other and other[1] != "ruby":
        raise ValueError(f"The Gemfile asks for the engine {other[1]}, and only the Ruby of C can be had: remove `engine`.")
    file = re.match(r"file(?::|\s*=>)?\s*[\"']([^\"']+)[\"']", line[1].replace(":file", "file"))
    if file:
        said = read(app, file[1])
        if said is None:
            raise ValueError(f"The Gemfile takes its Ruby from {file[1]}, and there is no such file: commit it.")
        word = tool_version(said) if os.path.basename(file[1]) == ".tool-versions" else first_word(said)
        return f"{file[1]} (as the Gemfile says)", [word or ""], True
    if line[1][:1] not in "\"'[":
        return None
    before = re.split(r",?\s*(?::?\w+\s*=>|\w+:)", line[1])[0]
    words = re.findall(r"[\"']([^\"']+)[\"']", before)
    return ("The Gemfile", words, True) if words else None


def others_ask(app):
    for name, find in ((".ruby-version", first_word), (".tool-versions", tool_version)):
        said = find(read(app, name) or "")
        if said:
            return name, [said], False
    lock = re.search(r"^RUBY VERSION\r?\n\s+(\S+) (\S+)", read(app, "Gemfile.lock") or "", re.MULTILINE)
    return lock and ("Gemfile.lock", [lock[2]], False)


def refusal(where, asked, have, exact):
    minor = ".".join(have.split(".")[:2])
    lines = [f"{where} asks for Ruby {asked}, which can't be had here: there is Ruby {have} (Debian 12's, with its security updates)."]
    if exact:
        lines.append(f"Write for example: ruby \"~> {minor}.0\"" if where == "The Gemfile" else f"Write {have} into the file, or ruby \"~> {minor}.0\" into the Gemfile.")
    else:
        lines.append(f"Write {minor} there, or bring another Ruby by a buildpack: skiff config:set BUILDPACK_URL=<address>")
    return "\n".join(lines)


def check(app, have):
    """What to tell; ValueError says why the push is refused."""
    asks = gemfile_asks(app) or others_ask(app)
    if not asks:
        return f"Using Ruby {have}"
    where, requirements, exact = asks
    asked = ", ".join(requirements)
    plains = [plain(word) or (word if word.lstrip().startswith(OPERATORS) else None) for word in requirements]
    try:
        good = None not in plains and all(fits(word, have) for word in plains)
    except ValueError:
        good = False
    if good:
        return f"Using Ruby {have} ({where}: {asked})"
    version = plains[0] if len(plains) == 1 else None
    near = version and re.fullmatch(r"\d+(\.\d+){0,2}", version) and numbers(version)[:2] == numbers(have)[:len(numbers(version))][:2]
    if near and not exact:
        return f"Using Ruby {have}: {where} asks for {asked}, and this is the patch of that line that can be had"
    raise ValueError(refusal(where, asked or "nothing", have, exact))


if __name__ == "__main__":
    try:
        print("-----> " + check(*sys.argv[1:3]))
    except ValueError as error:
        print("\n".join(" !     " + line for line in str(error).splitlines()))
        sys.exit(1)
