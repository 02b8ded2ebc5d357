"""WebSockets and other upgrades: each direction ends by itself, nothing unsent is lost, silence has its end."""
import base64
import hashlib
import socket
import struct
import time

import pytest

from edge_kit import reset

websocket = pytest.importorskip("websocket")

UPGRADE = "GET /chat HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n"


def read_frame(wire):
    """(opcode, payload) of one frame of a client (RFC 6455 5.2)."""
    first, second = wire.take(2)
    size = second & 127
    if size == 126:
        size = struct.unpack(">H", wire.take(2))[0]
    elif size == 127:
        size = struct.unpack(">Q", wire.take(8))[0]
    mask = wire.take(4)
    data = wire.take(size)
    key = (mask * (size // 4 + 1))[:size]
    return first & 15, (int.from_bytes(data, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


def frame(opcode, data):
    size = struct.pack(">BB", 128 | opcode, len(data)) if len(data) < 126 else (
        struct.pack(">BBQ", 128 | opcode, 127, len(data)))
    return size + data


def echo(wire, _):
    headers = wire.head()[1]
    accept = hashlib.sha1((headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    wire.sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      b"Sec-WebSocket-Accept: " + base64.b64encode(accept) + b"\r\n\r\n")
    while True:
        opcode, data = read_frame(wire)
        wire.sock.sendall(frame(opcode, data))
        if opcode == 8:
            return


def tunnel(rig):
    wire = rig.send(UPGRADE)
    assert wire.head()[0] == "HTTP/1.1 101 Switching Protocols"
    return wire


def test_a_browser_like_client_talks_to_a_pod(edge, sink, backend):
    rig = edge({"ready": [backend(echo).port]})
    client = websocket.create_connection(f"ws://127.0.0.1:{rig.http}/chat", timeout=10)
    for text in ("hello", "ä" * 20, "x" * 200_000):
        client.send(text)
        assert client.recv() == text
    client.ping("are you there")
    client.send("after the ping")
    assert client.recv() == "after the ping"
    client.close()
    assert "status=101 " in sink.line("at=info ")


def test_bytes_sent_along_with_the_upgrade_arrive(edge, backend):
    def serve(wire, _):
        wire.head()
        wire.sock.sendall(SWITCH + b"first")
        wire.sock.sendall(wire.take(5))

    wire = edge({"ready": [backend(serve).port]}).send(UPGRADE + "early")
    wire.head()
    assert wire.rest() == b"firstearly"


def test_the_pod_may_end_first_and_still_listen(edge, backend):
    heard = []

    def serve(wire, _):
        wire.head()
        wire.sock.sendall(SWITCH + b"bye")
        wire.sock.shutdown(socket.SHUT_WR)
        heard.append(wire.rest())

    wire = tunnel(edge({"ready": [backend(serve).port]}))
    assert wire.rest() == b"bye"
    wire.sock.sendall(b"x" * 1_000_000)
    wire.sock.close()
    deadline = time.monotonic() + 5
    while not heard and time.monotonic() < deadline:
        time.sleep(0.02)
    assert heard and len(heard[0]) == 1_000_000


def test_the_client_may_end_first_and_still_listen(edge, backend):
    def serve(wire, _):
        wire.head()
        wire.sock.sendall(SWITCH)
        got = wire.rest()
        wire.sock.sendall(b"%d" % len(got) + b"y" * 3_000_000)

    wire = tunnel(edge({"ready": [backend(serve).port]}))
    wire.sock.sendall(b"x" * 2_000_000)
    wire.sock.shutdown(socket.SHUT_WR)
    assert wire.rest() == b"2000000" + b"y" * 3_000_000


def test_what_a_pod_said_before_it_died_reaches_a_slow_client(edge, backend):
    def serve(wire, _):
        wire.head()
        wire.sock.sendall(SWITCH + b"x" * 3_000_000)

    wire = tunnel(edge({"ready": [backend(serve).port]}))
    time.sleep(0.5)
    assert len(wire.rest()) == 3_000_000


def test_a_client_that_goes_away_ends_the_pods_connection(edge, sink, backend):
    ended = []

    def serve(wire, _):
        wire.head()
        wire.sock.sendall(SWITCH)
        ended.append(wire.rest())

    wire = tunnel(edge({"ready": [backend(serve).port]}))
    reset(wire.sock)
    assert "status=101 " in sink.line("at=info ")
    deadline = time.monotonic() + 5
    while not ended and time.monotonic() < deadline:
        time.sleep(0.02)
    assert ended == [b""]


def silent(wire, _):
    wire.head()
    wire.sock.sendall(SWITCH)
    wire.rest()


def test_silence_ends_a_tunnel_with_h15(edge, sink, backend):
    wire = tunnel(edge({"ready": [backend(silent).port]}, limits={"idle": 300}))
    assert wire.rest() == b""
    assert "status=101 " in sink.line('code=H15 desc="Idle connection"')


def test_a_tunnel_to_the_platform_may_be_silent_for_longer(edge, backend):
    wire = tunnel(edge({"ready": [backend(silent).port], "platform": True}, limits={"idle": 200}))
    wire.sock.settimeout(1)
    with pytest.raises(TimeoutError):
        wire.sock.recv(1)


def test_a_refused_upgrade_is_an_ordinary_answer(edge, backend):
    wire = edge({"ready": [backend().port]}).send(UPGRADE)
    assert wire.head()[0] == "HTTP/1.1 200 OK"


def test_h2c_is_not_passed_on(edge, backend):
    pod = backend()
    rig = edge({"ready": [pod.port]})
    assert rig.ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                   "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")[0] == 200
    assert not {"upgrade", "connection", "http2-settings"} & set(pod.requests[0][1])
