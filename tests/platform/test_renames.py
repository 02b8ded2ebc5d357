"""An app gets another name: all of it goes along, visitors meet no gap, and what is cut in the middle is made good."""
import contextlib
import itertools
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

import pytest

from platform_kit import GIT, SILENT, WEB, wait_for
from support import instance as support
from test_command_line import ask

INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: mine, namespace: %s}
spec:
  rules:
  - host: mine.test
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
"""


class Visitors(threading.Thread):
    """Ask an app's addresses in turn; a gap is a round in which none of them served."""

    def __init__(self, world, *apps):
        super().__init__(daemon=True)
        self.world, self.apps = world, apps
        self.rounds, self.gaps, self.over = 0, [], threading.Event()

    def serves(self, app):
        try:
            return self.world.fetch(app)
        except OSError as error:
            return 0, repr(error)

    def run(self):
        while not self.over.is_set():
            seen = []
            for app in self.apps:
                seen.append(self.serves(app))
                if seen[-1][0] == 200:
                    break
            else:
                # The name may have changed after the second was asked.
                seen.append(self.serves(self.apps[0]))
                if seen[-1][0] != 200:
                    self.gaps.append(seen)
            self.rounds += 1

    @contextlib.contextmanager
    def watching(self):
        self.start()
        try:
            yield self
        finally:
            self.over.set()
            self.join(60)


def run_in(world, folder, *args):
    done = subprocess.run([support.BINARY, *args], cwd=folder, env=world.env, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


def git(world, folder, *args):
    done = subprocess.run([*GIT, *args], cwd=folder, env=world.env, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


def releases(world, app):
    keys = ("version", "description", "status", "created_at", "current")
    return [{key: release[key] for key in keys} for release in ask(world, f"/apps/{app}/releases")[1]]


def builds(world, app):
    keys = ("id", "status", "created_at", "buildpacks", "duration")
    return [{key: build[key] for key in keys} for build in ask(world, f"/apps/{app}/builds")[1]]


def namespaces(world):
    found = json.loads(world.kubectl("get", "namespaces", "-l", "skiff.dev/app", "-o", "json").stdout)["items"]
    return {item["metadata"]["name"]: item["metadata"].get("annotations", {}) for item in found}


def test_a_renamed_app_is_all_there_and_its_visitors_meet_no_gap(world, tmp_path):
    folder, other = tmp_path / "one", tmp_path / "other"
    world.push(folder, "early", {"web": WEB, "worker": SILENT})
    world.skiff("config:set", "KEY=value", "-a", "early")
    world.skiff("scale", "web=2", "worker=1", "-a", "early")
    assert world.all_up("early", ["web.1", "web.2", "worker.1"], 60)
    url = f"http://localhost:{world.http}/early.git"
    git(world, folder, "remote", "add", "second", url)
    git(world, folder, "remote", "add", "origin", "https://github.com/me/early.git")
    assert git(world, tmp_path, "clone", "-q", "-c", f"credential.helper={helper(world)}", url, str(other))[0] == 0
    before = releases(world, "early"), builds(world, "early"), ask(world, "/apps/early")[1]
    output = ask(world, f"/apps/early/builds/{before[1][0]['id']}")[1]["output"]

    with Visitors(world, "early", "late").watching() as visitors:
        code, said = run_in(world, folder, "apps:rename", "late")
        assert code == 0, said
        assert world.fetch("late")[0] == 200
        time.sleep(1)
    assert visitors.rounds > 10 and not visitors.gaps, visitors.gaps[:5]

    assert "Renaming early to late... done\n" in said, said
    assert f"http://late.localhost:{world.http}/ | http://localhost:{world.http}/late.git\n" in said, said
    assert "Git remote skiff updated\n" in said and "Git remote second updated\n" in said, said
    remotes = git(world, folder, "remote", "-v")[1]
    assert "early.git" not in remotes.replace("https://github.com/me/early.git", ""), remotes
    assert "https://github.com/me/early.git" in remotes

    assert world.fetch("early")[0] == 404
    apps = world.skiff("apps").stdout.split()
    assert "late" in apps and "early" not in apps
    after = releases(world, "late"), builds(world, "late"), ask(world, "/apps/late")[1]
    assert after[:2] == before[:2]
    assert (after[2]["id"], after[2]["created_at"]) == (before[2]["id"], before[2]["created_at"])
    assert ask(world, f"/apps/late/builds/{before[1][0]['id']}")[1]["output"] == output != ""
    assert world.skiff("config:get", "KEY", "-a", "late").stdout == "value\n"
    assert world.all_up("late", ["web.1", "web.2", "worker.1"], 60)
    # In the file, since readers get the newest lines only, which are those about the visitors.
    log = (world.data / "platform" / "logs" / "late.log").read_text()
    assert "Build succeeded" in log and "Scaled to web@2:Basic" in log and "Rename to late by user skiff" in log
    # The last words of the dynos under the old name are there too, and it goes on.
    assert "app[web.1]: goodbye" in log
    world.skiff("config:set", "KEY=value", "OTHER=one", "-a", "late")
    assert world.logged("late", "Set OTHER config vars by user skiff")
    assert set(namespaces(world)) & {"early", "late"} == {"late"} and "skiff.dev/renamed-from" not in namespaces(world)["late"]
    assert not (world.data / "platform" / "git" / "early.git").exists() and not (world.data / "images" / "early").exists()

    code, said = world.run("ps", "-a", "early")
    assert code != 0 and "Couldn't find that app: early was renamed to late." in said, said
    code, said = git(world, other, "push", "origin", "HEAD:main")
    assert code != 0 and f"early was renamed to late: git remote set-url skiff http://localhost:{world.http}/late.git" in said, said
    world.push(folder, "late", {"web": WEB, "worker": SILENT})
    assert world.skiff("releases", "-a", "late").stdout.splitlines()[1].startswith(f"v{len(before[0]) + 2} ")
    assert world.skiff("rollback", "v2", "-a", "late").returncode == 0

    # The old name is anybody's.
    world.push(tmp_path / "new", "early", {"web": WEB})
    assert world.all_up("early", ["web.1"]) and world.fetch("early")[0] == 200
    assert "Build succeeded" in world.logs("early") and "Rename" not in world.logs("early")
    assert len(releases(world, "early")) == 2
    code, said = world.run("apps:rename", "early", "-a", "late")
    assert code != 0 and "Name early is already taken" in said, said
    assert world.fetch("late")[0] == 200


def helper(world):
    return f"!f() {{ test \"$1\" = get && echo username=skiff && echo password=$(cat '{world.data}/token'); }}; f"


@pytest.mark.parametrize("name,says", [("No", "Name must start with a letter"), ("api", "Name api is used by the platform itself"),
                                       ("shop", "shop is its name already"), ("default", "used by the platform"),
                                       ("skiff-builds", "Name skiff-builds is already taken")])
def test_a_name_that_is_none_or_taken_is_refused(world, shop, name, says):
    code, said = world.run("apps:rename", name, "-a", "shop")
    assert code != 0 and says in said, said
    assert world.fetch("shop")[0] == 200 and world.run("config:set", f"AFTER={name}", "-a", "shop")[0] == 0


def test_a_rename_needs_a_name_and_an_app(world, tmp_path):
    code, said = world.run("apps:rename", "-a", "shop")
    assert code == 2 and "apps:rename needs the new name" in said
    code, said = world.run("rename", "else", "-a", "nowhere")
    assert code != 0 and "Couldn't find that app" in said


def test_what_others_put_into_the_namespace_is_not_lost(world, tmp_path):
    world.skiff("create", "kept", "--no-remote")
    world.kubectl("apply", "-f", "-", stdin=INGRESS % "kept")
    code, said = world.run("apps:rename", "elsewhere", "-a", "kept")
    assert code != 0 and "the namespace kept holds what Skiff did not make and a rename would lose: Ingress mine" in said, said
    world.kubectl("-n", "kept", "delete", "ingress", "mine")
    # Without a build there are no dynos to wait for.
    assert "done" in world.skiff("apps:rename", "elsewhere", "-a", "kept").stdout
    assert "H81" in world.fetch("elsewhere")[1] and world.fetch("kept")[0] == 404  # blank, as before


def test_an_app_whose_dynos_find_no_room_keeps_its_name(world, tmp_path):
    world.push(tmp_path / "tight", "tight", {"web": WEB})
    assert world.all_up("tight", ["web.1"])
    node = world.kubectl("get", "nodes", "-o", "name").stdout.strip()
    world.kubectl("patch", node, "-p", '{"spec": {"unschedulable": true}}')
    try:
        with Visitors(world, "tight").watching() as visitors:
            code, said = world.run("apps:rename", "loose", "-a", "tight")
        assert code != 0 and "tight keeps its name: web.1: waits for room: 0/1 nodes are available" in said, said
    finally:
        world.kubectl("patch", node, "-p", '{"spec": {"unschedulable": false}}')
    assert visitors.rounds > 0 and not visitors.gaps, visitors.gaps[:5]
    assert "loose" not in world.skiff("apps").stdout and "loose" not in namespaces(world)
    assert "Rename to loose undone: web.1: waits for room" in world.logs("tight")
    assert world.run("scale", "web=1", "-a", "tight")[0] == 0
    assert "done" in world.skiff("apps:rename", "loose", "-a", "tight").stdout and world.fetch("loose")[0] == 200


def role_pid(world, role):
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0") if entry.name.isdigit() else []
            if words[1:3] == ["role", role] and str(world.data) in words:
                return int(entry.name)
    return None


def settled(world, names):
    """The one name that the app has, once nothing is left of the other."""
    there = {name: notes for name, notes in namespaces(world).items() if name in names}
    if len(there) != 1 or any("skiff.dev/renamed-from" in notes for notes in there.values()):
        return None
    return next(iter(there))


@pytest.mark.parametrize("role", ["platform", "control"])
def test_a_rename_that_is_cut_by_a_kill_is_ended_or_undone(world, tmp_path, role):
    names = [f"cut-{role}-a", f"cut-{role}-b"]
    folder = tmp_path / "cut"
    world.push(folder, names[0], {"web": WEB})
    assert world.all_up(names[0], ["web.1"])
    told = len(releases(world, names[0]))
    name = names[0]
    for pause in (0.02, 0.1, 0.25, 0.5, 1, 2):
        target = next(other for other in names if other != name)
        with Visitors(world, name, target).watching() as visitors:
            renaming = subprocess.Popen([support.BINARY, "apps:rename", target, "-a", name], env=world.env,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            time.sleep(pause)
            os.kill(role_pid(world, role), signal.SIGKILL)
            said, _ = renaming.communicate(timeout=300)
            assert wait_for(lambda: settled(world, names), 120), (said, namespaces(world))
            now = settled(world, names)
            assert wait_for(lambda: world.fetch(now)[0] == 200, 30), said  # noqa: B023
        assert not visitors.gaps, (pause, visitors.gaps[:5])
        # The command may not know, but it never says what is not so.
        assert now == target or renaming.returncode != 0, said
        assert wait_for(lambda: now in world.skiff("apps").stdout.split(), 30)  # noqa: B023
        assert [app for app in world.skiff("apps").stdout.split() if app in names] == [now]
        assert len(releases(world, now)) == told
        assert wait_for(lambda: world.run("config:set", f"CUT={pause}", "-a", now)[0] == 0, 30)  # noqa: B023
        told += 1
        name = now
    git(world, folder, "remote", "set-url", "skiff", f"http://localhost:{world.http}/{name}.git")
    world.push(folder, name, {"web": WEB})
    files = itertools.chain(*(os.listdir(world.data / where) for where in ("platform/git", "platform/logs", "images")))
    assert not [file for file in files if any(file.split(".")[0] == other for other in names if other != name)]
