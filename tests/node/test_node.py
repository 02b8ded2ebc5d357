import pathlib
import shutil
import socket
import subprocess
import time

from conftest import FOREVER, SERVER, pod


def state(document, index=0):
    return document["status"]["containerStatuses"][index]["state"]


def service(name, ip, *backends):
    ready = {"ready": True}
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
         "spec": {"clusterIP": ip, "ports": [{"port": 80, "protocol": "TCP"}]}},
        {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
         "metadata": {"name": name + "-1", "labels": {"kubernetes.io/service-name": name}}, "addressType": "IPv4",
         "ports": [{"name": "", "port": 8080, "protocol": "TCP"}],
         "endpoints": [{"addresses": [address], "conditions": ready} for address in backends]}]


def test_a_pod_becomes_ready_and_is_deleted_gracefully(rig):
    rig.put(pod("p0", FOREVER))
    rig.wait_ready("p0")
    rig.wait_log("p0", "up")  # from then on SIGTERM is heard
    log = rig.data / "node" / "logs" / "default_p0_default-p0-uid" / "c" / "0.log"
    with open(log) as kept:
        rig.delete("p0", 5)
        assert "bye" in kept.read()
    folder = rig.data / "node" / "pods" / "default-p0-uid"
    deadline = time.monotonic() + 5
    while folder.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_container_that_ignores_sigterm_is_killed_after_its_grace(rig):
    rig.put(pod("deaf", "trap '' TERM; while :; do sleep 0.1; done"))
    rig.wait_ready("deaf")
    begun = time.monotonic()
    rig.delete("deaf", 2)
    assert time.monotonic() - begun > 1.8


def test_a_container_is_confined(rig):
    rig.put(pod("jail", "id -u; hostname; mount -t tmpfs x /tmp || echo no-mount; unshare -n true || echo no-namespace;"
                "(echo 1 > /proc/sys/kernel/panic) 2>/dev/null || echo no-sysctl;"
                "while read -r a b; do case $a in CapEff:|NoNewPrivs:|Seccomp:) echo $a $b;; esac; done < /proc/self/status;"
                "sleep 100"))
    rig.wait_ready("jail")
    time.sleep(0.5)
    text = rig.logs("jail")
    for expected in ("jail", "no-mount", "no-namespace", "no-sysctl", "CapEff: 00000000a80425fb", "NoNewPrivs: 1", "Seccomp: 2"):
        assert expected in text, text


def test_a_container_has_a_bound_of_processes(rig):
    rig.put(pod("forks", FOREVER))
    rig.wait_ready("forks")
    groups = [path for path in pathlib.Path("/sys/fs/cgroup").rglob("pids.max") if f"skiff-{rig.instance}" in path.parts]
    assert "4096" in {path.read_text().strip() for path in groups}


def test_a_folder_of_the_host_is_shared(rig, tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "asked").write_text("from the host\n")
    rig.put(pod("reads", "cat /shared/asked; echo done > /shared/answer; " + FOREVER,
                container={"volumeMounts": [{"name": "host", "mountPath": "/shared"}]},
                volumes=[{"name": "host", "hostPath": {"path": str(folder)}}]))
    rig.wait_ready("reads")
    rig.wait_log("reads", "up")
    assert "from the host" in rig.logs("reads")
    assert (folder / "answer").read_text() == "done\n"


def test_a_pod_is_ready_when_its_port_is_open(rig):
    often = {"periodSeconds": 1, "failureThreshold": 1}
    tcp = {"readinessProbe": {**often, "tcpSocket": {"port": 8080}}}
    rig.put(pod("silent", FOREVER, container=tcp))
    rig.until("silent", running)
    rig.put(pod("listens", SERVER, container=tcp))
    rig.wait_ready("listens")
    assert not rig.pod("silent")["status"]["containerStatuses"][0]["ready"]


def restarted(found):
    statuses = found.get("status", {}).get("containerStatuses")
    return statuses and statuses[0]["restartCount"] > 0 and statuses[0]["lastState"].get("terminated")


def events_of(rig):
    rig.send("events")
    rig.wait_line("events-end", 5)
    return "\n".join(rig.lines)


def test_a_container_that_is_no_longer_well_is_restarted(rig):
    often = {"periodSeconds": 1, "failureThreshold": 1}
    rig.put(pod("sickens", "touch /tmp/well; " + FOREVER, restartPolicy="Always", container={
        "livenessProbe": {**often, "initialDelaySeconds": 2, "exec": {"command": ["bash", "-c", "[ -e /tmp/well ] && rm /tmp/well"]}}}))
    assert restarted(rig.until("sickens", restarted))["exitCode"] == 0  # it was asked to stop, and did
    assert "Container c failed liveness probe, will be restarted" in events_of(rig)


def processes(command):
    """How many processes of this machine run exactly this."""
    wanted = "\0".join(command.split()).encode() + b"\0"
    count = 0
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            count += entry.read_bytes() == wanted
        except OSError:
            pass
    return count


def test_a_probe_that_hangs_leaves_no_process(rig):
    hang = "echo >> /tmp/tries; (trap '' TERM; sleep 424242) & sleep 424242"
    rig.put(pod("hangs", FOREVER, container={
        "readinessProbe": {"periodSeconds": 1, "timeoutSeconds": 1, "exec": {"command": ["bash", "-c", hang]}}}))
    rig.until("hangs", running)
    tries = rig.data / "node/pods/default-hangs-uid/containers/c/0/upper/tmp/tries"
    deadline = time.monotonic() + 15
    while not tries.exists() or tries.stat().st_size < 4:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert processes("sleep 424242") <= 2  # the present try's


def test_a_slow_start_is_not_taken_for_illness(rig):
    often = {"periodSeconds": 1, "failureThreshold": 1}
    open_port = {"tcpSocket": {"port": 8080}}
    rig.put(pod("slow", "sleep 2.5; " + SERVER, restartPolicy="Always", container={
        "startupProbe": {**often, "failureThreshold": 30, **open_port}, "livenessProbe": {**often, **open_port}}))
    rig.put(pod("stuck", FOREVER, restartPolicy="Always", container={
        "startupProbe": {**often, "failureThreshold": 2, **open_port}}))
    rig.wait_ready("slow")
    rig.until("stuck", restarted)
    assert not restarted(rig.pod("slow"))
    assert "Container c failed startup probe, will be restarted" in events_of(rig)


def test_running_out_of_memory_is_told(rig):
    rig.put(pod("fat", "exec perl -e '$x=\"a\"x300000000; sleep 9'", restartPolicy="Never",
                container={"resources": {"limits": {"memory": "30Mi"}}}))
    document = rig.until("fat", lambda p: p.get("status", {}).get("phase") == "Failed")
    assert state(document)["terminated"]["reason"] == "OOMKilled"


def test_volumes_env_and_messages(rig):
    script = ("cat /cm/file; cat /se/pw; echo; cat /shared/x; echo $PW $IP $KEY; echo over > /dev/termination-log; exit 3")
    document = pod("vol", script, restartPolicy="Never", volumes=[
        {"name": "cm", "configMap": {"name": "cm"}}, {"name": "se", "secret": {"secretName": "se"}},
        {"name": "shared", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}])
    mounts = [{"name": "cm", "mountPath": "/cm"}, {"name": "se", "mountPath": "/se"},
              {"name": "shared", "mountPath": "/shared"}]
    document["spec"]["containers"][0].update(
        volumeMounts=mounts, envFrom=[{"configMapRef": {"name": "cm"}}],
        env=[{"name": "PW", "valueFrom": {"secretKeyRef": {"name": "se", "key": "pw"}}},
             {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}])
    document["spec"]["initContainers"] = [{"name": "i", "image": "skiff.local/tools:1", "volumeMounts": mounts,
                                           "command": ["bash", "-c", "echo from-init > /shared/x"]}]
    rig.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm"}, "data": {"file": "text\n", "KEY": "k"}},
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "se"}, "data": {"pw": "c2VjcmV0"}}, document)
    ended = rig.until("vol", lambda p: p.get("status", {}).get("phase") == "Failed")
    assert state(ended)["terminated"]["message"] == "over\n"
    assert rig.logs("vol") == f"text\nsecret\nfrom-init\nsecret {ended['status']['podIP']} k\n"


def test_services_names_and_refusal(rig):
    rig.put(pod("web", SERVER))
    rig.wait_ready("web")
    address = rig.pod("web")["status"]["podIP"]
    alias = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "alias"},
             "spec": {"type": "ExternalName", "externalName": "web.default.svc.cluster.local"}}
    rig.put(*service("web", "10.221.0.50", address), *service("empty", "10.221.0.51"), alias)
    ask = "exec 3<>/dev/tcp/%s/80 && cat <&3"
    rig.put(pod("client", f"sleep 0.5; {ask % 'alias'}; {ask % 'empty'} || echo refused; sleep 100"))
    rig.wait_ready("client")
    deadline = time.monotonic() + 10
    while "refused" not in rig.logs("client"):
        assert time.monotonic() < deadline, rig.logs("client")
        time.sleep(0.1)
    assert "hello from web" in rig.logs("client")
    # From the node, and from the pod to itself.
    bash = ["timeout", "5", "bash", "-c", ask % "10.221.0.50"]
    assert b"hello from web" in subprocess.run(bash, capture_output=True).stdout
    pid = (rig.data / "node/pods/default-web-uid/containers/c/0/pid").read_text()
    assert b"hello from web" in subprocess.run(["nsenter", "-t", pid, "-n", *bash], capture_output=True).stdout


# Writes for as long as its client takes it; what SIGTERM finds in the kernel is still to be sent.
TALKER = ("exec perl -MIO::Socket -e '$SIG{TERM}=sub{$stop=1};"
          "$s=IO::Socket::INET->new(LocalPort=>8080,Listen=>9,ReuseAddr=>1);$c=$s->accept;"
          "while(!$stop){$n=syswrite($c,\"0123456789abcdef\"x4096);$sent+=$n if $n}"
          "close $c;$|=1;print \"sent $sent\\n\"'")


def test_what_an_ended_container_has_written_reaches_a_slow_client(rig):
    rig.put(pod("talker", TALKER))
    rig.wait_ready("talker")
    address = rig.pod("talker")["status"]["podIP"]
    log_path = rig.data / "node/logs/default_talker_default-talker-uid/c/0.log"
    with socket.socket() as client, open(log_path) as log:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.settimeout(10)
        deadline = time.monotonic() + 10
        while client.connect_ex((address, 8080)) != 0:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        received = bytearray()
        while len(received) < 4 << 20:
            received += client.recv(65536)
        time.sleep(0.5)  # every buffer on the way is full
        rig.send("delete default/talker 30")
        time.sleep(1)  # the container has ended long ago
        while piece := client.recv(65536):
            received += piece
        rig.wait_line("gone default/talker", 5)
        sent = int(log.read().split("sent ")[1])
    assert len(received) == sent and bytes(received) == (b"0123456789abcdef" * (sent // 16 + 1))[:sent]


def running(found):
    containers = found.get("status", {}).get("containerStatuses", [])
    return bool(containers) and all("running" in container["state"] for container in containers)


def test_an_agent_killed_at_any_moment_leaves_no_duplicate_and_no_orphan(rig):
    names = [f"k{number}" for number in range(6)]
    rig.put(*[pod(name, FOREVER) for name in names[:3]])
    for name in names[:3]:
        rig.wait_ready(name)
    ids = {name: rig.pod(name)["status"]["containerStatuses"][0]["containerID"] for name in names[:3]}
    rig.put(*[pod(name, FOREVER) for name in names[3:]])
    time.sleep(0.06)
    rig.kill()
    assert len(rig.monitors()) >= 3
    rig.start()
    for name in names:
        # One whose start was cut off begins again after its back-off of 10 s.
        rig.until(name, running, seconds=40)
    for name, identity in ids.items():
        status = rig.pod(name)["status"]["containerStatuses"][0]
        assert (status["containerID"], status["restartCount"]) == (identity, 0)
    assert len(rig.monitors()) == len(names)
    for name in names:
        rig.send(f"delete default/{name} 2")
    time.sleep(0.1)
    rig.kill()
    rig.start()
    deadline = time.monotonic() + 15
    while rig.monitors() or any((rig.data / "node" / "pods").iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_container_is_replaced_when_its_pod_gets_another_image(rig, image):
    shutil.copytree(image / "tools", image / "other", dirs_exist_ok=True)
    rig.put(pod("changes", FOREVER))
    rig.wait_ready("changes")
    document = rig.pod("changes")
    document["spec"]["containers"][0]["image"] = "skiff.local/other:1"
    rig.put(document)
    ended = restarted(rig.until("changes", restarted))
    assert ended["exitCode"] == 0  # it was asked to stop, and did
    status = rig.until("changes", running)["status"]["containerStatuses"][0]
    assert (status["image"], status["restartCount"]) == ("skiff.local/other:1", 1)
    assert "Container c definition changed, will be restarted" in events_of(rig)


def test_a_killed_monitor_is_noticed_and_its_container_replaced(rig):
    rig.put(pod("watched", FOREVER))
    rig.wait_ready("watched")
    monitor = int((rig.data / "node/pods/default-watched-uid/containers/c/0/conmon.pid").read_text())
    subprocess.run(["kill", "-9", str(monitor)], check=True)
    document = rig.until("watched", lambda p: p.get("status", {}).get("containerStatuses", [{}])[0].get("restartCount") == 1)
    assert len(rig.monitors()) == 1, document


def test_after_a_reboot_init_containers_fill_the_new_memory_volumes(rig):
    mounts = [{"name": "m", "mountPath": "/m"}]
    document = pod("boot", "cat /m/x; " + FOREVER, container={"volumeMounts": mounts},
                   volumes=[{"name": "m", "emptyDir": {"medium": "Memory"}}])
    document["spec"]["initContainers"] = [{"name": "i", "image": "skiff.local/tools:1", "volumeMounts": mounts,
                                           "command": ["bash", "-c", "echo from-init > /m/x"]}]
    rig.put(document)
    rig.wait_ready("boot")
    rig.kill()
    # What a reboot takes: processes and mounts.
    process = (rig.data / "node/pods/default-boot-uid/containers/c/0/pid").read_text()
    subprocess.run(["kill", "-9", *map(str, rig.monitors()), process], check=True)
    subprocess.run(["umount", "-lR", str(rig.data / "node/mnt")], check=True)
    rig.start()
    rig.until("boot", lambda found: running(found) and found["status"]["containerStatuses"][0]["restartCount"] == 1)
    assert rig.pod("boot")["status"]["initContainerStatuses"][0]["restartCount"] == 1
    rig.until("boot", lambda _: "up" in rig.logs("boot", attempt=1))
    assert rig.logs("boot", attempt=1) == "from-init\nup\n"


def test_a_pod_over_its_disk_limit_is_evicted(rig):
    rig.put(pod("full", "head -c 20000000 /dev/zero > /tmp/big; sleep 100",
                container={"resources": {"limits": {"ephemeral-storage": "5Mi"}}}))
    document = rig.until("full", lambda p: p.get("status", {}).get("phase") == "Failed", 20)
    assert document["status"]["reason"] == "Evicted"


def test_two_instances_do_not_touch_each_other(rig, second_rig):
    rig.put(pod("same", FOREVER))
    second_rig.put(pod("same", FOREVER))
    rig.wait_ready("same")
    second_rig.wait_ready("same")
    second_rig.delete("same", 1)
    assert rig.pod("same")["status"]["phase"] == "Running"
    tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True).stdout
    assert f"skiff-{rig.instance}" in tables and f"skiff-{second_rig.instance}" in tables


def test_removal_leaves_nothing_on_the_machine(rig):
    rig.put(pod("last", FOREVER))
    rig.wait_ready("last")
    rig.remove()
    assert rig.monitors() == []
    name = f"skiff-{rig.instance}"
    assert name not in subprocess.run(["nft", "list", "tables"], capture_output=True, text=True).stdout
    assert not pathlib.Path("/sys/class/net", name).exists()
    assert str(rig.data) not in pathlib.Path("/proc/self/mounts").read_text()
    groups = subprocess.run(["find", "/sys/fs/cgroup", "-name", name], capture_output=True, text=True).stdout
    assert groups == ""
