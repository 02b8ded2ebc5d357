"""What every benchmark here shares: the machine, load by wrk, and pairs that alternate with a peer."""
import contextlib
import functools
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("SKIFF_BUILD", ROOT / "build"))
# A stopped benchmark cleans up too.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
FIRST_PORT = int(os.environ.get("SKIFF_BENCH_PORT", "22000"))


def say(text=""):
    print(text, flush=True)


@functools.cache
def machine():
    """The lines that tell where a figure was taken."""
    cpuinfo = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", cpuinfo)
    memory = int(re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) >> 20
    load = os.getloadavg()[0]
    return (f"{len(os.sched_getaffinity(0))} cores ({model[1] if model else 'unknown'}), {memory} GB, "
            f"Linux {os.uname().release}, load before the run {load:.2f}")


def need(*programs):
    missing = [name for name in programs if not shutil.which(name)]
    if missing:
        sys.exit(f"{sys.argv[0]} needs {', '.join(missing)} on the PATH (scripts/setup test installs them)")


def built(target):
    """The path of a bench executable; builds it when it is missing."""
    def find():
        return next((p for p in BUILD.rglob(target) if p.is_file() and os.access(p, os.X_OK)), None)
    if not find():
        if not (BUILD / "build.ninja").exists():
            sys.exit(f"{BUILD} is not configured: run scripts/build first, or name a build folder in SKIFF_BUILD")
        subprocess.run(["ninja", "-C", BUILD, target], check=True, stdout=subprocess.DEVNULL)
    return str(find())


class Ports:
    """Free ports of the benchmarks' own range."""
    next = FIRST_PORT

    @classmethod
    def take(cls):
        while True:
            cls.next += 1
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                with contextlib.suppress(OSError):
                    probe.bind(("127.0.0.1", cls.next))
                    return cls.next


@contextlib.contextmanager
def running(command, port=None, log=None):
    """A process for the length of a block; waits until `port` takes connections."""
    out = open(log, "ab") if log else subprocess.DEVNULL
    process = subprocess.Popen([str(word) for word in command], stdout=out, stderr=out)
    try:
        if port:
            wait_port(port, process)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_port(port, process=None, seconds=10):
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        if process is not None and process.poll() is not None:
            sys.exit(f"{shlex.join(process.args)} ended with {process.returncode} before it took connections")
        if time.monotonic() > deadline:
            sys.exit(f"nothing answers on port {port} after {seconds} s")
        time.sleep(0.02)


def milliseconds(text):
    found = re.match(r"([\d.]+)(us|ms|s|m)$", text)
    if not found:
        sys.exit(f"wrk printed the time {text!r}")
    return float(found[1]) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[found[2]]


def cpu_seconds(pid):
    """CPU time of a process and its children that run."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0]) / 1e9
        total += sum(cpu_seconds(child) for child in (task / "children").read_text().split())
    return total


def wrk(url, seconds, connections, host=None, script=None):
    """One run of wrk: requests/s, p50 and p99 in ms, requests, and what failed."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency", "--timeout", "10"]
    if host:
        command += ["-H", f"Host: {host}"]
    if script:
        command += ["-s", str(script)]
    before = sum(os.times()[2:4])
    text = subprocess.run([*command, url], capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    if " 0 requests in" in text:
        sys.exit(f"no request was answered: {shlex.join([*command, url])}\n{text}")
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    non_2xx = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return {"rps": float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]),
            "p50": milliseconds(re.search(r"^ +50% +(\S+)", text, re.M)[1]),
            "p99": milliseconds(re.search(r"^ +99% +(\S+)", text, re.M)[1]),
            "requests": int(re.search(r"(\d+) requests in", text)[1]),
            "failed": (sum(map(int, errors.groups())) if errors else 0) + (int(non_2xx[1]) if non_2xx else 0),
            "wrk_cpu": sum(os.times()[2:4]) - before,
            "command": shlex.join([*command, url]), "text": text}


def rounds(count, runs):
    """Runs each of `runs` (name → function) once a round, in an order that turns; gives name → list of results.

    Turning the order spreads what the machine does besides over all of them.
    """
    results = {name: [] for name in runs}
    names = list(runs)
    for number in range(count):
        for name in names[number % len(names):] + names[:number % len(names)]:
            results[name].append(runs[name]())
    return results


def ratio_of_pairs(ours, theirs):
    """Median of the ratios of runs of the same round."""
    return statistics.median(a / b for a, b in zip(ours, theirs))


def median(values):
    return statistics.median(values)


def table(header, rows):
    """A Markdown table."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def fragment(title, text):
    """The part to paste into docs/performance.md."""
    say("\n--- for docs/performance.md ---")
    say(f"### {title}\n\n{time.strftime('%Y-%m-%d', time.gmtime())}, {machine()}\n\n{text}")


@contextlib.contextmanager
def scratch(prefix="skiff-bench-"):
    with tempfile.TemporaryDirectory(prefix=prefix) as folder:
        yield pathlib.Path(folder)
