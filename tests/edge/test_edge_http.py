"""HTTP/1.1 through the edge: framing, keep-alive on both sides, what is forwarded, what is refused."""
import hashlib
import socket
import threading
import time

import pytest

from edge_kit import read_answer, response

GET = b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n"


def test_both_sides_keep_their_connections(edge, backend):
    pod = backend()
    rig = edge({"ready": [pod.port]})
    for _ in range(3):
        wire = rig.connect()
        for _ in range(5):
            wire.sock.sendall(GET)
            assert read_answer(wire)[0] == 200
    assert pod.count == 1


def test_a_client_that_asks_for_the_end_gets_it(edge, backend):
    pod = backend()
    wire = edge({"ready": [pod.port]}).send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    status, headers, _ = read_answer(wire)
    assert (status, headers["connection"]) == (200, "close")
    assert wire.rest() == b""
    assert "connection" not in pod.requests[0][1]


def test_http_1_0_is_answered_and_closed(edge, backend):
    wire = edge({"ready": [backend().port]}).send("GET / HTTP/1.0\r\n\r\n")
    assert read_answer(wire)[0] == 200
    assert wire.rest() == b""


def test_pipelined_requests_are_answered_in_order(edge, backend):
    pod = backend(lambda wire, _: serve_targets(wire))
    one = "GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
    post = "POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
    wire = edge({"ready": [pod.port]}).send("".join((post if n % 3 == 0 else one) % n for n in range(50)))
    assert [read_answer(wire)[2] for _ in range(50)] == [b"/%d" % n for n in range(50)]


def serve_targets(wire):
    while head := wire.head():
        wire.body(head[1])
        wire.sock.sendall(response(head[0].split()[1].encode()))


def test_the_pod_learns_what_only_the_edge_may_say(edge, backend):
    pod = backend()
    rig = edge({"ready": [pod.port]})
    before = time.time()
    rig.ask("GET / HTTP/1.1\r\nHost: shop.test\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n"
            "X-Request-Start: 1\r\nX-Forwarded-Port: 1\r\nX_Forwarded_For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n\r\n")
    headers = pod.requests[0][1]
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-port"] == str(rig.http)
    assert abs(int(headers["x-request-start"]) / 1000 - before) < 60
    assert len(headers["x-request-id"]) == 36
    assert "forwarded" not in headers and "x_forwarded_for" not in headers


def test_head_204_and_304_have_no_body(edge, backend):
    answers = {"HEAD": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", "GET": b"HTTP/1.1 204 No Content\r\n\r\n",
               "OPTIONS": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n"}

    def serve(wire, _):
        while head := wire.head():
            wire.sock.sendall(answers[head[0].split()[0]])

    wire = edge({"ready": [backend(serve).port]}).connect()
    for method, status in ("HEAD", 200), ("GET", 204), ("OPTIONS", 304), ("HEAD", 200):
        wire.sock.sendall(f"{method} / HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert read_answer(wire, method)[0] == status


def test_a_client_waits_for_100_continue_and_gets_it(edge, backend):
    def serve(wire, _):
        headers = wire.head()[1]
        wire.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        wire.sock.sendall(response(wire.body(headers)))

    wire = edge({"ready": [backend(serve).port]}).send(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    assert wire.head()[0] == "HTTP/1.1 100 Continue"
    wire.sock.sendall(b"hello")
    assert read_answer(wire)[2] == b"hello"


def test_an_early_refusal_reaches_a_client_that_still_sends(edge, backend):
    def serve(wire, _):
        wire.head()
        wire.sock.sendall(response(b"too much", "413 Content Too Large", "Connection: close\r\n"))

    wire = edge({"ready": [backend(serve).port]}).connect()
    sender = threading.Thread(target=send_quietly, args=(
        wire.sock, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n" + b"x" * 20_000_000))
    sender.start()
    assert read_answer(wire)[0] == 413
    wire.sock.close()
    sender.join()


def send_quietly(sock, data):
    try:
        sock.sendall(data)
    except OSError:
        pass


@pytest.mark.parametrize("chunked", [False, True])
def test_large_bodies_arrive_whole_both_ways(edge, backend, chunked):
    data = hashlib.shake_256(b"seed").digest(20_000_000)

    def serve(wire, _):
        headers = wire.head()[1]
        body = wire.body(headers)
        if chunked:
            wire.sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + in_chunks(body))
        else:
            wire.sock.sendall(response(body))

    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(data)}"
    wire = edge({"ready": [backend(serve).port]}).connect()
    wire.sock.sendall(f"POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n".encode())
    wire.sock.sendall(in_chunks(data) if chunked else data)
    assert hashlib.sha256(read_answer(wire)[2]).digest() == hashlib.sha256(data).digest()


def in_chunks(data, size=70_000):
    parts = (data[at:at + size] for at in range(0, len(data), size))
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def test_a_body_that_ends_with_the_connection_arrives_whole(edge, backend):
    def serve(wire, _):
        wire.head()
        wire.sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 3_000_000)

    wire = edge({"ready": [backend(serve).port]}).send(GET)
    assert wire.head()[1]["connection"] == "close"
    assert len(wire.rest()) == 3_000_000


def test_a_client_that_ends_its_side_still_gets_the_answer(edge, backend):
    def serve(wire, _):
        wire.head()
        time.sleep(0.3)
        wire.sock.sendall(response(b"x" * 1_000_000))

    wire = edge({"ready": [backend(serve).port]}).send(GET)
    wire.sock.shutdown(socket.SHUT_WR)
    assert len(read_answer(wire)[2]) == 1_000_000
    assert wire.rest() == b""


SMUGGLED = "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize("text", [
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 35\r\n\r\n" + SMUGGLED,
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-encoding: x\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "POST / HTTP/1.1\r\nHost: a\r\nX: y\r\n Content-Length: 35\r\n\r\n" + SMUGGLED,
    "POST / HTTP/1.1\r\nHost: a\nContent-Length: 35\r\n\r\n" + SMUGGLED,
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0 \r\n\r\n" + SMUGGLED,
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\n\n" + SMUGGLED,
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n" + SMUGGLED,
    "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + SMUGGLED,
    "GET / HTTP/1.1\r\n\r\n" + SMUGGLED,
    "GET /\r\nHost: a\r\n\r\n" + SMUGGLED,
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "\0" * 100 + "\r\n\r\n",
])
def test_an_ambiguous_or_malformed_request_ends_its_connection(edge, backend, text):
    pod = backend()
    wire = edge({"ready": [pod.port]}).send(text)
    status, headers, _ = read_answer(wire)
    assert status in (400, 501)
    assert headers["connection"] == "close"
    assert wire.rest() == b""
    assert pod.count == 0


def test_a_chunk_gone_bad_in_the_middle_ends_both_connections(edge, backend):
    pod = backend()
    wire = edge({"ready": [pod.port]}).send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    wire.sock.sendall(b"5\r\nhello\r\n")
    time.sleep(0.1)
    wire.sock.sendall(b"zz\r\n" + SMUGGLED.encode())
    assert read_answer(wire)[0] == 400
    assert pod.requests == []


def test_heads_above_the_limits_are_refused(edge, backend):
    rig = edge({"ready": [backend().port]})
    assert rig.ask("GET /" + "x" * 20_000 + " HTTP/1.1\r\nHost: a\r\n\r\n")[0] == 414
    assert rig.ask("GET / HTTP/1.1\r\nHost: a\r\nA: " + "x" * 40_000 + "\r\n\r\n")[0] == 431
    assert rig.ask("GET / HTTP/1.1\r\nHost: a\r\n" + "A: b\r\n" * 200 + "\r\n")[0] == 431
    assert rig.ask("GET / HTTP/1.1\r\nHost: a\r\nA: " + "x" * 20_000 + "\r\n\r\n")[0] == 200


def test_a_pod_that_says_more_than_its_answer_is_not_trusted_again(edge, backend):
    def serve(wire, _):
        while wire.head():
            wire.sock.sendall(response(b"one") + response(b"poison"))

    pod = backend(serve)
    wire = edge({"ready": [pod.port]}).connect()
    for _ in range(3):
        wire.sock.sendall(GET)
        assert read_answer(wire)[2] == b"one"
    assert pod.count == 3


def test_a_pod_that_talks_unasked_is_not_trusted_again(edge, backend):
    def serve(wire, _):
        while wire.head():
            wire.sock.sendall(response(b"one"))
            time.sleep(0.1)
            wire.sock.sendall(response(b"poison"))

    pod = backend(serve)
    wire = edge({"ready": [pod.port]}).connect()
    for _ in range(2):
        wire.sock.sendall(GET)
        assert read_answer(wire)[2] == b"one"
        time.sleep(0.3)
    assert pod.count == 2


def test_interim_responses_pass(edge, backend):
    def serve(wire, _):
        wire.head()
        wire.sock.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + response(b"done"))

    wire = edge({"ready": [backend(serve).port]}).send(GET)
    assert wire.head()[0] == "HTTP/1.1 103 Early Hints"
    assert read_answer(wire)[2] == b"done"


def test_random_bytes_never_hurt(edge, backend):
    rig = edge({"ready": [backend().port]})
    for seed in range(200):
        noise = hashlib.shake_256(b"%d" % seed).digest(1 + seed * 20)
        wire = rig.send(noise if seed % 2 else GET[:30] + noise)
        wire.sock.shutdown(socket.SHUT_WR)
        wire.rest()
    assert rig.ask()[0] == 200
