"""An agent that starts while the cluster does not answer: what the agent before it set up goes on."""
import socket
import struct
import time

from test_network import ask, served
from test_node import service

ADDRESS, NAME_SERVER = "10.221.0.50", "10.221.0.10"
FAILURE, NO_NAME = 2, 3


def answer(name, tries=20):
    """Code and count of the name server's answer; it is asked again when it gives none."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    query = struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(1)
        for _ in range(tries):
            asker.sendto(query, (NAME_SERVER, 53))
            try:
                _, flags, _, count, _, _ = struct.unpack(">6H", asker.recv(4096)[:12])
                return flags & 15, count
            except TimeoutError:
                pass
    raise AssertionError("the name server does not answer")


def until(test, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_services_go_on_and_no_name_is_denied_until_the_cluster_answers(rig):
    rig.put(served("web"))
    rig.wait_ready("web")
    objects = service("web", ADDRESS, rig.pod("web")["status"]["podIP"])
    rig.put(*objects)
    until(lambda: "hello from web" in ask(ADDRESS, 80).stdout, "the service does not lead to its pod")
    assert answer("web.default.svc.cluster.local") == (0, 1)
    assert answer("nope.default.svc.cluster.local") == (NO_NAME, 0)
    rig.kill()
    assert "hello from web" in ask(ADDRESS, 80).stdout
    rig.start("silent")
    for _ in range(5):
        assert "hello from web" in ask(ADDRESS, 80).stdout
        assert answer("web.default.svc.cluster.local") == (FAILURE, 0)
        time.sleep(0.1)
    rig.put(*objects)
    rig.send("speak")
    until(lambda: answer("web.default.svc.cluster.local") == (0, 1), "the name is not known")
    assert answer("nope.default.svc.cluster.local") == (NO_NAME, 0)
    until(lambda: "hello from web" in ask(ADDRESS, 80).stdout, "the service does not lead to its pod")
