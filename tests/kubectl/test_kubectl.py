"""kubectl against Skiff: what the recorded commands do not cover, and the manifests of the guides."""
import http.server
import json
import re
import subprocess
import threading
import time
import urllib.request

import pytest
from support.instance import ROOT, wait_for

HELLO = str(ROOT / "docs" / "guides" / "nginx-like-deployment.yaml")


@pytest.fixture
def space(instance, request):
    """A namespace for one test, gone afterwards."""
    name = request.node.name.removeprefix("test_").replace("_", "-")[:50].strip("-")
    instance.kubectl("create", "namespace", name)
    yield Space(instance, name)
    instance.kubectl("delete", "namespace", name, "--wait=false")


class Yes(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


def answers(address):
    try:
        return urllib.request.urlopen(f"http://{address}/", timeout=2).status == 200
    except OSError:
        return False


class Space:
    def __init__(self, instance, name):
        self.instance, self.name = instance, name

    def run(self, *args, **options):
        return self.instance.kubectl("-n", self.name, *args, **options)

    def out(self, *args, **options):
        return self.run(*args, **options).stdout

    def fails(self, *args, **options):
        done = self.run(*args, check=False, **options)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def apply(self, *objects):
        return self.out("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def start(self, *args):
        """A command that goes on; its lines are collected."""
        process = subprocess.Popen(["kubectl", "-n", self.name, *args], env=self.instance.env, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return Follower(process)


class Follower:
    def __init__(self, process):
        self.process, self.lines = process, []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def saw(self, text, seconds=20):
        return wait_for(lambda: any(text in line for line in list(self.lines)), seconds)

    def stop(self):
        self.process.kill()
        self.process.wait()


def config(name, data, **metadata):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}, "data": data}


def pod(name, script, **spec):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [
                {"name": "main", "image": "skiff.local/bb:1", "command": ["sh", "-c", script]}], **spec}}


def deployment(name, replicas=2, script="exec sleep 100000", tag="1"):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": {"app": name}},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
                     "template": {"metadata": {"labels": {"app": name}}, "spec": {
                         "terminationGracePeriodSeconds": 1, "containers": [
                             {"name": "main", "image": f"skiff.local/bb:{tag}", "command": ["sh", "-c", script]}]}}}}


def test_strict_validation_names_unknown_and_duplicate_fields(space):
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: odd}\ndata: {a: b}\ndatum: {}\n"
    assert 'unknown field "datum"' in space.fails("create", "-f", "-", "--validate=strict", stdin=text)
    warned = space.run("create", "-f", "-", "--validate=warn", stdin=text)
    assert 'Warning: unknown field "datum"' in warned.stderr
    # kubectl drops duplicates itself; sent as they are, the server sees them.
    path = f"/api/v1/namespaces/{space.name}/configmaps?fieldValidation="
    twice = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"twice"},"data":{"a":"b"},"data":{"a":"c"}}'
    assert 'duplicate field "data"' in space.fails("create", "--raw", path + "Strict", "-f", "-", stdin=twice)
    space.out("create", "--raw", path + "Ignore", "-f", "-", stdin=twice)
    assert space.out("get", "cm", "twice", "-o", "jsonpath={.data.a}") == "c"


def test_a_dry_run_stores_nothing(space):
    made = space.out("create", "configmap", "dry", "--from-literal=a=b", "--dry-run=server", "-o", "yaml")
    assert "uid:" in made
    assert "uid:" not in space.out("create", "configmap", "dry", "--from-literal=a=b", "--dry-run=client", "-o", "yaml")
    assert "NotFound" in space.fails("get", "configmap", "dry")


def test_apply_prunes_what_is_no_longer_in_the_files(space):
    label = {"labels": {"set": "one"}}
    for name in ("keep", "drop"):
        space.apply(config(name, {"a": "b"}, **label))
    out = space.out("apply", "-f", "-", "--prune", "-l", "set=one", "--prune-allowlist=core/v1/ConfigMap",
                    stdin=json.dumps(config("keep", {"a": "c"}, **label)))
    assert "configmap/drop pruned" in out
    assert space.out("get", "cm", "-l", "set=one", "-o", "name").split() == ["configmap/keep"]


def test_apply_merges_what_others_changed(space):
    space.apply(deployment("web"))
    space.out("scale", "deploy/web", "--replicas=1")
    space.out("set", "env", "deploy/web", "EXTRA=1")
    changed = deployment("web", tag="2")
    del changed["spec"]["replicas"]
    space.apply({**changed, "spec": {**changed["spec"], "revisionHistoryLimit": 3}})
    live = json.loads(space.out("get", "deploy", "web", "-o", "json"))["spec"]
    container = live["template"]["spec"]["containers"][0]
    assert live["revisionHistoryLimit"] == 3 and container["image"] == "skiff.local/bb:2"
    assert container["env"] == [{"name": "EXTRA", "value": "1"}]


def test_a_stale_replace_is_a_conflict(space):
    space.apply(config("c", {"a": "1"}))
    old = json.loads(space.out("get", "cm", "c", "-o", "json"))
    space.out("patch", "cm", "c", "--type=merge", "-p", '{"data":{"a":"2"}}')
    assert "the object has been modified" in space.fails("replace", "-f", "-", stdin=json.dumps(old))
    del old["metadata"]["resourceVersion"]
    assert "replaced" in space.out("replace", "-f", "-", stdin=json.dumps(old))


def test_watch_shows_changes_as_they_come(space):
    watch = space.start("get", "configmaps", "--watch", "-o", "name")
    events = space.start("get", "configmaps", "--watch", "--output-watch-events")
    try:
        assert watch.saw("kube-root-ca.crt") or watch.lines == []
        space.apply(config("seen", {"a": "b"}))
        space.out("delete", "cm", "seen")
        assert watch.saw("configmap/seen") and events.saw("ADDED") and events.saw("DELETED")
    finally:
        watch.stop()
        events.stop()


def test_logs_follow_tail_previous_and_since(space):
    space.apply(pod("talker", "for i in 1 2 3; do echo line $i; done; sleep 2; echo late; sleep 1000"),
                pod("dier", "echo last words; exit 1"))
    space.out("wait", "--for=condition=Ready", "pod/talker", "--timeout=30s")
    follow = space.start("logs", "-f", "talker")
    try:
        assert follow.saw("line 3") and follow.saw("late")
    finally:
        follow.stop()
    assert space.out("logs", "talker", "--tail=1") == "late\n"
    assert space.out("logs", "talker", "--limit-bytes=4") == "line"
    assert "line 1" in space.out("logs", "talker", "--since=1h")
    assert space.out("logs", "talker", "--since-time=2100-01-01T00:00:00Z") == ""
    stamped = space.out("logs", "talker", "--timestamps", "--tail=1").split(" ", 1)
    assert re.match(r"\d{4}-\d\d-\d\dT", stamped[0]) and stamped[1] == "late\n"
    assert wait_for(lambda: "last words" in space.run("logs", "dier", "--previous", check=False).stdout, 30)
    assert "previous terminated container" in space.fails("logs", "talker", "--previous")


def test_a_rollout_is_paused_resumed_and_taken_back(space):
    space.apply(deployment("web"))
    space.out("rollout", "status", "deploy/web", "--timeout=60s")
    space.out("rollout", "pause", "deploy/web")
    space.out("set", "image", "deploy/web", "main=skiff.local/bb:2")
    time.sleep(1)
    assert len(space.out("get", "rs", "-o", "name").split()) == 1
    space.out("rollout", "resume", "deploy/web")
    space.out("rollout", "status", "deploy/web", "--timeout=60s")
    space.out("rollout", "undo", "deploy/web")
    space.out("rollout", "status", "deploy/web", "--timeout=60s")
    images = "jsonpath={.items[*].spec.containers[0].image}"
    assert wait_for(lambda: space.out("get", "pods", "-o", images).split() == ["skiff.local/bb:1"] * 2, 20)
    assert len(space.out("rollout", "history", "deploy/web").strip().split("\n")) == 4


def test_a_bad_image_stops_the_rollout_with_enough_pods_left(space):
    space.apply(deployment("web", replicas=4))
    space.out("rollout", "status", "deploy/web", "--timeout=60s")
    space.out("patch", "deploy", "web", "-p", '{"spec":{"progressDeadlineSeconds":3}}')
    space.out("set", "image", "deploy/web", "main=skiff.local/bb:nope")
    assert "exceeded its progress deadline" in space.fails("rollout", "status", "deploy/web", "--timeout=60s")
    status = json.loads(space.out("get", "deploy", "web", "-o", "json"))["status"]
    assert status["availableReplicas"] == 3 and status["updatedReplicas"] == 2
    space.out("rollout", "undo", "deploy/web")
    assert "successfully rolled out" in space.out("rollout", "status", "deploy/web", "--timeout=60s")


def test_propagation_decides_what_goes_with_the_owner(space):
    space.apply(deployment("orphaned", 1), deployment("deep", 1))
    for name in ("orphaned", "deep"):
        space.out("rollout", "status", f"deploy/{name}", "--timeout=60s")
    space.out("delete", "deploy", "orphaned", "--cascade=orphan")
    space.out("delete", "deploy", "deep", "--cascade=foreground", "--timeout=60s")
    assert space.out("get", "rs,pods", "-l", "app=deep", "-o", "name") == ""
    assert len(space.out("get", "rs,pods", "-l", "app=orphaned", "-o", "name").split()) == 2


def test_grace_is_the_time_between_term_and_kill(space):
    stubborn = pod("stubborn", "trap '' TERM; echo up; while :; do sleep 0.1; done", terminationGracePeriodSeconds=60)
    space.apply(stubborn)
    space.out("wait", "--for=condition=Ready", "pod/stubborn", "--timeout=30s")
    space.out("delete", "pod", "stubborn", "--wait=false")
    assert "Terminating" in space.out("get", "pod", "stubborn")
    space.out("delete", "pod", "stubborn", "--grace-period=1", "--timeout=30s")
    assert "NotFound" in space.fails("get", "pod", "stubborn")


def test_a_service_account_has_the_rights_that_are_bound_to_it(space):
    space.out("create", "serviceaccount", "robot")
    space.out("create", "role", "reader", "--verb=get,list", "--resource=configmaps")
    space.out("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={space.name}:robot")
    token = space.out("create", "token", "robot").strip()
    # A client certificate in the kubeconfig would win over the token.
    plain = ["--kubeconfig=/dev/null", "--server", f"https://127.0.0.1:{space.instance.kube}",
             "--certificate-authority", str(space.instance.data / "pki" / "ca.crt"), "--token", token]
    assert "configmap/kube-root-ca.crt" in space.out(*plain, "get", "configmaps", "-o", "name")
    assert "is forbidden" in space.fails(*plain, "get", "secrets")
    assert "is forbidden" in space.fails(*plain, "create", "configmap", "x")
    assert f"system:serviceaccount:{space.name}:robot" in space.out(*plain, "auth", "whoami")
    account = f"--as=system:serviceaccount:{space.name}:robot"
    assert space.out("auth", "can-i", "list", "configmaps", account) == "yes\n"
    assert space.run("auth", "can-i", "delete", "configmaps", account, check=False).stdout == "no\n"
    space.out("delete", "rolebinding", "reader")
    assert "is forbidden" in space.fails(*plain, "get", "configmaps")


def test_create_makes_each_kind_from_a_command_line(space):
    for words in (["deployment", "d", "--image=skiff.local/bb:1"], ["service", "clusterip", "s", "--tcp=80:8080"],
                  ["configmap", "c", "--from-literal=a=b"], ["secret", "generic", "k", "--from-literal=a=b"],
                  ["ingress", "i", "--rule=x.localhost/*=s:80"], ["serviceaccount", "a"],
                  ["role", "r", "--verb=get", "--resource=pods"],
                  ["rolebinding", "b", "--role=r", "--serviceaccount=default:a"]):
        assert " created" in space.out("create", *words)
        assert "already exists" in space.fails("create", *words)


def test_top_says_that_there_are_no_metrics(space):
    assert "Metrics API not available" in space.fails("top", "pods")


def test_unserved_kinds_are_named(space):
    assert 'doesn\'t have a resource type "statefulsets"' in space.fails("get", "statefulsets")


def test_explain_knows_fields_and_types(space):
    assert "FIELD: minReadySeconds <integer>" in space.out("explain", "deployment.spec.minReadySeconds")
    assert "does not exist" in space.fails("explain", "deployment.spec.nope")


def test_a_large_object_is_refused_with_a_reason(space):
    refused = space.fails("create", "-f", "-", stdin=json.dumps(config("big", {"a": "x" * (10 << 20)})))
    assert "limit is 3145728" in refused or "too large" in refused.lower()


def test_a_node_port_and_an_address_lead_to_endpoints_that_a_user_wrote(space):
    node = space.out("get", "nodes", "-o", "jsonpath={.items[0].status.addresses[0].address}")
    server = http.server.HTTPServer((node, 0), Yes)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = {"port": server.server_port}
    space.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"},
                 "spec": {"type": "NodePort", "ports": [{"port": 80}]}},
                {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "db"},
                 "subsets": [{"addresses": [{"ip": node}], "ports": [port]}]})
    found = space.out("get", "service", "db", "-o", "jsonpath={.spec.clusterIP} {.spec.ports[0].nodePort}").split()
    for address in (f"{found[0]}:80", f"{node}:{found[1]}"):
        assert wait_for(lambda: answers(address), 10), address
    taken = space.fails("create", "service", "nodeport", "other", "--tcp=80", f"--node-port={found[1]}")
    assert "provided port is already allocated" in taken
    space.run("delete", "endpoints", "db")
    assert wait_for(lambda: not answers(f"{found[0]}:80"), 10)
    server.shutdown()
    server.server_close()


def test_the_manifest_of_the_guide_is_valid_strictly(space):
    out = space.out("apply", "-f", HELLO, "--dry-run=server", "--validate=strict")
    assert out.count("created (server dry run)") == 4


def test_events_of_both_groups(space):
    space.apply({"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "made"},
                 "eventTime": "2026-01-01T00:00:00.000000Z", "reportingController": "example.com/maker",
                 "reportingInstance": "maker-1", "action": "Make", "reason": "Made", "type": "Normal", "note": "it is made",
                 "regarding": {"apiVersion": "v1", "kind": "ConfigMap", "namespace": space.name, "name": "thing"}})
    assert "it is made" in space.out("events", "--for", "configmap/thing")
    name = ("-o", "jsonpath={.items[*].metadata.name}")
    assert space.out("get", "events", "--field-selector", "source=example.com/maker", *name) == "made"
    newer = "events.v1.events.k8s.io"
    assert space.out("get", newer, "--field-selector", "reportingController=example.com/maker", *name) == "made"
    assert space.out("get", newer, "--field-selector", "reportingController=other", *name) == ""
    space.run("delete", "event", "made")
    assert "NotFound" in space.fails("get", newer, "made")
