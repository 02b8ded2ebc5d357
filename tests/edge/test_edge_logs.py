"""Router lines: soon, all of them, and honest about those that were lost."""
import time

from edge_kit import wait_for

GET = "GET /%d HTTP/1.1\r\nHost: shop.test\r\n\r\n"


def paths(sink):
    return [line.split('path="/')[1].split('"')[0] for line in sink.lines if "at=info" in line]


def test_lines_come_while_the_load_goes_on(edge, sink, backend):
    rig = edge({"ready": [backend().port]})
    count = 0
    # Fewer lines than the 64 KB after which a worker hands them on, at a pace that leaves it no pause.
    while not sink.lines and count < 300:
        assert rig.ask(GET % count)[0] == 200
        count += 1
        time.sleep(0.01)
    assert sink.lines
    assert wait_for(lambda: len(sink.lines) == count)
    assert paths(sink) == [str(n) for n in range(count)]


def test_lines_wait_for_a_platform_that_is_away(edge, sink, backend):
    rig = edge({"ready": [backend().port]})
    sink.statuses = [503, 401, 404]
    for n in range(5):
        rig.ask(GET % n)
    assert wait_for(lambda: len(sink.lines) == 5)
    assert paths(sink) == ["0", "1", "2", "3", "4"]


def test_lines_that_the_platform_will_never_take_are_counted(edge, sink, backend):
    rig = edge({"ready": [backend().port]})
    sink.statuses = [400]
    rig.ask(GET % 1)
    assert sink.line(r"Error L10 \(output buffer overflow\): 1 messages dropped since 20\d\d-")
    rig.ask(GET % 2)
    assert wait_for(lambda: paths(sink) == ["2"])


def test_lines_of_the_last_moment_are_delivered(edge, sink, backend):
    rig = edge({"ready": [backend().port]})
    for n in range(20):
        rig.ask(GET % n)
    assert rig.stop() == 0
    assert wait_for(lambda: len(sink.lines) == 20)


def test_a_platform_that_is_gone_does_not_keep_the_edge(edge, sink, backend):
    rig = edge({"ready": [backend().port]})
    sink.close()
    rig.ask(GET % 1)
    begun = time.monotonic()
    assert rig.stop() == 0
    assert time.monotonic() - begun < 10
