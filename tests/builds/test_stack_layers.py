"""Stack layers: a language's packages over the stack, made when an image asks for them. On a machine folder of its own."""
import contextlib
import json
import os
import signal

import pytest

from conftest import Builds
from support.instance import processes_with, wait_for

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
MAKING = 180  # seconds that a layer may take on a busy machine


@contextlib.contextmanager
def instance(data, machine):
    skiff = Builds(data)
    skiff.env["SKIFF_MACHINE"] = str(machine)
    try:
        yield skiff.up()
    finally:
        skiff.close()


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    return tmp_path_factory.mktemp("machine")


@pytest.fixture(scope="module")
def first(machine, tmp_path_factory):
    with instance(tmp_path_factory.mktemp("first"), machine) as skiff:
        yield skiff


def start(skiff, name, tag, script):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"},
           "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
                    "containers": [{"name": "main", "image": f"skiff.local/stack:{tag}",
                                    "command": ["bash", "-c", script]}]}}
    skiff.kubectl("apply", "-f", "-", stdin=json.dumps(pod))


def output(skiff, name):
    """What a pod printed, once it has ended."""
    ended = wait_for(lambda: skiff.kubectl("get", "pod", name, "-o", "jsonpath={.status.phase}").stdout
                     in ("Succeeded", "Failed"), MAKING)
    assert ended, skiff.kubectl("get", "pod", name, "-o", "yaml").stdout
    return skiff.kubectl("logs", name).stdout


def told(skiff, name):
    """What the pod's events say of stack layers, in order."""
    found = skiff.kubectl("get", "events", "--field-selector", f"involvedObject.name={name},reason=StackLayer", "-o",
                          "jsonpath={range .items[*]}{.metadata.name} {.message}{\"\\n\"}{end}").stdout
    return [line.split(" ", 1)[1] for line in sorted(found.splitlines())]


def test_a_build_has_both_sets_an_app_the_run_set_and_layers_combine(first):
    start(first, "both", "build-python", "python3 -m venv --without-pip /tmp/v && ls /usr/include/python3.11/Python.h && "
          "cat /usr/share/skiff/layers/python/run-programs && dpkg -s python3-venv 2>&1 | head -1; "
          "grep -c ^Package: /usr/share/skiff/layers/python/status-build")
    text = output(first, "both")
    assert "/usr/include/python3.11/Python.h" in text and "\npython3\n" in text, text
    assert int(text.split()[-1]) > 0
    start(first, "run", "run-python", "python3 -c 'import json, ssl, sqlite3; print(\"runs\")'; type cc || echo no compiler; "
          "id; ls /usr/share/skiff/layers")
    text = output(first, "run")
    assert "runs" in text and "no compiler" in text and "python" in text, text
    assert told(first, "run") == []  # made for the other one


def test_a_layer_without_a_recipe_is_refused_by_name(first):
    start(first, "unknown", "build-cobol", "true")
    message = wait_for(lambda: "no stack layer" in (text := first.kubectl(
        "get", "pod", "unknown", "-o", "jsonpath={.status.containerStatuses[0].state.waiting.message}").stdout) and text)
    assert message and 'there is no stack layer "cobol"; there are ' in message and "python" in message
    first.kubectl("delete", "pod", "unknown", "--now")


def test_the_next_instance_takes_a_ready_layer_over(first, machine, tmp_path):
    start(first, "made", "run-python", "true")
    output(first, "made")
    with instance(tmp_path / "data", machine) as second:
        start(second, "taken", "run-python", "python3 --version")
        assert "Python 3" in output(second, "taken")
        messages = told(second, "taken")
        assert len(messages) == 1 and messages[0].startswith("python: taken from this machine's ready layers"), messages


def makers(skiff):
    """Processes that make a layer of the instance."""
    return processes_with(f"{skiff.data}/node/images/making-")


def alter_a_byte(blob):
    with open(blob, "r+b") as file:
        file.seek(blob.stat().st_size // 2)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))


def test_a_maker_that_is_killed_leaves_nothing_and_the_layer_is_made_anew(tmp_path):
    with instance(tmp_path / "data", tmp_path / "machine") as skiff:
        start(skiff, "killed", "run-python", "python3 --version")
        start(skiff, "waits", "build-python", "python3 --version")  # for the same making
        assert wait_for(lambda: makers(skiff), MAKING)
        os.kill(skiff.role_pid("node"), signal.SIGKILL)
        assert wait_for(lambda: "Python 3" in output(skiff, "killed"))
        assert "Python 3" in output(skiff, "waits")
        made = [message for message in told(skiff, "killed") + told(skiff, "waits") if "made in" in message]
        assert 1 <= len(made) <= 2 and len(set(made)) == 1, made
        assert not makers(skiff)
        left = [path.name for path in (skiff.data / "node" / "images").iterdir() if path.name.startswith("making-")]
        assert left == []
        ready = [path.name for path in (tmp_path / "machine" / "layers").iterdir() if path.name != "lock"]
        assert len(ready) == 1 and ready[0].startswith("python-") and "partial" not in ready[0]
    entry = tmp_path / "machine" / "layers" / ready[0]
    alter_a_byte(entry / "blobs" / "sha256" / json.loads((entry / "layer.json").read_text())["run"].removeprefix("sha256:"))
    with instance(tmp_path / "other", tmp_path / "machine") as other:
        start(other, "altered", "run-python", "python3 --version")
        assert "Python 3" in output(other, "altered")
        assert ["taken" in told(other, "altered")[0], "made in" in told(other, "altered")[-1]] == [True, True]
