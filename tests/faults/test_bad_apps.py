"""Apps that misbehave: what happens to them has an end, and the pods that were good go on serving."""
import time

import pytest

from faults_kit import SERVER, Repeat, deployment, expose
from support.instance import wait_for

APPS = "/apis/apps/v1/namespaces/bad/deployments"
CRASHES = "die \"no luck\\n\""
NEVER_BINDS = "$SIG{TERM} = sub { exit 0 }; sleep 1 while 1"
DEAF = "$SIG{TERM} = 'IGNORE'; sleep 1 while 1"


@pytest.fixture(scope="module")
def world(instance):
    instance.namespace("bad")
    yield instance
    instance.drop_namespace("bad")


@pytest.fixture
def web(world):
    """Two good pods behind the edge, that must be serving at the end too."""
    world.api.create(APPS, deployment("web", SERVER, 2, "good", progressDeadlineSeconds=4))
    expose(world.api, "bad", "web", "bad.test")
    world.wait_ready("bad", "web", 2)
    assert world.serves("bad.test", "good")

    def serves(_):
        assert world.fetch("bad.test") == (200, "good")
    reader = Repeat(serves, 0.01)
    yield world
    reader.finish()
    for path in (f"{APPS}/web", "/api/v1/namespaces/bad/services/web",
                 "/apis/networking.k8s.io/v1/namespaces/bad/ingresses/web"):
        world.api.request("DELETE", path)
    assert wait_for(lambda: world.pods("bad") == [], 30)
    assert reader.errors == [] and len(reader.done) > 20


def roll_out(world, script):
    template = deployment("web", script, 2, "bad")["spec"]["template"]
    template["spec"]["containers"][0]["readinessProbe"] = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    world.api.patch(f"{APPS}/web", {"spec": {"template": template}})


def progress(world):
    conditions = world.api.get(f"{APPS}/web")["status"].get("conditions", [])
    return next((c.get("reason") for c in conditions if c["type"] == "Progressing"), None)


def assert_stops_then_undo(world):
    """The rollout stops at its deadline with one new pod, kubectl says so, and undo brings the good state back."""
    good = {pod["metadata"]["uid"] for pod in world.ready_pods("bad", "web")}
    assert wait_for(lambda: progress(world) == "ProgressDeadlineExceeded", 20), progress(world)
    said = world.kubectl("-n", "bad", "rollout", "status", "deploy/web", "--timeout=10s", check=False)
    assert said.returncode != 0 and "exceeded its progress deadline" in said.stderr + said.stdout
    assert {pod["metadata"]["uid"] for pod in world.ready_pods("bad", "web")} == good
    assert len(world.pods("bad")) == 3
    world.kubectl("-n", "bad", "rollout", "undo", "deploy/web")
    said = world.kubectl("-n", "bad", "rollout", "status", "deploy/web", "--timeout=20s")
    assert "successfully rolled out" in said.stdout
    assert wait_for(lambda: {pod["metadata"]["uid"] for pod in world.pods("bad")} == good, 20)


def test_an_app_that_never_binds_its_port_does_not_replace_the_old_one(web):
    roll_out(web, NEVER_BINDS)
    assert_stops_then_undo(web)


def test_an_app_that_crashes_at_once_backs_off_and_does_not_replace_the_old_one(web):
    roll_out(web, CRASHES)

    def backs_off():
        for pod in web.pods("bad"):
            status = pod.get("status", {}).get("containerStatuses", [{}])[0]
            if status.get("state", {}).get("waiting", {}).get("reason") == "CrashLoopBackOff":
                return status
    status = wait_for(backs_off, 30)
    assert status and status["restartCount"] >= 1
    assert status["lastState"]["terminated"]["exitCode"] != 0
    assert_stops_then_undo(web)


def test_an_app_that_ignores_sigterm_is_killed_after_its_grace(world):
    world.api.create(APPS, deployment("deaf", DEAF, 1, grace=2))
    world.wait_ready("bad", "deaf", 1)
    before = len(world.monitors())
    begun = time.monotonic()
    world.api.request("DELETE", f"{APPS}/deaf", {"propagationPolicy": "Background"})
    assert wait_for(lambda: world.pods("bad") == [], 30)
    assert time.monotonic() - begun >= 2
    assert wait_for(lambda: len(world.monitors()) == before - 1, 10)
