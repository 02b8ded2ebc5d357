"""Ends that no role sees coming: in the middle of the first start, and of the whole machine."""
import pathlib
import subprocess
import time

import pytest

from faults_kit import COUNTER, SERVER, Instance, deployment, expose, kill
from support import instance as support
from support.instance import wait_for


@pytest.fixture
def fresh(tmp_path):
    if support.missing():
        pytest.skip(support.missing())
    made = Instance(tmp_path / "data")
    yield made
    made.remove()
    assert made.monitors() == [] and made.roles() == {}


def test_a_first_start_killed_half_way_is_finished_by_the_next(fresh):
    support.copy_stack(support.STACK_CACHE, fresh.data / "images" / "stack")
    for milliseconds in (5, 15, 30, 60, 120, 240, 480):
        started = subprocess.Popen([support.BINARY, "up", "--data", fresh.data, "--http-port", str(fresh.http),
                                    "--https-port", str(fresh.https), "--kube-port", str(fresh.kube)],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(milliseconds / 1000)
        for pid in [started.pid, *fresh.roles().values()]:
            kill(pid)
        started.wait()
        assert wait_for(lambda: fresh.roles() == {}, 10)
    fresh.up()
    fresh.namespace("after")
    fresh.api.create("/apis/apps/v1/namespaces/after/deployments", deployment("web", SERVER, 1, "up"))
    expose(fresh.api, "after", "web", "after.test")
    fresh.wait_ready("after", "web", 1)
    assert fresh.serves("after.test", "up")


def descendants(pid):
    found = []
    for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            found += [child, *descendants(child)]
    return found


def test_after_the_death_of_every_process_the_same_pods_run_again(instance):
    """What a power cut leaves, as far as processes go: no role, no monitor, no container."""
    instance.namespace("cut")
    for made in (deployment("web", SERVER, 2, "again"), deployment("counter", COUNTER)):
        instance.api.create("/apis/apps/v1/namespaces/cut/deployments", made)
    expose(instance.api, "cut", "web", "cut.test")
    instance.wait_ready("cut", "web", 2)
    instance.wait_ready("cut", "counter", 1)
    uids = sorted(pod["metadata"]["uid"] for pod in instance.pods("cut"))
    counter = instance.ready_pods("cut", "counter")[0]["metadata"]["name"]
    monitors = instance.monitors()
    doomed = [instance.supervisor(), *instance.roles().values(), *monitors]
    for monitor in monitors:
        doomed += descendants(monitor)
    for pid in doomed:
        kill(pid)
    assert wait_for(lambda: instance.roles() == {} and instance.monitors() == [], 10)

    instance.up()
    assert instance.serves("cut.test", "again", 60)
    instance.wait_ready("cut", "web", 2)
    instance.wait_ready("cut", "counter", 1)
    pods = instance.pods("cut")
    assert sorted(pod["metadata"]["uid"] for pod in pods) == uids
    assert all(pod["status"]["containerStatuses"][0]["restartCount"] == 1 for pod in pods)
    assert len(instance.monitors()) == 3
    for attempt in ((), ("--previous",)):
        lines = instance.kubectl("-n", "cut", "logs", counter, *attempt).stdout.split()
        assert [int(line) for line in lines] == list(range(1, len(lines) + 1)) and lines
    instance.drop_namespace("cut")
