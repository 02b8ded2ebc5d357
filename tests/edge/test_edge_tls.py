"""TLS at the edge: with a certificate of the test, versions, half-close, and clients that are not TLS."""
import contextlib
import hashlib
import socket
import ssl
import subprocess

import pytest

from edge_kit import Wire, free_port, read_answer, response

GET = b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n"


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", folder / "key.pem", "-out", folder / "certificate.pem", "-subj", "/CN=shop.test",
                    "-addext", "subjectAltName=DNS:shop.test"], check=True, capture_output=True)
    return folder


@pytest.fixture
def secure(edge, pair):
    """secure({route}...) starts an edge with TLS on `https`."""
    def start(*routes, **options):
        https = free_port()
        rig = edge(*routes, https=https, certificate=str(pair / "certificate.pem"), key=str(pair / "key.pem"),
                   **options)
        rig.https = https
        return rig

    return start


def connect(rig, pair, **settings):
    context = ssl.create_default_context(cafile=pair / "certificate.pem")
    for name, value in settings.items():
        setattr(context, name, value)
    sock = socket.create_connection(("127.0.0.1", rig.https), timeout=15)
    return Wire(context.wrap_socket(sock, server_hostname="shop.test"))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_requests_over_tls_keep_their_connection(secure, pair, sink, backend, version):
    pod = backend()
    rig = secure({"ready": [pod.port]})
    wire = connect(rig, pair, minimum_version=version, maximum_version=version)
    for _ in range(3):
        wire.sock.sendall(GET)
        assert read_answer(wire)[0] == 200
    assert pod.requests[0][1]["x-forwarded-proto"] == "https"
    assert pod.requests[0][1]["x-forwarded-port"] == str(rig.https)
    assert sink.line("at=info").endswith(" protocol=https")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_versions_before_1_2_are_refused(secure, pair, backend):
    rig = secure({"ready": [backend().port]})
    with pytest.raises((ssl.SSLError, OSError)):
        connect(rig, pair, maximum_version=ssl.TLSVersion.TLSv1_1, minimum_version=ssl.TLSVersion.TLSv1)


def test_large_bodies_arrive_whole_over_tls(secure, pair, backend):
    data = hashlib.shake_256(b"seed").digest(10_000_000)
    pod = backend(lambda wire, _: wire.sock.sendall(response(wire.body(wire.head()[1]))))
    wire = connect(secure({"ready": [pod.port]}), pair)
    wire.sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(data) + data)
    assert hashlib.sha256(read_answer(wire)[2]).digest() == hashlib.sha256(data).digest()


def test_a_tunnel_over_tls_delivers_what_came_before_the_end(secure, pair, backend):
    def serve(wire, _):
        wire.head()
        wire.sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n")
        wire.sock.sendall(wire.take(5) + b"x" * 1_000_000)

    wire = connect(secure({"ready": [backend(serve).port]}), pair)
    wire.sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n")
    wire.head()
    wire.sock.sendall(b"hello")
    assert wire.rest() == b"hello" + b"x" * 1_000_000


def test_what_is_not_tls_is_ended(secure, backend):
    rig = secure({"ready": [backend().port]}, limits={"head": 500})
    for opening in (GET, b"\x16\x03\x01", b""):
        with socket.create_connection(("127.0.0.1", rig.https), timeout=15) as sock:
            sock.sendall(opening)
            with contextlib.suppress(ConnectionResetError):
                while sock.recv(1000):
                    pass


def test_h22_over_tls(secure, pair, backend):
    rig = secure({"ready": [backend().port]}, limits={"max_connections": 1})
    kept = connect(rig, pair)
    refused = connect(rig, pair)
    refused.sock.sendall(GET)
    assert read_answer(refused)[0] == 503
    kept.sock.sendall(GET)
    assert read_answer(kept)[0] == 200
