"""An API server that stands still: what nobody can say is not answered with no, and what it misses is made up for."""
import os
import signal
import subprocess
import time

import pytest

from support.instance import Instance, missing, wait_for
from support.instance import BINARY

GIT = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com"]


@pytest.fixture(scope="module")
def skiff(tmp_path_factory):
    why = missing()
    if why:
        pytest.skip(why)
    made = Instance(tmp_path_factory.mktemp("silent"))
    made.up()
    yield made
    made.close()


def role_pid(skiff, role):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
                words = file.read().split("\0")
        except OSError:
            continue
        if words[1:5] == ["role", role, "--data", str(skiff.data)]:
            return int(pid)
    return None


def test_an_app_that_nobody_can_look_up_is_not_called_absent(skiff, tmp_path):
    subprocess.run(["git", "init", "-q", "-b", "main", "."], cwd=tmp_path, check=True)
    subprocess.run([BINARY, "create", "shop"], cwd=tmp_path, env=skiff.env, check=True, capture_output=True)
    # The supervisor too, which would start another control.
    supervisor, control = int((skiff.data / "run" / "skiff.pid").read_text()), role_pid(skiff, "control")
    for process in (supervisor, control):
        os.kill(process, signal.SIGSTOP)
    try:
        asked = subprocess.Popen(["git", "ls-remote", "skiff"], cwd=tmp_path, env=skiff.env, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, text=True)
        ps = skiff.skiff("ps", "-a", "shop", check=False)
        _, said = asked.communicate(timeout=60)
    finally:
        for process in (control, supervisor):
            os.kill(process, signal.SIGCONT)
    assert asked.returncode != 0 and "There is no app" not in said, said
    assert "Whether there is an app shop is not known now" in said, said
    assert ps.returncode != 0 and "find that app" not in ps.stderr and "gives no answer" in ps.stderr, ps.stderr
    assert wait_for(lambda: skiff.skiff("ps", "-a", "shop", check=False).returncode == 0)


def test_a_command_and_a_push_wait_for_an_api_that_comes_back(skiff, tmp_path):
    subprocess.run(["git", "init", "-q", "-b", "main", "."], cwd=tmp_path, check=True)
    subprocess.run([BINARY, "create", "patient"], cwd=tmp_path, env=skiff.env, check=True, capture_output=True)
    (tmp_path / "index.html").write_text("hello")
    subprocess.run([*GIT, "add", "-A"], cwd=tmp_path, check=True)
    subprocess.run([*GIT, "commit", "-qm", "one"], cwd=tmp_path, check=True)
    for command in (["git", "push", "skiff", "main"], [BINARY, "config:set", "A=1", "-a", "patient"]):
        control = role_pid(skiff, "control")
        os.kill(control, signal.SIGSTOP)
        asking = subprocess.Popen(command, cwd=tmp_path, env=skiff.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        time.sleep(2)  # it has asked by then; if not, it finds the API awake
        os.kill(control, signal.SIGCONT)
        said = asking.communicate(timeout=300)[0]
        assert asking.returncode == 0, said


def test_a_killed_api_server_costs_no_command(skiff, tmp_path):
    subprocess.run(["git", "init", "-q", "-b", "main", "."], cwd=tmp_path, check=True)
    subprocess.run([BINARY, "create", "killed"], cwd=tmp_path, env=skiff.env, check=True, capture_output=True)
    for role in ("control", "platform", "edge"):
        os.kill(role_pid(skiff, role), signal.SIGKILL)
        done = skiff.skiff("config", "-a", "killed", check=False)
        assert done.returncode == 0, (role, done.stderr)
        assert wait_for(lambda name=role: role_pid(skiff, name))
