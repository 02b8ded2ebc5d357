"""`skiff stack:update`: what it says, what it replaces, and that it leaves the old stack whole when it does not end."""
import hashlib
import io
import json
import re
import shutil
import signal
import subprocess
import tarfile

import pytest

from support.instance import BINARY, Instance, missing, processes_with, wait_for

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))


def blob(layout, digest):
    return layout / "blobs" / "sha256" / digest.removeprefix("sha256:")


def put(layout, document):
    data = json.dumps(document).encode()
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    blob(layout, digest).write_bytes(data)
    return {"digest": digest, "size": len(data)}


def add_older_registry(tar_file, package, version):
    """Appends a registry of packages in which one has that version: the last entry of a name counts."""
    name = "./var/lib/dpkg/status"
    with tarfile.open(tar_file) as tar:
        member = tar.getmember(name)
        status = tar.extractfile(member).read().decode()
    status, count = re.subn(rf"(?m)^(Package: {package}\n(?:.+\n)*?Version: ).*$", rf"\g<1>{version}", status)
    assert count == 1
    member.size = len(status.encode())
    with tarfile.open(tar_file, "a") as tar:
        tar.addfile(member, io.BytesIO(status.encode()))


def make_older(layout, package, version):
    """As if the stack had been made before Debian had the present version. Its files may have names elsewhere: only new
    ones are written."""
    index = json.loads((layout / "index.json").read_text())
    entry = next(m for m in index["manifests"] if m["annotations"]["org.opencontainers.image.ref.name"] == "build")
    manifest = json.loads(blob(layout, entry["digest"]).read_text())
    config = json.loads(blob(layout, manifest["config"]["digest"]).read_text())
    copy = layout / "older.tar"
    shutil.copyfile(blob(layout, manifest["layers"][-1]["digest"]), copy)
    add_older_registry(copy, package, version)
    with open(copy, "rb") as file:
        digest = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
    manifest["layers"][-1].update(digest=digest, size=copy.stat().st_size)
    copy.rename(blob(layout, digest))
    config["rootfs"]["diff_ids"][-1] = digest
    manifest["config"].update(put(layout, config))
    entry.update(put(layout, manifest))
    fresh = layout / "index.json.fresh"
    fresh.write_text(json.dumps(index))
    fresh.rename(layout / "index.json")


def makers(skiff):
    """Processes that make a stack for the instance's update."""
    return processes_with(f"{skiff.data}/stack-update/make-")


def run_pod(skiff, name, tag, script):
    skiff.kubectl("run", name, f"--image=skiff.local/stack:{tag}", "--restart=Never", "--command", "--", "bash", "-c", script)
    assert wait_for(lambda: skiff.kubectl("get", "pod", name, "-o", "jsonpath={.status.phase}").stdout
                    in ("Running", "Succeeded"), 180)


def test_an_update_says_what_changed_and_what_runs_stays(tmp_path):
    skiff = Instance(tmp_path / "data")
    skiff.env["SKIFF_MACHINE"] = str(tmp_path / "machine")
    layout = skiff.data / "images" / "stack"
    try:
        skiff.up()
        make_older(layout, "jq", "1.6-2.1~older1")
        # The smallest of the layers: it is made twice.
        run_pod(skiff, "old", "build-node", "while sleep 1; do node -e 'console.log(6 * 7)'; done")
        before = (layout / "index.json").read_bytes()
        stopped = subprocess.Popen([BINARY, "stack:update"], env=skiff.env, stderr=subprocess.PIPE, text=True)
        assert wait_for(lambda: (skiff.data / "stack-update" / "apt").exists())
        stopped.send_signal(signal.SIGINT)
        assert "the stack stays as it is: the update was stopped" in stopped.communicate(timeout=60)[1]
        assert not (skiff.data / "stack-update").exists()
        killed = subprocess.Popen([BINARY, "stack:update"], env=skiff.env, stdout=subprocess.PIPE, text=True)
        assert wait_for(lambda: makers(skiff), 120)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert wait_for(lambda: not makers(skiff)), makers(skiff)
        assert (layout / "index.json").read_bytes() == before
        said = skiff.skiff("stack:update", timeout=900).stdout
        assert re.search(r"(?m)^jq 1\.6-2\.1~older1 → \S+$", said), said
        assert said.splitlines()[-1].startswith("The stack is new"), said
        assert "Making the stack layer node: " in said, said
        assert not (skiff.data / "stack-update").exists()
        before = (layout / "index.json").read_bytes()
        assert "Nothing changed" in skiff.skiff("stack:update").stdout
        assert (layout / "index.json").read_bytes() == before
        seen = skiff.kubectl("logs", "old").stdout
        assert wait_for(lambda: len(skiff.kubectl("logs", "old").stdout) > len(seen))
        assert set(skiff.kubectl("logs", "old").stdout.split()) == {"42"}
        run_pod(skiff, "new", "build-node", "grep -A9 '^Package: jq$' /var/lib/dpkg/status; node --version")
        text = wait_for(lambda: "\nv18." in (log := skiff.kubectl("logs", "new").stdout) and log)
        assert "older1" not in text and "Version: 1.6" in text
        other_takes_it_over(tmp_path / "other", tmp_path / "machine", json.loads(before))
    finally:
        skiff.close()


def other_takes_it_over(data, machine, index):
    other = Instance(data)
    other.env["SKIFF_MACHINE"] = str(machine)
    try:
        other.up()
        make_older(other.data / "images" / "stack", "jq", "1.6-2.1~older2")
        said = other.skiff("stack:update").stdout
        assert "Taking the stack that another instance's update made" in said and "older2 → " in said, said
        assert json.loads((other.data / "images" / "stack" / "index.json").read_text()) == index
    finally:
        other.close()
