"""What a push, the commands and kubectl say of a release that does not come up, and of one that has no room."""
import subprocess

import pytest

from platform_kit import GIT, WEB, wait_for


def push(world, folder, types):
    """The same app again; all that the pusher read."""
    for kind, program in types.items():
        (folder / f"{kind}.pl").write_text(program)
    (folder / "Procfile").write_text("".join(f"{kind}: perl {kind}.pl\n" for kind in types))
    subprocess.run([*GIT, "add", "-A"], cwd=folder, check=True)
    subprocess.run([*GIT, "commit", "-qm", "next", "--allow-empty"], cwd=folder, check=True)
    done = subprocess.run(["git", "push", "skiff", "main"], cwd=folder, env=world.env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return "\n".join(line.removeprefix("remote: ").rstrip() for line in done.stderr.splitlines())


@pytest.fixture
def bad(world, tmp_path):
    """An app whose v2 serves and whose v3 dies at its start; what its push said."""
    folder = tmp_path / "bad"
    if world.run("ps", "-a", "bad")[0] == 0:
        world.skiff("apps:destroy", "-a", "bad", "--confirm", "bad")
        assert wait_for(lambda: world.kubectl("get", "namespace", "bad", check=False).returncode != 0)
    world.push(folder, "bad", {"web": WEB})
    assert world.fetch("bad")[0] == 200
    yield folder, push(world, folder, {"web": "die qq(boom, says v3\\n)"})


def test_a_push_waits_and_shows_why_its_release_does_not_come_up(world, bad):
    folder, said = bad
    assert "-----> Waiting for v3 to come up..." in said, said
    assert " !     v3 does not come up: web.1: exited with status" in said, said
    assert "         boom, says v3" in said, said
    assert "       v2 serves. To go back to it: skiff rollback v2 -a bad" in said, said
    assert "deployed to Skiff" not in said
    assert world.fetch("bad")[0] == 200
    lines = world.skiff("releases", "-a", "bad").stdout.splitlines()
    v3 = next(line for line in lines if line.startswith("v3"))
    v2 = next(line for line in lines if line.startswith("v2"))
    assert "failed" in v3 and "(current, does not serve)" in v3 and "web.1: exited with status" in v3, lines
    # Scripts ask: the push itself ended with 0, since the release was made.
    assert "status='failed'\n" in world.skiff("releases:info", "-s", "-a", "bad").stdout
    assert "succeeded" in v2 and "(serves)" in v2, lines
    ps = world.skiff("ps", "-a", "bad").stdout
    assert "web.1: up" in ps and "v2" in ps and "web.1: crashed" in ps and "v3: exited with status" in ps, ps
    apps = world.kubectl("-n", "bad", "get", "apps").stdout.splitlines()
    assert apps[0].split()[:4] == ["NAME", "RELEASE", "STATUS", "SERVING"], apps
    assert apps[1].split()[:4] == ["bad", "3", "Failed", "v2"], apps

    back = world.skiff("rollback", "v2", "-a", "bad").stdout
    assert "Rolling back bad to v2... done, v4" in back, back
    said = push(world, folder, {"web": WEB})
    assert "       v5 is up" in said and "http://bad.localhost" in said and "deployed to Skiff" in said, said
    assert world.kubectl("-n", "bad", "get", "apps").stdout.splitlines()[1].split()[:4] == ["bad", "5", "Succeeded", "v5"]
    phases = dict(line.split() for line in world.kubectl(
        "-n", "bad", "get", "releases", "-o", "custom-columns=N:.metadata.name,P:.status.phase", "--no-headers").stdout.splitlines())
    assert phases == {"v1": "Succeeded", "v2": "Succeeded", "v3": "Failed", "v4": "Succeeded", "v5": "Succeeded"}


def test_config_set_and_rollback_tell_too(world, bad):
    said = world.skiff("config:set", "A=1", "-a", "bad").stdout
    assert "released, v4" in said and " !     v4 does not come up: web.1: exited with status" in said, said
    assert "boom, says v3" in said and "skiff rollback v2 -a bad" in said, said
    world.skiff("rollback", "v2", "-a", "bad")
    said = world.skiff("rollback", "v3", "-a", "bad").stdout
    assert "released, v6" in said and "v5 serves. To go back to it: skiff rollback v5 -a bad" in said, said


def test_a_release_that_a_newer_one_overtakes_is_superseded(world, bad):
    folder, _ = bad
    world.skiff("scale", "web=1", "-a", "bad")
    # Never listens, so it is pending until the next one comes.
    pushing = subprocess.Popen(["sh", "-c", f"cd {folder} && printf 'web: sleep 600\\n' >Procfile && git add -A && "
                                "git -c user.name=t -c user.email=t@t commit -qm slow && exec git push skiff main"],
                               env=world.env, stderr=subprocess.PIPE, text=True)
    try:
        for line in pushing.stderr:
            if "Waiting for v4" in line:
                break
        world.skiff("rollback", "v2", "-a", "bad")
        rest = pushing.stderr.read()
        assert pushing.wait(120) == 0 and "v4: v5 came before it was up" in rest, rest
    finally:
        pushing.kill()
        pushing.stderr.close()
    assert world.kubectl("-n", "bad", "get", "release", "v4", "-o", "jsonpath={.status.phase}").stdout == "Superseded"


def test_a_dyno_without_room_says_so_at_once(world, bad):
    folder, _ = bad
    world.skiff("rollback", "v2", "-a", "bad")
    node = world.kubectl("get", "nodes", "-o", "name").stdout.strip()
    world.kubectl("patch", node, "-p", '{"spec": {"unschedulable": true}}')
    try:
        said = world.skiff("config:set", "FULL=1", "-a", "bad").stdout
        assert "released, v5" in said and "v5 is not up yet: web.1: waits for room: 0/1 nodes are available" in said, said
        assert "It starts as soon as there is room" in said and "v4 serves" in said, said
        ps = world.skiff("ps", "-a", "bad").stdout
        assert "web.1: starting" in ps and "v5: waits for room: 0/1 nodes are available" in ps, ps
        assert world.logged("bad", "heroku[web.1]: Not started yet: waits for room: 0/1 nodes are available")
        pushing = subprocess.Popen(["git", "push", "-f", "skiff", "main~1:main"], cwd=folder, env=world.env, stderr=subprocess.PIPE,
                                   text=True)
        try:
            assert any("build waits for room: 0/1 nodes are available" in line for line in pushing.stderr)
        finally:
            pushing.kill()
            pushing.wait(60)
            pushing.stderr.close()
    finally:
        world.kubectl("patch", node, "-p", '{"spec": {"unschedulable": false}}')
    assert wait_for(lambda: "v5" in world.kubectl("-n", "bad", "get", "app", "bad", "-o", "jsonpath={.status.serving}").stdout)


def test_scale_is_remembered_while_a_process_type_is_gone(world, tmp_path):
    folder = tmp_path / "types"
    sleeper = "sleep 1 while 1\n"
    world.push(folder, "types", {"web": WEB, "worker": sleeper})
    world.skiff("scale", "worker=2", "-a", "types")
    said = push(world, folder, {"web": WEB, "workers": sleeper})
    assert " !     The Procfile has no worker any more: its dynos stop (2); the number is remembered" in said, said
    assert world.skiff("scale", "-a", "types").stdout == "web=1:Basic workers=0:Basic\n"
    push(world, folder, {"web": WEB, "worker": sleeper})
    assert world.all_up("types", ["web.1", "worker.1", "worker.2"]), world.dynos("types")
    said = world.skiff("rollback", "v3", "-a", "types").stdout
    assert " !     worker is no process type of v5: its dynos stop; 2 is remembered" in said, said
    world.skiff("rollback", "v4", "-a", "types")
    assert "web at 3:Basic, worker at 1:Basic" in world.skiff("scale", "web+2", "worker-1", "-a", "types").stdout
    code, said = world.run("scale", "worker-2", "-a", "types")
    assert code == 1 and "worker has 1 dyno, fewer than 2" in said
