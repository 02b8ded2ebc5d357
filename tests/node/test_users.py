"""Who a container's program is, and where it may write."""
from conftest import pod


def output(rig, name, **spec):
    rig.put(pod(name, spec.pop("script"), restartPolicy="Never", **spec))
    rig.until(name, lambda p: p.get("status", {}).get("phase") in ("Succeeded", "Failed"))
    return rig.logs(name).split()


def test_run_as_user_and_groups(rig):
    assert output(rig, "root", script="id -u; id -g") == ["0", "0"]
    context = {"runAsUser": 1234, "runAsGroup": 2345, "supplementalGroups": [3456]}
    assert output(rig, "user", script="id -u; id -g; id -G", securityContext=context) == \
        ["1234", "2345", "2345", "3456"]
    # A container's own word comes before its pod's; a user of the image brings the group that /etc/passwd gives.
    own = {"securityContext": {"runAsUser": 1000}}
    assert output(rig, "own", script="id -u; id -g", securityContext={"runAsUser": 1}, container=own) == \
        ["1000", "1000"]


def test_an_image_gives_groups_to_its_users_unless_the_pod_is_strict(rig):
    """The image's /etc/group has user 1000, by its name in /etc/passwd, in group 4."""
    context = {"runAsUser": 1000, "supplementalGroups": [3456], "fsGroup": 3456}
    assert output(rig, "merged", script="id -G", securityContext=context) == ["1000", "4", "3456"]
    strict = {**context, "supplementalGroupsPolicy": "Strict"}
    assert output(rig, "strict", script="id -G", securityContext=strict) == ["1000", "3456"]
    stranger = {"runAsUser": 1234, "runAsGroup": 1234}
    assert output(rig, "stranger", script="id -G", securityContext=stranger) == ["1234"]


def test_a_pod_that_must_not_be_root_is_not(rig):
    rig.put(pod("denied", "sleep 9", securityContext={"runAsNonRoot": True}))
    document = rig.until("denied", lambda p: p.get("status", {}).get("containerStatuses", [{}])[0]
                         .get("state", {}).get("waiting", {}).get("reason") == "CreateContainerConfigError")
    waiting = document["status"]["containerStatuses"][0]["state"]["waiting"]
    assert waiting["message"].startswith("container has runAsNonRoot and image will run as root"), waiting


def test_fs_group_owns_the_volumes(rig):
    volumes = [{"name": "disk", "emptyDir": {}}, {"name": "ram", "emptyDir": {"medium": "Memory"}}]
    mounts = {"volumeMounts": [{"name": "disk", "mountPath": "/disk"}, {"name": "ram", "mountPath": "/ram"}]}
    script = "for v in /disk /ram; do echo x > $v/f && stat -c %g $v/f; done"
    assert output(rig, "group", script=script, volumes=volumes, container=mounts,
                  securityContext={"runAsUser": 1000, "fsGroup": 4321}) == ["4321", "4321"]


def test_a_read_only_root_lets_volumes_be_written(rig):
    volumes = [{"name": "tmp", "emptyDir": {}}]
    container = {"securityContext": {"readOnlyRootFilesystem": True},
                 "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]}
    script = "(echo x > /etc/mine) 2>/dev/null || echo refused; echo y > /tmp/mine && echo written"
    assert output(rig, "sealed", script=script, volumes=volumes, container=container) == ["refused", "written"]
