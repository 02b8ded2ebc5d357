"""The certificates of the roles are good for their own work and for nothing else; without one there is the version."""
import json
import pathlib
import ssl
import subprocess
import urllib.error
import urllib.request

import pytest


def certificate(instance, role):
    return instance.data / "pki" / f"{role}.crt", instance.data / "pki" / f"{role}.key"


def ask(instance, role, path, method="GET", body=None):
    """The HTTP status of a request with the role's certificate; with none for None."""
    context = ssl.create_default_context(cafile=str(instance.data / "pki" / "ca.crt"))
    if role:
        context.load_cert_chain(*map(str, certificate(instance, role)))
    request = urllib.request.Request(f"https://127.0.0.1:{instance.kube}{path}", method=method,
                                     data=json.dumps(body).encode() if body else None,
                                     headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, context=context, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


POD = {"metadata": {"name": "evil"}, "spec": {"containers": [{"name": "c", "image": "x"}]}}
GRANT = {"metadata": {"name": "evil"}, "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "me"}],
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}}
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"


@pytest.mark.parametrize("path", ["/apis/networking.k8s.io/v1/ingresses", "/apis/discovery.k8s.io/v1/endpointslices",
                                  "/api/v1/services", "/api/v1/pods"])
def test_the_edge_reads_what_makes_routes(instance, path):
    assert ask(instance, "edge", path) == 200


@pytest.mark.parametrize("method, path, body", [
    ("GET", "/api/v1/secrets", None), ("GET", "/api/v1/namespaces/default/secrets", None),
    ("GET", "/api/v1/namespaces/default/secrets/any", None), ("GET", "/api/v1/configmaps", None),
    ("POST", "/api/v1/namespaces/default/pods", POD), ("POST", BINDINGS, GRANT),
    ("DELETE", "/api/v1/namespaces/default/services/kubernetes", None)])
def test_the_edge_sees_no_secret_and_writes_nothing(instance, method, path, body):
    assert ask(instance, "edge", path, method, body) == 403


@pytest.mark.parametrize("method, path, body", [
    ("POST", BINDINGS, GRANT), ("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles", None),
    ("POST", "/api/v1/namespaces/default/serviceaccounts/default/token", {}),
    ("DELETE", "/api/v1/nodes/any", None)])
def test_the_platform_changes_no_rights_and_no_nodes(instance, method, path, body):
    assert ask(instance, "platform", path, method, body) == 403


@pytest.mark.parametrize("method, path, body", [
    ("GET", "/api/v1/secrets", None), ("GET", "/api/v1/namespaces/default/secrets/any", None),
    ("POST", "/api/v1/namespaces/default/pods", POD), ("DELETE", "/api/v1/nodes/other", None),
    ("POST", "/api/v1/namespaces/default/serviceaccounts/default/token", {})])
def test_the_node_reaches_nothing_that_its_pods_do_not_need(instance, method, path, body):
    assert ask(instance, "node", path, method, body) == 403


def test_strangers_learn_that_the_server_lives_and_its_version(instance):
    assert [ask(instance, None, path) for path in ("/readyz", "/version", "/api", "/api/v1/pods")] == [200, 200, 403, 403]


def test_the_roles_are_no_administrators(instance):
    for role in ("edge", "platform", "node"):
        subject = subprocess.run(["openssl", "x509", "-noout", "-subject", "-in", str(certificate(instance, role)[0])],
                                 capture_output=True, text=True, check=True).stdout
        assert "system:masters" not in subject
        assert pathlib.Path(certificate(instance, role)[1]).stat().st_mode & 0o77 == 0


@pytest.mark.parametrize("authority, status", [("ca", "200"), ("edge-ca", "000")])
def test_the_authority_that_the_edge_holds_makes_no_clients_of_the_api(instance, tmp_path, authority, status):
    pki = instance.data / "pki"
    subprocess.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                    "/O=system:masters/CN=me", "-keyout", "key", "-out", "wish"], cwd=tmp_path, check=True,
                   capture_output=True)
    subprocess.run(["openssl", "x509", "-req", "-in", "wish", "-CA", pki / f"{authority}.crt", "-CAkey",
                    pki / f"{authority}.key", "-set_serial", "1", "-out", "made"], cwd=tmp_path, check=True,
                   capture_output=True)
    done = subprocess.run(["curl", "-s", "-m", "10", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", pki / "ca.crt",
                           "--cert", "made", "--key", "key", f"https://127.0.0.1:{instance.kube}/api/v1/secrets"],
                          cwd=tmp_path, capture_output=True, text=True, timeout=20)
    assert done.stdout == status
