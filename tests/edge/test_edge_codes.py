"""Each of Heroku's codes: what the client gets, and the line in the app's log."""
import re
import socket
import time

import pytest

from edge_kit import free_port, read_answer, reset, response, wait_for

GET = "GET /a?b=c HTTP/1.1\r\nHost: shop.test\r\n\r\n"
POST = "POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 10\r\n\r\n"
SHORT = {"first_byte": 300, "idle": 300, "hold": 300, "connect": 300, "refused_hold": 50}


def check(rig, sink, code, description, status=503, at="error", request=GET):
    got, headers, body = rig.ask(request)
    assert got == status
    assert code.encode() in body
    line = sink.line(f"code={code} ")
    cause = ' cause="[^"]+"' if code == "H17" else ""
    assert re.match(f'at={at} code={code} desc="{description}"{cause} method=', line)
    assert f"request_id={headers['x-request-id']}" in line
    assert f"status={status} bytes=0 protocol=http" in line
    return line


def test_a_good_request_has_a_line_too(edge, sink, backend):
    pod = backend()
    rig = edge({"ready": [pod.port]})
    assert rig.ask(GET)[0] == 200
    line = sink.line("at=info")
    assert line.startswith('at=info method=GET path="/a?b=c" host=shop.test request_id=')
    assert 'fwd="127.0.0.1" dyno=web.1 connect=' in line
    assert line.endswith("status=200 bytes=%d protocol=http" % len(str(pod.port)))


def test_h10_when_all_pods_have_crashed(edge, sink):
    line = check(edge({"crashed": 1}), sink, "H10", "App crashed")
    assert "dyno= connect= service= status=503" in line


def test_h14_says_why_an_endpoint_is_not_followed(edge, sink):
    rig = edge({"refused": "endpoint 127.0.0.1:80 is a loopback address"})
    assert rig.ask(GET)[0] == 503
    assert 'code=H14 desc="No web processes running" cause="endpoint 127.0.0.1:80 is a loopback address" method=' in \
        sink.line("code=H14")


def test_h11_when_too_many_wait_for_a_pod(edge, sink):
    rig = edge({"starting": 1}, limits={"max_held": 1})
    waiting = rig.send(GET)
    time.sleep(0.1)
    check(rig, sink, "H11", "Backlog too deep")
    waiting.sock.close()


def test_h11_when_too_many_of_one_app_wait_and_others_still_do(edge, sink):
    rig = edge({"host": "shop.test", "starting": 1}, {"host": "b.test", "name": "b", "starting": 1},
               limits={"max_held_of_one": 1, "hold": 800})
    waiting = rig.send(GET)
    time.sleep(0.1)
    check(rig, sink, "H11", "Backlog too deep")
    began = time.monotonic()
    assert rig.ask(GET.replace("shop.test", "b.test"))[0] == 503
    assert time.monotonic() - began > 0.7  # held, as long as may be
    waiting.sock.close()


def test_who_leaves_gives_its_place_back(edge, sink):
    rig = edge({"starting": 1}, limits={"max_held": 1, "hold": 800})
    for _ in range(3):
        rig.send(GET).sock.close()
        time.sleep(0.1)
    began = time.monotonic()
    assert rig.ask(GET)[0] == 503
    assert time.monotonic() - began > 0.7


def test_h12_when_the_first_byte_is_late_and_the_pod_works_on(edge, sink, backend):
    done = []

    def serve(wire, _):
        wire.head()
        time.sleep(1)
        done.append(1)

    line = check(edge({"ready": [backend(serve).port]}, limits=SHORT), sink, "H12", "Request timeout")
    assert re.search(r"dyno=web.1 connect=\d+ms service=\d+ms status=503", line)
    assert wait_for(lambda: done)


def test_h13_when_the_pod_hangs_up_without_an_answer(edge, sink, backend):
    pod = backend(lambda wire, _: wire.head())
    check(edge({"ready": [pod.port]}), sink, "H13", "Connection closed without response")
    assert pod.count == 2  # once more for a GET, no oftener


def test_h13_at_once_for_what_may_not_be_sent_twice(edge, sink, backend):
    pod = backend(lambda wire, _: wire.head())
    check(edge({"ready": [pod.port]}), sink, "H13", "Connection closed without response", request=POST + "0123456789")
    assert pod.count == 1


def test_h14_when_there_is_no_pod(edge, sink):
    check(edge({}), sink, "H14", "No web processes running")


def test_h15_when_a_response_stalls(edge, sink, backend):
    def serve(wire, _):
        wire.head()
        wire.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123")
        time.sleep(2)

    rig = edge({"ready": [backend(serve).port]}, limits=SHORT)
    wire = rig.send(GET)
    assert wire.head()[0] == "HTTP/1.1 200 OK"
    assert wire.rest() == b"123"
    assert "status=200 bytes=3 " in sink.line("code=H15 ")


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 20\r\n\r\n", b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", b"HTTP/1.1 200 OK\nA : b\n\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"])
def test_h17_for_a_malformed_response(edge, sink, backend, answer):
    def serve(wire, _):
        wire.head()
        wire.sock.sendall(answer)

    check(edge({"ready": [backend(serve).port]}), sink, "H17", "Poorly formatted HTTP response")


@pytest.mark.parametrize("answer,bytes_sent", [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123", 3),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 10)])
def test_h18_when_a_response_is_cut(edge, sink, backend, answer, bytes_sent):
    def serve(wire, _):
        wire.head()
        wire.sock.sendall(answer)

    rig = edge({"ready": [backend(serve).port]})
    rig.send(GET).rest()
    line = sink.line("code=H18 ")
    assert f"status=200 bytes={bytes_sent} " in line
    assert line.endswith(" sock=backend")


def test_h18_resets_a_response_whose_end_is_the_connections(edge, sink, backend):
    def serve(wire, _):
        wire.head()
        wire.sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n123")
        time.sleep(0.2)
        reset(wire.sock)

    wire = edge({"ready": [backend(serve).port]}).send(GET)
    wire.head()
    with pytest.raises(ConnectionResetError):
        while wire.fill():
            pass
    assert sink.line("code=H18 ")


def test_h19_when_a_pod_takes_no_connection(edge, sink):
    # A full backlog: the kernel answers no more connection requests.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(3)]
        for one in fillers:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        time.sleep(0.1)
        check(edge({"ready": [port]}, limits=SHORT), sink, "H19", "Backend connection timeout")
        for one in fillers:
            one.close()


def test_h20_when_a_pod_does_not_start_in_time(edge, sink):
    check(edge({"starting": 1}, limits=SHORT), sink, "H20", "App boot timeout")


def test_h21_when_the_pod_refuses(edge, sink):
    check(edge({"ready": [free_port()]}, limits=SHORT), sink, "H21", "Backend connection refused")


def test_h22_above_the_limit_of_connections(edge, sink, backend):
    rig = edge({"ready": [backend().port]}, limits={"max_connections": 2})
    first, second = rig.send(GET), rig.send(GET)
    assert read_answer(first)[0] == read_answer(second)[0] == 200
    check(rig, sink, "H22", "Connection limit reached")
    first.sock.sendall(GET.encode())
    assert read_answer(first)[0] == 200


def test_h24_when_the_edge_stops_in_the_middle(edge, sink, backend):
    rig = edge({"ready": [backend(lambda wire, _: (wire.head(), time.sleep(5))).port]})
    rig.send(GET)
    time.sleep(0.2)
    assert rig.stop() == 0
    assert " status= bytes=0 " in sink.line('code=H24 desc="Forced close"')


def test_h25_for_an_oversized_response_head(edge, sink, backend):
    def serve(wire, _):
        wire.head()
        wire.sock.sendall(b"HTTP/1.1 200 OK\r\n" + b"A: " + b"x" * 70000)
        time.sleep(1)

    check(edge({"ready": [backend(serve).port]}), sink, "H25", "HTTP restriction: oversized header", status=502)


@pytest.mark.parametrize("request_,status,cause", [
    ("POST / HTTP/1.1\r\nHost: shop.test\r\nExpect: tea\r\n\r\n", 417, "unsupported expect header value"),
    ("POST / HTTP/1.1\r\nHost: shop.test\r\nA : b\r\n\r\n", 400, "bad header"),
    ("POST / HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "bad chunk"),
    ("POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 101\r\n\r\n", 413, "body too large")])
def test_h26_for_a_bad_request(edge, sink, backend, request_, status, cause):
    pod = backend()
    assert edge({"ready": [pod.port]}, limits={"max_body": 100}).ask(request_)[0] == status
    line = sink.line("code=H26 ")
    assert f'desc="Request Error" cause="{cause}" method=' in line
    assert f"status={status} " in line
    assert pod.count == 0


def test_413_for_a_chunked_body_that_grows_too_large(edge, sink, backend):
    rig = edge({"ready": [backend().port]}, limits={"max_body": 100})
    wire = rig.send("POST / HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n")
    wire.sock.sendall(b"32\r\n" + b"x" * 50 + b"\r\n")
    time.sleep(0.1)
    wire.sock.sendall(b"32\r\n" + b"x" * 50 + b"\r\n")
    assert read_answer(wire)[0] == 413


def test_h27_when_the_client_goes_away(edge, sink, backend):
    rig = edge({"ready": [backend(lambda wire, _: (wire.head(), time.sleep(2))).port]})
    wire = rig.send(GET)
    time.sleep(0.2)
    reset(wire.sock)
    line = sink.line("code=H27 ")
    assert line.startswith('at=warning code=H27 desc="Client Request Interrupted"')
    assert "status=499 " in line and line.endswith(" sock=client")


def test_h28_when_a_request_body_stalls(edge, sink, backend):
    pod = backend(lambda wire, _: wire.body(wire.head()[1]))
    wire = edge({"ready": [pod.port]}, limits=SHORT).send(POST + "123")
    assert read_answer(wire)[0] == 499
    assert sink.line("code=H28 ").startswith('at=warning code=H28 desc="Client Connection Idle"')


def test_h80_in_maintenance(edge, sink, backend):
    check(edge({"ready": [backend().port], "maintenance": True}), sink, "H80", "Maintenance mode", at="info")


def test_h81_without_a_release(edge, sink):
    check(edge({"blank": True}), sink, "H81", "Blank app", at="info")


def test_an_unknown_host_is_404(edge, backend):
    rig = edge({"host": "shop.test", "ready": [backend().port]})
    assert rig.ask("GET / HTTP/1.1\r\nHost: other.test\r\n\r\n")[0] == 404
    assert rig.ask("GET / HTTP/1.1\r\nHost: SHOP.test.:8080\r\n\r\n")[0] == 200


def test_h99_when_the_edge_has_no_descriptor_left_and_it_recovers(edge, sink, backend):
    rig = edge({"ready": [backend().port]}, open_files=40)
    used = rig.open_files()
    idle = [rig.connect() for _ in range(40 - used)]
    assert wait_for(lambda: rig.open_files() == 40)
    assert rig.connect().rest() == b""  # refused at once, not left waiting
    assert wait_for(lambda: rig.open_files() == 40)  # what it gave up to refuse is taken back
    idle.pop().sock.close()
    assert wait_for(lambda: rig.open_files() == 39)
    assert rig.ask(GET)[0] == 503
    for wire in idle:
        wire.sock.close()
    assert 'desc="Platform error"' in sink.line("code=H99 ")
    assert rig.ask(GET)[0] == 200
