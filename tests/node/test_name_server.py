"""The cluster's name server and a client that takes all it can get."""
import contextlib
import socket
import struct

from test_silence import NAME_SERVER

MANY = 600


def query(name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    message = struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 1, 1)
    return struct.pack(">H", len(message)) + message


def connect(source):
    return socket.create_connection((NAME_SERVER, 53), timeout=10, source_address=(source, 0))


def test_a_client_that_holds_connections_open_keeps_none_from_the_others(rig):
    with contextlib.ExitStack() as held:
        for _ in range(MANY):
            held.enter_context(connect("10.220.0.1"))
        with connect(NAME_SERVER) as other:
            other.settimeout(20)
            other.sendall(query("cluster.local"))
            assert len(other.recv(2)) == 2, "the connection was closed without an answer"
