"""Pushes that are cut, doubled or lose their platform."""
import concurrent.futures
import os
import signal
import subprocess

from support.instance import wait_for

SLOW = {"Procfile": "web: true\n", "Makefile": "all:\n\t@echo waiting; [ ! -f slow ] || sleep 600\n", "slow": ""}


def read_until(process, words):
    said = ""
    for line in process.stdout:
        said += line
        if words in line:
            return said
    raise AssertionError(said)


def stop(process):
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)
    process.stdout.close()


def mounts():
    return subprocess.run(["findmnt", "-rno", "TARGET"], capture_output=True, text=True, timeout=30).stdout


def push_quickly(app):
    app.git("rm", "-q", "--ignore-unmatch", "slow")
    return app.push()


def test_a_pusher_who_leaves_takes_the_build_along(skiff):
    app = skiff.app(SLOW)
    pushing = app.start_push()
    try:
        read_until(pushing, "waiting")
        assert skiff.build_pods() != []
    finally:
        stop(pushing)
    assert wait_for(lambda: skiff.build_pods() == [], 60)
    assert wait_for(lambda: os.listdir(skiff.data / "platform" / "builds") == [], 30)
    told = lambda: skiff.kubectl("-n", app.name, "get", "builds", "-o", "jsonpath={.items[*].status.phase} {.items[*].status.message}").stdout
    assert wait_for(lambda: told() == "Failed the push was cancelled", 30), told()
    assert app.git("ls-remote", "skiff").stdout == ""
    pushed = push_quickly(app)
    assert pushed.ok, pushed.said


def test_a_push_of_an_app_that_is_destroyed_meanwhile_says_so(skiff):
    app = skiff.app(SLOW)
    pushing = app.start_push()
    try:
        read_until(pushing, "waiting")
        skiff.skiff("apps:destroy", "-a", app.name, "--confirm", app.name)
        said = pushing.stdout.read()
        assert f" !     Push refused: {app.name} was destroyed while it was built" in said, said
    finally:
        stop(pushing)


def test_a_second_push_of_an_app_is_refused_while_the_first_builds(skiff):
    app, other = skiff.app(SLOW), skiff.app({"index.html": "x"})
    pushing = app.start_push()
    try:
        read_until(pushing, "waiting")
        pushed = app.push()
        assert not pushed.ok
        assert (f" !     Push refused: another build of {app.name} is going on; push again when it has ended") in pushed.said
        assert "curl" not in pushed.said
        pushed = other.push()
        assert pushed.ok, pushed.said
        assert skiff.build_pods() != []
    finally:
        stop(pushing)
    assert wait_for(lambda: skiff.build_pods() == [], 60)


def test_a_platform_that_dies_leaves_no_build_behind(skiff):
    app = skiff.app(SLOW)
    pushing = app.start_push()
    try:
        read_until(pushing, "waiting")
        os.kill(skiff.role_pid("platform"), signal.SIGKILL)
        assert pushing.wait(60) != 0
    finally:
        stop(pushing)
    assert wait_for(lambda: skiff.role_pid("platform"), 30)
    assert wait_for(lambda: skiff.build_pods() == [], 60)
    assert wait_for(lambda: app.git("ls-remote", "skiff", check=False).returncode == 0, 30)
    pushed = push_quickly(app)
    assert pushed.ok, pushed.said
    assert f"{skiff.data}/platform/disks" not in mounts()


def test_a_build_outlives_the_api_server_and_shows_each_line_once(skiff):
    app = skiff.app({"Procfile": "web: true\n",
                     "Makefile": "all:\n\t@for i in 1 2 3 4 5 6 7 8; do echo line $$i; sleep 1; done\n"})
    pushing = app.start_push()
    try:
        said = read_until(pushing, "line 2")
        os.kill(skiff.role_pid("control"), signal.SIGKILL)
        said += pushing.stdout.read()
        assert pushing.wait(120) == 0, said
    finally:
        stop(pushing)
    assert [line.split()[-1] for line in said.splitlines() if "line " in line] == list("12345678"), said


def test_down_in_the_middle_of_a_build_leaves_no_mount(skiff):
    app = skiff.app(SLOW)
    pushing = app.start_push()
    try:
        read_until(pushing, "waiting")
        assert f"{skiff.data}/platform/disks" in mounts()
        skiff.skiff("down")
        assert f"{skiff.data}/platform/disks" not in mounts()
        assert pushing.wait(60) != 0
    finally:
        stop(pushing)
        skiff.up()
    assert wait_for(lambda: skiff.build_pods() == [], 60)
    pushed = push_quickly(app)
    assert pushed.ok, pushed.said


def test_without_loop_devices_the_size_is_watched(skiff):
    programs = skiff.data / "programs"
    programs.mkdir()
    (programs / "mkfs.ext4").write_text("#!/bin/sh\nexit 1\n")
    (programs / "mkfs.ext4").chmod(0o755)
    before = dict(skiff.env)
    skiff.skiff("down")
    skiff.env["PATH"] = f"{programs}:{before['PATH']}"
    try:
        skiff.up()
        app = skiff.app({"Procfile": "web: true\n", "Makefile": "all:\n\t@head -c 200M /dev/zero >big; sleep 60\n"})
        with skiff.limits(diskMb=64):
            pushed = app.push()
        assert not pushed.ok
        assert " !     No space left on device: the build takes more than 64 MB." in pushed.said
        assert " !     Push refused: the build filled its disk of 64 MB, which also holds its cache; write less" in pushed.said
        app.write({"Makefile": "all:\n\techo fine\n"})
        pushed = app.push()
        assert pushed.ok, pushed.said
    finally:
        skiff.env = before
        skiff.skiff("down")
        skiff.up()


def test_many_who_read_at_once_do_not_disturb_each_other(skiff):
    app = skiff.app({"index.html": "x"})
    pushed = app.push()
    assert pushed.ok, pushed.said
    head = app.git("rev-parse", "HEAD").stdout.strip()

    def read(_):  # two gits of the platform: what it can do, and the references
        return app.git("-c", "protocol.version=2", "ls-remote", "skiff", "refs/heads/main").stdout.split()

    with concurrent.futures.ThreadPoolExecutor(8) as readers:
        assert list(readers.map(read, range(40))) == [[head, "refs/heads/main"]] * 40
