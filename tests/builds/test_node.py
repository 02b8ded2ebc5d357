"""Node.js apps: package managers, versions asked for in each place, scripts, what is refused, what a second push does not do."""
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

from support.instance import wait_for
from support.pushes import accepted, refused

ROOT = pathlib.Path(__file__).resolve().parents[2]
APPS = ROOT / "tests" / "builds" / "apps"
LIB = ROOT / "buildpacks" / "nodejs" / "lib"
PACKAGE = {"name": "shop", "version": "1.0.0", "private": True}
SERVER = "require('http').createServer((request, response) => response.end(process.version)).listen(process.env.PORT)\n"


def folder_files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def package(**more):
    return json.dumps({**PACKAGE, **more})


def serves(app, text, path="/"):
    assert wait_for(lambda: text in app.get(path), 60), app.get(path)


@pytest.fixture(scope="module")
def pins():
    """The buildpack's own reading of versions."""
    sys.path.insert(0, str(LIB))
    try:
        spec = importlib.util.spec_from_file_location("node_pins", LIB / "pins.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(LIB))


HAD = [(18, 20, 8), (20, 11, 0), (20, 19, 2), (22, 4, 1), (22, 12, 0), (24, 1, 0), (25, 2, 0), (26, 0, 1)]


@pytest.mark.parametrize("text, version", [
    ("", (24, 1, 0)), ("*", (24, 1, 0)), ("lts/*", (24, 1, 0)), ("lts/jod", (22, 12, 0)), ("22", (22, 12, 0)), ("v22.4.1", (22, 4, 1)),
    ("22.x", (22, 12, 0)), ("~22.4", (22, 4, 1)), ("^20.11.0", (20, 19, 2)), (">=18", (24, 1, 0)), (">=18 <21", (20, 19, 2)),
    ("18 || 20", (20, 19, 2)), ("18 - 20", (20, 19, 2)), (">=25", (26, 0, 1)), ("25.x", (25, 2, 0)), ("latest", (26, 0, 1)),
    (">= 22.0.0 < 22.5", (22, 4, 1)), ("<=20.11.0", (20, 11, 0)), (">20", (24, 1, 0)), ("=20.11.0", (20, 11, 0)),
    ("<22.12.0", (22, 4, 1)), ("20 - 22.4.0", (20, 19, 2)), (">=20.0.0-0 <21", (20, 19, 2)),
])
def test_the_version_that_is_asked_for(pins, text, version):
    assert pins.choose_node(".nvmrc", text, HAD) == version


@pytest.mark.parametrize("text, words", [
    ("21.x", '.nvmrc asks for Node.js "21.x", which can\'t be had'), ("22.99.0", "Of Node.js 22 there are 22.12.0, 22.4.1"),
    ("99", "The newest of each line: 26.0.1, 25.2.0, 24.1.0"), ("twenty", 'asks for Node.js "twenty", which is no version and no range'),
    ("22.x; rm -rf", "which is no version and no range"), ("lts/unknown", "which can't be had"), ("10.x", "which can't be had"),
    ("v24.1.0-rc.1", "a preview, which can't be had"),
])
def test_a_version_that_can_not_be_had_is_named_with_those_that_can(pins, text, words):
    with pytest.raises(pins.Refusal) as why:
        pins.choose_node(".nvmrc", text, HAD)
    assert words in "\n".join(why.value.lines)


def test_the_places_where_a_version_is_asked_for(pins, tmp_path):
    (tmp_path / ".tool-versions").write_bytes(b"ruby 3.1\r\nnodejs 20.11.0\r\n")
    assert pins.asked_node(tmp_path, {}) == (".tool-versions", "20.11.0")
    (tmp_path / ".nvmrc").write_bytes(b"\xef\xbb\xbf# ours\r\nlts/jod\r\n")
    assert pins.asked_node(tmp_path, {}) == (".nvmrc", "lts/jod")
    (tmp_path / ".node-version").write_text("22.4.1")
    assert pins.asked_node(tmp_path, {}) == (".node-version", "22.4.1")
    assert pins.asked_node(tmp_path, {"engines": {"node": "18.x"}}) == ("package.json (engines.node)", "18.x")


@pytest.mark.parametrize("lock, line", [
    ("# yarn lockfile v1\n", "1"), ("__metadata:\n  version: 4\n", "2 - 3.0"), ("__metadata:\n  version: 6\n", "3.2 - 3"),
    ("__metadata:\n  version: 8\n", "4.0 - 4.13"), ("__metadata:\n  version: 10\n", "4"), (None, "1"),
])
def test_the_yarn_that_wrote_a_lock_is_taken(tmp_path, lock, line):
    if lock:
        (tmp_path / "yarn.lock").write_text(lock)
    command = "import prepare, sys; print(prepare.yarn_line(sys.argv[1], sys.argv[2] or None))"
    found = subprocess.run([sys.executable, "-c", command, tmp_path, "yarn.lock" if lock else ""], cwd=LIB, env={"PYTHONDONTWRITEBYTECODE": "1"},
                           capture_output=True, text=True, timeout=60)
    assert found.stdout == line + "\n", found


def profile_says(variables, names):
    """What .profile.d/nodejs.sh leaves of the config vars."""
    command = '. "$1" && shift && for name; do echo "${!name}"; done'
    return subprocess.run(["bash", "-c", command, "bash", LIB / "profile.sh", *names], env={"PATH": "/usr/bin:/bin", "HOME": "/app", **variables},
                          capture_output=True, text=True, timeout=60).stdout.splitlines()


def test_the_values_of_config_vars_win_in_a_dyno():
    names = ("NODE_ENV", "WEB_CONCURRENCY", "WEB_MEMORY")
    own = profile_says({"NODE_ENV": "staging", "WEB_CONCURRENCY": "77", "WEB_MEMORY": "100"}, names)
    assert own == ["staging", "77", "100"]
    assert profile_says({"MEMORY_AVAILABLE": "100"}, names) == ["production", "1", "512"]
    assert 1 <= int(profile_says({"MEMORY_AVAILABLE": "999999"}, ["WEB_CONCURRENCY"])[0]) <= os.cpu_count()


def test_an_express_app_with_npm(skiff):
    app = skiff.app(folder_files(APPS / "node-npm"), ["GREETING=good day"])
    first = app.push()
    assert first.ok, first.said
    for line in ("-----> Node.js app detected", "(package.json (engines.node): 22.x)", "Fetching Node.js 22.", "Installing dependencies: npm ci",
                 "-----> Running build", "Removing packages for development: npm prune"):
        assert line in first.said, first.said
    serves(app, "good day 007 production")
    about = json.loads(app.get("/about").split("\n\n", 1)[1])
    assert about["node"].startswith("v22.") and about["mode"] == "production" and not about["development"], about
    assert about["updates"] == "false", "a dyno asks the registry for a newer npm"
    assert int(about["concurrency"]) >= 1
    app.write({"README.md": "changed"})
    second = app.push()
    assert second.ok and "node_modules is taken from the cache" in second.said, second.said
    assert "Fetching" not in second.said and "Installing" not in second.said, second.said
    serves(app, "good day 007 production")
    lock = (app.folder / "package.json").read_text().replace('"4.21.2"', '"4.21.1"')
    app.write({"package.json": lock})
    refused(app.push(), " !     The lock file package-lock.json does not fit package.json", "Run `npm install`, then commit package-lock.json.")


@pytest.mark.parametrize("name, words", [
    ("yarn", "yarn 1.22.22 (package.json (engines.yarn): >=1.22)"), ("berry", "yarn 4.9.2 (package.json (packageManager): 4.9.2)"),
    ("pnp", "yarn 4.13."), ("pnpm", "pnpm 12.21.0 (package.json (packageManager): 12.21.0)"),
])
def test_another_package_manager(skiff, name, words):
    app = skiff.app(folder_files(APPS / f"node-{name}"))
    pushed = app.push()
    assert pushed.ok and words in pushed.said, pushed.said
    serves(app, "1m v24.")
    app.write({"README.md": "changed"})
    second = app.push()
    assert second.ok and "       Fetching" not in second.said, second.said
    app.write({"package.json": (app.folder / "package.json").read_text().replace("2.1.3", "2.1.2")})
    refused(app.push(), " !     The lock file ", " does not fit package.json")


def test_yarn_3_keeps_what_it_can_not_remove(skiff):
    pushed = skiff.app(folder_files(APPS / "node-yarn3")).push()
    assert pushed.ok, pushed.said
    assert "yarn plugin import workspace-tools" in pushed.said, pushed.said


def test_workspaces(skiff):
    app = skiff.app(folder_files(APPS / "node-workspaces"))
    pushed = app.push()
    assert pushed.ok, pushed.said
    serves(app, "words 1s 2s")


def test_native_code_finds_headers_and_compiler(skiff):
    app = skiff.app(folder_files(APPS / "node-native"))
    pushed = app.push()
    assert pushed.ok, pushed.said
    serves(app, "\n\n42")


def test_scripts_in_their_order(skiff):
    scripts = {"heroku-prebuild": "echo one $VALUE", "build": "echo never", "heroku-cleanup": "echo three",
               "heroku-postbuild": "echo two; mkdir -p .made/here; echo found what was made >.made/here/it"}
    app = skiff.app({"package.json": package(scripts=scripts, cacheDirectories=[".made/here"]), "server.js": SERVER}, ["VALUE=a\nb"])
    pushed = app.push()
    assert pushed.ok, pushed.said
    said = [line.strip() for line in pushed.said.splitlines()]
    assert [said.index(word) for word in ("one a b", "two", "three")] == sorted(said.index(word) for word in ("one a b", "two", "three"))
    assert "never" not in said
    failing = package(scripts={"build": "cat .made/here/it; exit 3"}, cacheDirectories=[".made/here"])
    app.write({"package.json": failing})
    refused(app.push(), "-----> Restoring .made/here", "found what was made",
            " !     The script build of package.json failed; what it said stands above.")


def test_pages_that_a_build_made_and_nothing_serves(skiff):
    script = "mkdir dist && echo '<p>ours</p>' >dist/index.html"
    app = skiff.app({"package.json": package(scripts={"build": script}), "main.jsx": ""})
    refused(app.push(), " !     package.json has no script start and there is no server.js", 'a static.json with { "root": "dist" }')


@pytest.mark.parametrize("folders, kept", [
    (["node_modules", ".next/cache", "client/node_modules/"], [".next/cache", "client/node_modules"]), ([], []), (["/tmp"], None), (["a/../.."], None),
    (".next/cache", None), (["."], None),
])
def test_the_folders_that_are_kept(pins, folders, kept):
    if kept is not None:
        assert pins.cached_folders({"cacheDirectories": folders}) == kept
    else:
        with pytest.raises(pins.Refusal):
            pins.cached_folders({"cacheDirectories": folders})


def test_what_is_refused(skiff):
    app = skiff.app({"server.js": SERVER})
    for text, words in (("{", "package.json is not JSON: "), ("[]", "package.json holds no object"),
                        (package(engines={"node": 22}), 'package.json: "node" is 22, and should be a text'),
                        (package(engines={"node": "22.999.x"}), 'package.json (engines.node) asks for Node.js "22.999.x", which can\'t be had'),
                        (package(packageManager="bun@1.0.0"), 'package.json: packageManager is "bun@1.0.0"'),
                        (package(packageManager="pnpm@10"), 'package.json: packageManager is "pnpm@10"'),
                        (package(engines={"npm": "99.x"}), 'package.json (engines.npm) asks for npm "99.x", which can\'t be had'),
                        (package(packageManager="npm@10.9.2+sha512." + "0" * 128), "packageManager names another hash")):
        app.write({"package.json": text})
        refused(app.push(), " !     " + words if words.startswith("package.json") else words)
    app.write({"package.json": package(dependencies={"ms": "2.1.3"}), "yarn.lock": "", ".npmrc": "//npm.example.com/:_authToken=${OUR_TOKEN}\n"})
    refused(app.push(), " !     The settings of yarn read OUR_TOKEN, which is not set: skiff config:set OUR_TOKEN=<value>")
    app.write({"package.json": package(), "package-lock.json": "{}", "yarn.lock": ""})
    refused(app.push(), " !     The app has lock files of several package managers: package-lock.json and yarn.lock")


def test_an_app_that_is_named_nodejs_and_is_none(skiff):
    refused(skiff.app({".buildpacks": "heroku/nodejs\n", "Procfile": "web: x\n"}).push(), " !     The app has no file package.json")


def test_a_registry_that_can_not_be_reached_is_named(skiff):
    app = skiff.app({"package.json": package(), "server.js": SERVER, ".npmrc": "registry=http://127.0.0.1:9/${PLACE}/\r\n"}, ["PLACE=ours"])
    refused(app.push(), " !     http://127.0.0.1:9/ours/node-linux-", "can't be fetched: ", "NPM_CONFIG_REGISTRY")


def test_ipify_in_node(skiff):
    """ipify-node, as it lies in examples/, with its own tests run by the Node.js that it asks for."""
    files = folder_files(ROOT / "examples" / "ipify-node")
    described = json.loads(files["package.json"])
    described["scripts"]["build"] = described["scripts"]["test"]
    app = skiff.app({**files, "package.json": json.dumps(described)})
    said = accepted(app.push(), "> node --test")
    assert re.search(r"(?m)^ +\S+ pass [1-9]\d*$", said) and re.search(r"(?m)^ +\S+ fail 0$", said), said
    assert wait_for(lambda: "HTTP/1.1 200" in app.get(), 60)
    assert json.loads(app.get("/?format=json").split("\n\n", 1)[1])["ip"]
