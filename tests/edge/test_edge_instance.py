"""The options of `skiff up` about what stands around the edge, on a running instance: proxies in front, servers behind."""
import json
import socket

import pytest

from edge_kit import Backend, Wire, free_port, read_answer, response
from support.instance import Instance, missing, wait_for

ORDERED = True  # the last test starts the instance with other options
TOLD = "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.example\r\n"
V1 = "PROXY TCP4 198.51.100.7 10.0.0.1 56324 443\r\n"
OUTSIDE = """
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: default}}
spec: {{type: ExternalName, externalName: localhost, ports: [{{port: 80, targetPort: {port}}}]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: {name}, namespace: default}}
spec:
  rules:
  - host: {name}.test
    http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: {name}, port: {{number: 80}}}}}}}}]}}
"""


def echo(wire, _):
    """Answers with the fields that it got."""
    while head := wire.head():
        wire.body(head[1])
        wire.sock.sendall(response(json.dumps(head[1]).encode()))


class World:
    """An instance with two hosts outside of the cluster: open.test leads to where the edge may go, closed.test not."""

    def __init__(self, folder):
        self.instance = Instance(folder)
        self.open, self.closed = Backend(echo), Backend(echo)

    def up(self, *options):
        self.instance.up(*options)

    def expose(self):
        for name, backend in (("open", self.open), ("closed", self.closed)):
            self.instance.kubectl("apply", "-f", "-", stdin=OUTSIDE.format(name=name, port=backend.port))
        assert wait_for(lambda: self.ask("open.test")[0] == 200, 60), self.ask("open.test")

    def ask(self, host, fields="", before="", source="127.0.0.1"):
        """Status and body."""
        sock = socket.create_connection(("127.0.0.1", self.instance.http), timeout=20, source_address=(source, 0))
        wire = Wire(sock)
        sock.sendall(f"{before}GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{fields}\r\n".encode())
        status, _, body = read_answer(wire)
        sock.close()
        return status, body.decode()

    def seen(self, *args, **options):
        """The fields that the server outside got."""
        status, body = self.ask("open.test", *args, **options)
        assert status == 200, body
        return json.loads(body)

    def close(self):
        self.instance.close()
        self.open.close()
        self.closed.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    why = missing()
    if why:
        pytest.skip(why)
    made = World(tmp_path_factory.mktemp("options"))
    try:
        made.up("--trusted-proxies", "127.0.0.2,192.0.2.0/24", "--proxy-protocol",
                "--allow-backends", f"127.0.0.1:{made.open.port}")
        made.expose()
        yield made
    finally:
        made.close()


def test_a_service_of_type_external_name_leads_to_an_allowed_address_and_no_further(world):
    assert world.seen()["host"] == "open.test"
    assert wait_for(lambda: world.ask("closed.test")[0] == 503, 30)
    assert "H14" in world.ask("closed.test")[1] and world.closed.count == 0


def test_what_a_trusted_proxy_tells_reaches_the_server_and_what_others_tell_does_not(world):
    got = world.seen(TOLD, source="127.0.0.2")
    assert got["x-forwarded-for"] == "203.0.113.9, 127.0.0.2"
    assert (got["x-forwarded-proto"], got["x-forwarded-host"]) == ("https", "shop.example")
    got = world.seen(TOLD, source="127.0.0.1")
    assert (got["x-forwarded-for"], got["x-forwarded-proto"]) == ("127.0.0.1", "http") and "x-forwarded-host" not in got


def test_the_proxy_protocol_of_a_trusted_proxy_names_the_visitor(world):
    assert world.seen(before=V1, source="127.0.0.2")["x-forwarded-for"] == "198.51.100.7"
    assert world.ask("open.test", before=V1, source="127.0.0.1")[0] == 505


def test_a_proxy_protocol_without_its_proxies_is_refused(world):
    other = Instance(world.instance.data / "none")
    done = other.skiff("up", "--data", str(other.data), "--http-port", str(free_port()), "--proxy-protocol", check=False)
    assert done.returncode != 0 and "--proxy-protocol needs --trusted-proxies" in done.stderr


def test_the_options_are_kept_for_later_starts_until_they_are_taken_back(world):
    world.instance.skiff("down", "--data", str(world.instance.data))
    world.up()
    assert wait_for(lambda: world.ask("open.test")[0] == 200, 60)
    assert world.seen(TOLD, source="127.0.0.2")["x-forwarded-for"] == "203.0.113.9, 127.0.0.2"
    assert world.seen(before=V1, source="127.0.0.2")["x-forwarded-for"] == "198.51.100.7"
    world.instance.skiff("down", "--data", str(world.instance.data))
    world.up("--trusted-proxies", "", "--no-proxy-protocol")
    assert wait_for(lambda: world.ask("open.test")[0] == 200, 60)
    assert world.seen(TOLD, source="127.0.0.2")["x-forwarded-for"] == "127.0.0.2"
    assert world.ask("open.test", before=V1, source="127.0.0.2")[0] == 505
