"""kill -9 of each role, and of all at once, under load: nothing acknowledged is lost, no pod changes, logs are whole."""
import os
import random
import time

import pytest

from faults_kit import COUNTER, ROLES, SERVER, Repeat, deployment, expose, kill
from support.instance import wait_for

MAPS = "/api/v1/namespaces/killed/configmaps"


@pytest.fixture(scope="module")
def world(instance):
    """Two web pods behind the edge, and one that counts into its log."""
    instance.namespace("killed")
    apps = "/apis/apps/v1/namespaces/killed/deployments"
    instance.api.create(apps, deployment("web", SERVER, 2, "still here"))
    instance.api.create(apps, deployment("counter", COUNTER))
    expose(instance.api, "killed", "web", "killed.test")
    instance.wait_ready("killed", "web", 2)
    instance.wait_ready("killed", "counter", 1)
    assert instance.serves("killed.test", "still here")
    yield instance
    instance.drop_namespace("killed")


def identity(instance):
    """What must not change: the pods, and that none of their containers was started again."""
    return sorted((pod["metadata"]["uid"], pod["status"]["containerStatuses"][0]["restartCount"],
                   pod["status"]["containerStatuses"][0]["containerID"]) for pod in instance.pods("killed"))


def write_map(instance, prefix):
    return lambda number: instance.api.create(MAPS, {"metadata": {"name": f"{prefix}-{number}"}})


def assert_stored(instance, prefix, writer):
    stored = {item["metadata"]["name"] for item in instance.api.get(MAPS)["items"]}
    lost = [number for number in writer.done if f"{prefix}-{number}" not in stored]
    assert writer.done and lost == []


def assert_serves(instance):
    def step(_):
        assert instance.fetch("killed.test") == (200, "still here")
    return step


def counted(instance):
    pod = instance.ready_pods("killed", "counter")[0]["metadata"]["name"]
    return [int(line) for line in instance.kubectl("-n", "killed", "logs", pod).stdout.split()]


def assert_no_gap(instance):
    """Every number from the first on, and the counter goes on counting into the log."""
    numbers = counted(instance)
    assert numbers == list(range(1, len(numbers) + 1))
    assert wait_for(lambda: len(counted(instance)) > len(numbers), 10)


def back(instance, killed):
    """All roles run again, with other processes than those killed, and answer."""
    def all_run():
        roles = instance.roles()
        return set(roles) == set(ROLES) and not set(roles.values()) & set(killed)
    assert wait_for(all_run, 20), instance.roles()

    def answers():
        try:
            return bool(instance.api.get("/version")) and instance.fetch("killed.test")[0] == 200
        except (OSError, AssertionError):
            return False
    assert wait_for(answers, 30)


@pytest.mark.parametrize("role", ROLES)
def test_a_killed_role_comes_back_and_nothing_was_lost(world, role):
    before, containers = identity(world), sorted(world.monitors())
    writer = Repeat(write_map(world, role))
    reader = Repeat(assert_serves(world), 0.005)
    time.sleep(0.5)
    killed = world.roles()[role]
    kill(killed)
    back(world, [killed])
    time.sleep(0.5)
    writer.finish(), reader.finish()
    if role != "edge":
        assert reader.errors == []
    if role != "control":
        assert writer.errors == []
    assert len(reader.done) > 20
    assert_stored(world, role, writer)
    assert identity(world) == before and sorted(world.monitors()) == containers
    assert_no_gap(world)


def test_all_roles_killed_at_once_come_back_with_skiff_up(world):
    before, containers = identity(world), sorted(world.monitors())
    writer = Repeat(write_map(world, "all"))
    time.sleep(0.7)
    killed = list(world.roles().values())
    for pid in [world.supervisor(), *killed]:
        kill(pid)
    assert wait_for(lambda: world.roles() == {}, 10), "a role outlives its supervisor"
    assert sorted(world.monitors()) == containers
    world.up()
    back(world, killed)
    writer.finish()
    assert_stored(world, "all", writer)
    assert identity(world) == before and sorted(world.monitors()) == containers
    assert_no_gap(world)


def test_a_rollout_goes_on_through_the_death_of_every_role(world):
    apps, others = "/apis/apps/v1/namespaces/killed/deployments", len(world.monitors())
    world.api.create(apps, deployment("rolling", SERVER, 2, "old"))
    expose(world.api, "killed", "rolling", "rolling.test")
    world.wait_ready("killed", "rolling", 2)
    assert world.serves("rolling.test", "old")

    def serves(_):
        assert world.fetch("rolling.test") in ((200, "old"), (200, "new"))
    reader = Repeat(serves, 0.005)
    template = deployment("rolling", SERVER, 2, "new")["spec"]["template"]
    world.api.patch(f"{apps}/rolling", {"spec": {"template": template}})
    for role in ("node", "control", "platform"):
        time.sleep(0.1)
        kill(world.roles()[role])

    def complete():
        try:
            status = world.api.get(f"{apps}/rolling")["status"]
        except (OSError, AssertionError):
            return False
        return all(status.get(key) == 2 for key in ("replicas", "updatedReplicas", "availableReplicas"))
    assert wait_for(complete, 60)
    assert world.serves("rolling.test", "new")
    reader.finish()
    assert reader.errors == [] and len(reader.done) > 20
    assert wait_for(lambda: len(world.monitors()) == others + 2, 20), "an orphan container, or one too few"
    world.api.request("DELETE", f"{apps}/rolling")
    assert wait_for(lambda: len(world.monitors()) == others, 20)
    # The tests after this one compare pods: those that end are not theirs.
    assert wait_for(lambda: all(pod["metadata"]["labels"]["app"] != "rolling" for pod in world.pods("killed")), 20)


def test_roles_killed_at_random_moments_lose_nothing(world):
    """Writers create, change and delete while roles die; then the cluster says what it acknowledged last."""
    seed = int(os.environ.get("SKIFF_SEED", time.time_ns() % 1_000_000))
    print("SKIFF_SEED", seed)
    dice = random.Random(seed)
    latest = {}  # name → the value acknowledged last, None once deleted

    def step_of(writer):
        def step(number):
            name, turn = f"random-{writer}-{number // 3}", number % 3
            latest.pop(name, None)  # until it is acknowledged, nobody knows
            if turn == 0:
                world.api.create(MAPS, {"metadata": {"name": name}, "data": {"n": "0"}})
                latest[name] = "0"
            elif turn == 1:
                world.api.patch(f"{MAPS}/{name}", {"data": {"n": "1"}})
                latest[name] = "1"
            elif number % 2:
                status, _ = world.api.request("DELETE", f"{MAPS}/{name}")
                assert status == 200
                latest[name] = None
        return step

    writers = [Repeat(step_of(number)) for number in range(3)]
    before, containers, killed = identity(world), sorted(world.monitors()), []
    for _ in range(8):
        time.sleep(dice.uniform(0.05, 0.6))
        roles = world.roles()
        victims = [dice.choice(sorted(roles))] if roles and dice.random() < 0.8 else list(roles)
        killed += [roles[role] for role in victims]
        for role in victims:
            kill(roles[role])
    back(world, killed)
    for writer in writers:
        writer.finish()
    stored = {item["metadata"]["name"]: item.get("data", {}).get("n") for item in world.api.get(MAPS)["items"]}
    wrong = {name: (value, stored.get(name)) for name, value in latest.items() if stored.get(name) != value}
    assert len(latest) > 20 and wrong == {}
    assert identity(world) == before and sorted(world.monitors()) == containers
    assert_no_gap(world)
