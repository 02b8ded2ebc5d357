"""What pushes that were cut, destroyed apps and killed roles take of the disk goes again."""
import contextlib
import os
import pathlib
import time

import pytest

from faults_kit import kill, parent_of
from support.instance import wait_for

LEFTOVERS = ("tmp_", "incoming-", ".tmp-")


def leftovers(repository):
    return [name for folder, folders, files in os.walk(repository) for name in folders + files
            if name.startswith(LEFTOVERS) or name.endswith(".lock")]


def family(pid):
    """A process and what it has started: as Ctrl-C ends them."""
    children = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                children.setdefault(parent_of(entry), []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def restart_platform(instance):
    old = instance.roles()["platform"]
    kill(old)
    assert wait_for(lambda: instance.roles().get("platform", old) != old, 30)
    assert wait_for(lambda: instance.skiff("apps", check=False).returncode == 0, 60)


@pytest.fixture(scope="module")
def app(instance, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept")
    instance.create_app(folder, "kept", {"index.html": "kept\n"})
    code, words = instance.push(folder)
    assert code == 0, words
    yield folder
    instance.drop_namespace("kept")


def repository(instance, name):
    return instance.data / "platform" / "git" / f"{name}.git"


def test_a_cut_upload_leaves_nothing_and_the_next_push_works(instance, app):
    (app / "large").write_bytes(os.urandom(64_000_000))
    instance.git(app, "add", "-A").communicate(timeout=60)
    instance.git(app, "commit", "-qm", "large").communicate(timeout=60)
    pushing = instance.git(app, "push", "skiff", "main")
    assert wait_for(lambda: leftovers(repository(instance, "kept")) or pushing.poll() is not None, 60)
    for pid in family(pushing.pid):
        kill(pid)
    pushing.communicate(timeout=30)
    assert wait_for(lambda: leftovers(repository(instance, "kept")) == [], 60), leftovers(repository(instance, "kept"))
    instance.git(app, "reset", "-q", "--hard", "HEAD~1").communicate(timeout=30)
    instance.git(app, "commit", "--allow-empty", "-qm", "more").communicate(timeout=30)
    assert wait_for(lambda: instance.push(app)[0] == 0, 60)


def test_a_lock_of_a_git_that_was_killed_does_not_refuse_pushes_for_ever(instance, app):
    lock = repository(instance, "kept") / "refs/heads/main.lock"
    lock.touch()
    os.utime(lock, (time.time() - 100,) * 2)
    restart_platform(instance)
    assert wait_for(lambda: not lock.exists(), 60)
    instance.git(app, "commit", "--allow-empty", "-qm", "more").communicate(timeout=30)
    assert wait_for(lambda: instance.push(app)[0] == 0, 60)


def test_what_a_destroyed_app_took_is_gone(instance, tmp_path):
    instance.create_app(tmp_path, "gone", {"index.html": "gone\n"})
    code, words = instance.push(tmp_path)
    assert code == 0, words
    places = [repository(instance, "gone"), instance.data / "platform/cache/gone.img", instance.data / "images/gone",
              instance.data / "platform/build-output/gone"]
    assert all(place.exists() for place in places)
    instance.skiff("apps:destroy", "-a", "gone", "--confirm", "gone")
    assert wait_for(lambda: not any(place.exists() for place in places), 90), [p for p in places if p.exists()]
    assert list((instance.data / "platform/git").glob(".removing-*")) == []


def test_what_a_killed_platform_left_of_apps_goes_at_its_next_start(instance, app):
    garbage = [repository(instance, "forgotten"), instance.data / "platform/build-output/forgotten"]
    for folder in garbage:
        folder.mkdir(parents=True)
        os.utime(folder, (time.time() - 3600,) * 2)
    (instance.data / "images/operators-own").mkdir()
    os.utime(instance.data / "images/operators-own", (time.time() - 3600,) * 2)
    restart_platform(instance)
    assert wait_for(lambda: not any(folder.exists() for folder in garbage), 60)
    assert (instance.data / "images/operators-own").exists()
    assert repository(instance, "kept").exists() and (instance.data / "images/kept").exists()


def test_nothing_in_the_data_folder_is_open_to_others(instance, app):
    assert (instance.data / "images/stack").exists()
    for path in instance.data.iterdir():
        if path.name.startswith("."):
            continue  # it is also HOME of the tests' clients: kubectl keeps its cache there
        assert path.stat().st_mode & 0o077 == 0, f"{path} is {path.stat().st_mode & 0o777:o}"
