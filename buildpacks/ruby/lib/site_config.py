#!/usr/bin/env python3
"""site_config.py FILE: what a build needs of a Jekyll site's configuration.

Prints "ok", the destination, the folder of Jekyll's cache, the baseurl without slashes around it, and what else is kept
(`resources`, what keep_files names in the destination), one a line; or "wrong" and what is wrong. TOML is read by Jekyll
alone: its sites have the default folders here.
"""
import os
import re
import sys

sys.path.append("/skiff/buildpacks/lib")
from plain_yaml import NotYaml, parse_mapping

MAX_BYTES = 1 << 20
MAX_KEPT = 100


def folder(value, default, key, name):
    """A folder below the app. A source is the app itself: what lies outside is not served."""
    if value is None:
        return default
    path = os.path.normpath(str(value))
    if path.startswith("/app/"):
        path = path[len("/app/"):]
    if path.startswith(("/", "..")) or path == "." or "\n" in path:
        raise ValueError(f"{name}: {key}: {value!r} is no folder below the app; name one, such as {default}.")
    return path


def read(path):
    name = os.path.basename(path)
    if name.endswith(".toml"):
        return {}
    if os.path.getsize(path) > MAX_BYTES:
        raise ValueError(f"{name} is larger than {MAX_BYTES >> 20} MB: make it smaller.")
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        text = file.read()
    try:
        found = parse_mapping(text)
    except NotYaml as error:
        raise ValueError(f"{name}{f', line {error.line}' if error.line else ''} is not YAML: {error}. Correct it.") from None
    if found is None:
        raise ValueError(f"{name} is no mapping of settings (title: My blog). Correct it.")
    return found


def base(site):
    """`baseurl` as folders; what is none, such as a whole address, is left to Jekyll."""
    path = str(site.get("baseurl") or "").strip("/")
    return path if re.fullmatch(r"(?!\.)[\w.~-]+(?:/(?!\.)[\w.~-]+)*", path) else ""


def main(path):
    name = os.path.basename(path)
    site = read(path)
    destination = folder(site.get("destination"), "_site", "destination", name)
    # The cache is below the site's source, the destination below the folder where Jekyll runs.
    source = "" if site.get("source") in (None, "", ".", "./") else folder(site["source"], "site", "source", name)
    cache = os.path.join(source, folder(site.get("cache_dir"), ".jekyll-cache", "cache_dir", name))
    kept = site.get("keep_files") or []
    kept = [str(entry) for entry in kept if isinstance(entry, str)] if isinstance(kept, list) else []
    kept = [os.path.normpath(os.path.join(destination, entry)) for entry in kept[:MAX_KEPT] if entry and not re.search(r"[\n\r]", entry)]
    resources = {"resources": 1, os.path.join(source, "resources"): 1}
    return [destination, cache, base(site), *resources, *(entry for entry in kept if entry.startswith(destination + "/"))]


if __name__ == "__main__":
    try:
        print("\n".join(["ok", *main(sys.argv[1])]))
    except ValueError as error:
        print(f"wrong\n{error}")
