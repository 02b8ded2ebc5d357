"""What the tests of the edge share: the rig's process, backends of raw sockets, a raw client, a sink for log lines."""
import contextlib
import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import threading
import time

from support.instance import free_ports, wait_for

ROUTE = {"host": "", "name": "shop"}


def free_port():
    return free_ports(1)[0]


def response(body=b"ok", status="200 OK", headers=""):
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def reset(sock):
    """Closes with a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Wire:
    """A socket read by lines, heads and bodies."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = b""

    def fill(self):
        data = self.sock.recv(65536)
        self.buffer += data
        return bool(data)

    def take(self, size):
        while len(self.buffer) < size and self.fill():
            pass
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def line(self):
        while b"\n" not in self.buffer and self.fill():
            pass
        line, found, self.buffer = self.buffer.partition(b"\n")
        return line + found

    def head(self):
        """(first line, headers in lower case), or None at the end."""
        while b"\r\n\r\n" not in self.buffer:
            if not self.fill():
                return None
        text, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        lines = text.decode("latin-1").split("\r\n")
        return lines[0], {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}

    def chunks(self):
        body = b""
        while size := int(self.line().split(b";")[0], 16):
            body += self.take(size)
            self.line()
        while self.line().strip():
            pass
        return body

    def body(self, headers):
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self.chunks()
        return self.take(int(headers.get("content-length", 0)))

    def rest(self):
        with contextlib.suppress(ConnectionResetError):
            while self.fill():
                pass
        data, self.buffer = self.buffer, b""
        return data


class Backend:
    """A pod: `serve(wire, n)` handles connection n in a thread of its own. What it raises is ignored."""

    def __init__(self, serve=None):
        self.serve = serve or self.answer_all
        self.requests = []
        self.open = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.count = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                self.open.append(sock)
                self.count += 1
                threading.Thread(target=self.run, args=(sock, self.count), daemon=True).start()

    def run(self, sock, number):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            self.serve(Wire(sock), number)
        with contextlib.suppress(OSError):
            sock.close()

    def answer_all(self, wire, _):
        while head := wire.head():
            body = wire.body(head[1])
            self.requests.append((*head, body))
            wire.sock.sendall(response(b"%d" % self.port))

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for sock in self.open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class LogSink(Backend):
    """Takes POST /logs as the platform does. `statuses` are answered first, one a request."""

    def __init__(self):
        self.lines = []
        self.statuses = []
        super().__init__(self.take)

    def take(self, wire, _):
        while head := wire.head():
            body = wire.body(head[1])
            status = self.statuses.pop(0) if self.statuses else 200
            if status == 200:
                self.lines += self.frames(body)
            wire.sock.sendall(response(b"", f"{status} Status"))

    @staticmethod
    def frames(body):
        while body:
            size, _, body = body.partition(b" ")
            yield body[:int(size)].decode().rstrip("\n").split(" router - ", 1)[1]
            body = body[int(size):]

    def line(self, pattern):
        """The first line that matches, waited for."""
        return wait_for(lambda: next((one for one in list(self.lines) if re.search(pattern, one)), None))


class Rig:
    """The process. `open_files` limits its descriptors; other options go to its configuration."""

    def __init__(self, binary, folder, routes, open_files=None, **options):
        self.http = free_port()
        config = {"http": self.http, "routes": routes, **options}
        path = pathlib.Path(folder) / f"edge-{self.http}.json"
        path.write_text(json.dumps(config))
        limited = ["prlimit", f"--nofile={open_files}:{open_files}"] if open_files else []
        self.process = subprocess.Popen([*limited, binary, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        assert self.process.stdout.readline() == "ready\n"

    def route(self, *routes):
        self.process.stdin.write(json.dumps([{**ROUTE, **one} for one in routes]) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "routed\n"
        time.sleep(0.02)  # the workers take it up

    def connect(self):
        sock = socket.create_connection(("127.0.0.1", self.http), timeout=15)
        return Wire(sock)

    def send(self, text):
        wire = self.connect()
        wire.sock.sendall(text if isinstance(text, bytes) else text.encode("latin-1"))
        return wire

    def ask(self, text="GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n", method="GET"):
        """Sends raw bytes; (status, headers, body) of the one answer."""
        return read_answer(self.send(text), method)

    def memory(self):
        """Resident bytes."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) * 1024

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(timeout=20)


def read_answer(wire, method="GET"):
    head = wire.head()
    assert head, "the edge hung up without an answer"
    status = int(head[0].split()[1])
    empty = method == "HEAD" or status in (204, 304) or status < 200
    return status, head[1], b"" if empty else wire.body(head[1])
