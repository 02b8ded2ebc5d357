"""One account of what became of a release: from the push, `releases`, `releases:info`, `ps` and kubectl alike."""
import json
import time

from platform_kit import SILENT, WEB, wait_for
from test_rollouts import push

# Answers whoever connects, in two halves; does not know of SIGPIPE.
GREETER = r"""
$SIG{TERM} = sub { exit 0 };
use IO::Socket;
my $s = IO::Socket::INET->new(LocalPort => $ENV{PORT}, Listen => 64, ReuseAddr => 1) or die;
while (1) {
  my $c = $s->accept or next;
  sysread $c, my $l, 4096;
  syswrite $c, "HTTP/1.1 200 OK\r\nConnection: close\r\n";
  select undef, undef, undef, 0.02;
  syswrite $c, "Content-Length: 2\r\n\r\nhi";
  close $c;
}
"""
# Ends with the first connection.
FRAIL = r"""
use IO::Socket;
my $s = IO::Socket::INET->new(LocalPort => $ENV{PORT}, Listen => 64, ReuseAddr => 1) or die;
my $c = $s->accept;
exit 4;
"""


def release(world, app, version=""):
    return json.loads(world.skiff("releases:info", *([version] if version else []), "-j", "-a", app).stdout)


def app_status(world, app):
    return world.kubectl("-n", app, "get", "apps", "--no-headers").stdout.split()[2]


def reaches(world, app, version, status):
    """True once the release has that status; the App's then says the same."""
    return (wait_for(lambda: release(world, app, version)["status"] == status, 90)
            and wait_for(lambda: app_status(world, app).lower() == status, 30))


def test_a_release_has_one_outcome_whoever_asks(world, tmp_path):
    folder = tmp_path / "one"
    world.push(folder, "one", {"web": WEB, "worker": SILENT})
    assert release(world, "one")["status"] == "succeeded"
    world.skiff("scale", "worker=1", "-a", "one")
    said = push(world, folder, {"web": WEB, "worker": "exit 3;\n"})
    assert " !     v3 does not come up: worker.1: exited with status 3" in said and "is up" not in said, said
    assert reaches(world, "one", "v3", "failed")
    for options in ([], ["-s"], ["-j"]):
        told = world.skiff("releases:info", *options, "-a", "one").stdout
        assert "worker.1: exited with status 3" in told and "erving" in told, told

    # Nothing that runs says nothing of it.
    world.skiff("scale", "web=0", "worker=0", "-a", "one")
    assert wait_for(lambda: world.dynos("one") == {})
    assert reaches(world, "one", "v3", "failed")
    assert release(world, "one", "v3")["message"] == "worker.1: exited with status 3"

    # Back to what came up, and judged when it runs.
    said = world.skiff("rollback", "-a", "one").stdout
    assert "Rolling back one to v2" in said and "v4 released; no dyno runs: skiff scale web=1 -a one" in said, said
    assert reaches(world, "one", "v4", "pending")
    world.skiff("scale", "web=1", "-a", "one")
    assert reaches(world, "one", "v4", "succeeded")

    world.skiff("scale", "web=0", "-a", "one")
    assert wait_for(lambda: world.dynos("one") == {})
    said = push(world, folder, {"web": "exit 7;\n", "worker": SILENT})
    assert "v5 released; no dyno runs: skiff scale web=1" in said and "is up" not in said, said
    world.skiff("scale", "web=1", "-a", "one")
    assert reaches(world, "one", "v5", "failed")
    assert release(world, "one", "v5")["message"] == "web.1: exited with status 7"


def test_a_server_that_answers_whoever_connects_survives_being_asked(world, tmp_path):
    folder = tmp_path / "greeter"
    world.push(folder, "greeter", {"web": GREETER})
    time.sleep(12)  # two probes
    assert world.fetch("greeter") == (200, "hi")
    assert "Process exited" not in world.logs("greeter")


def test_a_server_that_ends_with_its_first_connection_is_not_up(world, tmp_path):
    folder = tmp_path / "frail"
    world.push(folder, "frail", {"web": WEB})
    said = push(world, folder, {"web": FRAIL})
    assert "v3 does not come up: web.1: exited with status 4" in said and "is up" not in said, said
    assert release(world, "frail", "v3")["status"] == "failed"


def test_a_first_release_that_fails_has_no_way_back(world, tmp_path):
    folder = tmp_path / "first"
    folder.mkdir()
    world.push(folder, "first", {"web": SILENT})
    info = release(world, "first")
    assert info["status"] == "failed" and "Error R10 (Boot timeout) -> Web process failed to bind to $PORT" in info["message"]
    code, said = world.run("rollback", "-a", "first")
    assert code == 1 and "no earlier release that came up" in said, said
    said = push(world, folder, {"web": "exit 7;\n"})
    assert "Nothing serves now. See skiff logs -a first; no release before it came up" in said, said


def test_a_config_change_that_changes_nothing_says_so(world, shop):
    world.skiff("config:set", "SAME=1", "-a", "shop")
    version = release(world, "shop")["version"]
    for command in (["config:set", "SAME=1"], ["config:unset", "NO_SUCH_NAME"]):
        said = world.skiff(*command, "-a", "shop").stdout
        assert f"that is so already; shop stays at v{version}" in said and "restarting" not in said, said
    assert release(world, "shop")["version"] == version
    world.skiff("config:unset", "SAME", "-a", "shop")
