"""`skiff buildpacks:…` and `builds:cache:purge`, and what the next push makes of them. As root."""
import json
import os
import signal
import urllib.error
import urllib.request

import pytest

from support.instance import wait_for

# Says what the build before left in the cache.
PACK = "echo \"sees [$(cat \"$2/count\" 2>/dev/null)]\"; echo once >>\"$2/count\"\n"
PAGE = {"index.html": "a page", "Procfile": "worker: true\n"}
BUILT_IN = ("heroku/ruby, heroku/nodejs, heroku/python, heroku/java, heroku/gradle, heroku/go, skiff/cpp, heroku-community/static, "
            "heroku-community/apt")


@pytest.fixture
def app(skiff):
    return skiff.app(PAGE)


def run(app, *words):
    done = app.skiff.skiff(*words, "-a", app.name, check=False)
    return done.returncode, done.stdout + done.stderr


def ask(app, method, path, body=None):
    token = app.skiff.data / "token"
    request = urllib.request.Request(f"http://127.0.0.1:{app.skiff.http}/apps/{app.name}{path}", method=method,
                                     data=None if body is None else json.dumps(body).encode(),
                                     headers={"Host": "localhost", "Authorization": f"Bearer {token.read_text().strip()}",
                                              "Accept": "application/vnd.heroku+json; version=3", "Range": ""})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_buildpacks_are_kept_in_order_and_told_in_herokus_words(app):
    name = app.name
    assert run(app, "buildpacks") == (0, f"{name} has no Buildpacks: a push detects what the app is made with.\n")
    assert run(app, "buildpacks:set", "heroku/go") == (
        0, f"Buildpack set. Next release on {name} will use heroku/go.\n"
           "Run git push skiff main to create a new release using this buildpack.\n")
    assert run(app, "buildpacks:add", "--index", "1", "heroku/nodejs") == (
        0, f"Buildpack added. Next release on {name} will use:\n  1. heroku/nodejs\n  2. heroku/go\n"
           "Run git push skiff main to create a new release using these buildpacks.\n")
    run(app, "buildpacks:add", "https://git.example/pack.git#v2")
    assert run(app, "buildpacks") == (
        0, f"=== {name} Buildpacks\n1. heroku/nodejs\n2. heroku/go\n3. https://git.example/pack.git#v2\n")
    assert run(app, "buildpacks:set", "-i", "2", "static")[0] == 0
    assert run(app, "buildpacks:remove", "heroku/nodejs")[0] == 0
    assert run(app, "buildpacks:remove", "--index", "2") == (
        0, f"Buildpack removed. Next release on {name} will use heroku-community/static.\n"
           "Run git push skiff main to create a new release using this buildpack.\n")
    assert run(app, "buildpacks:clear") == (0, f"Buildpacks cleared. Next release on {name} will detect buildpacks normally.\n")
    assert run(app, "buildpacks:remove", "x") == (
        1, f"skiff: No buildpacks were found. Next release on {name} will detect buildpack normally.\n")
    code, said = run(app, "buildpacks:add", "--json", "heroku/go")
    assert code == 0 and json.loads(said) == json.loads(run(app, "buildpacks", "-j")[1]) == [
        {"ordinal": 0, "buildpack": {"name": "heroku/go", "url": "urn:buildpack:heroku/go"}}]
    assert run(app, "buildpacks:remove", "-i", "2") == (1, "skiff: Invalid index. Only valid value is 1.\n")


def test_an_unknown_buildpack_is_refused_with_those_that_there_are(app):
    for bad in ("heroku/cobol", "./pack", "skiff/rust"):
        code, said = run(app, "buildpacks:set", bad)
        assert code == 1 and f"There is no buildpack {bad}: there are {BUILT_IN}" in said, said
    for bad, why in (("git@github.com:a/b.git", "has no key for ssh"), ("file:///etc", "begins with https://"),
                     ("https://git.example/", "names no repository"), ("https://h/" + "a" * 1100, "longer than 1024")):
        code, said = run(app, "buildpacks:set", bad)
        assert code == 1 and why in said, said
    code, said = run(app, "buildpacks:set", "--index", "0", "heroku/go")
    assert code == 2, said
    assert run(app, "buildpacks")[1].startswith(f"{app.name} has no Buildpacks")


def test_a_password_is_kept_and_shown_to_nobody(app):
    run(app, "buildpacks:set", "https://me:s3cret@git.example/pack")
    said = run(app, "buildpacks")[1] + run(app, "buildpacks:add", "heroku/go")[1] + run(app, "logs")[1]
    assert "s3cret" not in said and "https://***@git.example/pack" in said
    spec = json.loads(app.skiff.kubectl("-n", app.name, "get", "app", app.name, "-o", "json").stdout)["spec"]
    assert spec["buildpacks"] == ["https://me:s3cret@git.example/pack", "heroku/go"]
    code, said = run(app, "buildpacks:add", "https://***@other.example/pack")
    assert code == 1 and "write the password out" in said


def test_the_api_is_herokus(app):
    path = "/buildpack-installations"
    assert ask(app, "GET", path) == (200, [])
    status, made = ask(app, "PUT", path, {"updates": [{"buildpack": "heroku/nodejs"}, {"buildpack": "https://git.example/p"}]})
    assert status == 200 and made == ask(app, "GET", path)[1] == [
        {"ordinal": 0, "buildpack": {"name": "heroku/nodejs", "url": "urn:buildpack:heroku/nodejs"}},
        {"ordinal": 1, "buildpack": {"name": "https://git.example/p", "url": "https://git.example/p"}}]
    for body in ({}, {"updates": {}}, {"updates": [{}]}, {"updates": [{"buildpack": f"https://h/{i}"} for i in range(21)]}):
        assert ask(app, "PUT", path, body)[0] == 422, body
    assert ask(app, "GET", path)[1] == made
    for bad in (["heroku/go\nx"], ["x"], ["https://h/p"] * 21):
        patch = json.dumps({"spec": {"buildpacks": bad}})
        assert app.skiff.kubectl("-n", app.name, "patch", "app", app.name, "--type=merge", "-p", patch, check=False).returncode != 0


def test_the_next_push_uses_them_before_the_file_and_after_the_config_var(app):
    app.write({".buildpacks": "./pack\n", "pack/bin/compile": "echo 'from the file'\n"})
    run(app, "buildpacks:set", "static")
    pushed = app.push()
    assert pushed.ok and "-----> Static site app detected" in pushed.said and "from the file" not in pushed.said, pushed.said
    app.skiff.skiff("config:set", "BUILDPACK_URL=./pack", "-a", app.name)
    pushed = app.push()
    assert pushed.ok and "from the file" in pushed.said and "Static" not in pushed.said, pushed.said
    assert "BUILDPACK_URL is still set and comes first" in run(app, "buildpacks")[1]
    run(app, "buildpacks:clear")
    app.skiff.skiff("config:unset", "BUILDPACK_URL", "-a", app.name)
    assert "from the file" in app.push().said


def test_create_sets_a_buildpack(skiff):
    made = skiff.skiff("create", "packed", "--no-remote", "--buildpack", "heroku/go").stdout
    assert "Setting buildpack to heroku/go... done" in made
    assert skiff.skiff("buildpacks", "-a", "packed").stdout == "=== packed Buildpack\nheroku/go\n"
    refused = skiff.skiff("create", "unpacked", "--no-remote", "-b", "cobol", check=False)
    assert refused.returncode == 1 and "unpacked was made, without the buildpack: There is no buildpack cobol" in refused.stderr


def test_a_purged_cache_is_empty_at_the_next_build(app):
    app.write({".buildpacks": "./pack\n", "pack/bin/compile": PACK})
    assert "sees []" in app.push().said
    assert "sees [once]" in app.push().said
    assert run(app, "builds:cache:purge") == (
        0, f"Clearing app cache for {app.name}... done\nThe next push builds from nothing.\n")
    assert "sees []" in app.push().said
    assert run(app, "builds:cache:purge")[0] == 0 and run(app, "builds:cache:purge")[0] == 0
    assert ask(app, "GET", "/build-cache")[0] == 404


def test_a_cache_in_use_is_not_purged(app):
    app.write({".buildpacks": "./pack\n", "pack/bin/compile": "echo begun; read -r line </app/pipe\n", "pack/bin/detect": "mkfifo /app/pipe\n"})
    push = app.start_push()
    try:
        assert wait_for(lambda: app.skiff.build_pods(), 60)
        code, said = run(app, "builds:cache:purge")
        assert code == 1 and f"A build of {app.name} is going on and uses its cache; try again when it has ended." in said
    finally:
        os.killpg(push.pid, signal.SIGKILL)
        push.wait()
        push.stdout.close()
    assert wait_for(lambda: run(app, "builds:cache:purge")[0] == 0, 60)


def test_dynos_are_scaled_by_herokus_name(app):
    app.write({".buildpacks": "./pack\n", "pack/bin/compile": "true\n", "Procfile": "worker: sleep 600\nclock: sleep 600\n"})
    assert app.push().ok
    assert run(app, "ps:scale", "worker=2") == (0, "Scaling dynos... done, now running worker at 2:Basic\n")
    assert run(app, "ps:scale", "worker-2", "clock=0") == (
        0, "Scaling dynos... done, now running clock at 0:Basic, worker at 0:Basic\n")
    assert run(app, "ps:scale") == (0, "clock=0:Basic worker=0:Basic\n")
    assert run(app, "ps:scale", "clock=0:Basic", "worker=0:basic")[0] == 0
    code, said = run(app, "ps:scale", "worker=1:Standard-1X")
    assert code == 1 and "dynos have the size Basic here" in said, said
