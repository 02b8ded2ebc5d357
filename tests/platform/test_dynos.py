"""Dynos: their names, what the log tells of them, what visitors get."""
import http.client
import os
import re
import signal
import subprocess
import time

from platform_kit import COUNTER, DEAF, PLAIN, SILENT, TOLD, WEB
from support import instance as support
from support.instance import wait_for


def test_kubectl_shows_apps_builds_and_releases(world, shop):
    text = world.kubectl("get", "apps,builds,releases", "-A").stdout
    assert "RELEASE" in text and "http://shop.localhost" in text
    assert "Initial release" in text and re.search(r"Deploy [0-9a-f]{8}", text)
    assert re.search(r"build.skiff.dev/\w+ +\w+ +Succeeded", text)
    assert "Succeeded" in world.kubectl("-n", "shop", "get", "release", "v1", "-o", "yaml").stdout


def test_a_field_that_the_definitions_do_not_know_is_refused(world, shop):
    bad = world.kubectl("-n", "shop", "patch", "app", "shop", "--type=merge", "-p",
                        '{"spec": {"formation": [{"type": "web", "quantity": 1000}]}}', check=False)
    assert bad.returncode != 0 and "100" in bad.stderr


def test_a_release_names_its_image_and_never_changes(world, shop):
    digest = world.kubectl("-n", "shop", "get", "release", "v2", "-o", "jsonpath={.spec.digest}").stdout
    assert re.fullmatch("sha256:[0-9a-f]{64}", digest)
    bad = world.kubectl("-n", "shop", "patch", "release", "v2", "--type=merge", "-p", '{"spec": {"commit": "x"}}',
                        check=False)
    assert bad.returncode != 0 and "a release is immutable" in bad.stderr
    world.kubectl("-n", "shop", "label", "release", "v2", "seen=yes")


def test_kubectl_and_skiff_change_the_same_app(world, shop):
    world.kubectl("-n", "shop", "patch", "app", "shop", "--type=merge", "-p", '{"spec": {"maintenance": true}}')
    assert wait_for(lambda: world.fetch("shop")[0] == 503)
    world.skiff("maintenance:off", "-a", "shop")
    assert wait_for(lambda: world.fetch("shop")[0] == 200)


def test_dynos_are_numbered_and_the_highest_goes_first(world, shop):
    world.skiff("scale", "web=3", "-a", "shop")
    assert world.all_up("shop", ["web.1", "web.2", "web.3"]), world.dynos("shop")
    assert all(world.fetch("shop")[1].startswith("web.") for _ in range(9))
    world.skiff("scale", "web=1", "-a", "shop")
    assert world.all_up("shop", ["web.1"]), world.dynos("shop")


def test_a_new_release_keeps_the_names(world, shop):
    world.skiff("config:set", "ROUND=2", "-a", "shop")
    world.kubectl("-n", "shop", "rollout", "status", "deploy/web", "--timeout=60s")
    assert world.all_up("shop", ["web.1"]), world.dynos("shop")
    world.fetch("shop")
    assert wait_for(lambda: "dyno=web.1 " in world.logs("shop", "--ps", "router"))


def test_the_log_tells_the_life_of_a_dyno(world, shop):
    world.skiff("config:set", "ROUND=3", "-a", "shop")
    assert world.logged("shop", "heroku[web.1]: Process exited with status 0"), world.logs("shop")
    text = world.logs("shop", "--ps", "web")
    for line in ("heroku[web.1]: Starting process with command `perl web.pl`",
                 "heroku[web.1]: State changed from starting to up", "heroku[web.1]: State changed from up to down",
                 "heroku[web.1]: Stopping all processes with SIGTERM", "app[web.1]: goodbye"):
        assert line in text, text
    assert "router" not in text
    assert "app[api]: Set ROUND config vars by user skiff" in world.logs("shop", "--source", "app")
    assert "heroku[" not in world.logs("shop", "--source", "app")


def numbers(text):
    return [int(n) for n in re.findall(r"app\[worker\.1\]: n=(\d+)", text)]


def kill_platform(world):
    before = world.platform_pid()
    os.kill(before, signal.SIGKILL)
    assert wait_for(lambda: world.platform_pid() not in (None, before))
    assert wait_for(lambda: world.run("apps")[0] == 0)


def test_no_line_is_lost_or_kept_twice_when_the_platform_is_killed(world, tmp_path):
    world.push(tmp_path / "counted", "counted", {"worker": COUNTER})
    world.skiff("scale", "worker=1", "-a", "counted")
    tail = subprocess.Popen([support.BINARY, "logs", "-t", "-n", "0", "--ps", "worker.1", "-a", "counted"], env=world.env,
                            stdout=subprocess.PIPE, text=True)
    try:
        for _ in range(3):
            seen = (numbers(world.logs("counted", "--ps", "worker")) or [0])[-1]
            assert wait_for(lambda last=seen: (numbers(world.logs("counted", "--ps", "worker")) or [0])[-1] > last + 50)
            kill_platform(world)
        last = numbers(world.logs("counted", "--ps", "worker"))[-1]
        assert wait_for(lambda: numbers(world.logs("counted", "--ps", "worker"))[-1] > last + 50)
    finally:
        world.skiff("scale", "worker=0", "-a", "counted")
        assert world.logged("counted", "heroku[worker.1]: Process exited with status 0")
        tail.terminate()
    stored = [record for name in ("counted.log.1", "counted.log") if (path := world.data / "platform" / "logs" / name).exists()
              for record in numbers(path.read_text())]
    # Four times more than 50; how many more the machine's load decides.
    assert len(stored) > 200 and stored == list(range(1, len(stored) + 1))
    followed = numbers(tail.stdout.read())
    assert len(followed) > 150 and followed == list(range(followed[0], followed[0] + len(followed)))


def test_the_edge_names_why_an_app_does_not_answer(world, tmp_path):
    world.skiff("create", "blank-app")
    assert wait_for(lambda: world.fetch("blank-app")[0] == 503 and world.logged("blank-app", "code=H81", 1))
    folder = tmp_path / "moods"
    world.push(folder, "moods", {"web": WEB})
    assert world.all_up("moods", ["web.1"])
    world.skiff("maintenance:on", "-a", "moods")
    assert wait_for(lambda: world.fetch("moods")[0] == 503 and world.logged("moods", "code=H80", 1))
    world.skiff("maintenance:off", "-a", "moods")
    assert wait_for(lambda: world.fetch("moods")[0] == 200)
    world.skiff("scale", "web=0", "-a", "moods")
    assert wait_for(lambda: world.fetch("moods")[0] == 503 and world.logged("moods", "code=H14", 1))
    world.push(folder, "moods", {"web": "die qq(no luck\\n)"})
    world.skiff("scale", "web=1", "-a", "moods")
    assert wait_for(lambda: world.fetch("moods")[0] == 503 and world.logged("moods", "code=H10", 1), 60)
    text = world.logs("moods")
    assert "app[web.1]: no luck" in text and "heroku[web.1]: State changed from starting to crashed" in text


def test_a_destroyed_app_leaves_nothing_to_its_successor(world, tmp_path):
    world.push(tmp_path / "phoenix", "phoenix", {"web": WEB})
    assert world.all_up("phoenix", ["web.1"])
    world.skiff("config:set", "OLD=1", "-a", "phoenix")
    world.skiff("apps:destroy", "-a", "phoenix", "--confirm", "phoenix")
    assert wait_for(lambda: world.run("create", "phoenix")[0] == 0)
    assert world.skiff("releases", "-a", "phoenix").stdout.count("Initial release") == 1
    assert "OLD" not in world.skiff("config", "-a", "phoenix").stdout
    assert "web.1" not in world.logs("phoenix") and "No dynos" in world.skiff("ps", "-a", "phoenix").stdout
    assert world.kubectl("-n", "phoenix", "get", "releases,builds", "-o", "name").stdout.split() == [
        "release.skiff.dev/v1"]


def test_a_log_that_is_followed_ends_with_its_app(world):
    for end in (["apps:destroy", "-a", "short", "--confirm", "short"], None):
        assert wait_for(lambda: world.run("create", "short")[0] == 0)
        tail = subprocess.Popen([support.BINARY, "logs", "-t", "-a", "short"], env=world.env, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
        try:
            assert "Release v1" in tail.stdout.readline()
            if end:
                world.skiff(*end)
            else:
                world.kubectl("delete", "namespace", "short")
            assert "Couldn't find that app" in tail.communicate(timeout=60)[1]
        finally:
            tail.kill()


def test_nor_does_one_whose_namespace_was_deleted(world, tmp_path):
    folder = tmp_path / "heron"
    world.push(folder, "heron", {"web": WEB})
    assert world.all_up("heron", ["web.1"])
    world.kubectl("delete", "namespace", "heron")
    world.skiff("create", "heron")
    assert "web.1" not in world.logs("heron")
    left = subprocess.run(["git", "ls-remote", "skiff"], cwd=folder, env=world.env, capture_output=True, text=True)
    assert left.returncode == 0 and left.stdout == "", left.stderr
    world.push(folder, "heron", {"web": WEB})
    assert world.all_up("heron", ["web.1"])


def test_boot_and_exit_timeouts_are_told(world, tmp_path):
    world.push(tmp_path / "slow", "slow-app", {"web": SILENT, "worker": DEAF})
    world.skiff("scale", "worker=1", "-a", "slow-app")
    assert world.logged("slow-app", "heroku[worker.1]: State changed from starting to up")
    world.skiff("scale", "worker=0", "-a", "slow-app")
    assert world.logged("slow-app", "heroku[web.1]: Error R10 (Boot timeout) -> Web process failed to bind to $PORT "
                                    "within 60 seconds of launch", 90), world.logs("slow-app")
    assert world.logged("slow-app", "heroku[web.1]: State changed from starting to crashed", 10)
    assert world.logged("slow-app", "heroku[worker.1]: Error R12 (Exit timeout)", 60), world.logs("slow-app")


def test_sigterm_ends_what_has_no_handler_and_is_told_to_all_processes(world, tmp_path):
    # The shell of the pipe has no handler either; who is in the pipe has its time nevertheless, in another session too.
    world.push(tmp_path / "stops", "stops", {"plain": PLAIN, "pipe": TOLD},
               {"pipe": "perl pipe.pl writer | perl pipe.pl reader | setsid perl pipe.pl daemon"})
    names = ("writer", "reader", "daemon")
    world.skiff("scale", "plain=1", "pipe=1", "-a", "stops")
    assert world.all_up("stops", ["plain.1", "pipe.1"])
    for name in names:
        assert world.logged("stops", f"app[pipe.1]: {name} is ready")
    world.skiff("scale", "plain=0", "pipe=0", "-a", "stops")
    for dyno in ("plain.1", "pipe.1"):
        assert world.logged("stops", f"heroku[{dyno}]: Process exited with status 143", 20), world.logs("stops")
    for name in names:
        assert world.logged("stops", f"app[pipe.1]: {name} was told"), world.logs("stops")
    assert "R12" not in world.logs("stops")


def test_a_static_site_that_is_stopped_finishes_its_downloads(world, tmp_path):
    size = 64 << 20  # more than buffers on the way hold
    folder = tmp_path / "videos"
    folder.mkdir()
    (folder / "static.json").write_text("{}")
    with open(folder / "film.bin", "wb") as film:
        film.truncate(size)
    world.push(folder, "videos", {})
    assert world.all_up("videos", ["web.1"])
    visitor = http.client.HTTPConnection("127.0.0.1", world.http, timeout=20)
    visitor.request("GET", "/film.bin", headers={"Host": "videos.localhost"})
    film = visitor.getresponse()
    assert film.status == 200 and len(film.read(1 << 20)) == 1 << 20
    world.skiff("scale", "web=0", "-a", "videos")
    time.sleep(3)  # SIGTERM comes 2 seconds after the pod's end is decided
    assert (1 << 20) + len(film.read()) == size
    assert world.logged("videos", "heroku[web.1]: Process exited with status 0"), world.logs("videos")


def test_a_long_path_does_not_begin_a_line_of_its_own(world, shop):
    forged = "heroku[router]:at=info"
    path = "/long-" + "x" * 12_000 + forged
    visitor = http.client.HTTPConnection("127.0.0.1", world.http, timeout=20)
    visitor.request("GET", path, headers={"Host": "shop.localhost"})
    assert visitor.getresponse().status == 200
    visitor.close()
    assert world.logged("shop", 'path="/long-x')
    lines = [line for line in world.logs("shop", "--ps", "router").splitlines() if "xxxx" in line]
    assert len(lines) == 1 and forged not in lines[0]
    assert 'x…" host=shop.localhost' in lines[0] and " status=200 " in lines[0]
