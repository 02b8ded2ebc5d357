"""The power goes right after Skiff said that something is done: it is done when the machine is back."""
import hashlib
import os
import pathlib
import subprocess

import pytest

from faults_kit import Instance, is_ready
from power import Disk, cut_power, end_all
from support import instance as support
from support.instance import wait_for

DISK_MB = 12000  # sparse
# Says which version it is, and whether the files that the node made for its pod hold anything.
APP = ("use IO::Socket; $SIG{TERM} = sub { exit 0 }; "
       "my $s = IO::Socket::INET->new(LocalPort => $ENV{PORT}, Listen => 9, ReuseAddr => 1) or die; "
       "open my $f, '<', 'version' or die; chomp(my $b = <$f>); "
       "-s $_ or $b = \"$_ is empty\" for qw(/etc/hosts /etc/hostname /etc/resolv.conf); "
       "while (1) { my $c = $s->accept or next; while (defined(my $l = <$c>)) { last if $l =~ /^\\r?$/ } "
       "print $c \"HTTP/1.1 200 OK\\r\\nContent-Length: \" . length($b) . \"\\r\\nConnection: close\\r\\n\\r\\n$b\"; "
       "close $c }")
CLAIMS = pathlib.Path(os.environ.get("SKIFF_MACHINE", "/var/lib/skiff-machine")) / "instances"


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    if support.missing():
        pytest.skip(support.missing())
    disk = Disk(tmp_path_factory.mktemp("power"), DISK_MB)
    disk.mount()
    yield disk
    disk.unmount()
    disk.image.unlink()


@pytest.fixture(scope="module")
def powered(disk, tmp_path_factory):
    """An instance on the disk, with an app, and the folder of its source."""
    made, name = Instance(disk.folder / "data"), None
    try:
        name = made.up().settings["id"]
        source = tmp_path_factory.mktemp("source")
        made.create_app(source, "kept", {"app.pl": APP, "Makefile": "all:\n\ttrue\n", "version": "one\n",
                                         "Procfile": "web: exec perl app.pl\n"})
        code, said = made.push(source)
        assert code == 0, said
        assert made.serves("kept.localhost", "one")
        yield made, source
    finally:
        made.remove()
        if name:
            end_all(made, name)  # of a test that failed in between


def repository(instance, app):
    return instance.data / "platform" / "git" / f"{app}.git"


def git_output(folder, *words):
    """Of a repository that may be another user's."""
    command = ["git", "-c", "safe.directory=*", "-C", folder, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def assert_whole(instance, app, branches, commit):
    """Its repository has these branches at the commit, and nothing is missing or damaged."""
    folder = repository(instance, app)
    git_output(folder, "fsck", "--full", "--strict", "--no-dangling")
    for branch in branches:
        assert git_output(folder, "rev-parse", f"refs/heads/{branch}") == commit, branch


def damaged_blobs(instance, app):
    blobs = instance.data / "images" / app / "blobs" / "sha256"
    return [blob.name for blob in blobs.iterdir() if hashlib.sha256(blob.read_bytes()).hexdigest() != blob.name]


def commit(instance, source, version):
    (source / "version").write_text(version + "\n")
    instance.git(source, "commit", "-qam", version).communicate(timeout=60)
    return git_output(source, "rev-parse", "HEAD")


def ready(instance):
    return sum(is_ready(pod) for pod in instance.pods("kept"))


def test_a_deployed_push_serves_after_a_power_cut(powered, disk):
    instance, source = powered
    pushed = commit(instance, source, "deployed")
    code, said = instance.push(source)
    cut_power(instance, disk)
    assert code == 0 and "is up" in said, said
    leftovers = [CLAIMS / "nobody.json.tmp22396-2", instance.data / "pki" / "ca.key.tmp22396-3"]
    for leftover in leftovers:
        leftover.write_text("{}")
    instance.up()
    assert_whole(instance, "kept", ["main"], pushed)
    assert damaged_blobs(instance, "kept") == []
    assert instance.serves("kept.localhost", "deployed", 60), instance.fetch("kept.localhost")
    assert not any(leftover.exists() for leftover in leftovers)
    commit(instance, source, "next")
    code, said = instance.push(source)
    assert code == 0, said
    assert instance.serves("kept.localhost", "next")


def test_dynos_come_back_with_their_files_after_a_power_cut(powered, disk):
    instance, _ = powered
    assert wait_for(lambda: instance.fetch("kept.localhost")[0] == 200, 60)
    _, version = instance.fetch("kept.localhost")
    instance.skiff("scale", "web=3", "-a", "kept")
    assert wait_for(lambda: ready(instance) == 3, 60), instance.pods("kept")
    cut_power(instance, disk)
    instance.up()
    assert instance.serves("kept.localhost", version, 60), instance.fetch("kept.localhost")
    assert wait_for(lambda: ready(instance) == 3, 60), instance.pods("kept")
    answers = {instance.fetch("kept.localhost") for _ in range(30)}
    instance.skiff("scale", "web=1", "-a", "kept")
    assert answers == {(200, version)}


def push_branch(instance, source, app, branch):
    pushing = instance.git(source, "push", f"http://localhost:{instance.http}/{app}.git", f"HEAD:{branch}")
    _, said = pushing.communicate(timeout=60)
    assert pushing.returncode == 0, said


def test_branches_that_are_kept_and_not_deployed_are_there_after_a_power_cut(powered, disk):
    """Nothing else syncs here: no release is written after git has taken them."""
    instance, source = powered
    pushed = commit(instance, source, "branch")
    branches = [f"topic{number}" for number in range(3)]
    for branch in branches:
        push_branch(instance, source, "kept", branch)
    cut_power(instance, disk)
    instance.up()
    assert_whole(instance, "kept", branches, pushed)


def test_an_app_that_was_made_takes_pushes_after_a_power_cut(powered, disk):
    instance, source = powered
    pushed = git_output(source, "rev-parse", "HEAD")
    instance.skiff("create", "made")
    cut_power(instance, disk)
    instance.up()
    push_branch(instance, source, "made", "topic")
    assert_whole(instance, "made", ["topic"], pushed)
