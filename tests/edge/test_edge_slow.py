"""Slow clients: each has a defined end, and none costs memory or another client's time."""
import contextlib
import socket
import threading
import time

from edge_kit import Wire, read_answer, response

GET = b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n"


def drip(wire, data, seconds):
    """Sends a byte at a time until the edge hangs up or the data ends."""
    with contextlib.suppress(OSError):
        for byte in data:
            wire.sock.sendall(bytes([byte]))
            time.sleep(seconds)


def test_a_head_that_drips_is_ended_with_408(edge, backend):
    pod = backend()
    wire = edge({"ready": [pod.port]}, limits={"head": 500}).connect()
    begun = time.monotonic()
    drip(wire, GET[:12], 0.1)
    assert read_answer(wire)[0] == 408
    assert time.monotonic() - begun < 10
    assert pod.count == 0


def test_empty_lines_are_no_way_to_stay(edge, backend):
    wire = edge({"ready": [backend().port]}, limits={"head": 500}).connect()
    begun = time.monotonic()
    drip(wire, b"\r\n" * 100, 0.05)
    wire.rest()
    assert time.monotonic() - begun < 10


def test_a_client_that_says_nothing_is_ended_in_silence(edge, backend):
    rig = edge({"ready": [backend().port]}, limits={"head": 300, "client_idle": 300})
    assert rig.connect().rest() == b""
    wire = rig.send(GET)
    read_answer(wire)
    assert wire.rest() == b""


def test_a_body_that_drips_goes_through_as_long_as_it_moves(edge, backend):
    pod = backend()
    wire = edge({"ready": [pod.port]}, limits={"idle": 600}).send(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
    drip(wire, b"0123456789", 0.1)
    assert read_answer(wire)[0] == 200
    assert pod.requests[0][2] == b"0123456789"


def test_slow_readers_cost_no_memory(edge, backend):
    sent = []

    def serve(wire, _):
        wire.head()
        wire.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n")
        for _ in range(200):
            sent.append(wire.sock.send(b"x" * 1_000_000))

    rig = edge({"ready": [backend(serve).port]})
    before = rig.memory()
    readers = []
    for _ in range(20):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", rig.http))
        sock.sendall(GET)
        readers.append(sock)
    time.sleep(1)
    assert rig.memory() - before < 20_000_000  # 1 MB each would be more than the buffers
    assert sum(sent) < 20 * 20_000_000  # the pods wait
    assert readers[0].recv(100).startswith(b"HTTP/1.1 200 OK")
    for sock in readers:
        sock.close()


def test_slow_pods_cost_no_memory_for_what_clients_send(edge, backend):
    rig = edge({"ready": [backend(lambda wire, _: (wire.head(), time.sleep(3))).port]})
    before = rig.memory()
    senders = []
    for _ in range(10):
        wire = rig.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
        wire.sock.settimeout(0.1)
        with contextlib.suppress(TimeoutError):
            wire.sock.sendall(b"x" * 50_000_000)
        senders.append(wire)
    assert rig.memory() - before < 20_000_000
    for wire in senders:
        wire.sock.close()


def test_a_reader_that_stops_is_ended(edge, sink, backend):
    def serve(wire, _):
        wire.head()
        wire.sock.sendall(response(b"x" * 50_000_000))

    rig = edge({"ready": [backend(serve).port]}, limits={"idle": 500})
    wire = rig.send(GET)
    assert "status=200 " in sink.line("code=H15 ")
    wire.sock.close()


def test_a_reader_that_is_slow_but_moves_gets_all(edge, backend):
    def serve(wire, _):
        wire.head()
        wire.sock.sendall(response(b"x" * 6_000_000))

    rig = edge({"ready": [backend(serve).port]}, limits={"idle": 1000})
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    sock.connect(("127.0.0.1", rig.http))
    sock.sendall(GET)
    wire = Wire(sock)
    length = int(wire.head()[1]["content-length"])
    got = len(wire.buffer)
    begun = time.monotonic()
    while got < length:
        data = sock.recv(300_000)
        assert data
        got += len(data)
        if time.monotonic() - begun < 4:
            time.sleep(0.2)
    assert got == length
    sock.close()


def test_a_busy_client_leaves_time_for_others(edge, backend):
    def flood(wire, _):
        wire.head()
        wire.sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            wire.sock.sendall(b"x" * 1_000_000)

    rig = edge({"host": "flood", "ready": [backend(flood).port]}, {"host": "calm", "ready": [backend().port]})
    busy = rig.send("GET / HTTP/1.1\r\nHost: flood\r\n\r\n")
    stop = threading.Event()

    def swallow():
        while not stop.is_set() and busy.sock.recv(1_000_000):
            pass

    thread = threading.Thread(target=swallow)
    thread.start()
    for _ in range(20):
        assert rig.ask("GET / HTTP/1.1\r\nHost: calm\r\n\r\n")[0] == 200
    stop.set()
    thread.join()
    busy.sock.close()
