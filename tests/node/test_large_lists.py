"""What a pod lists costs the node by its length, and no more than the bounds."""
import pathlib

from conftest import FOREVER, pod

# A shell takes a minute for so many variables.
COUNT = "$|=1; $SIG{TERM}=sub{exit}; print scalar(grep {/^K/} keys %ENV), qq(\\n); sleep 1 while 1"
MEMORY = 300 << 20  # bytes; without bounds these pods take gigabytes


def most_memory(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) << 10


def waiting(document):
    shown = document.get("status", {}).get("containerStatuses", [])
    return shown[0]["state"].get("waiting", {}) if shown else {}


def refused(rig, name, text):
    shown = rig.until(name, lambda one: waiting(one).get("reason") == "CreateContainerConfigError", 60)
    assert text in waiting(shown)["message"]
    rig.delete(name, 0, 60)


def test_a_pod_of_very_many_resolver_options_starts_and_goes(rig):
    options = [{"name": f"a{number % 10}"} for number in range(70_000)]
    rig.put(pod("p0", FOREVER, dnsConfig={"options": options}))
    rig.wait_ready("p0", 60)
    written = (rig.data / "node" / "pods" / "default-p0-uid" / "etc" / "resolv.conf").read_text()
    assert written.split("options ")[1].split() == ["ndots:5", *(f"a{number}" for number in range(10))]
    rig.delete("p0", 1, 60)


def test_variables_and_arguments_beyond_what_a_program_takes_are_refused(rig):
    doubled = [{"name": "A0", "value": "0123456789"}]
    doubled += [{"name": f"A{one}", "value": f"$(A{one - 1})$(A{one - 1})"} for one in range(1, 40)]
    rig.put(pod("p0", FOREVER, container={"env": doubled}))
    refused(rig, "p0", "environment variable A14 is longer than 131071 bytes")
    large = {"env": [{"name": "A", "value": "x" * 100_000}], "args": ["$(A)"] * 2000}
    rig.put(pod("p1", FOREVER, container=large))
    refused(rig, "p1", "environment and arguments come to more than 2097152 bytes")
    assert most_memory(rig.process) < MEMORY


def test_a_configmap_of_very_many_keys_is_an_environment(rig):
    data = {f"K{number}": "v" for number in range(40_000)}
    rig.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": data},
            pod("p0", "", container={"command": ["perl", "-e", COUNT], "envFrom": [{"configMapRef": {"name": "m"}}]}))
    rig.wait_ready("p0", 60)
    rig.wait_log("p0", "40000", 60)
    rig.delete("p0", 1, 60)


def test_files_of_a_pod_are_bounded(rig):
    items = [{"key": "k", "path": f"f{number}"} for number in range(200)]
    rig.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"k": "x" * 1_000_000}},
            pod("p0", FOREVER, volumes=[{"name": "v", "configMap": {"name": "m", "items": items}}]),
            pod("p1", FOREVER))
    rig.wait_ready("p1", 60)
    folder = rig.data / "node" / "pods" / "default-p0-uid" / "volumes" / "v"
    assert not folder.exists() or not list(folder.iterdir())
    assert most_memory(rig.process) < MEMORY
    rig.delete("p0", 0, 60)
