"""What a user of Heroku types by habit about an app: its facts, restarts, remotes, another name for its remote."""
import json
import shlex
import subprocess

from platform_kit import SILENT, WEB
from support import instance as support
from support.instance import wait_for


def pods(world, app, kind):
    found = world.kubectl("-n", app, "get", "pods", "-l", f"skiff.dev/process={kind}", "-o", "json").stdout
    return {item["metadata"]["name"] for item in json.loads(found)["items"]
            if "deletionTimestamp" not in item["metadata"]}


def test_config_for_shells_and_programs(world, shop):
    value = "it's \"two\"\nlines $HOME `x` \x1b[31m\u202e"
    world.skiff("config:set", f"ODD={value}", "EMPTY=", "-a", "shop")
    assert json.loads(world.skiff("config", "--json", "-a", "shop").stdout)["ODD"] == value
    shell = world.skiff("config", "-s", "-a", "shop").stdout
    read = subprocess.run(["bash", "-c", f"{shell}\nprintf %s \"$ODD\""], capture_output=True, text=True)
    assert read.stdout == value
    assert "EMPTY=''\n" in shell
    code, text = world.run("config", "-s", "--json", "-a", "shop")
    assert code == 2 and "excludes" in text, text


def test_what_others_wrote_does_not_reach_the_terminal(world, shop):
    world.skiff("config:set", "EVIL=\x1b]0;title\x07\x9b31m\u202e", "-a", "shop")
    shown = world.skiff("config", "-a", "shop").stdout
    assert "EVIL: \\x1b]0;title\\x07" in shown and "\\u202e" in shown
    assert not any(c in shown for c in "\x1b\x07\x9b\u202e")


def test_what_is_known_of_an_app(world, shop):
    shown = world.skiff("apps:info", "-a", "shop").stdout
    assert shown.startswith("=== shop\n") and "Web URL:     http://shop.localhost" in shown and "web: 1" in shown
    facts = dict(line.split("=", 1) for line in shlex.split(world.skiff("info", "-s", "-a", "shop").stdout))
    assert facts["git_url"].endswith("/shop.git") and facts["maintenance"] == "false"
    assert json.loads(world.skiff("apps:info", "--json", "-a", "shop").stdout)["app"]["name"] == "shop"
    assert world.skiff("open", "/about", "-a", "shop").stdout == f"http://shop.localhost:{world.http}/about\n"


def test_what_is_known_of_a_release(world, shop):
    assert "=== Release v1\n" in world.skiff("releases:info", "v1", "-a", "shop").stdout
    current = json.loads(world.skiff("releases:info", "--json", "-a", "shop").stdout)
    assert current["current"] is True
    assert f"=== Release v{current['version']}\n" in world.skiff("releases:info", "-a", "shop").stdout
    code, text = world.run("releases:info", "v999", "-a", "shop")
    assert code != 0 and "has no release v999" in text and "skiff releases -a shop" in text


def test_dynos_are_restarted_while_others_serve(world, tmp_path):
    world.push(tmp_path / "again", "again", {"web": WEB, "worker": SILENT})
    world.skiff("scale", "web=2", "worker=1", "-a", "again")
    assert world.all_up("again", ["web.1", "web.2", "worker.1"])
    web, worker = pods(world, "again", "web"), pods(world, "again", "worker")
    world.skiff("ps:restart", "web", "-a", "again")
    seen = []

    def replaced():
        seen.append(world.fetch("again")[0])
        return not pods(world, "again", "web") & web and world.all_up("again", ["web.1", "web.2", "worker.1"], 1)

    assert wait_for(replaced, 60)
    assert set(seen) == {200} and pods(world, "again", "worker") == worker
    web = pods(world, "again", "web")
    world.skiff("ps:restart", "web.2", "-a", "again")
    assert wait_for(lambda: len(pods(world, "again", "web") & web) == 1, 60)
    assert world.all_up("again", ["web.1", "web.2", "worker.1"])
    world.skiff("restart", "-a", "again")
    assert wait_for(lambda: not pods(world, "again", "worker") & worker, 60)
    assert world.logged("again", "Restarted all dynos")
    code, text = world.run("ps:restart", "clock.1", "-a", "again")
    assert code != 0 and 'There is no dyno and no process type "clock.1"' in text


def test_a_remote_that_is_there_is_kept(world, tmp_path):
    def skiff(*args):
        done = subprocess.run([support.BINARY, *args], cwd=tmp_path, env=world.env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def remotes():
        return subprocess.run(["git", "remote", "-v"], cwd=tmp_path, capture_output=True, text=True).stdout

    subprocess.run(["git", "init", "-q", "."], cwd=tmp_path, check=True)
    skiff("create", "first-one")
    said = skiff("create", "second-one")
    assert "The git remote skiff stays as it is: " in said and "skiff git:remote -a second-one --remote NAME" in said
    assert "first-one.git" in remotes() and "second-one" not in remotes()
    skiff("git:remote", "-a", "second-one", "--remote", "staging")
    assert "staging\t" in remotes() and "second-one.git" in remotes() and "first-one.git" in remotes()
    assert "second-one" in skiff("apps:info", "-r", "staging") and "first-one" in skiff("apps:info")
    skiff("create", "third-one", "--remote", "other")
    assert "third-one.git" in remotes()
    assert "Git remote" not in skiff("create", "fourth-one", "--no-remote") and "fourth-one" not in remotes()


def test_a_destroyed_apps_name_is_free_at_once(world, tmp_path):
    world.push(tmp_path / "brief", "brief", {"web": WEB})
    assert world.all_up("brief", ["web.1"])
    world.skiff("apps:destroy", "-a", "brief", "--confirm", "brief")
    code, text = world.run("create", "brief")
    assert code == 0, text
