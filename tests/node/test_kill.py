"""kill -9 of the agent at random moments while pods come and go."""
import contextlib
import os
import pathlib
import random
import shutil
import signal
import subprocess
import time

import pytest

from conftest import FOREVER, instance_name, make_rig, pod, write_image
from test_network import ask, served

ROUNDS = 4
NAMES = [f"k{number}" for number in range(8)]


def containers(rig):
    """Names of pods by the container processes that run for them, as the monitors were told."""
    out = []
    for monitor in rig.monitors():
        try:
            command = pathlib.Path(f"/proc/{monitor}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"-b" not in command:
            continue  # it ended meanwhile
        bundle = command[command.index(b"-b") + 1].decode()
        out.append(pathlib.Path(bundle).relative_to(rig.data / "node" / "pods").parts[0])
    return sorted(out)


def links(instance):
    return sorted(name for name in os.listdir("/sys/class/net") if name.startswith("sk" + instance[:4]))


def mounts(rig):
    return [line.split()[1] for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()
            if str(rig.data) in line]


def cgroups(instance):
    found = subprocess.run(["find", "/sys/fs/cgroup", "-path", f"*skiff-{instance}/pod*", "-type", "d"],
                           capture_output=True, text=True).stdout
    return sorted({pathlib.Path(line).name for line in found.split() if pathlib.Path(line).name.startswith("pod")})


def settle(check, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, what()
        time.sleep(0.1)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_kills_at_random_moments_leave_no_duplicate_orphan_or_leak(rig, seed):
    chance = random.Random(seed)
    wanted = set()
    for _ in range(ROUNDS):
        for name in NAMES:
            if name in wanted and chance.random() < 0.5:
                rig.send(f"delete default/{name} 1")
                wanted.discard(name)
            elif name not in wanted and rig.pod(name) is None:
                rig.put(pod(name, FOREVER))
                wanted.add(name)
        rig.pod("none")  # answered in turn: the cluster knows all of this
        time.sleep(chance.random() * 0.4)
        rig.kill()
        rig.start()
    uids = sorted(f"default-{name}-uid" for name in wanted)
    settle(lambda: containers(rig) == uids, lambda: f"seed {seed}: runs {containers(rig)}, wanted {uids}")
    for name in wanted:
        rig.until(name, lambda p: p.get("status", {}).get("phase") == "Running", 20)
    for folder in ("node/pods", "node/mnt/ns"):
        settle(lambda: sorted(os.listdir(rig.data / folder)) == uids, lambda: (folder, os.listdir(rig.data / folder)))
    settle(lambda: len(links(rig.instance)) == len(uids), lambda: links(rig.instance))
    settle(lambda: cgroups(rig.instance) == ["pod" + uid for uid in uids], lambda: cgroups(rig.instance))
    expected = 1 + 3 * len(uids)  # the mount point itself, and three namespaces a pod
    settle(lambda: len(mounts(rig)) == expected, lambda: mounts(rig))
    for name in wanted:
        rig.delete(name)
    settle(lambda: not containers(rig) and not os.listdir(rig.data / "node" / "pods"), lambda: containers(rig))
    settle(lambda: links(rig.instance) == [] and cgroups(rig.instance) == [], lambda: (links(rig.instance), cgroups(rig.instance)))


LEAST_STEPS = 10  # that set up a pod's namespaces and network: three namespaces, two interfaces, an address, routes


def served_again(rig, name):
    """The pod is reached from the machine: both ends of its interface are there and up."""
    address = rig.until(name, lambda p: p.get("status", {}).get("podIP"), 60)["status"]["podIP"]
    settle(lambda: ask(address).stdout == f"hello from {name}\n", lambda: (ask(address), links(rig.instance)), 60)


def test_an_agent_killed_at_any_step_of_a_set_up_leaves_no_pod_without_network(rig):
    for step in range(1, 100):
        name = f"s{step}"
        rig.send(f"die {step}")
        document = served(name)
        document["spec"]["terminationGracePeriodSeconds"] = 0
        rig.put(document)
        settle(lambda: rig.process.poll() is not None or any(line.startswith(f"ready default/{name} ") for line in rig.lines),
               lambda: rig.lines[-5:], 60)
        killed = rig.process.poll() is not None
        if killed:
            rig.start()
        served_again(rig, name)
        rig.wait_ready(name, 60)
        rig.send("die 0")
        rig.send(f"erase default/{name}")
        settle(lambda: links(rig.instance) == [] and not containers(rig), lambda: links(rig.instance), 60)
        if not killed:
            break
    assert not killed and step > LEAST_STEPS, f"the rig was killed at {step - 1} steps"


def test_an_interface_that_a_killed_agent_left_down_comes_up_with_the_next(rig):
    rig.put(served("p"))
    rig.wait_ready("p", 60)
    rig.kill()
    subprocess.run(["ip", "link", "set", links(rig.instance)[0], "down"], check=True)
    rig.start()
    served_again(rig, "p")


def cut_power(rig):
    """What a power cut leaves: no process, no mount, and files that were not synced empty."""
    running = rig.monitors()
    rig.kill()
    for monitor in running:
        for child in pathlib.Path(f"/proc/{monitor}/task/{monitor}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(monitor, signal.SIGKILL)
    settle(lambda: not rig.monitors(), rig.monitors)
    for mount in reversed(mounts(rig)):
        subprocess.run(["umount", "-l", mount], check=True)


def test_a_pod_has_its_names_and_resolvers_after_a_power_cut_that_emptied_them(rig):
    tell = "cat /etc/resolv.conf /etc/hosts /etc/hostname; echo told; sleep 1000"
    rig.put(pod("web", tell))
    rig.wait_ready("web")
    rig.wait_log("web", "told")
    before = rig.logs("web")
    assert "nameserver" in before and "web" in before
    cut_power(rig)
    folder = rig.data / "node/pods/default-web-uid"
    for file in [*(folder / "etc").iterdir(), folder / "started", folder / "sandbox"]:
        os.truncate(file, 0)
    rig.start()
    rig.until("web", lambda status: status["status"]["containerStatuses"][0]["restartCount"] == 1, 60)
    settle(lambda: "told" in rig.logs("web", attempt=1), lambda: rig.logs("web", attempt=1))
    assert rig.logs("web", attempt=1) == before
    assert (folder / "started").read_text()


def test_the_image_of_a_destroyed_app_goes_though_no_agent_lives_for_long(tmp_path):
    write_image(tmp_path / "images" / "tools", "1")
    rig = make_rig(tmp_path, tmp_path / "images", instance_name(2), 228)
    try:
        rig.put(pod("web", FOREVER))
        rig.wait_ready("web")
        rig.delete("web")
        layers = rig.data / "node" / "images" / "layers"
        assert list(layers.iterdir())
        rig.kill()
        shutil.rmtree(tmp_path / "images" / "tools")
        rig.start()
        settle(lambda: not list(layers.iterdir()), lambda: list(layers.iterdir()), 120)
    finally:
        rig.remove()
