"""Black-box tests of the node agent alone: a real agent, real containers, a cluster in memory (rig.cc). Root only.

NODE_RIG names the binary (target node_rig); without it, or without root, these tests are skipped.
"""
import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import tarfile
import threading
import time

import pytest

PROGRAMS = ["bash", "sh", "cat", "sleep", "ls", "id", "touch", "head", "true", "false", "hostname", "mount",
            "unshare", "perl", "getent", "stat", "rm"]
MODULES = "/usr/lib/x86_64-linux-gnu/perl-base"


def libraries(program):
    out = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    return [word for line in out.splitlines() for word in line.split() if word.startswith("/")]


def write_image(layout, tag):
    """An image of a few programs of this machine: nothing to download."""
    blobs = layout / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    files = {}
    for name in PROGRAMS:
        path = shutil.which(name)
        if path is None:
            continue
        files["usr/bin/" + name] = os.path.realpath(path)
        for library in libraries(path):
            files[library.lstrip("/")] = os.path.realpath(library)
    for library in ("libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2"):
        path = "/lib/x86_64-linux-gnu/" + library
        if os.path.exists(path):
            files[path.lstrip("/")] = os.path.realpath(path)
    tar_path = layout / "layer.tar"
    with tarfile.open(tar_path, "w", dereference=True) as tar:
        for link in ("bin", "lib", "lib64"):
            info = tarfile.TarInfo(link)
            info.type, info.linkname = tarfile.SYMTYPE, "usr/" + link
            tar.addfile(info)
        for folder in ("usr", "usr/bin", "usr/lib", "usr/lib64", "tmp", "etc", "root"):
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(info)
        for name, source in sorted(files.items()):
            inside = name if name.startswith("usr/") else "usr/" + name
            tar.add(source, inside)
        if os.path.isdir(MODULES):
            tar.add(MODULES, MODULES.lstrip("/"))
        passwd = b"root:x:0:0::/root:/bin/sh\nweb:x:1000:1000::/:/bin/sh\n"
        group = b"root:x:0:\nadm:x:4:web\nweb:x:1000:\n"
        for name, text in (("etc/passwd", passwd), ("etc/group", group)):
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text))
    digest = hashlib.sha256(tar_path.read_bytes()).hexdigest()
    tar_path.rename(blobs / digest)

    def blob(document):
        data = json.dumps(document).encode()
        name = hashlib.sha256(data).hexdigest()
        (blobs / name).write_bytes(data)
        return {"digest": "sha256:" + name, "size": len(data)}

    config = blob({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/sh"]},
                   "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest]}})
    manifest = blob({"schemaVersion": 2, "config": config,
                     "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": "sha256:" + digest}]})
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [
        {**manifest, "annotations": {"org.opencontainers.image.ref.name": tag}}]}))


class Rig:
    def __init__(self, binary, data, instance, pods, services, inside=()):
        self.command = [*inside, binary, str(data), instance, pods, services]
        self.data, self.instance = data, instance
        self.objects = 0
        self.removed = False
        self.start()

    def start(self, *options):
        self.lines, self.seen = [], threading.Condition()
        self.process = subprocess.Popen([*self.command, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()
        self.wait_line("started", 10)

    def _read(self, process):
        for line in process.stdout:
            with self.seen:
                self.lines.append(line.rstrip("\n"))
                self.seen.notify_all()

    def send(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def wait_line(self, prefix, seconds, after=0):
        deadline = time.monotonic() + seconds
        with self.seen:
            while True:
                for line in self.lines[after:]:
                    if line == prefix or line.startswith(prefix + " "):
                        return line
                left = deadline - time.monotonic()
                assert left > 0, f"no line '{prefix}' within {seconds} s; got {self.lines[-5:]}"
                self.seen.wait(left)

    def put(self, *objects):
        self.objects += 1
        path = self.data / f"put-{self.objects}.json"
        path.write_text(json.dumps(list(objects)))
        self.send(f"put {path}")

    def pod(self, name):
        after = len(self.lines)
        self.send(f"pod default/{name}")
        return json.loads(self.wait_line("pod", 10, after)[4:])

    def get(self, path):
        after = len(self.lines)
        self.send(f"get {path}")
        return json.loads(self.wait_line("object", 10, after)[7:])

    def until(self, name, test, seconds=15):
        deadline = time.monotonic() + seconds
        while True:
            pod = self.pod(name)
            if pod and test(pod):
                return pod
            assert time.monotonic() < deadline, json.dumps(pod)[:2000]
            time.sleep(0.05)

    def wait_ready(self, name, seconds=10):
        return float(self.wait_line(f"ready default/{name}", seconds).split()[-1])

    def delete(self, name, grace=1, seconds=15):
        after = len(self.lines)
        self.send(f"delete default/{name} {grace}")
        self.wait_line(f"gone default/{name}", seconds, after)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def logs(self, name, container="c", attempt=0):
        path = self.data / "node" / "logs" / f"default_{name}_default-{name}-uid" / container / f"{attempt}.log"
        pieces = (line.split(" ", 3) for line in path.read_text().splitlines())
        return "".join(text + ("\n" if tag == "F" else "") for _, _, tag, text in pieces)

    def wait_log(self, name, text, seconds=10):
        deadline = time.monotonic() + seconds
        while text not in self.logs(name):
            assert time.monotonic() < deadline, self.logs(name)
            time.sleep(0.02)

    def monitors(self):
        """Pids of this instance's conmon processes."""
        out = []
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    command = (entry / "cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if command[0].endswith(b"conmon") and str(self.data).encode() in b" ".join(command):
                    out.append(int(entry.name))
        return out

    def remove(self):
        if self.removed:
            return
        self.removed = True
        if self.process.poll() is not None:
            self.start()
        self.send("remove")
        self.wait_line("removed", 30)
        self.process.wait(10)


@pytest.fixture(scope="session")
def image(tmp_path_factory):
    images = tmp_path_factory.mktemp("images")
    write_image(images / "tools", "1")
    return images


def instance_name(number):
    """Of this process and rig alone: cgroups are the machine's, whatever else runs on it. Names of links hold the
    first four characters, so those that differ come first."""
    digits, rest = "", os.getpid() * 2 + number
    while rest:
        digits, rest = digits + "0123456789abcdefghijklmnopqrstuvwxyz"[rest % 36], rest // 36
    return digits.ljust(5, "0")[:6]


def make_rig(tmp_path, image, instance, number, inside=()):
    """`inside` is a command that runs the rig's somewhere else and ends as it."""
    binary = os.environ.get("NODE_RIG")
    if not binary or os.geteuid() != 0:
        pytest.skip("needs root and NODE_RIG")
    data = tmp_path / instance
    data.mkdir()
    (data / "images").symlink_to(image)
    return Rig(binary, data, instance, f"10.{number}.0.0/16", f"10.{number + 1}.0.0/16", inside)


@pytest.fixture
def rig(tmp_path, image):
    rig = make_rig(tmp_path, image, instance_name(0), 220)
    yield rig
    rig.remove()
    assert rig.monitors() == []


@pytest.fixture
def second_rig(tmp_path, image):
    rig = make_rig(tmp_path, image, instance_name(1), 224)
    yield rig
    rig.remove()


def pod(name, command, **spec):
    """A pod of one container that runs a bash script."""
    container = {"name": "c", "image": "skiff.local/tools:1", "command": ["bash", "-c", command]}
    container.update(spec.pop("container", {}))
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"terminationGracePeriodSeconds": 2, "containers": [container], **spec}}


FOREVER = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.1; done"
SERVER = ("perl -MIO::Socket -e '$s=IO::Socket::INET->new(LocalPort=>8080,Listen=>9,ReuseAddr=>1);"
          "while($c=$s->accept){print $c \"hello from \".$ENV{HOSTNAME}.\"\\n\";close $c}'")
