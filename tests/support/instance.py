"""A running `skiff up` of its own: own data directory, free ports, nothing left behind.

SKIFF_BINARY names the binary (default: build/skiff). The stack images are made once and kept in SKIFF_STACK_CACHE
(default: build/stack-cache), so that later instances start in a second.
"""
import contextlib
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("SKIFF_BINARY", str(ROOT / "build" / "skiff"))
STACK_CACHE = pathlib.Path(os.environ.get("SKIFF_STACK_CACHE", ROOT / "build" / "stack-cache"))


def missing():
    """Why no instance can run here, or None."""
    if os.geteuid() != 0:
        return "needs root"
    if not os.path.exists(BINARY):
        return f"{BINARY} is not built"
    if not shutil.which("kubectl"):
        return "kubectl is not installed"
    return None


def free_ports(count):
    """Below the range that the kernel gives to outgoing connections: one of those would take a port before `up` does."""
    found = []
    for port in random.sample(range(20000, 32768), 2000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            break
    return found


def wait_for(check, seconds=60):
    """The first true value of check(), or its last one when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        value = check()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(0.1)


def processes_with(words):
    """Pids whose command line holds `words`."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and words in (entry / "cmdline").read_text():
                found.append(int(entry.name))
    return found


def link_or_copy(source, target):
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def same_recipe(one, other):
    try:
        return (one / "recipe").read_text() == (other / "recipe").read_text()
    except OSError:
        return False


def copy_stack(source, target):
    if (source / "recipe").exists() and not same_recipe(source, target):
        partial = target.with_name(f"{target.name}.{os.getpid()}")
        partial.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, partial, copy_function=link_or_copy)
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)


class Instance:
    def __init__(self, data):
        self.data = pathlib.Path(data)
        self.http, self.https, kube = free_ports(3)
        # The platform listens beside the API port.
        self.kube = kube - 1 if kube % 2 else kube
        self.env = {**os.environ, "SKIFF_DATA": str(self.data), "KUBECONFIG": f"{self.data}/kubeconfig",
                    "HOME": str(self.data), "GIT_TERMINAL_PROMPT": "0",
                    "PATH": f"{os.path.dirname(BINARY)}:{os.environ['PATH']}"}

    @property
    def settings(self):
        return json.loads((self.data / "instance.json").read_text())

    def skiff(self, *args, check=True, timeout=300):
        done = subprocess.run([BINARY, *args], env=self.env, capture_output=True, text=True, timeout=timeout)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def up(self, *options):
        stack = self.data / "images" / "stack"
        copy_stack(STACK_CACHE, stack)
        self.skiff("up", "--data", str(self.data), "--http-port", str(self.http), "--https-port", str(self.https),
                   "--kube-port", str(self.kube), "--detach", *options, timeout=900)
        copy_stack(stack, STACK_CACHE)
        return self

    def kubectl(self, *args, check=True, stdin=None, cwd=None, timeout=90):
        done = subprocess.run(["kubectl", *args], env=self.env, cwd=cwd, input=stdin, capture_output=True, text=True,
                              timeout=timeout)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def close(self):
        """Stops the instance and takes its containers off the machine."""
        self.skiff("down", "--data", str(self.data), check=False)
        removed = self.skiff("remove", "--data", str(self.data), check=False)
        assert removed.returncode == 0, removed.stdout + removed.stderr
