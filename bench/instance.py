"""A running Skiff for a benchmark: the tests' instance, with apps deployed by a push and an API client of Python."""
import contextlib
import http.client
import json
import pathlib
import shutil
import ssl
import subprocess
import sys
import time
import urllib.request

import common
sys.path.insert(0, str(common.ROOT / "tests"))
from support import instance as support

ROLES = ("control", "node", "platform", "edge")


def until(test, what, seconds=60, pause=0.1):
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError, subprocess.SubprocessError, ValueError):
            found = test()
            if found:
                return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(pause)


class Api:
    """The Kubernetes API with the administrator's certificate: one kept connection, for one thread."""

    def __init__(self, data, port):
        self.port, self.kept = port, None
        self.context = ssl.create_default_context(cafile=f"{data}/pki/ca.crt")
        self.context.load_cert_chain(f"{data}/pki/admin.crt", f"{data}/pki/admin.key")

    def send(self, connection, path, method="GET", body=None, kind="application/json"):
        connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": kind})
        answer = connection.getresponse()
        if answer.status >= 300:
            raise ValueError(f"{method} {path}: {answer.status} {answer.read().decode()[:500]}")
        return answer

    def connect(self):
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context, timeout=60)

    def call(self, *args, **options):
        if self.kept is None:
            self.kept = self.connect()
        try:
            return json.loads(self.send(self.kept, *args, **options).read())
        except (OSError, http.client.HTTPException) as error:
            self.kept = None
            raise ConnectionError(str(error)) from error

    def watch(self, path):
        """The lines of a watch, on a connection of its own."""
        return self.send(self.connect(), path)


class Instance(support.Instance):
    def __init__(self, folder):
        super().__init__(folder / "data")
        self.folder = folder

    def up(self):
        super().up()
        self.api = Api(self.data, self.kube)

    def git(self, *args, cwd):
        done = subprocess.run(["git", "-c", "user.name=bench", "-c", "user.email=bench@localhost", *args], cwd=cwd,
                              env=self.env, capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            raise RuntimeError(f"git {' '.join(args)}: {done.stderr}")

    def deploy_ipify(self, web=1):
        self.deploy("ipify", common.ROOT / "examples" / "ipify", web)

    def deploy(self, app, source, web=1):
        """Pushes a copy of the folder and waits until it answers; the repository is what comes back."""
        work = self.folder / app
        shutil.copytree(source, work)
        self.git("init", "-q", "-b", "main", ".", cwd=work)
        self.git("add", "-A", cwd=work)
        self.git("commit", "-qm", app, cwd=work)
        self.git("remote", "add", "skiff", f"http://localhost:{self.http}/{app}.git", cwd=work)
        self.skiff("create", app)
        token = pathlib.Path(self.data, "token").read_text().strip()
        self.env |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.extraHeader",
                     "GIT_CONFIG_VALUE_0": f"Authorization: Bearer {token}"}
        self.git("push", "-q", "skiff", "main", cwd=work)
        if web != 1:
            self.skiff("scale", f"web={web}", "-a", app)
        self.wait_pods(app, web)
        until(lambda: self.get(f"{app}.localhost") == 200, f"{app} answers through the edge")
        return work

    def get(self, host):
        request = urllib.request.Request(f"http://127.0.0.1:{self.http}/", headers={"Host": host})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status

    def pods(self, namespace):
        return self.api.call(f"/api/v1/namespaces/{namespace}/pods")["items"]

    def wait_pods(self, namespace, count):
        """Exactly `count` pods, all Ready."""
        def ready():
            pods = self.pods(namespace)
            return len(pods) == count and all(is_ready(pod) for pod in pods)
        until(ready, f"{count} ready pods in {namespace}")

    def role_pid(self, role):
        """The process of a role: a child of the supervisor."""
        supervisor = int(pathlib.Path(self.data, "run", "skiff.pid").read_text())
        children = " ".join(path.read_text() for path in pathlib.Path(f"/proc/{supervisor}/task").glob("*/children"))
        for pid in map(int, children.split()):
            with contextlib.suppress(OSError):
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if role.encode() in words[1:]:
                    return pid
        raise ValueError(f"no process of the role {role}")

    def remove(self):
        self.skiff("down", "--data", str(self.data), check=False)
        self.skiff("remove", "--data", str(self.data), check=False)


def is_ready(pod):
    if pod["metadata"].get("deletionTimestamp"):
        return False
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions", []))


@contextlib.contextmanager
def running_instance():
    if support.missing():
        sys.exit(f"This benchmark runs pods: {support.missing()}")
    common.need("git")
    with common.scratch("skiff-bench-") as folder:
        instance = Instance(folder)
        try:
            instance.up()
            yield instance
        finally:
            instance.remove()
