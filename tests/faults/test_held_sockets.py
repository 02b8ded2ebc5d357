"""kill -9 of a role under new connections: they wait in the sockets that the supervisor holds, none is refused."""
import socket
import ssl
import time

import pytest

from faults_kit import SERVER, Repeat, deployment, expose, kill
from support.instance import wait_for

KILLS = 6


class Callers:
    """Threads that each open a new connection for each question; what came of them is counted."""

    def __init__(self, ask, count=6):
        self.refused, self.cut, self.wrong = 0, 0, []
        self.ask = ask
        self.threads = [Repeat(self.step) for _ in range(count)]

    def step(self, _):
        try:
            answer = self.ask()
        except ConnectionRefusedError:
            self.refused += 1
            raise
        except OSError:
            self.cut += 1
            raise
        if answer:
            self.wrong.append(answer)

    def answered(self):
        return sum(len(thread.done) for thread in self.threads)

    def finish(self):
        for thread in self.threads:
            thread.finish()
        return self


def ask_plain(port, host):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return read_all(client)


def read_all(client):
    said = b""
    while part := client.recv(65536):
        said += part
    if not said:
        raise ConnectionResetError("closed without an answer")
    return said


@pytest.fixture(scope="module")
def world(instance):
    instance.namespace("held")
    instance.api.create("/apis/apps/v1/namespaces/held/deployments", deployment("web", SERVER, 2, "here"))
    expose(instance.api, "held", "web", "held.test")
    instance.wait_ready("held", "web", 2)
    assert instance.serves("held.test", "here")
    yield instance
    instance.drop_namespace("held")


def questions(instance):
    """Role → a question to its socket on a new connection; nothing, or the answer that is not the expected one."""
    def edge():
        said = ask_plain(instance.http, "held.test")
        # Until the new edge knows its routes it may say so, not that there is no such app.
        return None if said.startswith(b"HTTP/1.1 200") or said.startswith(b"HTTP/1.1 503") else said

    def tls():
        context = ssl._create_unverified_context()
        with socket.create_connection(("127.0.0.1", instance.https), timeout=30) as plain:
            with context.wrap_socket(plain, server_hostname="held.test") as client:
                return None if client.version() else "no TLS"

    def control():
        status, answer = instance.api.request("GET", "/version", timeout=30)
        return None if status == 200 else answer

    def platform():
        said = ask_plain(instance.kube + 1, "localhost")
        return None if said.startswith(b"HTTP/1.1 401") or said.startswith(b"HTTP/1.1 404") else said

    return {"edge": edge, "edge-tls": tls, "control": control, "platform": platform}


@pytest.mark.parametrize("name", ["edge", "edge-tls", "control", "platform"])
def test_no_new_connection_is_refused_while_a_role_is_killed_again_and_again(world, name):
    role = name.split("-")[0]
    callers = Callers(questions(world)[name])
    try:
        for _ in range(KILLS):
            before = callers.answered()
            assert wait_for(lambda: callers.answered() > before + 20, 60), "nothing is served"
            killed = world.roles()[role]
            kill(killed)
            assert wait_for(lambda: world.roles().get(role) not in (None, killed), 30)
    finally:
        before = callers.answered()
        wait_for(lambda: callers.answered() > before + 20, 60)
        callers.finish()
    assert callers.refused == 0
    assert callers.wrong == []


def test_a_role_that_served_is_started_again_at_once_however_often_it_was_killed(world):
    """Pauses grow only for runs that did not serve; with growing ones the last would wait for seconds."""
    pauses = []
    for _ in range(KILLS):
        assert world.serves("held.test", "here")
        time.sleep(1.5)
        killed = world.roles()["edge"]
        began = time.monotonic()
        kill(killed)
        assert wait_for(lambda: world.roles().get("edge") not in (None, killed), 30)
        pauses.append(time.monotonic() - began)
    assert sorted(pauses)[KILLS // 2] < 1, pauses
