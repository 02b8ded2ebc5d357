"""What follows the last chunk: parsed as fields, both ways; nothing hides in it and nothing is forged by it."""
import time

import pytest

from edge_kit import read_answer, response

POST = "POST / HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
GET = "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n"


def record(seen):
    """A pod that answers each connection's first request after its body and keeps all that came."""

    def serve(wire, _):
        wire.head()
        while not wire.buffer.endswith(b"\r\n\r\n") and wire.fill():
            pass
        seen.append(wire.buffer)
        wire.sock.sendall(response(b"ok"))

    return serve


@pytest.mark.parametrize("trailers,passed", [
    ("X-Sum: abc\r\n", b"X-Sum: abc\r\n"),
    ("X-Sum:abc  \r\nX-Other: \r\n", b"X-Sum: abc\r\nX-Other: \r\n"),
    ("Content-Length: 9\r\nX-Sum: abc\r\nHost: evil\r\n", b"X-Sum: abc\r\n"),
    ("X-Forwarded-For: 6.6.6.6\r\n", b""), ("X_Forwarded_For: 6.6.6.6\r\n", b""),
    ("Authorization: Basic x\r\nCookie: a=b\r\n", b""), ("Transfer-Encoding: chunked\r\nConnection: close\r\n", b""),
    ("", b"")])
def test_good_trailers_pass_and_those_of_a_head_do_not(edge, backend, trailers, passed):
    seen = []
    rig = edge({"ready": [backend(record(seen)).port]})
    assert rig.ask(POST + "1\r\nZ\r\n0\r\n" + trailers + "\r\n")[0] == 200
    assert seen == [b"1\r\nZ\r\n0\r\n" + passed + b"\r\n"]


@pytest.mark.parametrize("trailers", [
    "GET /smuggled HTTP/1.1\r\nHost: x\r\n", "A: b\r\nGET /smuggled HTTP/1.1\r\nX-Forwarded-For: 6.6.6.6\r\n", "nocolon\r\n",
    "X-Bad : v\r\n", ": v\r\n", " X: v\r\n", "X: v\n", "X: \x01\r\n", "A: " + "x" * 9000 + "\r\n", "A: b\r\n" * 200])
def test_malformed_trailers_are_400_and_reach_no_pod(edge, backend, sink, trailers):
    pod = backend()
    wire = edge({"ready": [pod.port]}).send(POST + "1\r\nZ\r\n0\r\n" + trailers + "\r\n" + GET)
    assert read_answer(wire)[0] == 400
    assert wire.rest() == b""
    assert pod.count == 0
    assert 'code=H26 desc="Request Error" cause="bad trailer"' in sink.line("code=H26 ")


def test_a_pod_that_has_the_body_already_never_sees_its_end(edge, backend):
    seen = []

    def serve(wire, _):
        wire.head()
        while wire.fill():
            pass
        seen.append(wire.buffer)

    rig = edge({"ready": [backend(serve).port]})
    wire = rig.send(POST + "1\r\nZ\r\n")
    time.sleep(0.1)
    for piece in b"0\r", b"\nX: y\r\n", b"GET /smuggled HTTP/1.1\r\n\r\n":
        wire.sock.sendall(piece)
        time.sleep(0.05)
    assert read_answer(wire)[0] == 400
    deadline = time.monotonic() + 20
    while not seen and time.monotonic() < deadline:
        time.sleep(0.01)
    assert seen == [b"1\r\nZ\r\n"]


def test_the_next_visitor_gets_his_own_answer(edge, backend):
    """Against a server that takes lines of the trailer section for its next request (CVE-2025-58068)."""
    served = []

    def serve(wire, _):
        while head := wire.head():
            served.append(head[0])
            if head[1].get("transfer-encoding") == "chunked":
                while int(wire.line(), 16):
                    wire.line()
                while wire.buffer.startswith(b"A:"):
                    wire.line()
                if wire.buffer.startswith(b"\r\n"):
                    wire.line()
            wire.sock.sendall(response(head[0].split()[1].encode()))

    rig = edge({"ready": [backend(serve).port]})
    for _ in range(5):
        rig.ask(POST + "1\r\nZ\r\n0\r\nA: b\r\nGET /smuggled HTTP/1.1\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n")
        assert rig.ask(GET.replace("/ ", "/victim "))[2] == b"/victim"
    assert not any("smuggled" in line for line in served)


def test_trailers_of_a_response_arrive_with_their_announcement(edge, backend):
    def serve(wire, _):
        wire.head()
        wire.sock.sendall(ANSWER + b"2\r\nok\r\n0\r\nX-Sum: abc\r\nSet-Cookie: a=b\r\nContent-Length: 3\r\n\r\n")

    wire = edge({"ready": [backend(serve).port]}).send(GET)
    assert wire.head()[1]["trailer"] == "X-Sum"
    expected = b"2\r\nok\r\n0\r\nX-Sum: abc\r\n\r\n"
    assert wire.take(len(expected)) == expected


@pytest.mark.parametrize("trailers", [b"nocolon\r\n\r\n", b"X : y\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_bad_trailer_of_a_response_leaves_it_without_an_end(edge, backend, sink, trailers):
    def serve(wire, _):
        wire.head()
        wire.sock.sendall(ANSWER + b"2\r\nok\r\n")
        time.sleep(0.1)
        wire.sock.sendall(b"0\r\nX: y\r\n" + trailers)
        time.sleep(1)

    wire = edge({"ready": [backend(serve).port]}).send(GET)
    wire.head()
    assert wire.rest() == b"2\r\nok\r\n"
    assert 'cause="bad trailer"' in sink.line("code=H18 ")
