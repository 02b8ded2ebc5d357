"""Black-box tests of the edge alone: the real proxy with routes from a file (rig.cc), on loopback ports.

EDGE_RIG names the binary (target edge_rig); without it these tests are skipped.
"""
import os

import pytest

from edge_kit import ROUTE, Backend, LogSink, Rig


@pytest.fixture
def backend():
    """backend(serve) makes a pod."""
    made = []

    def make(serve=None):
        made.append(Backend(serve))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def sink():
    one = LogSink()
    yield one
    one.close()


@pytest.fixture
def edge(tmp_path, sink):
    """edge({route}..., limits={...}) starts an edge whose lines go to `sink`."""
    binary = os.environ.get("EDGE_RIG")
    if not binary:
        pytest.skip("EDGE_RIG is not set")
    started = []

    def start(*routes, **options):
        options.setdefault("log_port", sink.port)
        started.append(Rig(binary, tmp_path, [{**ROUTE, **one} for one in routes], **options))
        return started[-1]

    yield start
    for rig in started:
        if rig.process.poll() is None:
            rig.stop()
        assert rig.process.returncode == 0
