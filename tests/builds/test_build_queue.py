"""Builds that the machine's memory does not hold at once wait for each other, and are told their place."""
import json
import threading

import pytest
from support.instance import wait_for

SPARE = 450  # MB: for one build that asks for 300
HOLDER = "holder"


@pytest.fixture
def nearly_full(skiff):
    """A node with room for one build."""
    node = json.loads(skiff.kubectl("get", "nodes", "-o", "json").stdout)["items"][0]
    total = int(node["status"]["allocatable"]["memory"].removesuffix("Ki")) // 1024
    taken = sum(int(request.removesuffix("Mi")) for pod in
                json.loads(skiff.kubectl("get", "pods", "-A", "-o", "json").stdout)["items"]
                if pod["status"]["phase"] in ("Pending", "Running")
                for container in pod["spec"]["containers"]
                for request in [container["resources"].get("requests", {}).get("memory", "0Mi")])
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": HOLDER, "namespace": "default"},
           "spec": {"containers": [{"name": "pause", "image": "skiff.local/stack:run", "command": ["sleep", "600"],
                                    "resources": {"requests": {"memory": f"{total - taken - SPARE}Mi"}}}]}}
    skiff.kubectl("apply", "-f", "-", stdin=json.dumps(pod))
    skiff.kubectl("wait", "--for=condition=Ready", f"pod/{HOLDER}", "--timeout=60s")
    yield
    skiff.kubectl("delete", "pod", HOLDER, "--grace-period=0", "--force")


class Watched:
    """A push whose output is read as it comes."""

    def __init__(self, app):
        self.said = ""
        self.process = app.start_push()
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.said += line

    def says(self, text):
        assert wait_for(lambda: text in self.said, 60), self.said

    def end(self):
        code = self.process.wait(120)
        self.reader.join()
        return code


def test_a_build_without_room_is_told_its_place_and_again_when_it_moves(skiff, nearly_full):
    # Each goes on until the test lets it.
    apps = [skiff.app({"Makefile": "all:\n\t@echo it runs; until [ -e $(CURDIR)/../skiff/cache/go ]; do sleep 0.2; done\n",
                       "Procfile": "worker: true\n"}) for _ in range(3)]

    def let_go(app):
        (skiff.data / "platform" / "disks" / app.name / "cache" / "go").touch()

    with skiff.limits(memoryMb=600):
        first = Watched(apps[0])
        first.says("it runs")
        second = Watched(apps[1])
        second.says("; another build is before it")
        third = Watched(apps[2])
        third.says("; 2 other builds are before it")
        assert "waits for room" in second.said and "it runs" not in second.said + third.said
        let_go(apps[0])
        assert first.end() == 0, first.said
        assert wait_for(lambda: "it runs" in second.said or "it runs" in third.said, 60)
        going, waiting = (second, third) if "it runs" in second.said else (third, second)
        if going is second:
            third.says("; another build is before it")
        let_go(apps[1] if going is second else apps[2])
        assert going.end() == 0, going.said
        waiting.says("it runs")
        let_go(apps[2] if going is second else apps[1])
        assert waiting.end() == 0, waiting.said
