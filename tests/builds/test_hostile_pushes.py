"""Pushes by somebody who means harm: what reads them on the host has bounds, and no rights."""
import base64
import hashlib
import http.client
import json
import os
import pathlib
import struct
import subprocess
import zlib

from support.instance import wait_for

GIT_USER = 70001
MAKE = {"Procfile": "web: true\n", "Makefile": "all:\n\t@echo built\n"}
NONE = "0" * 40


def pack_head(kind, size):
    out = [(kind << 4) | (size & 15)]
    size >>= 4
    while size:
        out[-1] |= 0x80
        out.append(size & 0x7F)
        size >>= 7
    return bytes(out)


def number(value):
    out = []
    while True:
        out.append(value & 0x7F | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(out)


def object_id(kind, data):
    return hashlib.sha1(f"{kind} {len(data)}\0".encode() + data).digest()


def delta(of, result, copies, piece):
    """A delta that repeats the first `piece` bytes."""
    return number(of) + number(result) + (b"\xf0" + struct.pack("<I", piece)[:3]) * copies


def delta_bomb(times):
    """A few hundred bytes that unpack to `times` times 16 MB: deltas upon deltas."""
    base = bytes(65536)
    middle = 255 * 65535
    tree = b"100644 a\0" + object_id("blob", base)
    commit = b"tree " + object_id("tree", tree).hex().encode() + b"\nauthor a <a@a> 1 +0000\ncommitter a <a@a> 1 +0000\n\nx\n"
    first, second = delta(len(base), middle, 255, 65535), delta(middle, times * middle, times, middle)
    objects = [pack_head(3, len(base)) + zlib.compress(base), pack_head(2, len(tree)) + zlib.compress(tree),
               pack_head(1, len(commit)) + zlib.compress(commit),
               pack_head(7, len(first)) + object_id("blob", base) + zlib.compress(first),
               pack_head(7, len(second)) + object_id("blob", bytes(middle)) + zlib.compress(second)]
    pack = b"PACK" + struct.pack(">II", 2, len(objects)) + b"".join(objects)
    return object_id("commit", commit).hex(), pack + hashlib.sha1(pack).digest()


def send(skiff, app, commit, pack, ref="refs/heads/main"):
    """What the platform answers to a push made by hand."""
    line = f"{NONE} {commit} {ref}\0report-status side-band-64k".encode()
    body = f"{len(line) + 4:04x}".encode() + line + b"0000" + pack
    token = (skiff.data / "token").read_text().strip()
    asked = http.client.HTTPConnection("127.0.0.1", skiff.http, timeout=120)
    asked.request("POST", f"/{app.name}.git/git-receive-pack", body, {
        "Host": "localhost", "Content-Type": "application/x-git-receive-pack-request",
        "Authorization": "Basic " + base64.b64encode(b":" + token.encode()).decode()})
    return asked.getresponse().read().decode(errors="replace")


def releases(skiff, app):
    return skiff.skiff("releases", "-a", app.name).stdout


def test_a_pack_that_grows_without_end_is_stopped_at_its_memory(skiff):
    app = skiff.app(MAKE)
    with skiff.limits(gitMemoryMb=128):
        said = send(skiff, app, *delta_bomb(40))
    assert "git used more than 128 MB of memory on this push and was stopped" in said, said
    assert "Deploy" not in releases(skiff, app)
    assert "built" in app.push().said


def test_a_tree_is_not_deployed(skiff):
    app = skiff.app(MAKE)
    app.commit()
    for what in ("HEAD^{tree}", "HEAD:Procfile"):
        said = app.git("push", "skiff", f"{what}:refs/heads/main", check=False)
        # This git looks at the kind itself; others do not, so the push is made by hand too.
        assert said.returncode != 0
        wanted = app.git("rev-parse", what).stdout.strip()
        pack = subprocess.run(["git", "pack-objects", "--stdout", "-q"], input=app.git("rev-list", "--objects", "--no-object-names",
                              "HEAD").stdout.encode(), cwd=app.folder, capture_output=True, check=True, timeout=60).stdout
        said = send(skiff, app, wanted, pack)
        assert "and only commits are deployed" in said and "pre-receive hook declined" in said, said
    assert "Deploy" not in releases(skiff, app)


def test_an_annotated_tag_is_kept_but_never_deployed(skiff):
    app = skiff.app(MAKE)
    app.commit()
    app.git("tag", "-a", "v1", "-m", "one")
    refused = app.git("push", "skiff", "v1:refs/heads/main", check=False)
    assert refused.returncode != 0 and "main would become a tag, and only commits are deployed" in refused.stderr, refused.stderr
    assert "git push skiff 'TAG^{commit}:main'" in refused.stderr
    kept = app.git("push", "skiff", "v1")
    assert "refs/tags/v1 is kept but not deployed" in kept.stderr
    assert "Deploy" not in releases(skiff, app)
    assert app.git("push", "skiff", "v1^{commit}:refs/heads/main").returncode == 0
    assert "Deploy" in releases(skiff, app)


def test_what_git_will_reject_is_not_released(skiff):
    app = skiff.app(MAKE)
    app.commit()
    app.git("push", "skiff", "main:refs/heads/main/sub")
    pushed = app.push()
    assert not pushed.ok and "git does not take main:" in pushed.said, pushed.said
    assert "Deploy" not in releases(skiff, app)


def test_names_that_lead_out_of_the_tree_are_refused(skiff):
    app = skiff.app(MAKE)
    app.git("config", "core.protectNTFS", "false")
    for name in ("../../escaped", "..", "/tmp/escaped", ".git", "a/b"):
        blob = app.git("hash-object", "-w", "Makefile").stdout.strip()
        made = subprocess.run(["git", "hash-object", "-t", "tree", "-w", "--literally", "--stdin"], cwd=app.folder,
                              input=b"100644 " + name.encode() + b"\0" + bytes.fromhex(blob), capture_output=True, check=True)
        commit = app.git("commit-tree", made.stdout.decode().strip(), "-m", "x").stdout.strip()
        pushed = app.git("push", "-f", "skiff", f"{commit}:refs/heads/main", check=False)
        assert pushed.returncode != 0, (name, pushed.stderr)
    assert "Deploy" not in releases(skiff, app)


HAS_GROUPS = os.path.exists("/sys/fs/cgroup/memory") or os.path.exists("/sys/fs/cgroup/cgroup.controllers")


def of_the_push(app):
    """Processes that read a push: their user, capabilities and groups. Those of other instances are in other groups."""
    found, own = [], f"/skiff-{app.skiff.settings['id']}/git/" if HAS_GROUPS else ""
    for folder in pathlib.Path("/proc").iterdir():
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            status = (folder / "status").read_text()
            groups = (folder / "cgroup").read_text()
        except OSError:
            continue
        if words[0] in (b"git", b"curl") and f"Uid:\t{GIT_USER}" in status and own in groups:
            found.append((words[0].decode(), status, groups))
    return found


def test_git_and_the_hook_are_nobody(skiff):
    app = skiff.app({"Procfile": "web: true\n", "Makefile": "all:\n\t@echo waiting; sleep 600\n"})
    pushing = app.start_push()
    try:
        assert any("waiting" in line for line in pushing.stdout)
        found = of_the_push(app)
        assert {name for name, _, _ in found} == {"git", "curl"}
        for _, status, groups in found:
            assert "CapEff:\t0000000000000000" in status and "NoNewPrivs:\t1" in status, status
            assert not HAS_GROUPS or "/skiff-" in groups, groups
    finally:
        os.killpg(pushing.pid, 9)
        pushing.wait(30)
        pushing.stdout.close()
    assert wait_for(lambda: not of_the_push(app), 60)
    repository = skiff.data / "platform" / "git" / f"{app.name}.git"
    assert {path.lstat().st_uid for path in [repository, *repository.rglob("*")]} == {GIT_USER}


def test_only_a_hook_may_ask_for_a_build(skiff):
    app = skiff.app(MAKE)
    app.commit()
    asked = subprocess.run(["curl", "-sS", "--unix-socket", str(skiff.data / "platform" / "hook.sock"), "-X", "POST", "-d", "x",
                            f"http://skiff/build?app={app.name}&id=1&commit={'a' * 40}"], capture_output=True, text=True, timeout=60)
    assert "Only the hook of a push may ask for a build" in asked.stdout
    stranger = subprocess.run(["setpriv", "--reuid=70000", "--regid=70000", "--clear-groups", "curl", "-sS", "--unix-socket",
                               str(skiff.data / "platform" / "hook.sock"), "http://skiff/build"], capture_output=True, text=True,
                              timeout=60)
    assert stranger.returncode != 0


def test_a_repository_that_git_as_root_made_is_taken_over(skiff):
    app = skiff.app(MAKE)
    assert app.push().ok
    repository = skiff.data / "platform" / "git" / f"{app.name}.git"
    subprocess.run(["chown", "-R", "0:0", str(repository)], check=True)
    app.write({"more": "x"})
    pushed = app.push()
    assert pushed.ok, pushed.said
    assert {path.lstat().st_uid for path in [repository, *repository.rglob("*")]} == {GIT_USER}


def why_it_waits(skiff, pod):
    found = json.loads(skiff.kubectl("-n", "tenant", "get", "pod", pod, "-o", "json").stdout)
    waiting = found["status"].get("containerStatuses", [{}])[0].get("state", {}).get("waiting", {})
    return waiting.get("message", "") if "Pull" in waiting.get("reason", "") else ""


def test_an_apps_image_is_for_its_own_namespace(skiff):
    app = skiff.app(MAKE)
    assert app.push().ok
    image = skiff.kubectl("-n", app.name, "get", "deploy/web", "-o", "jsonpath={.spec.template.spec.containers[0].image}").stdout
    skiff.kubectl("create", "namespace", "tenant")
    names = {"tag": image, "digest": f"skiff.local/{app.name}@sha256:{'0' * 64}", "none": "skiff.local/nobodys-app:1"}
    for pod, name in names.items():
        skiff.kubectl("-n", "tenant", "run", pod, f"--image={name}", "--restart=Never", "--command", "--", "cat", "/app/Makefile")
    try:
        said = {pod: wait_for(lambda name=pod: why_it_waits(skiff, name), 30) for pod in names}
        assert f"there is no image {image} that pods of the namespace tenant may run" in said["tag"]
        assert "there is no image skiff.local/nobodys-app:1 that pods of the namespace tenant may run" in said["none"]
        assert "name the tag" in said["digest"]
    finally:
        skiff.kubectl("delete", "namespace", "tenant", "--wait=false")


def test_what_a_build_writes_beside_its_disk_is_bounded(skiff):
    app = skiff.app({"Procfile": "web: true\n", "Makefile": "all:\n\t@fallocate -l 300M /dev/termination-log; sleep 600\n"})
    pushed = app.push()
    assert not pushed.ok and "took more than 256 MB of the host's disk, and it was stopped" in pushed.said, pushed.said
