"""A role that stands still is found and started again; a machine that stood still as a whole harms nobody."""
import os
import pathlib
import re
import signal
import time

import pytest

from faults_kit import ROLES
from support.instance import wait_for

PATIENCE = 30  # looks, one a second: kPatience of src/skiff/supervisor.cc
SLOW = 120


@pytest.mark.parametrize("role", ["edge", "node"])
def test_a_role_that_stands_still_is_restarted_with_its_stack_in_its_log(instance, role):
    log = instance.data / "logs" / "roles" / f"{role}.log"
    before, start = instance.roles(), log.stat().st_size
    os.kill(before[role], signal.SIGSTOP)
    assert wait_for(lambda: instance.roles().get(role) not in (None, before[role]), PATIENCE + SLOW)
    said = log.read_text()[start:]
    told = re.search(rf"^{role} stands still: thread \d+ of process (\d+) was stopped by a signal", said, re.M)
    assert told and int(told[1]) == before[role], said
    # Where it stood, by name: our own code by its functions, a library's by its file.
    loops = ("skiff::edge::Worker::run()", "skiff::io::(anonymous namespace)::EpollLoop::run()")
    assert any(loop in said for loop in loops) and "libc.so" in said, said
    after = instance.roles()
    assert {other: after[other] for other in ROLES if other != role} == {
        other: before[other] for other in ROLES if other != role}
    assert wait_for(lambda: instance.api.request("GET", "/version")[0] == 200, SLOW)


def refuse_watch(supervisor, role):
    """As a role of another version does: 0 in the first word of the page that it shares with its supervisor."""
    command = pathlib.Path(f"/proc/{role}/cmdline").read_text().split("\0")
    number = next(word for word in command if word.startswith("--pulses=")).removeprefix("--pulses=")
    with open(f"/proc/{supervisor}/fd/{number}", "r+b", buffering=0) as page:
        assert "skiff-pulses" in os.readlink(f"/proc/{supervisor}/fd/{number}")
        assert page.write(bytes(8)) == 8


def test_a_role_of_another_version_is_not_watched(instance):
    before = instance.roles()
    refuse_watch(instance.supervisor(), before["platform"])
    os.kill(before["platform"], signal.SIGSTOP)
    time.sleep(PATIENCE + 15)
    assert instance.roles() == before
    # It is started again when it dies, and watched when it can be.
    os.kill(before["platform"], signal.SIGKILL)
    assert wait_for(lambda: instance.roles().get("platform") not in (None, before["platform"]), SLOW)
    again = instance.roles()["platform"]
    time.sleep(5)
    os.kill(again, signal.SIGSTOP)
    assert wait_for(lambda: instance.roles().get("platform") not in (None, again), PATIENCE + SLOW)


def test_a_pause_of_the_whole_machine_kills_nobody(instance):
    before, supervisor = instance.roles(), instance.supervisor()
    assert set(before) == set(ROLES)
    everybody = [supervisor, *before.values()]
    for pid in everybody:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(PATIENCE + 10)
    for pid in everybody:
        os.kill(pid, signal.SIGCONT)
    time.sleep(5)
    assert instance.roles() == before


def test_a_log_is_bounded_while_its_role_runs(instance):
    log = instance.data / "logs" / "roles" / "edge.log"
    with open(log, "a") as writer:
        for _ in range(17):
            writer.write(("x" * 1023 + "\n") * 1024)
    assert wait_for(lambda: log.stat().st_size < 1 << 20, SLOW)
    kept = log.with_name("edge.log.1").stat()
    assert 15 << 20 < kept.st_size <= 17 << 20 and kept.st_mode & 0o777 == 0o600
