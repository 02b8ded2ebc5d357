"""What a container is told of itself, its machine and its cluster."""
import os
import pathlib

from conftest import pod


def output(rig, name, script, **spec):
    rig.put(pod(name, script, restartPolicy="Never", **spec))
    rig.until(name, lambda p: p.get("status", {}).get("phase") in ("Succeeded", "Failed"))
    return rig.logs(name)


def test_a_pod_of_the_hosts_network_has_the_hosts_names(rig):
    aliases = [{"ip": "1.2.3.4", "hostnames": ["a", "b"]}]
    text = output(rig, "hostnet", "hostname; cat /etc/hostname; echo $HOSTNAME; cat /etc/hosts", hostNetwork=True,
                  hostAliases=aliases)
    names, hosts = text.split("# Kubernetes-managed hosts file (host network).\n")
    assert names.split() == [os.uname().nodename] * 3
    own = pathlib.Path("/etc/hosts").read_text()
    assert hosts.startswith(own) and hosts.endswith("\n# Entries added by HostAliases.\n1.2.3.4\ta\tb\n")


def test_a_pod_may_be_called_by_its_whole_name(rig):
    text = output(rig, "full", "hostname; cat /etc/hostname; echo $HOSTNAME", hostname="h", subdomain="s",
                  setHostnameAsFQDN=True)
    assert text.split() == ["h.s.default.svc.cluster.local"] * 3


def test_the_api_servers_variables_are_there_without_links_and_others_are_not(rig):
    def service(name, address):
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
                "spec": {"clusterIP": address, "ports": [{"port": 443}]}}

    rig.put(service("kubernetes", "10.221.0.1"), service("web", "10.221.0.7"))
    script = "echo ${KUBERNETES_SERVICE_HOST}:${KUBERNETES_SERVICE_PORT} ${WEB_SERVICE_HOST:-none}"
    assert output(rig, "linked", script).split() == ["10.221.0.1:443", "10.221.0.7"]
    assert output(rig, "bare", script, enableServiceLinks=False).split() == ["10.221.0.1:443", "none"]


def test_limits_that_are_not_set_are_told_as_the_nodes(rig):
    items = [{"path": name, "resourceFieldRef": {"containerName": "c", "resource": name}}
             for name in ("limits.cpu", "limits.memory", "limits.ephemeral-storage", "requests.cpu")]
    text = output(rig, "down", "cat /d/limits.cpu; echo; cat /d/limits.memory; echo; cat /d/limits.ephemeral-storage; "
                  "echo; cat /d/requests.cpu; echo; echo $CPU",
                  volumes=[{"name": "d", "downwardAPI": {"items": items}}],
                  container={"volumeMounts": [{"name": "d", "mountPath": "/d"}],
                             "env": [{"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}]})
    cpu, memory, storage, requested, variable = (int(line) for line in text.split())
    assert cpu == variable == os.cpu_count() and requested == 0
    total = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) * 1024
    assert memory == total and storage > 1 << 20
