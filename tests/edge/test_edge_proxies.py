"""Proxies in front: what trusted ones tell is continued, by fields or by the PROXY protocol; others tell nothing."""
import json
import socket
import ssl
import struct

import pytest

from edge_kit import Wire, read_answer, response
from test_edge_tls import authority, secure  # noqa: F401 (fixtures)

TOLD = ("X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 8443\r\n"
        "X-Forwarded-Host: shop.example\r\nForwarded: for=203.0.113.9;proto=https\r\n")
GET = "GET / HTTP/1.1\r\nHost: shop.test\r\n"
V1 = b"PROXY TCP4 203.0.113.9 10.0.0.1 56324 443\r\n"
V2 = (b"\r\n\r\n\x00\r\nQUIT\n\x21\x11" + struct.pack("!H", 12) + socket.inet_aton("203.0.113.9") +
      socket.inet_aton("10.0.0.1") + struct.pack("!HH", 56324, 443))


@pytest.fixture
def echo(backend):
    """A pod that answers with the fields that it got."""
    def serve(wire, _):
        while head := wire.head():
            wire.body(head[1])
            wire.sock.sendall(response(json.dumps(head[1]).encode()))
    return backend(serve)


def seen(rig, fields="", before=b""):
    status, _, body = rig.ask(before + (GET + fields + "\r\n").encode())
    assert status == 200
    return json.loads(body)


def test_what_a_trusted_proxy_tells_is_continued(edge, sink, echo):
    got = seen(edge({"ready": [echo.port]}, trusted_proxies="127.0.0.0/8"), TOLD)
    assert got["x-forwarded-for"] == "203.0.113.9, 127.0.0.1"
    assert (got["x-forwarded-proto"], got["x-forwarded-port"]) == ("https", "8443")
    assert got["x-forwarded-host"] == "shop.example"
    assert got["forwarded"] == "for=203.0.113.9;proto=https, for=127.0.0.1;proto=http"
    line = sink.line("at=info")
    assert 'fwd="203.0.113.9"' in line and line.endswith("protocol=https")


def test_a_refused_request_is_logged_with_its_own_visitor(edge, sink, echo):
    rig = edge({"host": "shop.test", "ready": [echo.port]}, trusted_proxies="127.0.0.1")
    with socket.create_connection(("127.0.0.1", rig.http), timeout=15) as sock:
        wire = Wire(sock)
        sock.sendall((GET + TOLD + "\r\n").encode())
        assert read_answer(wire)[0] == 200
        sock.sendall((GET + "X-Forwarded-For: 203.0.113.77\r\nno field\r\n\r\n").encode())
        assert read_answer(wire)[0] == 400
    assert 'fwd="203.0.113.77"' in sink.line("code=H26")


@pytest.mark.parametrize("trusted", ["", "192.0.2.0/24"])
def test_what_others_tell_is_dropped(edge, sink, echo, trusted):
    rig = edge({"ready": [echo.port]}, trusted_proxies=trusted)
    got = seen(rig, TOLD + "X-Skiff-Visitor: rig 1.2.3.4\r\n")
    assert (got["x-forwarded-for"], got["x-forwarded-proto"]) == ("127.0.0.1", "http")
    assert got["x-forwarded-port"] == str(rig.http)
    assert not {"x-forwarded-host", "forwarded", "x-skiff-visitor"} & set(got)
    assert 'fwd="127.0.0.1"' in sink.line("at=info")


@pytest.mark.parametrize("header", [V1, V2])
def test_the_proxy_protocol_names_the_visitor(edge, sink, echo, header):
    rig = edge({"ready": [echo.port]}, trusted_proxies="127.0.0.1", proxy_protocol=True)
    got = seen(rig, TOLD, header)
    # The visitor is no trusted proxy: what it tells itself is dropped.
    assert (got["x-forwarded-for"], got["x-forwarded-proto"], got["x-forwarded-port"]) == ("203.0.113.9", "http", "443")
    assert "forwarded" not in got
    assert 'fwd="203.0.113.9"' in sink.line("at=info")


def test_the_header_may_come_byte_by_byte_and_before_tls(secure, authority, echo):  # noqa: F811
    rig = secure({"host": "shop.test", "ready": [echo.port]}, trusted_proxies="127.0.0.1", proxy_protocol=True)
    sock = socket.create_connection(("127.0.0.1", rig.https), timeout=15)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in V2:
        sock.sendall(bytes([byte]))
    context = ssl.create_default_context(cafile=authority / "certificate.pem")
    wire = Wire(context.wrap_socket(sock, server_hostname="shop.test"))
    wire.sock.sendall((GET + "\r\n").encode())
    got = json.loads(read_answer(wire)[2])
    assert (got["x-forwarded-for"], got["x-forwarded-proto"]) == ("203.0.113.9", "https")


def test_a_proxy_on_this_machine_may_leave_the_header_out_but_not_spoil_it(edge, echo):
    rig = edge({"ready": [echo.port]}, trusted_proxies="127.0.0.1", proxy_protocol=True)
    assert seen(rig)["x-forwarded-for"] == "127.0.0.1"
    wire = rig.send(b"PROXY TCP4 nonsense\r\n" + (GET + "\r\n").encode())
    assert wire.rest() == b""


def test_the_header_of_others_is_no_request(edge, echo):
    for options in ({"trusted_proxies": "192.0.2.7", "proxy_protocol": True}, {"trusted_proxies": "127.0.0.1"}):
        rig = edge({"ready": [echo.port]}, **options)
        assert rig.send(V1 + (GET + "\r\n").encode()).rest().startswith(b"HTTP/1.1 505")
