"""Commands recorded with kubectl 1.32 against Kubernetes 1.32, run in order against Skiff. testdata/differences.txt lists
those that end otherwise, and why; an entry that no longer differs is an error."""
import json
import pathlib
import re
import shutil
import subprocess
import time

import pytest
import transcript
from conftest import client_version

DATA = pathlib.Path(__file__).parent / "testdata"
READS = ("get", "describe", "logs", "events", "rollout status", "rollout history", "diff", "auth", "wait", "explain")
SETTLE = 30  # seconds that a reading command has until it shows the recorded steady state


class Replay:
    def __init__(self, instance, folder):
        self.instance = instance
        self.folder = folder / "manifests"
        shutil.copytree(DATA / "manifests", self.folder)
        for path in self.folder.rglob("*.yaml"):
            path.write_text(self.ours(path.read_text()))
        self.node = instance.kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}").stdout
        self.node_word = re.compile(rf"(?<![\w.-]){re.escape(self.node)}(?![\w.-])")
        config = (instance.data / "kubeconfig").read_text().replace("skiff", "golden")
        config = config.replace("cluster: golden\n    user", "cluster: golden\n    namespace: shop\n    user")
        (folder / "kubeconfig").write_text(config)
        self.env = {**instance.env, "KUBECONFIG": str(folder / "kubeconfig")}

    @staticmethod
    def ours(text):
        return text.replace("localhost/bb", "skiff.local/bb").replace("localhost/nope", "skiff.local/nope")

    def theirs(self, text):
        text = text.replace("skiff.local/bb", "localhost/bb").replace("skiff.local/nope", "localhost/nope")
        return self.node_word.sub("node1", text)

    def command_line(self, text):
        if "<hash1>-<pod1>" in text:
            name = self.instance.kubectl("-n", "shop", "get", "pods", "-l", "app=web", "-o", "name").stdout.split()[0]
            text = text.replace("web-<hash1>-<pod1>", name.partition("/")[2])
        return self.ours(text).replace("node1", self.node)

    def run(self, command):
        env = {**self.env, "KUBE_EDITOR": command.get("editor", "false")}
        done = subprocess.run(["sh", "-c", self.command_line(command["command"])], cwd=self.folder, env=env, text=True,
                              input=self.ours(command.get("stdin", "")), capture_output=True, timeout=120)
        return done.returncode, self.theirs(done.stdout), self.theirs(done.stderr)

    def as_recorded(self, command, patience):
        """None, or what was printed instead."""
        reading = command["command"].removeprefix("kubectl ").startswith(READS)
        deadline = time.monotonic() + (patience if reading else 0)
        while True:
            code, out, err = self.run(command)
            if transcript.same(command, code, out, err):
                return None
            if time.monotonic() > deadline:
                return f"exit {code}\n{out}{err}"
            time.sleep(0.3)


def test_recorded_commands_end_as_recorded(instance, tmp_path):
    if client_version() != 32:
        pytest.skip("the outputs were recorded with kubectl 1.32; another one prints otherwise")
    replay = Replay(instance, tmp_path)
    known = transcript.read_differences((DATA / "differences.txt").read_text())
    wrong = []
    for command in json.loads((DATA / "commands.json").read_text()):
        n, line = command["n"], command["command"]
        printed = replay.as_recorded(command, 0 if n in known else SETTLE)
        if printed is None and n in known:
            wrong.append(f"{n}: {line}: listed as different ({known[n]}), but is as recorded")
        elif printed is not None and n not in known:
            wrong.append(f"{n}: {line}\n-- recorded: exit {command['exit']}\n{command['stdout']}{command['stderr']}"
                         f"-- here: {printed}")
    assert not wrong, f"{len(wrong)} commands:\n" + "\n\n".join(wrong)
