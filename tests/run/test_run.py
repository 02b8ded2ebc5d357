"""./run as a newcomer types it. The build is left out: scripts/build is an empty one beside a finished binary."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.request

import pytest

from support.instance import BINARY, STACK_CACHE, Instance, copy_stack, missing

ROOT = pathlib.Path(__file__).resolve().parents[2]
needs_instance = pytest.mark.skipif(missing() is not None, reason=str(missing()))


def run(script, **settings):
    env = {**os.environ, **{name: str(value) for name, value in settings.items()}}
    return subprocess.run([script], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)


def test_without_root_it_says_what_to_do():
    folder = pathlib.Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o755)
        shutil.copy(ROOT / "run", folder / "run")
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", str(folder / "run")],
                              capture_output=True, text=True)
    finally:
        shutil.rmtree(folder)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == "Skiff makes containers and networks, so ./run needs root: sudo ./run\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_without_disk_it_says_how_much_is_needed(tmp_path):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=10m", "tmpfs", str(tmp_path)], check=True)
    try:
        done = run(ROOT / "run", SKIFF_DATA=tmp_path)
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == (f"{tmp_path} has 10 MB free and Skiff needs 4096 MB: free some disk, or set SKIFF_DATA to "
                           "another folder.\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("port", ["http", "0", "65535", "123456", "-1"])
def test_a_bad_port_is_refused_before_anything_begins(tmp_path, port):
    done = run(ROOT / "run", SKIFF_DATA=tmp_path / "data", HTTPS_PORT=port)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == f'HTTPS_PORT is "{port}": give a number between 1 and 65534.\n'
    assert not (tmp_path / "data").exists()


@pytest.fixture
def tree(tmp_path):
    """The parts of the source that ./run uses, with a build that is done."""
    tree = tmp_path / "tree"
    (tree / "scripts").mkdir(parents=True)
    (tree / "build").mkdir()
    shutil.copy(ROOT / "run", tree / "run")
    for name in ("setup", "packages.sh"):
        shutil.copy(ROOT / "scripts" / name, tree / "scripts" / name)
    (tree / "scripts" / "build").write_text("#!/bin/sh\n")
    (tree / "scripts" / "build").chmod(0o755)
    (tree / "build" / "skiff").symlink_to(BINARY)
    shutil.copytree(ROOT / "examples" / "ipify", tree / "examples" / "ipify")
    return tree


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_the_data_folder_that_it_makes_is_its_owners_alone(tree, tmp_path):
    (tree / "scripts" / "setup").write_text("#!/bin/sh\nexit 3\n")
    before = os.umask(0)
    try:
        assert run(tree / "run", SKIFF_DATA=tmp_path / "data").returncode != 0
    finally:
        os.umask(before)
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


@pytest.fixture
def instance(tmp_path):
    instance = Instance(tmp_path / "data")
    copy_stack(STACK_CACHE, instance.data / "images" / "stack")
    try:
        yield instance
    finally:
        instance.close()


def begin_and_kill(script, mark, **settings):
    """Starts the script in a group of its own and kills all of that as soon as it says `mark`."""
    env = {**os.environ, **{name: str(value) for name, value in settings.items()}}
    process = subprocess.Popen([script], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, start_new_session=True)
    said = []
    for line in process.stdout:
        said.append(line)
        if mark in line:
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return "".join(said)


def answers(port):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Host": "ipify.localhost"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read() == b"127.0.0.1"


def live_port(done):
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ipify is live: " in done.stdout
    return int(done.stdout.split("http://ipify.localhost:")[1].split("/")[0])


@needs_instance
def test_it_takes_free_ports_survives_a_kill_and_runs_again(tree, instance):
    settings = {"SKIFF_DATA": instance.data, "HTTP_PORT": instance.http, "HTTPS_PORT": instance.https,
                "KUBE_PORT": instance.kube}
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", instance.http))
        holder.listen()
        said = begin_and_kill(tree / "run", "Deploying examples/ipify", **settings)
        assert f"Port {instance.http} is taken; HTTP uses " in said, said
        again = run(tree / "run", **settings)
        assert "Deploying" in again.stdout
        port = live_port(again)
        assert port != instance.http and answers(port)
    third = run(tree / "run", **settings)
    assert live_port(third) == port
    assert "Deploying" not in third.stdout
    # Its own port is somebody else's after a stop: the next free one, and the app is where it was.
    instance.skiff("down", "--data", str(instance.data))
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", port))
        holder.listen()
        moved = run(tree / "run", SKIFF_DATA=instance.data)
        assert f"Port {port} is taken; HTTP uses " in moved.stdout
        assert "Deploying" not in moved.stdout
        assert answers(live_port(moved))
