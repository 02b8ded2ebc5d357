"""The Platform API as Heroku's own command line asks it: its bodies, headers and paths."""
import json
import urllib.request

import pytest

from support.instance import wait_for


@pytest.fixture
def ask(world):
    def send(method, path, body=None, **headers):
        token = (world.data / "token").read_text().strip()
        request = urllib.request.Request(f"http://127.0.0.1:{world.http}{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Host": "localhost", "Authorization": f"Bearer {token}",
                                                  "Accept": "application/vnd.heroku+json; version=3.sdk", **headers})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())
    return send


def quantities(formation):
    return {item["type"]: item["quantity"] for item in formation}


def test_quantities_are_texts_and_changes(world, shop, ask):
    path = "/apps/shop/formation"
    now = ask("PATCH", path, {"updates": [{"type": "web", "quantity": "2"}, {"type": "worker", "quantity": "+1", "size": "basic"}]})
    assert quantities(now) == {"web": 2, "worker": 1}
    assert quantities(ask("PATCH", path, {"updates": [{"type": "worker", "quantity": "-1"}, {"type": "web", "size": "Basic"}]})) == {
        "web": 2, "worker": 0}
    assert ask("PATCH", path + "/web", {"quantity": 1})["quantity"] == 1 == ask("GET", path + "/web")["quantity"]
    assert world.all_up("shop", ["web.1"])


def test_a_list_of_releases_is_turned_and_bounded(world, shop, ask):
    world.skiff("config:set", "LISTED=1", "-a", "shop")
    every = ask("GET", "/apps/shop/releases")
    assert [release["version"] for release in every] == list(range(1, len(every) + 1))
    newest = ask("GET", "/apps/shop/releases", Range="version ..; order=desc,max=1")
    assert [release["version"] for release in newest] == [len(every)] and newest[0]["current"]
    assert ask("GET", "/apps/shop/releases", Range="version ..; max=2, order=desc") == every[:-3:-1]
    assert [release["eligible_for_rollback"] for release in every[:2]] == [False, True]


def test_a_release_is_found_by_version_and_id_with_its_config(world, shop, ask):
    world.skiff("config:set", "FOUND=yes", "-a", "shop")
    newest = ask("GET", "/apps/shop/releases")[-1]
    for name in (str(newest["version"]), f"v{newest['version']}", newest["id"]):
        assert ask("GET", f"/apps/shop/releases/{name}") == newest
    assert ask("GET", f"/apps/shop/releases/{newest['version']}/config-vars")["FOUND"] == "yes"
    assert ask("GET", "/apps/shop/releases/1/config-vars") == {}
    second = ask("GET", "/apps/shop/releases/2")
    assert ask("POST", "/apps/shop/releases", {"release": second["id"]})["description"] == "Rollback to v2"
    assert world.all_up("shop", ["web.1"])


def test_what_is_about_no_app_is_told(world, shop, ask):
    assert ask("GET", "/account") == ask("GET", "/users/~") and ask("GET", "/account")["email"]
    assert ask("GET", "/stacks")[0]["name"] == ask("GET", "/apps/shop")["stack"]["name"]
    assert "shop" in [app["name"] for app in ask("GET", "/users/~/apps")]
    assert ask("GET", "/apps/shop")["owner"] == ask("GET", "/account")


def uid(world, dyno):
    pods = json.loads(world.kubectl("-n", "shop", "get", "pods", "-o", "json").stdout)["items"]
    return next((pod["metadata"]["uid"] for pod in pods if pod["metadata"].get("annotations", {}).get("skiff.dev/dyno") == dyno
                 and "deletionTimestamp" not in pod["metadata"]), None)


def test_dynos_are_stopped_and_others_take_their_places(world, shop, ask):
    assert world.all_up("shop", ["web.1"])
    for stop in (["ps:stop", "web.1"], ["ps:kill", "-d", "web.1"], ["stop", "-p", "web"]):
        before = uid(world, "web.1")
        said = world.skiff(*stop, "-a", "shop").stdout
        assert said == f"Stopping {'all web dynos' if '-p' in stop else 'dyno web.1'} on shop... done\n"
        assert wait_for(lambda old=before: uid(world, "web.1") not in (None, old)), world.dynos("shop")
        assert world.all_up("shop", ["web.1"])
    assert ask("GET", "/apps/shop/dynos/web.1")["state"] == "up"
    assert world.logged("shop", "app[api]: Stopped web.1 by user skiff")
    code, said = world.run("ps:stop", "-a", "shop")
    assert code == 1 and "Please specify a process type or dyno name to stop." in said
    code, said = world.run("ps:stop", "web.7", "-a", "shop")
    assert code == 1 and 'There is no dyno and no process type "web.7"' in said


def test_those_of_a_type_are_restarted_by_herokus_path(world, shop, ask):
    before = uid(world, "web.1")
    assert ask("DELETE", "/apps/shop/formations/web") == {}
    assert wait_for(lambda: uid(world, "web.1") not in (None, before) and world.dynos("shop") == {"web.1": "up"})
    assert world.skiff("ps:restart", "-a", "shop").stdout == "Restarting all dynos on shop... done\n"
    assert world.skiff("ps:restart", "-p", "web", "-a", "shop").stdout == "Restarting all web dynos on shop... done\n"
    assert world.all_up("shop", ["web.1"])
