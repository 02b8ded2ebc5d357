"""The platform's host: its token is not for plain HTTP from another machine, and who asks can't be forged."""
import json
import socket
import subprocess

import pytest

from edge_kit import Wire, read_answer

PLATFORM = {"host": "api.test", "name": "", "platform": True}
ASK = "GET /{} HTTP/1.1\r\nHost: api.test\r\n{}\r\n"
CREDENTIALS = ("Authorization: Bearer secret\r\n", "Authorization: Basic c2tpZmY6c2VjcmV0\r\n", "")


@pytest.fixture
def elsewhere():
    """Runs a client in a network of its own: another machine. elsewhere(port, text) gives its answer."""
    name = "skiff-test-far"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode != 0:
        pytest.skip("needs root")
    try:
        for words in (["link", "add", "skiffnear", "type", "veth", "peer", "name", "skifffar", "netns", name],
                      ["addr", "add", "198.18.7.1/30", "dev", "skiffnear"], ["link", "set", "skiffnear", "up"],
                      ["-n", name, "addr", "add", "198.18.7.2/30", "dev", "skifffar"],
                      ["-n", name, "link", "set", "skifffar", "up"]):
            subprocess.run(["ip", *words], check=True)

        def ask(port, text):
            code = ("import socket,sys; s=socket.create_connection(('198.18.7.1', int(sys.argv[1])), timeout=15); "
                    "s.sendall(sys.argv[2].encode()); d=b''\n"
                    "while x:=s.recv(65536): d+=x\n"
                    "sys.stdout.buffer.write(d)")
            done = subprocess.run(["ip", "netns", "exec", name, "python3", "-c", code, str(port), text],
                                  capture_output=True, check=True, timeout=60)
            return done.stdout.decode()
        yield ask
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


def test_plain_http_from_another_machine_is_refused_with_the_address_to_use(edge, backend, elsewhere):
    pod = backend()
    rig = edge({**PLATFORM, "ready": [pod.port]}, {"host": "shop.test", "ready": [pod.port]}, any_address=True)
    for field in CREDENTIALS:
        answer = elsewhere(rig.http, ASK.format("apps", field))
        assert answer.startswith("HTTP/1.1 403 ") and "WWW-Authenticate" not in answer
        assert json.loads(answer.partition("\r\n\r\n")[2])["id"] == "insecure_connection"
        answer = elsewhere(rig.http, ASK.format("shop.git/info/refs?service=git-upload-pack", field))
        assert answer.startswith("HTTP/1.1 403 ") and "text/plain" in answer
    assert pod.requests == []
    assert elsewhere(rig.http, ASK.format("", CREDENTIALS[0] + "Connection: close\r\n").replace("api", "shop")
                     ).startswith("HTTP/1.1 200")


def test_the_address_to_use_is_named(edge, backend, elsewhere, tmp_path):
    files = {name: tmp_path / name for name in ("certificate", "key")}
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", files["key"], "-out", files["certificate"], "-subj", "/CN=authority"],
                   check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        https = probe.getsockname()[1]
    rig = edge({**PLATFORM, "ready": [backend().port]}, any_address=True, https=https,
               **{name: str(path) for name, path in files.items()})
    answer = elsewhere(rig.http, ASK.format("shop.git/info/refs", ""))
    assert f"https://api.test:{https}/shop.git " in answer


def test_this_machine_may_ask_and_the_platform_is_told_who_asks(edge, backend):
    pod = backend()
    rig = edge({**PLATFORM, "ready": [pod.port]}, any_address=True)
    forged = "X-Skiff-Visitor: rig 1.2.3.4\r\nX_Skiff_Visitor: rig 1.2.3.4\r\n"
    assert rig.ask(ASK.format("apps", CREDENTIALS[0] + forged))[0] == 200
    fields = pod.requests[0][1]
    assert fields["x-skiff-visitor"] == "rig 127.0.0.1" and "x_skiff_visitor" not in fields
    wire = Wire(socket.create_connection(("127.0.0.2", rig.http), timeout=15, source_address=("127.0.0.3", 0)))
    wire.sock.sendall(ASK.format("apps", "").encode())
    assert read_answer(wire)[0] == 200


def test_a_proxy_that_ends_tls_makes_it_safe_and_one_that_does_not_no(edge, backend):
    pod = backend()
    rig = edge({**PLATFORM, "ready": [pod.port]}, trusted_proxies="127.0.0.1")
    told = "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: {}\r\n"
    assert rig.ask(ASK.format("apps", told.format("https")))[0] == 200
    assert pod.requests[0][1]["x-skiff-visitor"] == "rig 203.0.113.9"
    assert rig.ask(ASK.format("apps", told.format("http")))[0] == 403
    assert len(pod.requests) == 1
