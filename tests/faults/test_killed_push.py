"""A role dies in the middle of a push: the push ends, with a word or with its release, and the next one works."""
import pytest

from faults_kit import kill
from support.instance import wait_for

APP = ("use IO::Socket; $SIG{TERM} = sub { exit 0 }; "
       "my $s = IO::Socket::INET->new(LocalPort => $ENV{PORT}, Listen => 9, ReuseAddr => 1) or die; "
       "while (1) { my $c = $s->accept or next; while (defined(my $l = <$c>)) { last if $l =~ /^\\r?$/ } "
       "print $c \"HTTP/1.1 200 OK\\r\\nContent-Length: 6\\r\\nConnection: close\\r\\n\\r\\npushed\"; close $c }")


def builds(instance):
    return [pod for pod in instance.pods("skiff-builds") if pod["metadata"]["labels"]["skiff.dev/app"] == "pushed"]


def build_runs(instance):
    return [pod for pod in builds(instance) if pod.get("status", {}).get("phase") == "Running"]


def change(instance, app):
    instance.git(app, "commit", "--allow-empty", "-qm", "more").communicate(timeout=20)


@pytest.fixture(scope="module")
def app(instance, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pushed")
    instance.create_app(folder, "pushed", {"app.pl": APP, "Makefile": "all:\n\tsleep 1\n",
                                           "Procfile": "web: exec perl app.pl\n"})
    yield folder
    instance.drop_namespace("pushed")


@pytest.mark.parametrize("role", ["control", "node", "platform", "edge"])
def test_a_push_ends_though_a_role_was_killed_and_the_next_one_works(instance, app, role):
    change(instance, app)
    pushing = instance.git(app, "push", "skiff", "main")
    assert wait_for(lambda: build_runs(instance), 60)
    killed = instance.roles()[role]
    kill(killed)
    _, said = pushing.communicate(timeout=90)
    assert wait_for(lambda: instance.roles().get(role, killed) != killed, 10)
    assert wait_for(lambda: instance.skiff("apps", check=False).returncode == 0, 20)
    if role in ("control", "node"):  # the others carry the push itself
        assert pushing.returncode == 0, said
    change(instance, app)

    def pushed():
        code, words = instance.push(app)
        # The build whose push was cut may still be on its way out.
        assert code == 0 or "push again when it has ended" in words, words
        return code == 0
    assert wait_for(pushed, 30)
    assert instance.serves("pushed.localhost", "pushed")
    assert wait_for(lambda: builds(instance) == [], 30), "a build pod is left behind"
