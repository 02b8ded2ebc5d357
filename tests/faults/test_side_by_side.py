"""Two instances on one machine: what happens to one does not touch the other."""
import subprocess

import pytest

from faults_kit import SERVER, Instance, Repeat, deployment, expose, kill
from support.instance import wait_for


def start_web(made, answer):
    made.namespace("pair")
    made.api.create("/apis/apps/v1/namespaces/pair/deployments", deployment("web", SERVER, 2, answer))
    expose(made.api, "pair", "web", "pair.test")
    made.wait_ready("pair", "web", 2)
    assert made.serves("pair.test", answer)


@pytest.fixture
def second(instance, tmp_path):
    made = Instance(tmp_path / "second")
    try:
        yield made.up()
    finally:
        made.remove()


def host_state():
    """Names on the host that instances make: links and firewall tables."""
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True).stdout
    return {line.split(": ")[1].split("@")[0] for line in links.splitlines()} | set(tables.splitlines())


def test_the_death_and_removal_of_one_do_not_touch_the_other(instance, second):
    start_web(instance, "first")
    start_web(second, "second")
    addresses = [{pod["status"]["podIP"] for pod in made.pods("pair")} for made in (instance, second)]
    assert not addresses[0] & addresses[1]
    containers = sorted(instance.monitors())

    def serves(_):
        assert instance.fetch("pair.test") == (200, "first")
    reader = Repeat(serves, 0.01)
    with_both = host_state()
    for pid in second.roles().values():
        kill(pid)
    assert wait_for(lambda: len(second.roles()) == 4, 20)
    assert second.serves("pair.test", "second")
    second.skiff("down", "--data", str(second.data))
    second.skiff("remove", "--data", str(second.data))
    assert second.monitors() == []
    assert len(host_state()) < len(with_both)
    reader.finish()
    assert reader.errors == [] and len(reader.done) > 20
    assert sorted(instance.monitors()) == containers
    # The survivor can still change: a pod more, reached through the edge.
    instance.api.patch("/apis/apps/v1/namespaces/pair/deployments/web", {"spec": {"replicas": 3}})
    instance.wait_ready("pair", "web", 3)
    assert instance.serves("pair.test", "first")
    instance.drop_namespace("pair")
