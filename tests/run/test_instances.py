"""Instances of one machine beside each other, and what one leaves behind when it is removed: nothing."""
import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pytest

from support.instance import BINARY, STACK_CACHE, Instance, copy_stack, free_ports, missing, wait_for

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))

WEB = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
       "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}},
                             "spec": {"terminationGracePeriodSeconds": 1, "containers": [
                                 {"name": "web", "image": "skiff.local/stack:run",
                                  "command": ["sleep", "1000000"]}]}}}}


def output(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout if shutil.which(command[0]) else ""


def traces(instance_id, data):
    """What this machine shows of an instance, by where it shows."""
    own = f"skiff-{instance_id}"
    processes = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(data) in command:
                processes.append(command)
    found = {
        "links": [name for name in os.listdir("/sys/class/net")
                  if name == own or name.startswith(f"sk{instance_id}")],
        "tables": [line for line in output("nft", "list", "tables").splitlines() if own in line],
        "forwarding": [line for line in output("iptables-save").splitlines() if own in line],
        "cgroups": output("find", "/sys/fs/cgroup", "-name", own).split(),
        "mounts": [line for line in pathlib.Path("/proc/self/mounts").read_text().splitlines() if str(data) in line],
        "processes": processes,
    }
    return {where: what for where, what in found.items() if what}


def pods(instance):
    listed = json.loads(instance.kubectl("get", "pods", "-l", "app=web", "-o", "json").stdout)["items"]
    return sorted((pod["metadata"]["uid"], pod["status"]["containerStatuses"][0]["containerID"],
                   pod["status"]["containerStatuses"][0]["restartCount"])
                  for pod in listed if pod["status"].get("phase") == "Running")


def deploy(instance):
    instance.kubectl("apply", "-f", "-", stdin=json.dumps(WEB))
    assert wait_for(lambda: len(pods(instance)) == 2), instance.kubectl("get", "pods", "-o", "wide").stdout


@pytest.fixture
def instance(tmp_path):
    instance = Instance(tmp_path / "a")
    try:
        yield instance
    finally:
        instance.close()


@pytest.fixture
def other(tmp_path):
    instance = Instance(tmp_path / "b")
    try:
        yield instance
    finally:
        instance.close()


@pytest.fixture
def other_user():
    """Runs the binary as nobody; a copy of it, since the folders above it may be closed to others."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        binary = shutil.copy(BINARY, folder)
        yield lambda *args: subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", binary, *args],
            capture_output=True, text=True)


def test_two_instances_share_nothing_and_one_goes_without_the_other(instance, other):
    instance.up()
    other.up()
    one, two = instance.settings, other.settings
    for key in ("id", "podRange", "serviceRange", "platformPort"):
        assert one[key] != two[key], key
    deploy(instance)
    deploy(other)
    before = pods(instance)
    assert {"links", "tables", "cgroups", "mounts", "processes"} <= set(traces(two["id"], other.data))
    other.close()
    assert traces(two["id"], other.data) == {}
    assert pods(instance) == before
    assert {"links", "tables", "cgroups"} <= set(traces(one["id"], instance.data))
    instance.close()
    assert traces(one["id"], instance.data) == {}


def test_every_role_killed_at_once_comes_back_with_the_same_containers(instance):
    instance.up()
    deploy(instance)
    before = pods(instance)
    supervisor = int((instance.data / "run" / "skiff.pid").read_text())
    roles = [int(pid) for pid in output("pgrep", "-P", str(supervisor)).split()]
    assert len(roles) == 4
    for pid in [supervisor, *roles]:
        os.kill(pid, signal.SIGKILL)
    instance.up()
    assert wait_for(lambda: pods(instance) == before), (pods(instance), before)


def test_two_first_starts_at_once_make_one_instance(instance):
    copy_stack(STACK_CACHE, instance.data / "images" / "stack")
    command = [BINARY, "up", "--data", str(instance.data), "--http-port", str(instance.http), "--https-port",
               str(instance.https), "--kube-port", str(instance.kube), "--detach"]
    starts = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [start.communicate(timeout=600) for start in starts]
    for start, (out, err) in zip(starts, said):
        assert start.returncode == 0 or "an instance is starting already in" in err, out + err
    assert 0 in [start.returncode for start in starts], said
    instance.kubectl("get", "nodes")
    subprocess.run(["openssl", "verify", "-CAfile", instance.data / "pki" / "ca.crt",
                    instance.data / "pki" / "server.crt", instance.data / "pki" / "admin.crt"], check=True)


def test_another_user_is_told_so_and_not_that_nothing_is_there(instance, other_user):
    instance.up()
    for command in (["apps"], ["kubeconfig"], ["down"], ["remove"]):
        done = other_user(*command, "--data", str(instance.data))
        assert done.returncode == 1 and done.stdout == ""
        assert done.stderr == f"skiff: the instance in {instance.data} is another user's: use sudo\n"
    instance.kubectl("get", "nodes")


def test_up_says_which_port_is_taken_and_what_to_do(instance):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", instance.https))
        holder.listen()
        done = instance.skiff("up", "--data", str(instance.data), "--http-port", str(instance.http), "--https-port",
                              str(instance.https), "--kube-port", str(instance.kube), "--detach", check=False)
    assert done.returncode == 1
    assert done.stderr == (f"skiff: port {instance.https} is taken by another program: stop that, or choose another "
                           "port with --https-port\n")
    # Nothing was begun: there is nothing to take away.
    assert not (instance.data / "instance.json").exists()
    twice = instance.skiff("up", "--data", str(instance.data), "--http-port", "8080", "--https-port", "8080",
                           check=False)
    assert twice.returncode == 1 and "port 8080 is asked for twice" in twice.stderr
    odd = instance.skiff("up", "--data", str(instance.data), "--domain", "a b", check=False)
    assert odd.returncode == 1 and '"a b" is no domain name' in odd.stderr
    instance.up()
    assert "an instance runs already" in instance.skiff("up", "--data", str(instance.data), "--detach").stdout


def start(instance):
    copy_stack(STACK_CACHE, instance.data / "images" / "stack")
    return subprocess.Popen([BINARY, "up", "--data", str(instance.data), "--http-port", str(instance.http),
                             "--https-port", str(instance.https), "--kube-port", str(instance.kube), "--detach"],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def ranges(instance):
    kept = instance.settings
    return {kept["podRange"], kept["serviceRange"]}


def test_two_instances_that_start_together_have_ranges_of_their_own(instance, other):
    starts = [start(instance), start(other)]
    for one in starts:
        out, _ = one.communicate(timeout=600)
        assert one.returncode == 0, out
    assert not ranges(instance) & ranges(other)
    deploy(instance)
    deploy(other)


def test_an_instance_that_is_down_keeps_its_ranges(instance, other):
    instance.up()
    before = ranges(instance)
    instance.close()
    other.up()
    assert not ranges(other) & before
    instance.up()
    assert ranges(instance) == before
    deploy(instance)
    deploy(other)


@pytest.fixture
def somebody():
    """Gives the machine a network of somebody else's."""
    made = []

    def make(subnet):
        name = f"other{len(made)}x{os.getpid()}"[:15]
        subprocess.run(["ip", "link", "add", name, "type", "bridge"], check=True)
        made.append(name)
        subprocess.run(["ip", "addr", "add", subnet.replace(".0.0/", ".0.9/"), "dev", name], check=True)
        subprocess.run(["ip", "link", "set", name, "up"], check=True)
    yield make
    for name in made:
        subprocess.run(["ip", "link", "del", name], check=False)


def test_ranges_that_somebody_took_meanwhile_are_left_to_them_and_services_move(instance, somebody):
    instance.up()
    deploy(instance)
    instance.kubectl("expose", "deployment", "web", "--port=80")
    before = instance.settings
    address = instance.kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}").stdout
    instance.close()
    somebody(before["podRange"])
    instance.up()
    after = instance.settings
    assert not {after["podRange"], after["serviceRange"]} & {before["podRange"], before["serviceRange"]}
    assert wait_for(lambda: len(pods(instance)) == 2)
    moved = instance.kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}").stdout
    network = after["serviceRange"].split(".0.0/")[0]
    assert moved == network + "." + address.split(".", 2)[2]
    own = instance.kubectl("get", "service", "kubernetes", "-o", "jsonpath={.spec.clusterIP}").stdout
    assert own == f"{network}.0.1"
    addresses = instance.kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].status.podIP}").stdout
    assert all(one.startswith(after["podRange"].split(".0.0/")[0] + ".") for one in addresses.split()), addresses


def test_ranges_are_not_moved_under_running_pods(instance, somebody):
    instance.up()
    deploy(instance)
    instance.skiff("down", "--data", str(instance.data))
    somebody(instance.settings["podRange"])
    done = instance.skiff("up", "--data", str(instance.data), "--detach", check=False)
    assert done.returncode == 1
    assert f"take its containers off the machine with `skiff remove --data {instance.data}`" in done.stderr


def test_a_copy_of_an_instance_is_refused(instance, tmp_path):
    instance.up()
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(instance.data / "instance.json", copy)
    first, *more = free_ports(3)
    done = instance.skiff("up", "--data", str(copy), "--http-port", str(first), "--https-port", str(more[0]),
                          "--kube-port", str(more[1]), "--detach", check=False)
    assert done.returncode == 1
    assert f"{copy} is a copy of the instance in {instance.data}" in done.stderr
    instance.kubectl("get", "nodes")


def claims():
    folder = pathlib.Path(os.environ.get("SKIFF_MACHINE", "/var/lib/skiff-machine")) / "instances"
    return {path.stem for path in folder.glob("*.json")}


def test_what_a_deleted_data_directory_has_left_is_taken_off_the_machine(instance, other):
    """Deleted by hand under a running instance: its roles, containers, mounts, network and claim go; no other's."""
    instance.up()
    other.up()
    deploy(instance)
    deploy(other)
    gone, kept, before = instance.settings["id"], other.settings["id"], pods(other)
    subprocess.run(["rm", "-rf", "--one-file-system", instance.data], check=False, capture_output=True)
    (instance.data / "instance.json").unlink(missing_ok=True)
    assert {"links", "cgroups", "processes"} <= set(traces(gone, instance.data))
    done = instance.skiff("remove", "--leftovers")
    assert f"removed what instance {gone} has left, whose data was in {instance.data}\n" in done.stdout
    assert done.stderr == ""
    assert wait_for(lambda: traces(gone, instance.data) == {}, 20), traces(gone, instance.data)
    assert gone not in claims() and kept in claims()
    assert pods(other) == before
    assert gone not in instance.skiff("remove", "--leftovers").stdout
    shutil.rmtree(instance.data, ignore_errors=True)
    # The same place can be used anew.
    instance.up()


def test_an_instance_whose_file_can_not_be_read_is_not_taken_for_gone(instance):
    instance.up()
    deploy(instance)
    own, before = instance.settings["id"], pods(instance)
    file = instance.data / "instance.json"
    text = file.read_text()
    file.write_text("{")
    try:
        done = instance.skiff("remove", "--leftovers")
        assert f"left alone: {file}: " in done.stderr
        assert f"instance {own} " not in done.stdout
    finally:
        file.write_text(text)
    assert own in claims()
    assert pods(instance) == before


@pytest.fixture
def pretenders():
    """Starts processes whose command line is a role's, by a binary named as ours: what users and apps may run."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        binary = shutil.copy(shutil.which("bash"), pathlib.Path(folder) / "skiff")
        pathlib.Path(folder, "role").write_text("echo started; read -r line\n")
        started = []

        def start(data, supervisor):
            # Another user's, and root's in another pid and in another mount namespace.
            for wrap in (["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
                         ["unshare", "--pid", "--fork"], ["unshare", "--mount"]):
                started.append(subprocess.Popen(
                    [*wrap, binary, "role", "node", "--data", str(data), f"--supervisor={supervisor}"], cwd=folder,
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
                assert started[-1].stdout.readline() == "started\n"
            return started
        yield start
        for one in started:
            one.communicate(timeout=60)


def alive(processes):
    return [one.poll() is None for one in processes]


def test_removing_leftovers_ends_nobody_whose_command_line_is_like_a_roles(instance, pretenders):
    instance.up()
    gone = instance.settings["id"]
    victim = subprocess.Popen(["sleep", "1000000"])
    try:
        others = [*pretenders(instance.data, victim.pid), victim]
        subprocess.run(["rm", "-rf", "--one-file-system", instance.data], check=False, capture_output=True)
        (instance.data / "instance.json").unlink(missing_ok=True)
        done = instance.skiff("remove", "--leftovers")
        assert f"removed what instance {gone} has left, whose data was in {instance.data}\n" in done.stdout
        assert done.stderr == "" and gone not in claims()
        assert alive(others) == [True] * 4
    finally:
        victim.kill()
        victim.wait()
    # Its own roles are gone.
    assert {"links", "tables", "cgroups"}.isdisjoint(traces(gone, instance.data))
    assert not [one for one in traces(gone, instance.data).get("processes", []) if BINARY in one]
    shutil.rmtree(instance.data, ignore_errors=True)
    instance.up()


def test_leftovers_are_not_shielded_by_a_command_line_like_a_roles(instance, pretenders, tmp_path):
    instance.up()
    deploy(instance)
    gone = instance.settings["id"]
    instance.skiff("down", "--data", str(instance.data))
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(instance.data / "instance.json", copy)
    others = pretenders(copy, os.getpid())
    # Known by its traces alone.
    (pathlib.Path(os.environ.get("SKIFF_MACHINE", "/var/lib/skiff-machine")) / "instances" / f"{gone}.json").unlink()
    subprocess.run(["rm", "-rf", "--one-file-system", instance.data], check=False, capture_output=True)
    (instance.data / "instance.json").unlink(missing_ok=True)
    assert f"removed what instance {gone} has left\n" in instance.skiff("remove", "--leftovers").stdout
    assert alive(others) == [True] * 3
    shutil.rmtree(instance.data, ignore_errors=True)
    instance.up()


def test_an_instance_of_a_version_without_claims_is_no_leftover(instance):
    instance.up()
    deploy(instance)
    before, own = pods(instance), instance.settings["id"]
    instance.skiff("down", "--data", str(instance.data))
    (pathlib.Path(os.environ.get("SKIFF_MACHINE", "/var/lib/skiff-machine")) / "instances" / f"{own}.json").unlink()
    assert own not in instance.skiff("remove", "--leftovers").stdout
    instance.up()
    assert wait_for(lambda: pods(instance) == before), (pods(instance), before)


def test_remove_succeeds_though_records_of_containers_are_damaged(instance):
    instance.up()
    deploy(instance)
    instance.skiff("down", "--data", str(instance.data))
    for path in (instance.data / "node").rglob("*"):
        if path.is_file() and path.suffix == ".json" and "/rootfs/" not in str(path) and "/layers/" not in str(path):
            path.write_text("{")
    done = instance.skiff("remove", "--data", str(instance.data))
    assert done.stderr == "" and done.stdout.startswith("removed from this machine")
    assert traces(instance.settings["id"], instance.data) == {}


def test_a_second_data_directory_takes_the_stack_images_of_the_first(instance, other, tmp_path):
    """As a machine without any: the images come from a folder given by hand, as if the first had made them."""
    machine = tmp_path / "machine"
    for made in (instance, other):
        made.env["SKIFF_MACHINE"] = str(machine)
    instance.up()
    recipe = (instance.data / "images" / "stack" / "recipe").read_text()
    (machine / "stacks").mkdir()
    shutil.copytree(instance.data / "images" / "stack", machine / "stacks" / recipe)
    other.skiff("up", "--data", str(other.data), "--http-port", str(other.http), "--https-port", str(other.https),
                "--kube-port", str(other.kube), "--detach")
    assert f"stack images taken from {machine}/stacks in " in (other.data / "logs" / "up.log").read_text()
    shutil.rmtree(machine / "stacks")
    deploy(other)


def running(instance):
    """The pids of the supervisor and of each role, by name."""
    supervisor = int((instance.data / "run" / "skiff.pid").read_text())
    found = {"supervisor": supervisor}
    for pid in output("pgrep", "-P", str(supervisor)).split():
        found[pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[2].decode()] = int(pid)
    assert set(found) == {"supervisor", "control", "node", "platform", "edge"}
    return found


def lives(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    return False


def leave_stopped(instance, role):
    """Kills the supervisor over a role that stands still."""
    found = running(instance)
    os.kill(found[role], signal.SIGSTOP)
    os.kill(found["supervisor"], signal.SIGKILL)
    return found[role]


def test_up_ends_a_role_that_stands_still_and_has_lost_its_supervisor(instance):
    instance.up()
    for role in ("control", "node", "platform", "edge"):
        stopped = leave_stopped(instance, role)
        instance.up()
        assert not lives(stopped), role
        instance.kubectl("get", "nodes")


def test_down_and_remove_end_a_role_that_stands_still_and_has_lost_its_supervisor(instance):
    instance.up()
    stopped = leave_stopped(instance, "edge")
    assert instance.skiff("down", "--data", str(instance.data)).stdout.startswith("stopped; ")
    assert not lives(stopped)
    assert instance.skiff("down", "--data", str(instance.data)).stdout.startswith("nothing runs in ")
    instance.up()
    stopped = leave_stopped(instance, "node")
    assert "removed from this machine" in instance.skiff("remove", "--data", str(instance.data)).stdout
    assert not lives(stopped)


def test_an_instance_whose_data_was_deleted_under_it_ends_for_the_next_in_its_place(instance):
    instance.up()
    first, old = instance.settings["id"], running(instance)
    deploy(instance)
    subprocess.run(["rm", "-rf", "--one-file-system", instance.data], capture_output=True)
    assert not (instance.data / "instance.json").exists()
    successor = Instance(instance.data)
    successor.up()
    try:
        second = successor.settings["id"]
        assert second != first
        assert not [name for name, pid in old.items() if lives(pid)]
        deploy(successor)
        successor.skiff("remove", "--leftovers")
        assert not {"links", "tables", "cgroups"} & set(traces(first, successor.data))
        successor.kubectl("get", "nodes")
        assert len(pods(successor)) == 2
    finally:
        successor.close()
    assert traces(second, successor.data) == {}


def test_down_ends_an_instance_that_is_still_starting(instance, tmp_path):
    machine = tmp_path / "machine"
    (machine / "instances").mkdir(parents=True)
    instance.env["SKIFF_MACHINE"] = str(machine)
    copy_stack(STACK_CACHE, instance.data / "images" / "stack")
    with open(machine / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another instance starts, for a while
        start = subprocess.Popen([BINARY, "up", "--data", str(instance.data), "--http-port", str(instance.http),
                                  "--https-port", str(instance.https), "--kube-port", str(instance.kube), "--detach"],
                                 env=instance.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert wait_for(lambda: (instance.data / "instance.json").exists() or (instance.data / "run" / "lock").exists())
        time.sleep(0.5)
        stop = subprocess.Popen([BINARY, "down", "--data", str(instance.data)], env=instance.env,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with contextlib.suppress(subprocess.TimeoutExpired):
            stop.wait(1)
        assert stop.returncode is None, stop.communicate()
        fcntl.flock(lock, fcntl.LOCK_UN)
        said = stop.communicate(timeout=120)
        assert stop.returncode == 0 and said[0].startswith("stopped; "), said
        said = start.communicate(timeout=120)
        assert start.returncode == 1 and "was stopped before it was ready" in said[1], said
    assert instance.skiff("down", "--data", str(instance.data)).stdout.startswith("nothing runs in ")
