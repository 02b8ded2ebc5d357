"""A full disk under the data directory: clear errors, reads go on, and all is well when there is room again."""
import contextlib
import shutil
import sqlite3
import subprocess

import pytest

from faults_kit import SERVER, Instance, deployment, expose
from support import instance as support
from support.instance import wait_for

DISK_MB = 1200
MAPS = "/api/v1/namespaces/full/configmaps"


@pytest.fixture
def small_disk(tmp_path):
    if support.missing():
        pytest.skip(support.missing())
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "skiff-test", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder):
    """Takes every block that is left."""
    with open(folder / "ballast", "wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * size)
    return folder / "ballast"


def test_a_full_disk_refuses_writes_clearly_and_recovers(small_disk):
    made = Instance(small_disk / "data")
    if (support.STACK_CACHE / "recipe").exists():
        # Beside the small disk: this test is about the store, not about the size of images.
        stack = small_disk.parent / "stack"
        shutil.copytree(support.STACK_CACHE, stack, copy_function=support.link_or_copy)
        (made.data / "images").mkdir(parents=True)
        (made.data / "images" / "stack").symlink_to(stack)
    else:
        pytest.skip("no stack images are cached")
    try:
        made.up()
        check(made, small_disk)
    finally:
        made.remove()


def check(made, disk):
    made.namespace("full")
    made.api.create("/apis/apps/v1/namespaces/full/deployments", deployment("web", SERVER, 1, "still here"))
    expose(made.api, "full", "web", "full.test")
    made.wait_ready("full", "web", 1)
    assert made.serves("full.test", "still here")
    made.api.create(MAPS, {"metadata": {"name": "before"}})

    ballast = fill(disk)
    acknowledged, refused = write_until_refused(made)
    assert refused["kind"] == "Status" and refused["code"] >= 500
    assert "disk" in refused["message"] or "space" in refused["message"], refused
    names = {item["metadata"]["name"] for item in made.api.get(MAPS)["items"]}
    assert {"before", *acknowledged} <= names
    assert made.fetch("full.test") == (200, "still here")

    ballast.unlink()
    assert wait_for(lambda: created(made, "after"), 30)
    made.skiff("down", "--data", str(made.data))
    with contextlib.closing(sqlite3.connect(made.data / "store.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    made.up()
    names = {item["metadata"]["name"] for item in made.api.get(MAPS)["items"]}
    assert {"before", "after", *acknowledged} <= names
    assert made.serves("full.test", "still here")


def created(made, name):
    with contextlib.suppress(OSError):
        return made.api.request("POST", MAPS, {"metadata": {"name": name}})[0] in (201, 409)


def write_until_refused(made):
    """Names that were acknowledged, and the first Status that refuses one."""
    acknowledged = []
    for number in range(2000):
        status, answer = made.api.request("POST", MAPS, {"metadata": {"name": f"n{number}"},
                                                         "data": {"text": "x" * 20000}})
        if status != 201:
            return acknowledged, answer
        acknowledged.append(f"n{number}")
    raise AssertionError("a full disk takes 2,000 objects of 20 KB")
