"""The main job with real clients: push source, watch it roll out, serve it. One instance for the whole file, as root."""
import json
import pathlib
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest

from support import instance as support

ROOT = pathlib.Path(__file__).resolve().parents[2]
GIT = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com"]


def wait_for(check, seconds=60):
    def tried():
        try:
            return check()
        except (urllib.error.URLError, OSError):
            return None
    return support.wait_for(tried, seconds)


class Instance(support.Instance):
    def get(self, host, path="/", headers=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.http}{path}", headers={"Host": host, **(headers or {})})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()

    def push(self, folder, message):
        subprocess.run([*GIT, "add", "-A"], cwd=folder, check=True)
        subprocess.run([*GIT, "commit", "-qm", message, "--allow-empty"], cwd=folder, check=True)
        return subprocess.run(["git", "push", "skiff", "main"], cwd=folder, env=self.env, capture_output=True, text=True,
                              timeout=300)

    def app(self, folder, name):
        folder.mkdir(exist_ok=True)
        subprocess.run(["git", "init", "-q", "-b", "main", "."], cwd=folder, check=True)
        subprocess.run([support.BINARY, "create", name], cwd=folder, env=self.env, check=True)
        return folder


@pytest.fixture(scope="module")
def instance(tmp_path_factory):
    if support.missing():
        pytest.skip(support.missing())
    made = Instance(tmp_path_factory.mktemp("skiff"))
    made.up()
    yield made
    for app in made.skiff("apps", check=False).stdout.split():
        made.kubectl("delete", "namespace", app, "--wait=false", check=False)
    wait_for(lambda: "No resources" in made.kubectl("get", "pods", "-A", check=False).stderr, 60)
    made.close()


@pytest.fixture(scope="module")
def ipify(instance, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ipify")
    shutil.copytree(ROOT / "examples" / "ipify", folder, dirs_exist_ok=True)
    instance.app(folder, "ipify")
    pushed = instance.push(folder, "one")
    assert pushed.returncode == 0, pushed.stderr
    assert "deployed to Skiff" in pushed.stderr
    assert wait_for(lambda: instance.get("ipify.localhost")[0] == 200)
    return folder


def test_a_pushed_app_answers_through_the_edge(instance, ipify):
    assert instance.get("ipify.localhost")[1] == "127.0.0.1"
    assert json.loads(instance.get("ipify.localhost", "/?format=json")[1]) == {"ip": "127.0.0.1"}
    assert instance.get("ipify.localhost", "/?format=jsonp&callback=f")[1].startswith("f({")


def test_kubectl_sees_the_same_rollout(instance, ipify):
    assert "successfully rolled out" in instance.kubectl("-n", "ipify", "rollout", "status", "deploy/web").stdout
    assert "web" in instance.kubectl("get", "deploy,rs,pods", "-A").stdout


def test_config_makes_a_release_and_rollback_another(instance, ipify):
    instance.skiff("config:set", "GREETING=hi", "-a", "ipify")
    assert "GREETING: hi" in instance.skiff("config", "-a", "ipify").stdout
    instance.skiff("rollback", "v2", "-a", "ipify")
    releases = instance.skiff("releases", "-a", "ipify").stdout
    assert "Set GREETING config vars" in releases and "Rollback to v2" in releases
    assert "GREETING" not in instance.skiff("config", "-a", "ipify").stdout


def test_logs_have_app_router_and_platform_lines(instance, ipify):
    # Other tests may have made more router lines than are shown.
    instance.skiff("config:set", "LOGGED=yes", "-a", "ipify")

    def complete():
        instance.get("ipify.localhost")
        text = instance.skiff("logs", "-n", "500", "-a", "ipify").stdout
        return "app[api]: " in text and "heroku[router]: at=info" in text and "app[web." in text

    assert wait_for(complete, 20)


def test_no_request_fails_while_a_new_release_rolls_out(instance, ipify):
    instance.skiff("scale", "web=2", "-a", "ipify")
    assert wait_for(lambda: instance.skiff("ps", "-a", "ipify").stdout.count(": up") == 2)
    failures, count, stop = [], [0], threading.Event()

    def load():
        while not stop.is_set():
            try:
                status, _ = instance.get("ipify.localhost")
                if status != 200:
                    failures.append(status)
            except Exception as error:  # any failure counts
                failures.append(repr(error))
            count[0] += 1

    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    instance.skiff("config:set", "ROUND=2", "-a", "ipify")
    instance.kubectl("-n", "ipify", "rollout", "status", "deploy/web", "--timeout=60s")
    time.sleep(4)
    stop.set()
    for thread in threads:
        thread.join()
    assert count[0] > 100 and failures == []


def test_what_no_buildpack_detects_is_refused(instance, tmp_path):
    folder = instance.app(tmp_path / "empty", "empty-app")
    (folder / "notes.txt").write_text("nothing to build\n")
    pushed = instance.push(folder, "one")
    assert pushed.returncode != 0
    assert "No buildpack detects this app" in pushed.stderr and "pre-receive hook declined" in pushed.stderr


def test_a_bad_procfile_line_is_named(instance, tmp_path):
    folder = instance.app(tmp_path / "bad", "bad-procfile")
    (folder / "Makefile").write_text("all:\n\ttrue\n")
    (folder / "Procfile").write_text("web: true\nthis is no line\n")
    pushed = instance.push(folder, "one")
    assert pushed.returncode != 0 and "Procfile line 2" in pushed.stderr


def test_a_failed_build_refuses_the_push(instance, tmp_path):
    folder = instance.app(tmp_path / "fails", "fails-app")
    (folder / "Makefile").write_text("all:\n\t@echo no luck; exit 3\n")
    (folder / "Procfile").write_text("web: true\n")
    pushed = instance.push(folder, "one")
    assert pushed.returncode != 0 and "no luck" in pushed.stderr


def test_everything_comes_back_after_down_and_up(instance, ipify):
    instance.skiff("down", "--data", str(instance.data))
    instance.up()
    assert wait_for(lambda: instance.get("ipify.localhost")[0] == 200)
    assert "ipify" in instance.skiff("apps").stdout
