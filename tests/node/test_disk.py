"""Disks that run full: a pod over a limit of its own, and the node as a whole."""
import contextlib
import json
import os
import subprocess
import time

import pytest

from conftest import FOREVER, make_rig, pod


@pytest.fixture
def small_disk(tmp_path, image):
    """A rig whose data lies on a file system of 160 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m,mode=755", "tmpfs", str(disk)], check=True)
    try:
        rig = make_rig(disk, image, "test3", 216)
        try:
            yield rig
        finally:
            rig.remove()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def failed(document):
    return document.get("status", {}).get("phase") == "Failed"


def test_a_pod_whose_volume_is_over_its_limit_is_evicted(rig):
    document = pod("hoard", "head -c 20000000 /dev/zero > /v/big; trap '' TERM; while :; do sleep 0.1; done",
                   volumes=[{"name": "v", "emptyDir": {"sizeLimit": "5Mi"}}],
                   container={"volumeMounts": [{"name": "v", "mountPath": "/v"}]}, terminationGracePeriodSeconds=60)
    rig.put(document)
    status = rig.until("hoard", failed, 20)["status"]
    assert status["reason"] == "Evicted"
    assert status["message"] == 'Usage of EmptyDir volume "v" exceeds the limit "5Mi". '
    volumes = rig.data / "node/pods/default-hoard-uid/volumes"
    rig.until("hoard", lambda _: not volumes.exists())


def condition(rig, kind):
    node = rig.get("/api/v1/nodes/node1")
    return next(c["status"] for c in node["status"]["conditions"] if c["type"] == kind)


def wait_condition(rig, kind, value):
    rig.until("modest", lambda _: condition(rig, kind) == value, 40)


def test_a_full_disk_evicts_the_greediest_pod_and_is_told(small_disk):
    rig = small_disk
    rig.put(pod("modest", FOREVER))
    rig.wait_ready("modest")
    assert condition(rig, "DiskPressure") == "False"
    rig.put(pod("greedy", "head -c 200000000 /dev/zero > /tmp/big; sleep 100"))
    wait_condition(rig, "DiskPressure", "True")
    status = rig.until("greedy", failed, 30)["status"]
    assert status["reason"] == "Evicted"
    assert status["message"].startswith(
        "The node was low on resource: ephemeral-storage. Threshold quantity: "), json.dumps(status)
    assert "has larger consumption of ephemeral-storage. " in status["message"]
    wait_condition(rig, "DiskPressure", "False")
    assert rig.pod("modest")["status"]["phase"] == "Running"


def test_a_disk_that_others_fill_ends_no_pod_that_wrote_little(small_disk):
    rig = small_disk
    rig.put(pod("modest", FOREVER))
    rig.wait_ready("modest")
    with open(rig.data / "ballast", "wb", buffering=0) as ballast, contextlib.suppress(OSError):
        while True:
            ballast.write(b"x" * 4096)
    wait_condition(rig, "DiskPressure", "True")
    time.sleep(15)  # as long as three looks at the disk take
    assert rig.pod("modest")["status"]["phase"] == "Running"
    os.unlink(rig.data / "ballast")
    wait_condition(rig, "DiskPressure", "False")


def dig(folder, levels=20000, bytes_below=0):
    """A command that nests folders with names of 255 bytes, with a file of that size in the last."""
    return (f"perl -e 'my $n = \"a\" x 255; chdir \"{folder}\"; for (1..{levels}) {{ mkdir $n; chdir $n or die }} "
            f"open(my $f, \">\", \"last\"); print $f (\"x\" x {bytes_below}); close $f'; ")


def descriptors(rig):
    return len(os.listdir(f"/proc/{rig.process.pid}/fd"))


def test_folders_however_deep_go_with_their_pod(rig):
    before = descriptors(rig)
    rig.put(pod("digger", dig("/v") + dig("/tmp", 3000) + "touch /tmp/dug; sleep 1000",
                volumes=[{"name": "v", "emptyDir": {}}],
                container={"volumeMounts": [{"name": "v", "mountPath": "/v"}],
                           "readinessProbe": {"exec": {"command": ["cat", "/tmp/dug"]}, "periodSeconds": 1}}))
    rig.wait_ready("digger", 120)
    folder = rig.data / "node/pods/default-digger-uid"
    assert folder.exists()
    rig.delete("digger", seconds=180)
    deadline = time.monotonic() + 120
    while folder.exists():
        assert time.monotonic() < deadline, "the pod's folders stay"
        assert descriptors(rig) < before + 100
        time.sleep(0.1)


def test_what_lies_deep_counts(rig):
    document = pod("hider", dig("/v", 300, 20_000_000) + "sleep 1000",
                   volumes=[{"name": "v", "emptyDir": {"sizeLimit": "10Mi"}}],
                   container={"volumeMounts": [{"name": "v", "mountPath": "/v"}]})
    rig.put(document)
    status = rig.until("hider", failed, 60)["status"]
    assert status["message"] == 'Usage of EmptyDir volume "v" exceeds the limit "10Mi". '
