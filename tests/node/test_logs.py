import subprocess
import time

from conftest import pod


def ask(rig, path, *options):
    url = "http://node/containerLogs/default/" + path
    return subprocess.run(["curl", "-sS", "--max-time", "10", *options, "--unix-socket", str(rig.data / "logs.sock"), url],
                          capture_output=True, text=True).stdout


def test_logs_are_served_with_kubectls_parameters(rig):
    rig.put(pod("talk", "for i in 1 2 3; do echo line $i; done; printf part; sleep 100"))
    rig.wait_ready("talk")
    time.sleep(0.3)
    assert ask(rig, "talk/c") == "line 1\nline 2\nline 3\npart"
    assert ask(rig, "talk/c?tailLines=1") in ("line 3\npart", "part")
    assert ask(rig, "talk/c?limitBytes=6") == "line 1"
    assert ask(rig, "talk/c?timestamps=true").count("T") >= 3
    assert "previous terminated container" in ask(rig, "talk/c?previous=true")
    assert ask(rig, "nobody/c", "-w", "%{http_code}").endswith("404")


def test_a_follower_sees_every_line_until_the_end(rig):
    rig.put(pod("count", "for ((i=0;i<20000;i++)); do echo line $i; done; sleep 1; echo end", restartPolicy="Never"))
    rig.until("count", lambda p: p.get("status", {}).get("phase") == "Running")
    lines = ask(rig, "count/c?follow=true").splitlines()
    assert lines == [f"line {i}" for i in range(20000)] + ["end"]


def test_rotation_loses_no_line(rig):
    # About 25 MiB in all, slowly enough for the rotation that runs every 10 s.
    script = ("l=$(printf '%0300d' 0); for ((i=0;i<80000;i++)); do echo $i $l; ((i%4000)) || sleep 1.2; done; sleep 1")
    rig.put(pod("big", script, restartPolicy="Never"))
    rig.until("big", lambda p: p.get("status", {}).get("phase") == "Running")
    lines = ask(rig, "big/c?follow=true", "--max-time", "90").splitlines()
    assert [int(line.split()[0]) for line in lines] == list(range(80000))
    folder = rig.data / "node" / "logs" / "default_big_default-big-uid" / "c"
    assert len(list(folder.iterdir())) > 1


def test_the_log_before_a_restart_is_kept(rig):
    rig.put(pod("twice", "echo first $RANDOM; sleep 1; exit 1"))
    rig.until("twice", lambda p: p.get("status", {}).get("containerStatuses", [{}])[0].get("restartCount") == 1)
    assert ask(rig, "twice/c?previous=true").startswith("first")


def test_http_probes_decide_readiness(rig):
    answer = ("perl -MIO::Socket -e '$s=IO::Socket::INET->new(LocalPort=>8080,Listen=>9,ReuseAddr=>1);"
              "while($c=$s->accept){sysread $c,$b,4096;$ok=$b=~m#/good#;"
              "print $c \"HTTP/1.1 \".($ok?200:500).\" x\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n\";close $c}'")
    probe = {"periodSeconds": 1, "failureThreshold": 1}
    for name, path in (("good", "/good"), ("bad", "/bad")):
        rig.put(pod(name, answer, container={"readinessProbe": {**probe, "httpGet": {"path": path, "port": 8080}}}))
    rig.wait_ready("good")
    time.sleep(1.5)
    conditions = {c["type"]: c for c in rig.pod("bad")["status"]["conditions"]}
    assert conditions["Ready"]["status"] == "False"
    rig.send("events")
    rig.wait_line("events-end", 5)
    assert any("HTTP probe failed with statuscode: 500" in line for line in rig.lines)


def test_rotation_heals_when_the_agent_died_between_its_two_steps(rig):
    rig.put(pod("chat", "for ((i=0;;i++)); do echo $i; sleep 0.1; done"))
    rig.wait_ready("chat")
    folder = rig.data / "node" / "logs" / "default_chat_default-chat-uid" / "c"
    # What an agent leaves that is killed after it renamed the file and before it told the writer.
    (folder / "0.log").rename(folder / "0.log.20260101-000000.000000")
    deadline = time.monotonic() + 60
    while not (folder / "0.log").exists():
        assert time.monotonic() < deadline, "the writer was never told to reopen"
        time.sleep(0.2)
    numbers = [int(line) for line in ask(rig, "chat/c").split()]
    assert numbers == list(range(len(numbers)))
    rig.wait_log("chat", f"{numbers[-1] + 5}\n", 60)
