"""A client inside the cluster: the API by its Service, proved by the authority and token of the pod; names by kube-dns."""
import json

import pytest
from support.instance import wait_for

FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
# The authority must be the one that signed the server's certificate, for each of these names.
ASK = f"""
T=$(cat {FOLDER}/token)
for host in "$@"; do
  curl -sS --max-time 20 --cacert {FOLDER}/ca.crt -H "Authorization: Bearer $T" \\
    -w ' %{{http_code}} {{}}\\n' -o /tmp/out "https://$host" || echo failed
  head -c 300 /tmp/out; echo
done
cat {FOLDER}/namespace; echo
"""


@pytest.fixture(scope="module")
def space(instance):
    name = "in-cluster"
    instance.kubectl("create", "namespace", name)
    yield name
    instance.kubectl("delete", "namespace", name, "--wait=false")


def run(instance, space, name, script, *args):
    """What a pod of the stack prints until its end."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": space},
           "spec": {"restartPolicy": "Never", "containers": [
               {"name": "c", "image": "skiff.local/stack:run", "command": ["bash", "-c", script, "ask", *args]}]}}
    instance.kubectl("apply", "-f", "-", stdin=json.dumps(pod))

    def phase():
        return instance.kubectl("-n", space, "get", "pod", name, "-o", "jsonpath={.status.phase}").stdout
    assert wait_for(lambda: phase() in ("Succeeded", "Failed"), 120), phase()
    return instance.kubectl("-n", space, "logs", name).stdout


def address(instance, space, name):
    return instance.kubectl("-n", space, "get", "service", name, "-o", "jsonpath={.spec.clusterIP}").stdout


def test_a_pod_reaches_the_api_by_name_and_by_address(instance, space):
    api = address(instance, "default", "kubernetes")
    endpoint = instance.kubectl("-n", "default", "get", "endpoints", "kubernetes", "-o",
                                "jsonpath={.subsets[0].addresses[0].ip}:{.subsets[0].ports[0].port}").stdout
    hosts = ["kubernetes.default.svc", "kubernetes.default.svc.cluster.local", api, endpoint]
    said = run(instance, space, "asks", ASK, *(host + "/version" for host in hosts))
    assert said.count(" 200 ") == len(hosts), said
    assert said.count('"gitVersion"') == len(hosts), said
    assert said.rstrip().endswith(space)


def test_a_pod_is_its_service_account(instance, space):
    said = run(instance, space, "who", ASK, f"kubernetes.default.svc/api/v1/namespaces/{space}/pods")
    assert " 403 " in said and f"system:serviceaccount:{space}:default" in said, said


def test_every_namespace_has_the_authority(instance, space):
    own = (instance.data / "pki" / "ca.crt").read_text().strip()
    for name in ("default", "kube-system", space):
        got = instance.kubectl("-n", name, "get", "configmap", "kube-root-ca.crt", "-o", "jsonpath={.data.ca\\.crt}").stdout
        assert got.strip() == own, name


def test_names_are_answered_at_the_address_of_kube_dns_and_nobody_takes_it(instance, space):
    dns = address(instance, "kube-system", "kube-dns")
    said = run(instance, space, "names", "cat /etc/resolv.conf; getent hosts kubernetes.default.svc.cluster.local; "
                                         "getent hosts kube-dns.kube-system")
    assert f"nameserver {dns}" in said and address(instance, "default", "kubernetes") in said and said.count(dns) > 1, said
    taken = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "grab", "namespace": space},
             "spec": {"clusterIP": dns, "ports": [{"port": 53, "protocol": "UDP"}]}}
    refused = instance.kubectl("apply", "-f", "-", stdin=json.dumps(taken), check=False)
    assert refused.returncode != 0 and "provided IP is already allocated" in refused.stderr, refused.stderr


def test_what_no_service_listens_to_is_refused_and_leaves_no_machine(instance, space):
    """A machine beyond this one might answer in a Service's name."""
    api = address(instance, "default", "kubernetes")
    stray = [f"{api}:99", ".".join(api.split(".")[:2]) + ".255.254:80"]
    refused = 7  # curl: could not connect
    said = run(instance, space, "strays",
               'for to in "$@"; do curl -s -o /dev/null --max-time 60 "http://$to/"; echo "$to rc=$?"; done', *stray)
    assert said.splitlines() == [f"{to} rc={refused}" for to in stray], said
