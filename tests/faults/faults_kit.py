"""A whole Skiff for tests that break it: real processes, plain Deployments of the run stack, load while it happens."""
import contextlib
import http.client
import json
import os
import pathlib
import signal
import ssl
import subprocess
import threading
import time

from support import instance as support

ROLES = ("control", "node", "platform", "edge")
IMAGE = "skiff.local/stack:run"
# Answers with its name, ends at once on SIGTERM.
SERVER = ("$SIG{TERM} = sub { exit 0 }; use IO::Socket; "
          "my $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 64, ReuseAddr => 1) or die; "
          "while (1) { my $c = $s->accept or next; while (defined(my $l = <$c>)) { last if $l =~ /^\\r?$/ } "
          "my $b = \"$ENV{ANSWER}\"; print $c \"HTTP/1.1 200 OK\\r\\nContent-Length: \" . length($b) . "
          "\"\\r\\nConnection: close\\r\\n\\r\\n$b\"; close $c }")
COUNTER = ("$SIG{TERM} = sub { exit 0 }; $| = 1; my $n = 0; "
           "while (1) { print ++$n, \"\\n\"; select(undef, undef, undef, 0.01) }")


class Api:
    """The Kubernetes API as the administrator; a connection each call, so that any thread may call."""

    def __init__(self, data, port):
        self.port = port
        self.context = ssl.create_default_context(cafile=f"{data}/pki/ca.crt")
        self.context.load_cert_chain(f"{data}/pki/admin.crt", f"{data}/pki/admin.key")

    def request(self, method, path, body=None, kind="application/json", timeout=10):
        """Status and answer; OSError when the server can't be reached or goes away."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context, timeout=timeout)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": kind})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except http.client.HTTPException as error:
            raise ConnectionError(repr(error)) from error
        finally:
            connection.close()

    def get(self, path):
        status, answer = self.request("GET", path)
        assert status == 200, answer
        return answer

    def create(self, path, body):
        status, answer = self.request("POST", path, body)
        assert status == 201, answer
        return answer

    def patch(self, path, body):
        status, answer = self.request("PATCH", path, body, "application/merge-patch+json")
        assert status == 200, answer
        return answer


class Instance(support.Instance):
    def up(self):
        super().up()
        self.api = Api(self.data, self.kube)
        return self

    def supervisor(self):
        return int((self.data / "run" / "skiff.pid").read_text())

    def roles(self):
        """Role → process id, of those that run: not their children, which look like them until they exec."""
        found = {}
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                    if words[1:2] == ["role"] and str(self.data) in words:
                        found.setdefault(words[2], {})[int(entry.name)] = parent_of(entry)
        return {role: next(pid for pid, parent in pids.items() if parent not in pids) for role, pids in found.items()}

    def monitors(self):
        """The conmon processes of this instance: one a container."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                    if words[0].endswith(b"conmon") and str(self.data).encode() in b" ".join(words):
                        found.append(int(entry.name))
        return found

    def fetch(self, host, timeout=20):
        """Status and body through the edge."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=timeout)
        try:
            connection.request("GET", "/", headers={"Host": host})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except http.client.HTTPException as error:
            raise ConnectionError(repr(error)) from error
        finally:
            connection.close()

    def serves(self, host, text, seconds=30):
        def answers():
            with contextlib.suppress(OSError):
                return self.fetch(host) == (200, text)
        return support.wait_for(answers, seconds)

    def namespace(self, name):
        self.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
        account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
        assert support.wait_for(lambda: self.api.request("GET", account)[0] == 200, 20)

    def drop_namespace(self, name):
        self.api.request("DELETE", f"/api/v1/namespaces/{name}")
        assert support.wait_for(lambda: self.api.request("GET", f"/api/v1/namespaces/{name}")[0] == 404, 60)

    def pods(self, namespace):
        return self.api.get(f"/api/v1/namespaces/{namespace}/pods")["items"]

    def ready_pods(self, namespace, app):
        return [pod for pod in self.pods(namespace) if pod["metadata"]["labels"].get("app") == app and is_ready(pod)]

    def wait_ready(self, namespace, app, count, seconds=60):
        assert support.wait_for(lambda: len(self.ready_pods(namespace, app)) == count, seconds), self.pods(namespace)

    def git(self, folder, *arguments):
        """A running git of that folder that knows the instance's token."""
        token = (self.data / "token").read_text().strip()
        env = {**self.env, "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.extraHeader",
               "GIT_CONFIG_VALUE_0": f"Authorization: Bearer {token}"}
        return subprocess.Popen(["git", "-c", "user.name=t", "-c", "user.email=t@localhost", *arguments], cwd=folder,
                                env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def create_app(self, folder, name, files):
        """An app and its committed source in `folder`, ready to be pushed."""
        for file, text in files.items():
            (folder / file).write_text(text)
        self.skiff("create", name)
        address = f"http://localhost:{self.http}/{name}.git"
        for words in (["init", "-q", "-b", "main", "."], ["add", "-A"], ["commit", "-qm", "one"],
                      ["remote", "add", "skiff", address]):
            _, said = self.git(folder, *words).communicate(timeout=20)
            assert said == ""

    def push(self, folder):
        """The end of `git push`: its code, and what it said."""
        pushing = self.git(folder, "push", "skiff", "main")
        _, said = pushing.communicate(timeout=180)
        return pushing.returncode, said

    def remove(self):
        self.skiff("down", "--data", str(self.data), check=False)
        self.skiff("remove", "--data", str(self.data), check=False)


def parent_of(entry):
    return int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])


def is_ready(pod):
    if pod["metadata"].get("deletionTimestamp"):
        return False
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions", []))


def kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def deployment(name, script, replicas=1, answer="", grace=2, **spec):
    """A Deployment of one container that runs a perl script; it is never less than its replicas."""
    labels = {"app": name}
    container = {"name": "c", "image": IMAGE, "command": ["perl", "-e", script],
                 "env": [{"name": "ANSWER", "value": answer}]}
    if script == SERVER:
        container["readinessProbe"] = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    return {"metadata": {"name": name},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
                     "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}, **spec,
                     "template": {"metadata": {"labels": labels},
                                  "spec": {"terminationGracePeriodSeconds": grace, "containers": [container]}}}}


def expose(api, namespace, name, host):
    """A Service and an Ingress for the Deployment of that name."""
    api.create(f"/api/v1/namespaces/{namespace}/services", {
        "metadata": {"name": name}, "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]}})
    backend = {"service": {"name": name, "port": {"number": 80}}}
    api.create(f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses", {
        "metadata": {"name": name},
        "spec": {"rules": [{"host": host, "http": {"paths": [
            {"path": "/", "pathType": "Prefix", "backend": backend}]}}]}})


class Repeat(threading.Thread):
    """Calls `step(number)` again and again until finish(); the numbers whose call succeeded, and errors of others."""

    def __init__(self, step, pause=0.0):
        super().__init__(daemon=True)
        self.step, self.pause = step, pause
        self.done, self.errors, self.ending = [], [], threading.Event()
        self.start()

    def run(self):
        number = 0
        while not self.ending.is_set():
            try:
                self.step(number)
                self.done.append(number)
            except (OSError, AssertionError) as error:
                self.errors.append(repr(error))
                time.sleep(0.02)
            number += 1
            time.sleep(self.pause)

    def finish(self):
        self.ending.set()
        self.join(30)
        return self
