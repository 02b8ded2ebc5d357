"""One running Skiff for the tests of this folder that push. As root."""
import contextlib
import itertools
import json
import os
import pathlib
import shutil
import subprocess

import pytest

from support.instance import Instance, missing, wait_for

GIT = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com"]


class Builds(Instance):
    """An instance with apps to push."""

    def __init__(self, data):
        super().__init__(data)
        self.numbers = itertools.count(1)

    @property
    def gateway(self):
        """The host's address as pods see it: the first one of their range."""
        return self.settings["podRange"].split("/")[0].rsplit(".", 1)[0] + ".1"

    @contextlib.contextmanager
    def limits(self, **limits):
        """Other limits for the pushes in the block."""
        path = self.data / "platform" / "build-limits.json"
        path.write_text(json.dumps(limits))
        try:
            yield
        finally:
            path.unlink()

    def app(self, files, config=()):
        """A new app with a repository of these files, not committed yet."""
        app = App(self, f"app-{next(self.numbers)}")
        app.write(files)
        if config:
            self.skiff("config:set", *config, "-a", app.name)
        return app

    def build_pods(self):
        found = self.kubectl("get", "pods", "-A", "-l", "skiff.dev/build", "-o", "name").stdout.split()
        return found

    def role_pid(self, role):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            except OSError:
                continue
            if words[1:5] == ["role", role, "--data", str(self.data)]:
                return int(pid)
        return None


class App:
    def __init__(self, skiff, name):
        self.skiff, self.name = skiff, name
        self.folder = skiff.data / "apps" / name
        self.folder.mkdir(parents=True)
        self.git("init", "-q", "-b", "main", ".")
        made = subprocess.run(["skiff", "create", name], cwd=self.folder, env=skiff.env, capture_output=True, text=True,
                              timeout=60)
        assert made.returncode == 0, made.stderr

    @property
    def host(self):
        return f"{self.name}.localhost"

    def git(self, *args, check=True, timeout=300):
        done = subprocess.run([*GIT, *args], cwd=self.folder, env=self.skiff.env, capture_output=True, text=True,
                              timeout=timeout)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def write(self, files):
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-qm", "change", "--allow-empty")

    def push(self, *args):
        """Commits all and pushes; the pusher's view is in .said."""
        self.commit()
        return Pushed(self.git("push", *(args or ("skiff", "main")), check=False))

    def push_as(self, files, config=()):
        """A push of exactly these files, with this config for it alone. Tests of a language share an app so, which has fetched
        its tools and packages once."""
        for path in self.folder.iterdir():
            if path.name != ".git":
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        self.write(files)
        if config:
            self.skiff.skiff("config:set", *config, "-a", self.name)
        try:
            return self.push()
        finally:
            if config:
                self.skiff.skiff("config:unset", *(pair.split("=")[0] for pair in config), "-a", self.name)

    def start_push(self):
        self.commit()
        return subprocess.Popen(["git", "push", "skiff", "main"], cwd=self.folder, env=self.skiff.env, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

    def get(self, path="/", *options):
        done = subprocess.run(["curl", "-sS", "-m", "10", "-i", *options, "-H", f"Host: {self.host}",
                               f"http://127.0.0.1:{self.skiff.http}{path}"], capture_output=True, text=True, timeout=20)
        return done.stdout.replace("\r", "")

    def pod_says(self, command):
        """What a process of the app wrote once it ran `command` as its worker."""
        self.write({"Procfile": f"worker: {command}; echo 'that is all'; exec sleep 600\n"})
        pushed = self.push()
        assert pushed.ok, pushed.said
        self.skiff.skiff("scale", "worker=1", "-a", self.name)

        def lines():
            found = self.skiff.kubectl("-n", self.name, "logs", "deploy/worker", check=False).stdout.splitlines()
            return found[:-1] if found[-1:] == ["that is all"] else None

        said = wait_for(lines, 60)
        assert said is not None, self.skiff.kubectl("-n", self.name, "get", "pods", "-o", "yaml").stdout
        return said


class Pushed:
    def __init__(self, done):
        self.ok = done.returncode == 0
        self.said = "\n".join(line.removeprefix("remote: ").rstrip() for line in (done.stdout + done.stderr).splitlines())


@pytest.fixture(scope="session")
def skiff(tmp_path_factory):
    why = missing()
    if why:
        pytest.skip(why)
    made = Builds(tmp_path_factory.mktemp("builds"))
    made.up("--pod-egress", "open")  # some builds fetch from servers of the test, on this machine
    yield made
    for app in made.skiff("apps", check=False).stdout.split():
        made.kubectl("delete", "namespace", app, "--wait=false", check=False)
    wait_for(lambda: "No resources" in made.kubectl("get", "pods", "-A", check=False).stderr, 60)
    made.close()
