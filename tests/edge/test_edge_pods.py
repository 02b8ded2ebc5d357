"""Pods that come and go under requests: what is sent again, and that nothing fails while they are replaced."""
import collections
import socket
import threading
import time

from edge_kit import free_port, read_answer, reset, response, wait_for

GET = "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n"
POST = "POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 5\r\n\r\nhello"
PUT = POST.replace("POST", "PUT")


def test_a_refused_connection_is_tried_on_another_pod(edge, backend):
    pod = backend()
    rig = edge({"ready": [free_port(), free_port(), pod.port]})
    for text in [GET, POST] * 10:
        assert rig.ask(text)[2] == b"%d" % pod.port


def test_requests_are_spread_over_ready_pods(edge, backend):
    pods = [backend() for _ in range(3)]
    rig = edge({"ready": [pod.port for pod in pods]})
    counts = collections.Counter(rig.ask(GET)[2] for _ in range(60))
    assert len(counts) == 3 and min(counts.values()) >= 5


def answer_once(hang_up):
    """Serves one request a connection, then hangs up on the next one without an answer."""
    def serve(wire, _):
        wire.body(wire.head()[1])
        wire.sock.sendall(response())
        wire.head()
        hang_up(wire.sock)

    return serve


def test_an_idempotent_request_on_a_dying_connection_is_sent_again(edge, backend):
    for hang_up in (socket.socket.close, reset):
        pod = backend(answer_once(hang_up))
        rig = edge({"ready": [pod.port]})
        for text in (GET, GET, PUT, PUT, GET):
            assert rig.ask(text)[0] == 200


def test_a_post_never_takes_a_connection_that_the_pod_has_ended(edge, backend):
    def serve(wire, _):
        wire.body(wire.head()[1])
        wire.sock.sendall(response())  # and hangs up at once, as a server does whose keep-alive is over

    rig = edge({"ready": [backend(serve).port]})
    wire = rig.connect()
    for _ in range(100):
        wire.sock.sendall(POST.encode())
        assert read_answer(wire)[0] == 200


def test_a_post_takes_only_a_connection_that_is_proven_and_fresh(edge, backend):
    pod = backend()
    rig = edge({"ready": [pod.port]}, limits={"upstream_trusted": 300})
    assert [rig.ask(text)[0] for text in (GET, GET, POST, POST)] == [200] * 4
    assert pod.count == 1
    time.sleep(0.6)
    assert rig.ask(POST)[0] == 200
    assert pod.count == 2
    time.sleep(0.6)
    assert rig.ask(GET)[0] == 200
    assert pod.count == 2


def test_posts_alone_learn_that_a_pod_keeps_connections(edge, backend):
    pod = backend()
    wire = edge({"ready": [pod.port]}).connect()
    for pause in (0.1, 0, 0, 0, 0):
        wire.sock.sendall(POST.encode())
        assert read_answer(wire)[0] == 200
        time.sleep(pause)
    assert pod.count == 1


def test_idle_connections_to_pods_end_before_the_pods_would(edge, backend):
    pod = backend()
    rig = edge({"ready": [pod.port]}, limits={"upstream_idle": 200})
    assert rig.ask(GET)[0] == 200
    assert wait_for(lambda: pod.open[0].fileno() == -1)


def test_a_request_waits_for_a_pod_that_starts(edge, backend):
    pod = backend()
    rig = edge({"starting": 1})
    wire = rig.send(POST)
    time.sleep(0.2)
    rig.route({"ready": [pod.port]})
    assert read_answer(wire)[0] == 200
    assert pod.requests[0][2] == b"hello"


def test_a_request_that_all_pods_refuse_waits_a_moment_for_another(edge, backend):
    pod = backend()
    rig = edge({"ready": [free_port()]}, limits={"refused_hold": 5000})
    wire = rig.send(POST)
    time.sleep(0.2)
    rig.route({"ready": [pod.port]})
    assert read_answer(wire)[0] == 200


def test_a_held_request_whose_app_is_gone_is_answered(edge):
    rig = edge({"starting": 1})
    wire = rig.send(GET)
    time.sleep(0.1)
    rig.route({"host": "other"})
    assert read_answer(wire)[0] == 404


def test_a_terminating_pod_ends_its_requests_and_gets_no_new_ones(edge, backend):
    def slow(wire, _):
        while wire.head():
            time.sleep(0.5)
            wire.sock.sendall(response(b"old"))

    old, new = backend(slow), backend()
    rig = edge({"ready": [old.port]})
    running = rig.send(GET)
    time.sleep(0.1)
    rig.route({"ready": [new.port], "serving": [old.port]})
    assert {rig.ask(text)[2] for text in [GET, POST] * 10} == {b"%d" % new.port}
    assert read_answer(running)[2] == b"old"


def test_a_terminating_pod_serves_when_there_is_no_other(edge, backend):
    assert edge({"serving": [backend().port]}).ask(POST)[0] == 200


class Load(threading.Thread):
    """GETs and POSTs on kept connections until it is stopped; what did not get a 200 is in `failed`."""

    def __init__(self, rig):
        super().__init__()
        self.rig, self.failed, self.done, self.going = rig, [], 0, True
        self.start()

    def run(self):
        wire = self.rig.connect()
        while self.going:
            for text in (GET, POST):
                wire.sock.sendall(text.encode())
                status = read_answer(wire)[0]
                self.done += 1
                if status != 200:
                    self.failed.append((text[:4], status))
                    wire = self.rig.connect()

    def stop(self):
        self.going = False
        self.join()


def test_no_request_fails_while_pods_are_replaced(edge, backend):
    pods = [backend() for _ in range(3)]
    rig = edge({"ready": [pod.port for pod in pods]}, threads=2)
    loads = [Load(rig) for _ in range(8)]
    for _ in range(12):
        # As a Deployment does: the new pod is ready, the old one leaves the endpoints, then it is stopped.
        pods.append(backend())
        rig.route({"ready": [pod.port for pod in pods]})
        old = pods.pop(0)
        rig.route({"ready": [pod.port for pod in pods], "serving": [old.port]})
        time.sleep(0.15)
        old.close()
        rig.route({"ready": [pod.port for pod in pods]})
    for load in loads:
        load.stop()
    assert [load.failed for load in loads] == [[]] * 8
    assert sum(load.done for load in loads) > 100
