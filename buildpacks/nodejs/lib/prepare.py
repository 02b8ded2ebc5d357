#!/usr/bin/env python3
"""prepare.py APP CACHE PLAN: brings the Node.js and the package manager that an app asks for into CACHE.

PLAN is a file of shell variables for bin/compile: node_version, node_home, manager (npm, yarn, berry, pnpm), manager_version,
manager_home, manager_program, npm_home (where npm is not the manager), lock, scripts, cached_folders (a line each). Exits with 1
after saying why when they can't be had.
"""
import json
import os
import re
import shlex
import shutil
import sys

import pins
from refuse import Refusal, tell_and_exit
from registry import Registry, node_package
from semver import Range, parse, show

NPM_OF_NODE = {12: "6", 13: "6", 14: "6", 15: "7", 16: "8", 17: "8", 18: "10", 19: "9", 20: "10", 21: "10", 22: "10", 23: "10"}
NEWER_NPM = "11"  # with Node.js 24 and later
BERRY = "@yarnpkg/cli-dist"  # Yarn 2 and newer
YARN_OF_LOCK = {"4": "2 - 3.0", "5": "3.1", "6": "3.2 - 3", "7": "4.0", "8": "4.0 - 4.13", "9": "4.14"}
SCRIPT_BYTES = 1 << 20  # a program of one platform has 60 times that


def text_of(app, name, most=1 << 16):
    try:
        return open(os.path.join(app, name), encoding="utf-8", errors="replace").read(most)
    except (OSError, TypeError):
        return ""


def yarn_line(app, lock):
    """Which Yarn: 1 when its lock is of that kind, else those that write the lock's version: others would change it."""
    text = text_of(app, lock)
    if "__metadata:" not in text:
        return "1" if lock or not os.path.exists(os.path.join(app, ".yarnrc.yml")) else "4"
    written = re.search(r"__metadata:\s+version: (\d+)", text)
    return YARN_OF_LOCK.get(written[1], "4") if written else "4"


def default_line(manager, node, app, lock):
    if manager == "npm":
        return NPM_OF_NODE.get(node[0], NEWER_NPM)
    if manager == "yarn":
        return yarn_line(app, lock)
    written = re.search(r"lockfileVersion: '?(\d+)", text_of(app, lock))
    if node[0] < 18 or written and written[1] == "6":
        return "8"
    return "7" if written and written[1] == "5" else "10"


def keep_only(folder, prefix, name):
    """Another version in the cache is of no more use."""
    for other in os.listdir(folder):
        if other.startswith(prefix) and other != name:
            shutil.rmtree(os.path.join(folder, other), ignore_errors=True)


def bring_node(registry, app, package, cache):
    file, text = pins.asked_node(app, package)
    name = node_package()
    listed = registry.versions(name)
    version = pins.choose_node(file, text, [found for found in map(parse, listed) if found])
    home = os.path.join(cache, "node-" + show(version))
    print(f"       Node.js {show(version)}" + (f' ({file}: {text})' if file else " (the newest LTS line; package.json names none in engines.node)"))
    if not os.path.exists(home):
        print(f"       Fetching Node.js {show(version)}", flush=True)
        registry.fetch(name, show(version), listed[show(version)], home)
    keep_only(cache, "node-", os.path.basename(home))
    return version, home


def yarn_package(registry, text, default):
    """Yarn 1 and the later ones are two packages. What wrote the lock decides, unless the wish ("4.x") admits none of that."""
    def admitted(name):
        known = [version for version in map(parse, registry.versions(name)) if version and (version < (2,)) == (name == "yarn")]
        return Range(text).newest(known)

    first, other = ("yarn", BERRY) if default == "1" else (BERRY, "yarn")
    try:
        return other if text and not admitted(first) and admitted(other) else first
    except ValueError:
        return first  # choose_manager says that it is no range


def bring_package(registry, cache, prefix, name, version, dist, pinned=None):
    """The folder of a package manager in the cache, fetched when it is not there."""
    home, mark = os.path.join(cache, prefix + version), ".".join(pinned) if pinned else ""
    if not os.path.exists(home) or mark and text_of(home, ".pinned") != mark:
        print(f"       Fetching {prefix.split('-')[1]} {version}", flush=True)
        registry.fetch(name, version, dist, home, pinned)
        with open(os.path.join(home, ".pinned"), "w") as file:
            file.write(mark)
    keep_only(cache, prefix.partition("-")[0] + "-", os.path.basename(home))
    return home


def put_native_pnpm(registry, home):
    """pnpm 12 and newer are a program for each platform, in a package of its own; the file in its place would download it."""
    name = "@pnpm/exe.linux-" + node_package().rpartition("-")[2]
    version = json.loads(text_of(home, "package.json", 1 << 20)).get("optionalDependencies", {}).get(name)
    if not version or os.path.getsize(os.path.join(home, "pnpm")) > SCRIPT_BYTES:
        return
    part = os.path.join(home, "native")
    registry.fetch(name, version, registry.versions(name)[version], part)
    os.replace(os.path.join(part, "pnpm"), os.path.join(home, "pnpm"))
    shutil.rmtree(part)


def bring_npm(registry, cache, node):
    """npm and npx are there for scripts of Yarn's and pnpm's apps too, as they come with Node.js everywhere."""
    listed = registry.versions("npm")
    version = pins.choose_manager("npm", None, "", default_line("npm", node, None, None), listed)
    return bring_package(registry, cache, "beside-npm-", "npm", version, listed[version])


def bring_manager(registry, app, package, cache, node):
    manager, lock = pins.lock_of(app, package)
    file, text, pinned = pins.asked_manager(manager, package)
    own = re.search(r"^yarnPath:\s*[\"']?([^\"'\s]+)", text_of(app, ".yarnrc.yml"), re.M) if manager == "yarn" else None
    if own:
        program = os.path.join(app, own[1])
        if not os.path.isfile(program):
            raise Refusal(f".yarnrc.yml: yarnPath names {own[1]}, and there is no such file in the repository",
                          "Commit it, or remove the line and name the version in package.json: packageManager.")
        return {"manager": "berry", "manager_version": own[1], "manager_home": "", "manager_program": program, "lock": lock or ""}
    default = default_line(manager, node, app, lock)
    name = yarn_package(registry, text, default) if manager == "yarn" else manager
    listed = registry.versions(name)
    version = pins.choose_manager(manager, file, text, default, listed)
    print(f"       {manager} {version}" + (f" ({file}: {text})" if file else ""))
    home = bring_package(registry, cache, f"manager-{manager}-", name, version, listed[version], pinned)
    if manager == "pnpm":
        put_native_pnpm(registry, home)
    programs = json.loads(text_of(home, "package.json", 1 << 20))["bin"]
    return {"manager": "berry" if name == BERRY else manager, "manager_version": version, "manager_home": home,
            "manager_program": os.path.join(home, programs[manager]), "lock": lock or ""}


def needs_installation(app, package):
    """Also without dependencies: what a package manager runs by itself, and native code of the app's own."""
    return (any(package.get(key) for key in ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "workspaces"))
            or any(name in package.get("scripts", {}) for name in ("preinstall", "install", "postinstall", "prepare"))
            or any(os.path.exists(os.path.join(app, file)) for file in ("binding.gyp", "pnpm-workspace.yaml")))


def main(app, cache, plan):
    os.makedirs(cache, exist_ok=True)
    package = pins.read_package(app)
    pins.lock_of(app, package)
    registry = Registry(app, cache)
    node, home = bring_node(registry, app, package, cache)
    values = {"node_version": show(node), "node_home": home, **bring_manager(registry, app, package, cache, node)}
    values["npm_home"] = "" if values["manager"] == "npm" else bring_npm(registry, cache, node)
    values["scripts"] = " ".join(name for name in package.get("scripts", {}) if re.fullmatch(r"[A-Za-z0-9:_.-]+", name))
    values["cached_folders"] = "\n".join(pins.cached_folders(package))
    values["depends"] = "yes" if needs_installation(app, package) else ""
    with open(plan, "w") as file:
        for key, value in values.items():
            file.write(f"{key}={shlex.quote(value)}\n")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Refusal as refusal:
        tell_and_exit(refusal)
