"""What is forgiven because nobody can read it in two ways: of requests a little, of responses more."""
import time

import pytest

from edge_kit import read_answer, reset

GET = b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n"
OK = b"Content-Length: 2\r\n\r\nok"
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
SHORT = {"head": 600, "client_idle": 600}


def answering(answer, stay=False):
    def serve(wire, _):
        while wire.head():
            wire.sock.sendall(answer)
            if not stay:
                return

    return serve


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200\r\n" + OK, b"HTTP/1.1 200 \r\n" + OK, b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    HEAD + b"X: a\nContent-Length: 2\r\n\r\nok", HEAD + b"Content-Length: 2\n\nok", HEAD + b"Content-Length: 2\r\n\nok",
    HEAD + b"Content-Length: 2\r\n" + OK, HEAD + b"Content-Length: 2, 2\r\n\r\nok", HEAD + b"Content-Length:  02 \r\n\r\nok",
    HEAD + b"X-Long: a\r\n b\r\n" + OK, HEAD + b"Transfer-Encoding: Chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n" + OK, b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.2 200 OK\r\n" + OK, b"HTTP/1.1 999 Odd\r\n" + OK, HEAD + b"X: caf\xe9\r\n" + OK, b"HTTP/1.1 200 D\xc3\xa9\r\n" + OK,
    CHUNKED + b"2   \r\nok\r\n0   \r\n\r\n", CHUNKED + b"0000000000000002\r\nok\r\n0\r\n\r\n", CHUNKED + b"2;a=\"b\"\r\nok\r\n0\r\n\r\n",
    CHUNKED + b"2\nok\n0\n\n", CHUNKED + b"2\r\nok\r\n0\r\nX-T: y\n\r\n", CHUNKED + b"2\r\nok\r\n0\r\nX-T: y\r\n z\r\n\r\n", HEAD + b"X: a\x01b\r\n" + OK, HEAD + b"Content_Length: 9\r\n" + OK, HEAD + b"Set-Cookie: a=1\r\n" * 100 + OK])
def test_what_other_proxies_serve_is_served(edge, backend, answer):
    status, headers, body = edge({"ready": [backend(answering(answer)).port]}).ask(GET)
    assert (status, body) in ((200, b"ok"), (999, b"ok"))
    assert headers.get("content-length", "2") == "2"


@pytest.mark.parametrize("answer,cause", [
    (HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", "both Content-Length and Transfer-Encoding"),
    (HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n", "different values of Content-Length"),
    (HEAD + b"Content-Length: 2, 3\r\n\r\n", "different values of Content-Length"),
    (HEAD + b"Content-Length:\r\n 2\r\n\r\n", "a folded line where none may be"),
    (HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n", "unsupported Transfer-Encoding"),
    (HEAD + b"A : b\r\n" + OK, "invalid header field name"), (HEAD + b"foo\r\n" + OK, "a header field without a colon"),
    (HEAD + b"A: b\0\r\n" + OK, "invalid header field value"), (b"\r\n" + HEAD + OK, "malformed status line"),
    (CHUNKED + b"x\r\n", "bad chunk"), (CHUNKED + b"2\r\nok\r\n0\r\nfoo\r\n\r\n", "bad trailer"),
    (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "a switch of protocols that nobody asked for")])
def test_h17_says_its_cause(edge, backend, sink, answer, cause):
    assert edge({"ready": [backend(answering(answer)).port]}).ask(GET)[0] == 503
    assert f'code=H17 desc="Poorly formatted HTTP response" cause="{cause}" method=' in sink.line("code=H17 ")


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", HEAD + b"Content-Length: 2\r\n" + OK,
                                    HEAD + b"X: a\r\n b\r\n" + OK, CHUNKED + b"2\nok\r\n0\r\n\r\n"])
def test_a_pod_that_was_forgiven_gets_no_second_request_on_its_connection(edge, backend, answer):
    pod = backend(answering(answer, stay=True))
    wire = edge({"ready": [pod.port]}).connect()
    for _ in range(3):
        wire.sock.sendall(GET)
        assert read_answer(wire)[2] == b"ok"
    assert pod.count == 3


def test_a_response_head_in_many_pieces_is_one(edge, backend):
    def serve(wire, _):
        wire.head()
        for at in range(0, len(HEAD + OK), 3):
            wire.sock.sendall((HEAD + OK)[at:at + 3])
            time.sleep(0.005)

    assert edge({"ready": [backend(serve).port]}).ask(GET)[2] == b"ok"


def test_a_client_of_http_1_0_gets_no_chunks(edge, backend):
    pod = backend(answering(HEAD + b"Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\nX: y\r\n\r\n"))
    wire = edge({"ready": [pod.port]}).send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    head = wire.head()
    assert "transfer-encoding" not in head[1] and "trailer" not in head[1]
    assert head[1]["connection"] == "close"
    assert wire.rest() == b"hello!"


def test_a_cut_answer_is_no_whole_one_to_a_client_of_http_1_0(edge, backend, sink):
    def serve(wire, _):
        wire.head()
        wire.sock.sendall(CHUNKED + b"5\r\nhello\r\n")
        time.sleep(0.2)
        reset(wire.sock)

    wire = edge({"ready": [backend(serve).port]}).send("GET / HTTP/1.0\r\n\r\n")
    wire.head()
    with pytest.raises(ConnectionResetError):
        while wire.fill():
            pass
    assert sink.line("code=H18 ")


def test_empty_lines_before_a_request_are_forgiven_in_whatever_packets(edge, backend):
    wire = edge({"ready": [backend().port]}).send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nZ")
    assert read_answer(wire)[0] == 200
    for pieces in ([b"\r\n", GET], [b"\r\n" + GET], [b"\r", b"\n" + GET], [b"\r", b"\n", b"\r\n\r\n", b"\r", b"\nGET", GET[3:]]):
        for piece in pieces:
            wire.sock.sendall(piece)
            time.sleep(0.05)
        assert read_answer(wire)[0] == 200


def test_empty_lines_for_ever_hold_no_connection(edge, backend):
    wire = edge({"ready": [backend().port]}, limits=SHORT).connect()
    begun = time.monotonic()
    with pytest.raises(OSError):
        while time.monotonic() - begun < 20:
            wire.sock.sendall(b"\r\n")
            time.sleep(0.02)
    assert time.monotonic() - begun < 15


def test_a_426_says_what_to_switch_to(edge, backend):
    pod = backend(answering(b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + OK))
    status, headers, _ = edge({"ready": [pod.port]}).ask(GET)
    assert (status, headers["upgrade"], headers["connection"]) == (426, "websocket", "Upgrade")


@pytest.mark.parametrize("line,passed", [
    ("GET HTTP://SHOP.test/abs?x=1 HTTP/1.1", "GET /abs?x=1 HTTP/1.1"), ("GET http://shop.test?q=1 HTTP/1.1", "GET /?q=1 HTTP/1.1"),
    ("GET http://shop.test HTTP/1.1", "GET / HTTP/1.1"), ("OPTIONS * HTTP/1.1", "OPTIONS * HTTP/1.1"),
    ("OPTIONS http://shop.test HTTP/1.1", "OPTIONS * HTTP/1.1"), ("GET /v HTTP/1.2", "GET /v HTTP/1.1")])
def test_forms_of_a_request_line(edge, backend, sink, line, passed):
    pod = backend()
    assert edge({"host": "shop.test", "ready": [pod.port]}).ask(line + "\r\nHost: shop.test\r\n\r\n")[0] == 200
    assert pod.requests[0][0] == passed
    assert f'path="{passed.split()[1]}" ' in sink.line("at=info")


@pytest.mark.parametrize("host", ["shop.test:bad", "shop.test:80:90", "[::1", "shop.test;x", "shop.test{}", "[::1]evil", ":80",
                                  "shop.test status=200"])
def test_a_host_that_is_none_is_400(edge, backend, sink, host):
    pod = backend()
    assert edge({"ready": [pod.port]}).ask(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")[0] == 400
    assert f"host={host.replace(' ', '%20')} request_id=" in sink.line("code=H26 ")
    assert pod.count == 0


def test_a_proxy_header_reaches_no_app(edge, backend):
    pod = backend()
    edge({"ready": [pod.port]}).ask("GET / HTTP/1.1\r\nHost: a\r\nProxy: http://evil/\r\nX: y\r\n\r\n")
    assert pod.requests[0][1]["x"] == "y"
    assert "proxy" not in pod.requests[0][1]


def test_lines_are_ascii(edge, backend, sink):
    rig = edge({"ready": [backend().port]})
    for path in b"/\xc2\x85", b"/\xc2\x9b31m", b"/\xe2\x80\xae", b"/\xff":
        rig.ask(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    assert sink.line('path="/%C2%85"') and sink.line('path="/%C2%9B31m"') and sink.line('path="/%E2%80%AE"')
    assert sink.line('path="/%FF"').isascii()


def test_an_uploader_learns_of_a_413_however_slowly_it_sends(edge, backend):
    wire = edge({"ready": [backend().port]}, limits={"max_body": 1000, "linger_silence": 3000}).connect()
    wire.sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
    for _ in range(40):
        wire.sock.sendall(b"x" * 10_000)
        time.sleep(0.1)
    assert read_answer(wire)[0] == 413


def test_an_uploader_that_never_ends_is_cut(edge, backend):
    wire = edge({"ready": [backend().port]}, limits={"max_body": 1000, "linger": 500}).connect()
    wire.sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n")
    begun = time.monotonic()
    with pytest.raises(OSError):
        while time.monotonic() - begun < 20:
            wire.sock.sendall(b"x" * 1000)
            time.sleep(0.02)
    assert time.monotonic() - begun < 15
