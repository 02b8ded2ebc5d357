"""How volumes appear in containers: what may be written, and what their files may do."""
from conftest import pod

# Each mount point below a folder, with its options.
OPTIONS = "perl -ne '@f = split; print qq($f[4] $f[5]\\n)' /proc/self/mountinfo"
MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"key": "value"}}
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hidden"}, "data": {"key": "dmFsdWU="}}
PAYLOADS = [{"name": "map", "configMap": {"name": "settings"}},
            {"name": "secret", "secret": {"secretName": "hidden"}},
            {"name": "down", "downwardAPI": {"items": [{"path": "key", "fieldRef": {"fieldPath": "metadata.name"}}]}},
            {"name": "mixed", "projected": {"sources": [{"configMap": {"name": "settings"}}]}}]


def output(rig, name, script, **spec):
    rig.put(pod(name, script, restartPolicy="Never", **spec))
    rig.until(name, lambda p: p.get("status", {}).get("phase") in ("Succeeded", "Failed"))
    return rig.logs(name)


def test_files_that_the_node_writes_are_read_only_whatever_the_mount_says(rig):
    names = [volume["name"] for volume in PAYLOADS]
    mounts = [{"name": name, "mountPath": f"/{name}", "readOnly": False} for name in names]
    mounts += [{"name": name, "mountPath": f"/part/{name}", "subPath": "key"} for name in names]
    script = ("for d in map secret down mixed; do "
              "(echo x > /$d/new) 2>/dev/null && echo $d new; (echo x > /$d/key) 2>/dev/null && echo $d key; "
              "rm -rf /$d/..data 2>/dev/null && echo $d rm; (echo x > /part/$d) 2>/dev/null && echo $d part; "
              "echo $(cat /$d/key) $(cat /part/$d); done")
    rig.put(MAP, SECRET)
    text = output(rig, "sealed", script, volumes=PAYLOADS, container={"volumeMounts": mounts})
    assert text.splitlines() == ["value value", "value value", "sealed sealed", "value value"]


def test_nothing_on_a_volume_is_a_device_or_raises_privileges(rig, tmp_path):
    volumes = [{"name": "disk", "emptyDir": {}}, {"name": "ram", "emptyDir": {"medium": "Memory"}}, PAYLOADS[0]]
    mounts = [{"name": "disk", "mountPath": "/v/disk"}, {"name": "ram", "mountPath": "/v/ram"},
              {"name": "disk", "mountPath": "/v/part", "subPath": "part"}, {"name": "map", "mountPath": "/v/map"},
              {"name": "ram", "mountPath": "/v/ro", "readOnly": True}]
    rig.put(MAP)
    text = output(rig, "flags", OPTIONS, volumes=volumes, container={"volumeMounts": mounts})
    options = {point: set(flags.split(",")) for point, flags in (line.split() for line in text.splitlines())}
    points = [mount["mountPath"] for mount in mounts] + ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf",
                                                         "/dev/termination-log"]
    for point in points:
        assert {"nosuid", "nodev"} <= options[point], (point, options[point])
    assert "ro" in options["/v/map"] and "ro" in options["/v/ro"] and "rw" in options["/v/disk"]


def test_a_host_path_keeps_what_its_file_system_forbids_and_allows(rig):
    volumes = [{"name": "shm", "hostPath": {"path": "/proc/sys/fs/binfmt_misc/.."}},
               {"name": "dev", "hostPath": {"path": "/dev"}}]
    mounts = [{"name": "shm", "mountPath": "/v/proc"}, {"name": "dev", "mountPath": "/v/dev"}]
    text = output(rig, "hostpath", OPTIONS, volumes=volumes, container={"volumeMounts": mounts})
    inside = {point: set(flags.split(",")) for point, flags in (line.split() for line in text.splitlines())}
    with open("/proc/self/mountinfo") as lines:
        outside = {fields[4]: set(fields[5].split(",")) for fields in (line.split() for line in lines)}
    kept = {"nosuid", "nodev", "noexec"}
    assert inside["/v/proc"] & kept == outside["/proc"] & kept
    assert inside["/v/dev"] & kept == outside["/dev"] & kept


def test_mounts_of_the_host_reach_a_container_that_asks_for_them(rig):
    volumes = [{"name": "tmp", "hostPath": {"path": "/tmp"}}]
    mounts = [{"name": "tmp", "mountPath": "/quiet"},
              {"name": "tmp", "mountPath": "/told", "mountPropagation": "HostToContainer"}]
    script = "perl -ne '@f = split; print qq($f[4] @f[6..$#f]\\n)' /proc/self/mountinfo"
    text = output(rig, "slave", script, volumes=volumes, container={"volumeMounts": mounts})
    lines = {line.split()[0]: line for line in text.splitlines()}
    assert "shared:" not in lines["/quiet"] and "master:" not in lines["/quiet"]
    with open("/proc/self/mountinfo") as host:
        shared = any(fields[4] == "/" and "shared:" in " ".join(fields) for fields in (line.split() for line in host))
    assert ("master:" in lines["/told"]) == shared


def test_a_read_only_root_has_read_only_files_of_its_network(rig):
    sealed = {"securityContext": {"readOnlyRootFilesystem": True}}
    script = "for f in hostname resolv.conf; do (echo x >> /etc/$f) 2>/dev/null && echo $f; done; echo end"
    assert output(rig, "etc", script, container=sealed).split() == ["end"]
