"""TLS at the edge: with an authority of the test, whose certificate, versions, half-close, clients that are not TLS."""
import contextlib
import hashlib
import socket
import ssl
import subprocess

import pytest

from edge_kit import Wire, free_port, read_answer, response

SHOP = {"host": "shop.test"}
GET = b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", folder / "key.pem", "-out", folder / "certificate.pem", "-subj", "/CN=authority"],
                   check=True, capture_output=True)
    return folder


@pytest.fixture
def secure(edge, authority):
    """secure({route}...) starts an edge with TLS on `https`."""
    def start(*routes, **options):
        https = free_port()
        rig = edge(*routes, https=https, certificate=str(authority / "certificate.pem"),
                   key=str(authority / "key.pem"), **options)
        rig.https = https
        return rig

    return start


def connect(rig, authority, host="shop.test", **settings):
    """Verifies that the rig shows a certificate of the authority for `host`."""
    context = ssl.create_default_context(cafile=authority / "certificate.pem")
    for name, value in settings.items():
        setattr(context, name, value)
    sock = socket.create_connection(("127.0.0.1", rig.https), timeout=15)
    return Wire(context.wrap_socket(sock, server_hostname=host))


def shown(rig, authority, host):
    """The alternative names in the certificate that a client gets who asks for `host` (None: for nothing)."""
    wire = connect(rig, authority, host, check_hostname=False)
    with wire.sock:
        return [value for _, value in wire.sock.getpeercert()["subjectAltName"]]


DEFAULT = ["localhost", "127.0.0.1", "0:0:0:0:0:0:0:1"]


def test_each_routed_host_gets_a_certificate_of_its_own(secure, authority, backend):
    pod = backend()
    hosts = ("shop.localhost", "shop.elsewhere.org", "api.shop.localhost")
    rig = secure(*({"host": host, "ready": [pod.port]} for host in hosts), threads=2)
    for host in hosts:
        assert shown(rig, authority, host) == [host]
        wire = connect(rig, authority, host)
        wire.sock.sendall(GET.replace(b"shop.test", host.encode()))
        assert read_answer(wire)[0] == 200


def test_who_asks_for_a_host_without_a_route_gets_the_default_certificate(secure, authority, backend):
    rig = secure({**SHOP, "ready": [backend().port]})
    for host in (None, "nobody.test", "x.shop.test", "a." * 120 + "test", "127.0.0.1"):
        assert shown(rig, authority, host) == DEFAULT
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(rig, authority, "nobody.test")
    connect(rig, authority, "localhost").sock.close()


def test_certificates_follow_the_routes(secure, authority, backend):
    pod = backend()
    rig = secure({**SHOP, "ready": [pod.port]})
    assert shown(rig, authority, "late.test") == DEFAULT
    rig.route({"host": "late.test", "ready": [pod.port]})
    assert shown(rig, authority, "late.test") == ["late.test"]
    assert shown(rig, authority, "shop.test") == DEFAULT


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_requests_over_tls_keep_their_connection(secure, authority, sink, backend, version):
    pod = backend()
    rig = secure({**SHOP, "ready": [pod.port]})
    wire = connect(rig, authority, minimum_version=version, maximum_version=version)
    for _ in range(3):
        wire.sock.sendall(GET)
        assert read_answer(wire)[0] == 200
    assert pod.requests[0][1]["x-forwarded-proto"] == "https"
    assert pod.requests[0][1]["x-forwarded-port"] == str(rig.https)
    assert sink.line("at=info").endswith(" protocol=https")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_versions_before_1_2_are_refused(secure, authority, backend):
    rig = secure({**SHOP, "ready": [backend().port]})
    with pytest.raises((ssl.SSLError, OSError)):
        connect(rig, authority, maximum_version=ssl.TLSVersion.TLSv1_1, minimum_version=ssl.TLSVersion.TLSv1)


def test_large_bodies_arrive_whole_over_tls(secure, authority, backend):
    data = hashlib.shake_256(b"seed").digest(10_000_000)
    pod = backend(lambda wire, _: wire.sock.sendall(response(wire.body(wire.head()[1]))))
    wire = connect(secure({**SHOP, "ready": [pod.port]}), authority)
    wire.sock.sendall(b"POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: %d\r\n\r\n" % len(data) + data)
    assert hashlib.sha256(read_answer(wire)[2]).digest() == hashlib.sha256(data).digest()


def test_a_tunnel_over_tls_delivers_what_came_before_the_end(secure, authority, backend):
    def serve(wire, _):
        wire.head()
        wire.sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n")
        wire.sock.sendall(wire.take(5) + b"x" * 1_000_000)

    wire = connect(secure({**SHOP, "ready": [backend(serve).port]}), authority)
    wire.sock.sendall(b"GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n")
    wire.head()
    wire.sock.sendall(b"hello")
    assert wire.rest() == b"hello" + b"x" * 1_000_000


def test_what_is_not_tls_is_ended(secure, backend):
    rig = secure({**SHOP, "ready": [backend().port]}, limits={"head": 500})
    for opening in (GET, b"\x16\x03\x01", b""):
        with socket.create_connection(("127.0.0.1", rig.https), timeout=15) as sock:
            sock.sendall(opening)
            with contextlib.suppress(ConnectionResetError):
                while sock.recv(1000):
                    pass


def test_h22_over_tls(secure, authority, backend):
    rig = secure({**SHOP, "ready": [backend().port]}, limits={"max_connections": 1})
    kept = connect(rig, authority)
    refused = connect(rig, authority)
    refused.sock.sendall(GET)
    assert read_answer(refused)[0] == 503
    kept.sock.sendall(GET)
    assert read_answer(kept)[0] == 200


def test_tls_1_2_without_authenticated_encryption_is_not_spoken(secure, authority, backend):
    rig = secure({**SHOP, "ready": [backend().port]})

    def speaks(ciphers):
        context = ssl.create_default_context(cafile=authority / "certificate.pem")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(ciphers)
        with socket.create_connection(("127.0.0.1", rig.https), timeout=15) as sock:
            try:
                return context.wrap_socket(sock, server_hostname="shop.test").cipher()[0]
            except ssl.SSLError:
                return None

    assert "GCM" in speaks("ECDHE-ECDSA-AES128-GCM-SHA256")
    for name in ("ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-SHA256"):
        assert speaks(name) is None, name
