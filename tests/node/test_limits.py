"""What a pod may take from its machine, over all attempts of its containers."""
import pathlib
import time

from conftest import FOREVER, pod

MEBIBYTE = 1 << 20
ROOTS = ("/sys/fs/cgroup/memory", "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/pids", "/sys/fs/cgroup")
LIMIT = ("memory.limit_in_bytes", "memory.max")
USAGE = ("memory.usage_in_bytes", "memory.current")
# 24 MiB of SysV shared memory that outlives the program: IPC_PRIVATE, IPC_CREAT | 0600.
SHARED = ("perl -e '$i = shmget(0, 24 << 20, 01600); die unless defined $i;"
          "shmwrite($i, q(x) x (1 << 20), $_ << 20, 1 << 20) or die for 0..23; print qq(held\\n)'")


def cgroup_file(rig, name, *files):
    """The text of the pod's first such file, on a v1 or a v2 machine; None when it is gone."""
    for root in ROOTS:
        for file in files:
            path = pathlib.Path(root) / f"skiff-{rig.instance}" / f"poddefault-{name}-uid" / file
            if path.exists():
                return path.read_text().strip()
    return None


def limited(memory, cpu="1"):
    return {"resources": {"limits": {"memory": memory, "cpu": cpu}}}


def test_a_pods_cgroup_has_the_limits_of_its_containers(rig):
    second = {**pod("x", FOREVER)["spec"]["containers"][0], "name": "d", **limited("32Mi", "500m")}
    document = pod("both", FOREVER, container=limited("64Mi"))
    document["spec"]["containers"].append(second)
    rig.put(document)
    rig.put(pod("free", FOREVER))
    rig.wait_ready("both")
    rig.wait_ready("free")
    assert int(cgroup_file(rig, "both", *LIMIT)) == 96 * MEBIBYTE
    assert cgroup_file(rig, "both", "cpu.max", "cpu.cfs_quota_us").split()[0] == "150000"
    assert cgroup_file(rig, "both", "pids.max") == "4096"
    assert cgroup_file(rig, "free", "pids.max") == "4096"
    free = cgroup_file(rig, "free", *LIMIT)
    assert free == "max" or int(free) > 1 << 50


def test_shared_memory_that_containers_leave_counts_against_their_pod_and_ends_with_it(rig):
    """Three attempts of 24 MiB each would be 72; the third can't have it."""
    rig.put(pod("hoard", SHARED, restartPolicy="OnFailure", container=limited("64Mi"),
                initContainers=[{**pod("x", SHARED)["spec"]["containers"][0], "name": f"i{number}", **limited("64Mi")}
                                for number in range(2)]))
    seconds = 30
    rig.until("hoard", lambda p: p.get("status", {}).get("containerStatuses", [{}])[0].get("restartCount", 0) >= 1 or
              "terminated" in p.get("status", {}).get("containerStatuses", [{}])[0].get("state", {}), seconds)
    state = rig.pod("hoard")["status"]["containerStatuses"][0]
    ended = state["state"].get("terminated") or state["lastState"]["terminated"]
    assert ended["exitCode"] != 0 and "held" not in rig.logs("hoard"), ended
    used = int(cgroup_file(rig, "hoard", *USAGE))
    assert 40 * MEBIBYTE < used <= 64 * MEBIBYTE, used
    rig.delete("hoard")
    deadline = time.monotonic() + seconds
    while cgroup_file(rig, "hoard", *USAGE) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_memory_volume_is_no_larger_than_its_pod_may_be(rig):
    volumes = [{"name": "ram", "emptyDir": {"medium": "Memory"}},
               {"name": "zero", "emptyDir": {"medium": "Memory", "sizeLimit": "0"}},
               {"name": "own", "emptyDir": {"medium": "Memory", "sizeLimit": "8Mi"}}]
    mounts = [{"name": name, "mountPath": "/" + name} for name in ("ram", "zero", "own")]
    rig.put(pod("ram", "for v in /ram /zero /own; do stat -f -c '%b %S' $v; done", restartPolicy="Never",
                volumes=volumes, container={"volumeMounts": mounts, **limited("64Mi")}))
    rig.until("ram", lambda p: p.get("status", {}).get("phase") == "Succeeded")
    sizes = [int(blocks) * int(size) for blocks, size in (line.split() for line in rig.logs("ram").splitlines())]
    assert sizes == [64 * MEBIBYTE, 64 * MEBIBYTE, 8 * MEBIBYTE]
