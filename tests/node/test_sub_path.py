"""subPath: parts of volumes that a container mounts, and only parts of them."""
from conftest import pod

VOLUMES = [{"name": "disk", "emptyDir": {}}, {"name": "ram", "emptyDir": {"medium": "Memory"}}]


def mount(volume, path, sub_path=""):
    return {"name": volume, "mountPath": path, **({"subPath": sub_path} if sub_path else {})}


def test_a_sub_path_is_made_and_is_that_part_of_the_volume(rig):
    mounts = [mount("disk", "/disk"), mount("ram", "/ram"), mount("disk", "/d", "a/b"), mount("ram", "/r", "a")]
    script = "echo one > /d/f; echo two > /r/f; cat /disk/a/b/f /ram/a/f; stat -c %a /d"
    rig.put(pod("parts", script, restartPolicy="Never", volumes=VOLUMES, container={"volumeMounts": mounts}))
    rig.until("parts", lambda p: p.get("status", {}).get("phase") in ("Succeeded", "Failed"))
    assert rig.logs("parts").split() == ["one", "two", "777"]


def test_a_sub_path_may_be_a_file_behind_a_link_of_its_volume(rig):
    script = "perl -e 'mkdir q(/v/data); symlink q(data/key), q(/v/key)'; echo text > /v/data/key"
    first = {**pod("x", script)["spec"]["containers"][0], "name": "first", "volumeMounts": [mount("disk", "/v")]}
    rig.put(pod("file", "cat /key", restartPolicy="Never", volumes=VOLUMES, initContainers=[first],
                container={"volumeMounts": [mount("disk", "/key", "key")]}))
    rig.until("file", lambda p: p.get("status", {}).get("phase") in ("Succeeded", "Failed"))
    assert rig.logs("file") == "text\n"


def test_a_sub_path_expression_is_expanded_and_stays_in_the_volume(rig):
    def expression(text):
        return {"name": "disk", "mountPath": "/d", "subPathExpr": text}

    env = [{"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}, {"name": "UP", "value": ".."}]
    mounts = [mount("disk", "/disk"), expression("of/$(POD)")]
    rig.put(pod("named", "echo one > /d/f; cat /disk/of/named/f", restartPolicy="Never", volumes=VOLUMES,
                container={"env": env, "volumeMounts": mounts}))
    for name, text in (("unknown", "$(NOPE)"), ("upward", "$(UP)/x")):
        rig.put(pod(name, "sleep 9", volumes=VOLUMES, container={"env": env, "volumeMounts": [expression(text)]}))

    def waits_with(text):
        return lambda p: text in p.get("status", {}).get("containerStatuses", [{}])[0].get("state", {}).get(
            "waiting", {}).get("message", "")

    rig.until("named", lambda p: p.get("status", {}).get("phase") in ("Succeeded", "Failed"))
    assert rig.logs("named") == "one\n"
    rig.until("unknown", waits_with("missing value for NOPE"))
    rig.until("upward", waits_with("must not contain '..'"))


def test_a_link_out_of_the_volume_is_refused_and_makes_nothing_on_the_host(rig, tmp_path):
    script = f"perl -e 'symlink q({tmp_path}), q(/v/link)'"
    first = {**pod("x", script)["spec"]["containers"][0], "name": "first", "volumeMounts": [mount("disk", "/v")]}
    rig.put(pod("escape", "sleep 9", volumes=VOLUMES, initContainers=[first],
                container={"volumeMounts": [mount("disk", "/out", "link/made")]}))

    def refused(document):
        statuses = document.get("status", {}).get("containerStatuses", [{}])
        return "subPath leaves its volume" in statuses[0].get("state", {}).get("waiting", {}).get("message", "")

    rig.until("escape", refused)
    assert not (tmp_path / "made").exists()
