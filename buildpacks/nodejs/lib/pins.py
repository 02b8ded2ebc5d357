"""What an app says about itself: package.json, the Node.js that it asks for, its package manager."""
import json
import os
import re

from refuse import Refusal
from semver import Range, parse, show

LOCKS = (("package-lock.json", "npm"), ("npm-shrinkwrap.json", "npm"), ("yarn.lock", "yarn"), ("pnpm-lock.yaml", "pnpm"))
LTS_NAMES = {"argon": 4, "boron": 6, "carbon": 8, "dubnium": 10, "erbium": 12, "fermium": 14, "gallium": 16, "hydrogen": 18,
             "iron": 20, "jod": 22, "krypton": 24}
OLDEST = 12  # of older ones the package managers do not run any more


def read_package(app):
    path = os.path.join(app, "package.json")
    try:
        package = json.loads(open(path, "rb").read().decode("utf-8-sig"))
    except OSError:
        raise Refusal("The app has no file package.json, and is built as a Node.js app since that buildpack was named",
                      "Write one (npm init -y) and commit it, or name another buildpack: skiff buildpacks") from None
    except UnicodeDecodeError:
        raise Refusal("package.json is not UTF-8: save it as UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise Refusal(f"package.json is not JSON: {str(error)[:200]}") from None
    if not isinstance(package, dict):
        raise Refusal('package.json holds no object: write { "name": ..., "scripts": ... }')
    for key in ("scripts", "engines", "dependencies", "devDependencies"):
        if not isinstance(package.get(key, {}), dict):
            raise Refusal(f'package.json: "{key}" is no object')
    for key, value in {**package.get("scripts", {}), **package.get("engines", {})}.items():
        if not isinstance(value, str):
            raise Refusal(f'package.json: "{key}" is {json.dumps(value)[:80]}, and should be a text')
    return package


def cached_folders(package):
    """Folders that the app wants to find again in the next build: cacheDirectories, as Heroku has it. node_modules at the top
    is kept anyway."""
    listed = package.get("cacheDirectories", package.get("cache_directories", []))
    if not isinstance(listed, list) or not all(isinstance(folder, str) for folder in listed):
        raise Refusal('package.json: "cacheDirectories" is no list of folders, such as [".next/cache"]')
    folders = [os.path.normpath(folder) for folder in listed if folder.strip()]
    for folder in folders:
        if os.path.isabs(folder) or folder.split("/")[0] in (".", "..") or "\n" in folder:
            raise Refusal(f'package.json: cacheDirectories names "{folder[:100]}", which is no folder in the app')
    return [folder for folder in folders if folder != "node_modules"]


def first_line(path, tool=None):
    """The first line that says something, or of .tool-versions the one of a tool."""
    if not os.path.isfile(path):
        return None
    for line in open(path, encoding="utf-8-sig", errors="replace").read(1 << 16).splitlines():
        words = line.split("#")[0].split()
        if words and (tool is None or words[0] in tool and len(words) > 1):
            return words[0] if tool is None else words[1]
    return None


def asked_node(app, package):
    """(file, text): engines.node, .node-version, .nvmrc, .tool-versions, in this order; (None, "") when none says it."""
    engine = package.get("engines", {}).get("node", "").strip()
    if engine:
        return "package.json (engines.node)", engine
    for file, tool in ((".node-version", None), (".nvmrc", None), (".tool-versions", ("nodejs", "node"))):
        line = first_line(os.path.join(app, file), tool)
        if line:
            return file, line
    return None, ""


def newest_lts(versions):
    """Lines with an even number become LTS in the October of the year in which they come out: each line but the newest one."""
    even = {version[0] for version in versions if version[0] % 2 == 0}
    return max(even - {max(even)}) if len(even) > 1 else max(even)


def choose_node(file, text, versions):
    """The version of `versions` that the text asks for."""
    alias, known = text.lower(), [version for version in versions if version[0] >= OLDEST]
    if alias in ("", "lts/*", "lts", "--lts", "lts-*"):
        wanted = Range(str(newest_lts(known)))
    elif alias in ("node", "latest", "current", "stable"):
        wanted = Range("*")
    elif alias.startswith("lts/") or alias in LTS_NAMES:
        wanted = Range(str(LTS_NAMES.get(alias.removeprefix("lts/"), 0)))
    else:
        try:
            wanted = Range(text)
        except ValueError:
            raise Refusal(f'{file} asks for Node.js "{text[:100]}", which is no version and no range',
                          "Write one such as 22.x, ^22.11.0 or >=20 <25; the lines that can be had are " + lines(known)) from None
    if re.fullmatch(r"[v=]*\d+\.\d+\.\d+-[0-9A-Za-z.-]+", text):
        raise Refusal(f'{file} asks for Node.js "{text[:100]}", a preview, which can\'t be had', *near(text, known))
    # An LTS line is preferred where the range leaves it open: `>=18` is no wish for the newest experiment.
    settled = [version for version in known if version[0] <= newest_lts(known)]
    found = None if text == "*" or alias in ("node", "latest", "current") else wanted.newest(settled)
    found = found or (wanted.newest(settled) if text == "*" else None) or wanted.newest(known)
    if not found:
        raise Refusal(f'{file} asks for Node.js "{text[:100]}", which can\'t be had', *near(text, known))
    return found


def lines(versions):
    newest = {}
    for version in versions:
        newest[version[0]] = max(version, newest.get(version[0], version))
    return ", ".join(show(version) for _, version in sorted(newest.items(), reverse=True)[:10])


def near(text, versions):
    found = re.search(r"\d+", text)
    same = sorted((version for version in versions if found and version[0] == int(found[0])), reverse=True)
    hint = [f"Of Node.js {found[0]} there are " + ", ".join(map(show, same[:6])) + (", ..." if same[6:] else "")] if same else []
    return [*hint, "The newest of each line: " + lines(versions)]


def lock_of(app, package):
    """(manager, lock file or None). Locks of two managers are refused: only one of them can be true."""
    found = [(file, manager) for file, manager in LOCKS if os.path.isfile(os.path.join(app, file))]
    if len({manager for _, manager in found}) > 1:
        names = " and ".join(file for file, _ in found)
        raise Refusal(f"The app has lock files of several package managers: {names}",
                      "Remove those that you do not use, for example: git rm " + found[0][0])
    named = re.match(r"(npm|yarn|pnpm)@", str(package.get("packageManager", "")))
    if found and named and named[1] != found[0][1]:
        raise Refusal(f"package.json: packageManager is {package['packageManager'][:60]}, and the lock file is {found[0][0]}",
                      f"Remove one of them, or lock with {named[1]}.")
    if found:
        return found[0][1], found[0][0]
    return (named[1] if named else "npm"), None


def asked_manager(manager, package):
    """(file, text, hash): the version of the package manager that package.json asks for."""
    said = str(package.get("packageManager", ""))
    if said:
        found = re.fullmatch(r"(npm|yarn|pnpm)@(\d+\.\d+\.\d+)(?:\+(sha(?:1|224|256|384|512))\.([0-9a-fA-F]+))?", said)
        if not found:
            raise Refusal(f'package.json: packageManager is "{said[:80]}"',
                          'Write the manager and its exact version, such as "pnpm@10.4.1"; npm, yarn and pnpm are known.')
        return "package.json (packageManager)", found[2], (found[3], found[4]) if found[3] else None
    text = package.get("engines", {}).get(manager, "").strip()
    return (f"package.json (engines.{manager})" if text else None), text, None


def choose_manager(manager, file, text, default, versions):
    known = [version for version in map(parse, versions) if version]
    try:
        found = Range(default).newest(known) if not text else None
        # `>=9` means the one that goes with this Node.js, where that fits.
        found = found or (Range(text).newest([v for v in known if Range(default).admits(v)]) or Range(text).newest(known))
    except ValueError:
        raise Refusal(f'{file} asks for {manager} "{text[:100]}", which is no version and no range') from None
    if not found:
        raise Refusal(f'{file} asks for {manager} "{text[:100]}", which can\'t be had', *near(text, known))
    return show(found)
