"""What the commands say when something is wrong: which word, and what to do."""
import json
import os
import re
import subprocess
import urllib.error
import urllib.request

import pytest

from support import instance as support


def refused(world, *args, says, **options):
    code, text = world.run(*args, **options)
    assert code != 0, text
    for part in says:
        assert part in text, text


@pytest.mark.parametrize("command", [["ps"], ["logs"], ["config"], ["releases"], ["builds"], ["rollback", "v1"],
                                     ["scale", "web=1"], ["config:set", "A=b"], ["maintenance:on"], ["apps:rename", "other"],
                                     ["apps:destroy", "--confirm", "nowhere"]])
def test_an_unknown_app_is_named_as_such(world, command):
    refused(world, *command, "-a", "nowhere", says=["Couldn't find that app", "skiff apps"])


@pytest.mark.parametrize("change", ["web", "web=", "web=x", "web=-1", "=2"])
def test_a_bad_formation_is_named(world, shop, change):
    refused(world, "scale", "-a", "shop", "--", change, says=[change, "web=2"])


def test_a_formation_out_of_bounds_changes_nothing(world, shop):
    refused(world, "scale", "worker=0", "web=101", "-a", "shop", says=["101", "0 to 100"])
    refused(world, "scale", "worker=0", "clock=1", "-a", "shop", says=["Couldn't find that process type (clock)"])
    assert "web.1" in world.dynos("shop")


@pytest.mark.parametrize("pair", ["1A=x", "A-B=x", "A B=x"])
def test_a_bad_config_name_is_named(world, shop, pair):
    refused(world, "config:set", pair, "-a", "shop", says=[pair.split("=")[0], "config var"])


@pytest.mark.parametrize("name", ["a b", "../x", "x..y", "-x"])
def test_a_remote_of_a_bad_name_makes_no_app(world, tmp_path, name):
    done = subprocess.run([support.BINARY, "create", "remoteless", f"--remote={name}"], cwd=tmp_path, env=world.env,
                          capture_output=True, text=True)
    assert done.returncode != 0 and "is no name for a git remote" in done.stderr
    assert ask(world, "/apps/remoteless")[0] == 404


def test_config_needs_a_value(world, shop):
    refused(world, "config:set", "NAME", "-a", "shop", says=["NAME", "NAME=value"])


def test_destroy_asks_for_the_name_once_more(world, shop):
    for confirm in ([], ["--confirm", "other"]):
        refused(world, "apps:destroy", "-a", "shop", *confirm, says=["--confirm shop"])
    assert "shop" in world.skiff("apps").stdout


@pytest.mark.parametrize("name", ["ab", "Shop", "1shop", "shop-", "kube-system", "api"])
def test_a_bad_app_name_is_refused(world, name):
    refused(world, "create", name, says=["ame"])


def test_a_name_is_taken_once(world, shop):
    refused(world, "create", "shop", says=["shop is already taken"])
    refused(world, "create", "default", says=["default"])


def test_a_release_that_is_none_is_refused(world, shop):
    refused(world, "rollback", "v99", "-a", "shop", says=["Couldn't find that release", "v99"])
    refused(world, "rollback", "soon", "-a", "shop", says=["soon"])
    refused(world, "rollback", "v1", "-a", "shop", says=["v1 has no build"])


def test_without_an_app_the_command_says_how_to_name_one(world, tmp_path):
    done = subprocess.run([support.BINARY, "ps"], cwd=tmp_path, env=world.env, capture_output=True, text=True)
    assert done.returncode != 0 and "-a APP" in done.stderr


def test_the_app_of_the_git_remote_is_the_default(world, shop):
    done = subprocess.run([support.BINARY, "ps"], cwd=shop, env=world.env, capture_output=True, text=True)
    assert done.returncode == 0 and "web.1" in done.stdout


def test_an_app_made_outside_of_a_repository_gets_its_remote_later(world, shop, tmp_path):
    def skiff(*args, code=0):
        done = subprocess.run([support.BINARY, *args], cwd=tmp_path, env=world.env, capture_output=True, text=True)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr
    assert "`skiff git:remote -a outside` in one adds the remote" in skiff("create", "outside")
    assert "git init" in skiff("git:remote", "-a", "outside", code=1)
    subprocess.run(["git", "init", "-q", "."], cwd=tmp_path, check=True)
    assert "Which app?" in skiff("git:remote", code=1)
    assert "Couldn't find that app" in skiff("git:remote", "-a", "nowhere", code=1)
    for app in ("outside", "shop"):
        assert f"/{app}.git" in skiff("git:remote", "-a", app)
    seen = subprocess.run(["git", "ls-remote", "skiff"], cwd=tmp_path, env=world.env, capture_output=True, text=True)
    assert "refs/heads/main" in seen.stdout, seen.stderr


def test_a_relative_data_directory_serves_git_and_kubectl_in_every_folder(world, tmp_path):
    # Git asks for the password in the top folder, wherever it was called.
    below = tmp_path / "below"
    below.mkdir()
    subprocess.run(["git", "init", "-q", "."], cwd=tmp_path, check=True)
    near = {**world.env, "SKIFF_DATA": os.path.relpath(world.data, below)}
    subprocess.run([support.BINARY, "create", "relative"], cwd=below, env=near, check=True, capture_output=True)
    seen = subprocess.run(["git", "ls-remote", "skiff"], cwd=below, env=near, capture_output=True, text=True)
    assert seen.returncode == 0, seen.stderr
    for command in (["kubeconfig"], ["kubeconfig", "--data", near["SKIFF_DATA"]]):
        said = subprocess.run([support.BINARY, *command], cwd=below, env=near, capture_output=True, text=True)
        assert said.stdout == f"{world.data}/kubeconfig\n"


def test_without_an_instance_the_command_says_how_to_start_one(tmp_path, world):
    env = {**world.env, "SKIFF_DATA": str(tmp_path / "none")}
    done = subprocess.run([support.BINARY, "apps"], env=env, capture_output=True, text=True)
    assert done.returncode != 0 and "skiff up" in done.stderr


@pytest.mark.parametrize("args", [["logs", "-n", "many", "-a", "shop"], ["logs", "-n", "9999", "-a", "shop"],
                                  ["logs", "--source", "moon", "-a", "shop"], ["config:set", "-a", "shop"], ["ps", "--data", ""],
                                  ["dance"], []])
def test_wrong_arguments_lead_to_the_help(world, args):
    code, text = world.run(*args)
    assert code != 0 and "--help" in text


@pytest.mark.parametrize("args,says", [
    (["hlep"], 'there is no command "hlep"; did you mean "help"?'),
    (["help", "sclae"], 'there is no command "sclae"; did you mean "scale"?'),
    (["ps:scael", "web=2"], 'there is no command "ps:scael"; did you mean "ps:scale"?'),
    (["config-set", "A=b"], 'there is no command "config-set"; did you mean "config:set"?'),
    (["apps:favorites"], 'there is no command "apps:favorites"; did you mean "apps"?'),
    (["run", "bash"], 'there is no command "run"; see'),
    (["telemetry"], 'there is no command "telemetry"; see'),
    ([], "a command is missing"),
    (["ps", "--nope"], '"--nope" was not expected; see `skiff ps --help`'),
    (["config:unset"], "config:unset needs the names of config vars"),
])
def test_a_line_that_is_no_command_is_answered_in_one_line(world, args, says):
    done = world.skiff(*args, check=False)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("skiff: " + says) and done.stderr.count("\n") == 1, done.stderr


def test_one_config_var_is_printed_alone(world, shop):
    world.skiff("config:set", "ALONE=a b=c", "-a", "shop")
    assert world.skiff("config:get", "ALONE", "-a", "shop").stdout == "a b=c\n"
    world.skiff("config:unset", "ALONE", "-a", "shop")
    refused(world, "config:get", "ALONE", "-a", "shop", says=["shop has no config var ALONE"])


def test_herokus_other_names_and_an_option_before_the_command_are_understood(world, shop):
    assert "web at 1" in world.skiff("ps:scale", "web=1", "-a", "shop").stdout
    refused(world, "releases:rollback", "v99", "-a", "shop", says=["Couldn't find that release"])
    refused(world, "destroy", "-a", "shop", says=["--confirm shop"])
    refused(world, "apps:create", "shop", says=["shop is already taken"])
    assert "shop" in world.skiff("--data", str(world.data), "apps").stdout.split()


@pytest.mark.parametrize("command", ["create", "scale", "logs", "config:set", "rollback", "apps:destroy",
                                     "maintenance:on", "builds", "up"])
def test_each_command_explains_itself(world, command):
    code, text = world.run(command, "--help")
    assert code == 0 and f"Usage: skiff {command} [OPTIONS]" in text and "--data DIR" in text
    assert world.run("help", command) == (0, text)


def test_the_help_lists_commands_as_they_are_typed_and_the_version_is_told(world):
    code, text = world.run("help")
    assert code == 0 and (0, text) == world.run("--help")
    for command in ("up ", "config:set ", "apps:destroy, destroy ", "scale, ps:scale "):
        assert f"\n  {command}" in text
    code, text = world.run("--version")
    assert code == 0 and re.fullmatch(r"skiff \d+\.\d+\.\d+\n", text)


def ask(world, path, method="GET", body=None, token=None):
    token = token if token is not None else (world.data / "token").read_text().strip()
    request = urllib.request.Request(f"http://127.0.0.1:{world.http}{path}", method=method, data=body,
                                     headers={"Host": "localhost", "Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


@pytest.mark.parametrize("method,path,body,status,kind", [
    ("GET", "/apps/nowhere", None, 404, "not_found"),
    ("GET", "/nothing", None, 404, "not_found"),
    ("PUT", "/apps/shop/formation", b"{}", 404, "not_found"),
    ("POST", "/apps", b"{", 400, "bad_request"),
    ("POST", "/apps", b"[]", 400, "bad_request"),
    ("POST", "/apps", b'{"name": "X"}', 422, "invalid_params"),
    ("POST", "/apps", b'{"name": 7}', 422, "invalid_params"),
    ("POST", "/apps", b'{"name": ["x"]}', 422, "invalid_params"),
    ("POST", "/apps", b'{"nam": "abcd"}', 422, "invalid_params"),
    ("PATCH", "/apps/shop/config-vars", b'{"A": "pass\\u0000word"}', 422, "invalid_params"),
    ("PATCH", "/apps/shop/config-vars", b'{"A": "x\\ud800"}', 422, "invalid_params"),
    ("PATCH", "/apps/shop/config-vars", b'{"A": "x\xff"}', 422, "invalid_params"),
    ("PATCH", "/apps/shop/config-vars", b'{"A": 1}', 422, "invalid_params"),
    ("PATCH", "/apps/shop/formation", b'{"updates": [{"type": "web", "quantity": "many"}]}', 422, "invalid_params"),
    ("PATCH", "/apps/shop", b'{"stack": "other"}', 422, "invalid_params"),
    ("PATCH", "/apps/shop", b'{"name": "X"}', 422, "invalid_params"),
    ("PATCH", "/apps/shop", b'{"name": "api", "maintenance": true}', 422, "invalid_params"),
    ("POST", "/renames/shop/other", b"{}", 404, "not_found"),
    ("POST", "/apps/shop/releases", b'{"release": "v99"}', 404, "not_found"),
    ("GET", "/apps/shop/releases/99", None, 404, "not_found"),
    ("GET", "/apps/shop/releases/v99/config-vars", None, 404, "not_found"),
    ("PATCH", "/apps/shop/formation", b'{"updates": [{"type": "web", "quantity": "-9"}]}', 422, "invalid_params"),
    ("PATCH", "/apps/shop/formation", b'{"updates": [{"type": "web", "size": "Standard-1X"}]}', 422, "invalid_params"),
    ("GET", "/apps/shop/formation/clock", None, 404, "not_found"),
    ("GET", "/apps/shop/dynos/web.99", None, 404, "not_found"),
    ("POST", "/apps/shop/dynos/web.99/actions/stop", b"{}", 404, "not_found"),
    ("POST", "/apps/shop/formations/clock/actions/stop", b"{}", 404, "not_found"),
    ("POST", "/apps/shop/dynos/actions/stop", b"{}", 404, "not_found"),
    ("DELETE", "/apps/shop/formations/clock", None, 404, "not_found"),
    ("GET", "/apps/shop/config-vars/A/B", None, 404, "not_found"),
    ("GET", "/apps/shop/builds/none", None, 404, "not_found"),
])
def test_an_error_has_herokus_form(world, shop, method, path, body, status, kind):
    code, answer = ask(world, path, method, body)
    assert (code, answer["id"]) == (status, kind) and answer["message"]


def test_a_wrong_token_is_refused(world):
    code, answer = ask(world, "/apps", token="wrong")
    assert (code, answer["id"]) == (401, "unauthorized")
