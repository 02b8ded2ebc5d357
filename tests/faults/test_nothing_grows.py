"""Two minutes of pushes, scalings, destructions and kills leave the machine as they found it."""
import json
import os
import pathlib
import random
import re
import subprocess
import time

import pytest

from faults_kit import ROLES, SERVER, Instance, deployment, kill
from support import instance as support

SECONDS = 120
# Logs and the store are bounded on their own, pids and sockets change, unpacked images go a few minutes later.
KEPT = ("logs", "store.db", "run", "node/images")


@pytest.fixture
def fresh(tmp_path_factory):
    if support.missing():
        pytest.skip(support.missing())
    made = Instance(tmp_path_factory.mktemp("growth"))
    try:
        yield made.up()
    finally:
        made.remove()


def lines(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()


def rules(name):
    """The instance's tables, without names of chains that follow from addresses."""
    found = []
    for family in ("ip", "bridge"):
        shown = subprocess.run(["nft", "list", "table", family, f"skiff-{name}"], capture_output=True, text=True).stdout
        found += [re.sub(r"\d+", "N", line.strip()) for line in shown.splitlines()]
    return sorted(found)


def files(data):
    """What lies in the data directory, but for what changes by itself."""
    found = []
    for folder, folders, names in os.walk(data):
        here = pathlib.Path(folder).relative_to(data)
        folders[:] = [name for name in folders if str(here / name) not in KEPT]
        found += [str(here / name) for name in folders + names if not str(here / name).startswith(KEPT)]
    return sorted(found)


def traces(instance):
    name = instance.settings["id"]
    return {
        "cgroups": sorted({pathlib.Path(line).name for line in lines("find", "/sys/fs/cgroup", "-type", "d", "-path",
                                                                     f"*skiff-{name}/*")}),
        "mounts": len([line for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()
                       if str(instance.data) in line]),
        "links": sorted(link for link in os.listdir("/sys/class/net") if name[:4] in link),
        "rules": rules(name),
        "monitors": instance.monitors(),
        "files": files(instance.data),
        "descriptors": {role: len(os.listdir(f"/proc/{pid}/fd")) for role, pid in instance.roles().items()},
    }


# Memory in MB that may stay: what a role allocates in pieces, and the history of control's store, which
# docs/performance.md tells of.
SMALL, HELD = 6, {"control": 64}


def memory(instance):
    """Private and shared memory of each role in MB, by its share."""
    def pss(pid):
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        return int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1]) // 1024
    return {role: pss(pid) for role, pid in instance.roles().items()}


def work(instance, folder, number, chance):
    """One app and one Deployment come, change and go, and a role is killed meanwhile."""
    app, space = f"site-{number}", f"space-{number}"
    (folder / app).mkdir()
    instance.create_app(folder / app, app, {"index.html": app})
    victim = chance.choice(ROLES)
    code, words = instance.push(folder / app)
    assert code == 0, words
    instance.namespace(space)
    instance.api.create(f"/apis/apps/v1/namespaces/{space}/deployments", deployment("web", SERVER, 3, "one"))
    kill(instance.roles()[victim])
    assert support.wait_for(lambda: set(instance.roles()) == set(ROLES), 30)
    assert support.wait_for(lambda: instance.skiff("scale", "web=2", "-a", app, check=False).returncode == 0, 60)
    instance.skiff("apps:destroy", "-a", app, "--confirm", app)
    instance.drop_namespace(space)


def test_what_came_and_went_leaves_nothing(fresh, tmp_path):
    chance = random.Random(7)
    work(fresh, tmp_path, 0, chance)  # what is made once and kept
    support.wait_for(lambda: not fresh.monitors(), 60)
    time.sleep(2)
    before, used = traces(fresh), memory(fresh)
    deadline, number = time.monotonic() + SECONDS, 0
    while time.monotonic() < deadline:
        number += 1
        work(fresh, tmp_path, number, chance)
    after = {}

    def settled():
        nonlocal after
        after = traces(fresh)
        return all(after[kind] == before[kind] for kind in before if kind != "descriptors")

    support.wait_for(settled, 90)
    for kind in before:
        if kind != "descriptors":
            assert after[kind] == before[kind], kind
    for role, count in after["descriptors"].items():
        assert count <= before["descriptors"][role] + 16, (role, before["descriptors"], after["descriptors"])
    grown = {}

    def given_back():
        nonlocal grown
        grown = memory(fresh)
        return all(megabytes <= used[role] * 1.5 + SMALL + HELD.get(role, 0) for role, megabytes in grown.items())

    # A role gives memory and pages of its program back in a minute in which it had little to do.
    assert support.wait_for(given_back, 150), (used, grown)
    print(f"{number} rounds; memory in MB before {used}, after {grown}")
