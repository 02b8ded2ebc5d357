"""The edge stands on the machine: who writes slices and Ingresses does not choose where it connects to."""
import time

import pytest

from faults_kit import SERVER, deployment, expose
from support.instance import wait_for

SLICES = "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices"
INGRESSES = "/apis/networking.k8s.io/v1/namespaces/{}/ingresses"


@pytest.fixture
def spaces(instance):
    """Two namespaces: `victim` with a served host, `mean` that would like to have it."""
    for name in ("victim", "mean"):
        instance.namespace(name)
    instance.api.create("/apis/apps/v1/namespaces/victim/deployments", deployment("web", SERVER, 1, "victim"))
    expose(instance.api, "victim", "web", "victim.test")
    instance.wait_ready("victim", "web", 1)
    assert instance.serves("victim.test", "victim")
    time.sleep(1.1)  # what is made in the same second has no order but that of names
    yield
    for name in ("victim", "mean"):
        instance.drop_namespace(name)


def point(instance, name, address, port):
    """A Service of `mean` whose slice is written by hand, and an Ingress for <name>.test."""
    instance.api.create("/api/v1/namespaces/mean/services", {"metadata": {"name": name},
                                                             "spec": {"ports": [{"port": 80, "targetPort": port}]}})
    instance.api.create(SLICES.format("mean"), {
        "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}}, "addressType": "IPv4",
        "endpoints": [{"addresses": [address]}], "ports": [{"port": port}]})
    backend = {"service": {"name": name, "port": {"number": 80}}}
    instance.api.create(INGRESSES.format("mean"), {"metadata": {"name": name}, "spec": {"rules": [
        {"host": f"{name}.test", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]}})


def test_a_slice_leads_to_pods_of_its_namespace_alone(instance, spaces):
    pod = instance.ready_pods("victim", "web")[0]["status"]["podIP"]
    gateway = instance.ready_pods("victim", "web")[0]["status"]["hostIP"]
    service = instance.api.get("/api/v1/namespaces/default/services/kubernetes")["spec"]["clusterIP"]
    places = {"host": (gateway, instance.kube), "api": (service, 443), "pod": (pod, 8080)}
    for name, (address, port) in places.items():
        point(instance, name, address, port)
    for name in places:
        assert wait_for(lambda: instance.fetch(f"{name}.test")[0] == 503, 20), name  # noqa: B023
        assert "H14" in instance.fetch(f"{name}.test")[1]


def test_a_host_stays_with_the_namespace_that_had_it_first(instance, spaces):
    instance.api.create("/apis/apps/v1/namespaces/mean/deployments", deployment("web", SERVER, 1, "mean"))
    instance.wait_ready("mean", "web", 1)
    expose(instance.api, "mean", "web", "mean.test")
    assert instance.serves("mean.test", "mean")
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rules = [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Exact", "backend": backend}]}}
             for host in ("victim.test", "localhost", "new.test")]
    instance.api.create(INGRESSES.format("mean"), {"metadata": {"name": "grab"}, "spec": {"rules": rules}})
    assert instance.serves("new.test", "mean")
    assert instance.fetch("victim.test") == (200, "victim")
    assert instance.fetch("localhost")[0] == 401
