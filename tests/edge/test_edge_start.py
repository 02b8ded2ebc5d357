"""Before its first whole route table the edge does not know which hosts have an app: it never says that one has none."""
import select
import socket
import ssl
import time

import pytest

from edge_kit import read_answer
from test_edge_tls import GET as TLS_GET
from test_edge_tls import authority, secure  # noqa: F401 (fixtures)

GET = "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n"
POST = "POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 5\r\n\r\nhello"
PLATFORM = {"host": "localhost", "name": "", "platform": True}
LONG = {"boot": 60000}


@pytest.mark.parametrize("request_text", [GET, POST])
def test_a_request_waits_for_the_first_table(edge, backend, request_text):
    pod = backend()
    rig = edge(PLATFORM, incomplete=True, limits=LONG)
    wire = rig.send(request_text)
    assert not select.select([wire.sock], [], [], 0.3)[0]
    rig.route({"host": "shop.test", "ready": [pod.port]})
    assert read_answer(wire)[0] == 200
    if request_text == POST:
        assert pod.requests[0][2] == b"hello"


def test_a_host_that_the_first_table_lacks_is_unknown_then(edge):
    rig = edge(PLATFORM, incomplete=True, limits=LONG)
    wire = rig.send(GET)
    rig.route({"host": "other.test", "starting": 1})
    assert read_answer(wire)[0] == 404


def test_without_a_table_in_time_the_client_is_told_to_come_back(edge):
    rig = edge(PLATFORM, incomplete=True, limits={"boot": 200})
    begun = time.monotonic()
    status, headers, _ = rig.ask(GET)
    assert (status, headers["retry-after"]) == (503, "2")
    assert time.monotonic() - begun >= 0.2


def test_when_too_many_wait_the_next_is_told_at_once(edge):
    rig = edge(PLATFORM, incomplete=True, limits={**LONG, "max_held": 1})
    waiting = [rig.send(GET) for _ in range(2)]  # which of them waits is the kernel's to say
    told, _, _ = select.select([wire.sock for wire in waiting], [], [], 15)
    wire = next(wire for wire in waiting if wire.sock in told)
    status, headers, _ = read_answer(wire)
    assert (status, "retry-after" in headers) == (503, True)


def test_the_platform_is_served_meanwhile(edge, backend):
    pod = backend()
    rig = edge({**PLATFORM, "ready": [pod.port]}, incomplete=True, limits=LONG)
    assert rig.ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")[0] == 200


def test_a_tls_client_gets_the_right_certificate_after_the_first_table(secure, authority, backend):  # noqa: F811
    pod = backend()
    rig = secure(PLATFORM, incomplete=True, limits=LONG)
    context = ssl.create_default_context(cafile=authority / "certificate.pem")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="shop.test")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    sock = socket.create_connection(("127.0.0.1", rig.https), timeout=15)
    sock.sendall(outgoing.read())
    assert not select.select([sock], [], [], 0.3)[0], "no certificate is shown before it is known whose"
    rig.route({"host": "shop.test", "ready": [pod.port]})
    while True:
        incoming.write(sock.recv(65536))
        try:
            client.do_handshake()
            break
        except ssl.SSLWantReadError:
            pass
    client.write(TLS_GET)
    sock.sendall(outgoing.read())
    while True:
        try:
            assert client.read(65536).startswith(b"HTTP/1.1 200")
            break
        except ssl.SSLWantReadError:
            incoming.write(sock.recv(65536))
