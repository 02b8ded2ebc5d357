"""Python apps with pip: what they run on, Django's static files, hooks, and what is refused with what to do."""
import subprocess

import pytest

from support.instance import ROOT, wait_for
from support.pushes import accepted, refused
from support.python_apps import APPS, app_files, body

LIB = ROOT / "buildpacks" / "python" / "lib"
FLASK = {"app.py": (APPS / "python-flask" / "app.py").read_text(), "Procfile": "web: gunicorn app:app\n"}


def test_pip_with_hashes_serves_and_the_second_push_fetches_nothing(skiff):
    app = skiff.app(app_files("python-flask"))
    said = accepted(app.push())
    assert "Python app detected" in said and "pip install -r requirements.txt --require-hashes" in said, said
    assert wait_for(lambda: body(app) == "hello from Flask\n"), app.get()
    # Without any index that answers.
    skiff.skiff("config:set", "HTTPS_PROXY=http://127.0.0.1:9", "-a", app.name)
    app.write({"app.py": FLASK["app.py"].replace("hello", "hello again,")})
    said = accepted(app.push())
    assert "Using the packages of the build before" in said and "Collecting" not in said, said
    assert wait_for(lambda: "hello again" in body(app)), app.get()
    # Another hash is another file.
    skiff.skiff("config:unset", "HTTPS_PROXY", "-a", app.name)
    app.write({"requirements.txt": "blinker==1.9.0 --hash=sha256:" + "0" * 64 + "\n"})
    refused(app.push(), "DO NOT MATCH THE HASHES", "requirements.txt has hashes")


def test_the_environment_of_a_dyno(skiff):
    app = skiff.app({"requirements.txt": ""})
    names = ("PYTHONUNBUFFERED", "PYTHONHOME", "PYTHONPATH", "FORWARDED_ALLOW_IPS", "GUNICORN_CMD_ARGS", "WEB_CONCURRENCY", "VIRTUAL_ENV")
    said = app.pod_says("python -c 'import os, sys, sqlite3, ssl, ctypes; print(sys.prefix, sys.version.split()[0])'; for name in "
                        + " ".join(names) + "; do echo \"$name=${!name-unset}\"; done")
    assert said[0].startswith("/app/.heroku/python 3.11."), said
    found = dict(line.split("=", 1) for line in said[1:])
    assert found["PYTHONUNBUFFERED"] == "1" and found["PYTHONHOME"] == "unset" and found["PYTHONPATH"] == "/app", found
    assert found["FORWARDED_ALLOW_IPS"] == "*" and found["GUNICORN_CMD_ARGS"] == "--access-logfile -", found
    assert 1 <= int(found["WEB_CONCURRENCY"]) <= 2, found  # 512 MB


def test_django_collects_its_static_files(skiff):
    app = skiff.app(app_files("python-django"))
    refused(app.push(), "KeyError: 'SECRET_KEY'", "Django's settings read SECRET_KEY, which is not set: skiff config:set SECRET_KEY=<value>",
            "skiff config:set DISABLE_COLLECTSTATIC=1")
    skiff.skiff("config:set", "SECRET_KEY=a secret", "-a", app.name)
    said = accepted(app.push())
    assert "1 static file copied" in said and "a secret" not in said, said
    assert wait_for(lambda: "style: /static/shop." in body(app)), app.get()
    style = body(app).split()[1]
    assert "color: teal" in body(app, style), app.get(style)
    skiff.skiff("config:set", "DISABLE_COLLECTSTATIC=1", "-a", app.name)
    assert "DISABLE_COLLECTSTATIC is set" in accepted(app.push())
    skiff.skiff("config:unset", "DISABLE_COLLECTSTATIC", "-a", app.name)
    app.write({".heroku/collectstatic_disabled": ""})
    assert ".heroku/collectstatic_disabled is there" in accepted(app.push())


def shell(script, *words, **variables):
    """What a part of the buildpack says in a shell of its own: `script` sources it as $1."""
    return subprocess.run(["bash", "-c", script, "bash", *words], env={"PATH": "/usr/bin:/bin", "HOME": "/app", **variables}, capture_output=True,
                          text=True, timeout=60)


@pytest.mark.parametrize("line, uses", [
    ('INSTALLED_APPS = ["django.contrib.staticfiles", "shop"]', True), ('    # "django.contrib.staticfiles",', False),
    ("INSTALLED_APPS += ['django.contrib.staticfiles']  # ours", True), ("INSTALLED_APPS = []  # no django.contrib.staticfiles", False),
])
def test_settings_that_have_static_files(tmp_path, line, uses):
    (tmp_path / "settings.py").write_text(line + "\n")
    found = shell('. "$1" && uses_static_files "$2"', LIB / "app.sh", tmp_path / "manage.py")
    assert (found.returncode == 0) == uses, found


def test_a_kept_python_is_fetched_anew_with_another_uv(tmp_path):
    (tmp_path / "requirements").mkdir()

    def key(version):
        (tmp_path / "requirements" / "uv.txt").write_text(f"uv=={version} --hash=sha256:00\n")
        return shell('. "$1"; . "$2"; python_version=3.12 python_key 3.12', LIB / "tools.sh", LIB / "interpreter.sh", pack=str(tmp_path)).stdout

    assert key("0.9.1") == key("0.9.1") != key("0.9.2") and key("0.9.1")


def test_the_values_of_config_vars_win_in_a_dyno():
    script = '. "$1" && echo "$PYTHONPATH $WEB_CONCURRENCY $FORWARDED_ALLOW_IPS $GUNICORN_CMD_ARGS"'
    own = shell(script, LIB / "profile.sh", PYTHONPATH="/app/src", WEB_CONCURRENCY="77", FORWARDED_ALLOW_IPS="10.0.0.1", GUNICORN_CMD_ARGS="-t 5")
    assert own.stdout == "/app/src 77 10.0.0.1 -t 5\n", own


def test_what_pip_reads(tmp_path):
    (tmp_path / "requirements.txt").write_bytes(b"-r more/base.txt\r\n-c limits.txt\r\n--index-url https://${USER_A}@host/\r\n-e ./ours\r\n./wheels/a.whl\r\nb \\\r\n --hash=sha256:00\r\n# -r no.txt\r\n")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "base.txt").write_text("-r ../last.txt\nflask # ${NOT_THIS}\n")
    for name in ("limits.txt", "last.txt", "no.txt"):
        (tmp_path / name).write_text("c @ file:///app/c\n" if name == "last.txt" else "")

    def asked(what):
        return shell('/usr/bin/python3 "$@"', LIB / "requirements.py", tmp_path, what).stdout.splitlines()

    assert sorted(asked("files")) == ["last.txt", "limits.txt", "more/base.txt", "requirements.txt"]
    assert asked("variables") == ["USER_A"] and asked("hashes") == ["yes"]
    assert sorted(asked("local")) == ["./wheels/a.whl", "c @ file:///app/c"], "an editable one is no copy"


@pytest.mark.parametrize("said", [
    "KeyError: 'SECRET_KEY'", "django.core.exceptions.ImproperlyConfigured: Set the SECRET_KEY environment variable",
    "decouple.UndefinedValueError: SECRET_KEY not found. Declare it as envvar or define a default value.",
    'environs.exceptions.EnvError: Environment variable "SECRET_KEY" not set',
])
def test_the_config_var_that_settings_lack_is_named(tmp_path, said):
    (tmp_path / "log").write_text(f"KeyError: 'staticfiles'\n{said}\n")
    found = shell('. "$1" && missing_setting "$2"', LIB / "app.sh", tmp_path / "log")
    assert found.stdout == "SECRET_KEY\n", found


def test_hooks_and_config_vars(skiff):
    app = skiff.app({"requirements.txt": "", "Procfile": "worker: sleep 600\n", "bin/pre_compile": "#!/bin/bash\r\necho \"before, $GREETING\"\n",
                     "bin/post_compile": "#!/bin/bash\npython -c 'import sys; print(\"after\", sys.prefix)'\n"}, ["GREETING=hello\nworld"])
    said = accepted(app.push())
    assert "before, hello" in said and "after /app/.heroku/python" in said, said
    app.write({"bin/post_compile": "exit 3\n"})
    refused(app.push(), "bin/post_compile failed")


def test_an_index_with_a_password_is_read_and_never_shown(skiff):
    app = skiff.app({"requirements.txt": "--index-url http://me:${TOKEN}@127.0.0.1:9/simple\nflask\n", "Procfile": "web: x\n"},
                    ["TOKEN=very-secret", "PIP_RETRIES=0"])
    done = app.push()
    assert not done.ok and "very-secret" not in done.said, done.said
    assert "No matching distribution found for flask" in done.said, done.said


@pytest.mark.parametrize("files, words", [
    ({"requirements.txt": "", "uv.lock": ""}, ["several package managers: requirements.txt (pip), uv.lock (uv)"]),
    ({"Pipfile": ""}, ['run "pipenv lock", and commit Pipfile.lock']),
    ({"requirments.txt": ""}, ["git mv requirments.txt requirements.txt"]),
    ({"pyproject.toml": "[project]\n"}, ['run "uv lock" and commit uv.lock']),
    ({"setup.py": ""}, ["requirements.txt with the line: -e ."]),
    ({"app.py": ""}, ["No file says which packages the app needs"]),
    ({"requirements.txt": "", "venv/pyvenv.cfg": ""}, ["git rm -r -q --cached venv"]),
    ({"requirements.txt": "", ".python-version": "3.12.99\n"}, [".python-version asks for Python 3.12.99, which can't be had here", "3.13.5"]),
    ({"requirements.txt": "=nonsense\n"}, ["Invalid requirement"]),
    ({"requirements.txt": "", **{"app.py": FLASK["app.py"]}}, ["web: gunicorn app:app", "add gunicorn to the app's packages"]),
])
def test_apps_that_lack_something_are_told(skiff, files, words):
    refused(skiff.app(files).push(), *words)


def choose(folder, files, manager="pip"):
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return subprocess.run(["/usr/bin/python3", LIB / "choose_version.py", folder, manager, LIB / "pythons.tsv"], capture_output=True,
                          text=True, timeout=60)


@pytest.mark.parametrize("files, manager, chosen", [
    ({}, "pip", ["", "3.11.2", "debian", "default"]),
    ({".python-version": "3.11"}, "pip", ["3.11", "3.11.2", "debian", ".python-version"]),
    ({".python-version": "\ufeff# ours\r\n 3.13 \r\n"}, "pip", ["3.13", "3.13.5", "maven", ".python-version"]),
    ({".python-version": "3.14.3\n"}, "pip", ["3.14.3", "3.14.3", "maven", ".python-version"]),
    ({".python-version": "3.11.9\n"}, "pip", ["3.11.9", "3.11.9", "uv", ".python-version"]),
    ({"runtime.txt": "python-3.12\n", ".python-version": "3.11\n"}, "pip", ["3.12", "3.12.1", "maven", "runtime.txt"]),
    ({".tool-versions": "nodejs 20\npython 3.13.5 # ours\n"}, "pip", ["3.13.5", "3.13.5", "maven", ".tool-versions"]),
    ({"Pipfile.lock": '{"_meta": {"requires": {"python_version": "3.12"}}}'}, "pipenv", ["3.12", "3.12.1", "maven", "Pipfile.lock"]),
    ({"uv.lock": 'requires-python = ">=3.10"\n'}, "uv", ["3.11", "3.11.2", "debian", "default"]),
    ({"uv.lock": 'requires-python = ">=3.12, <3.14"\n'}, "uv", ["3.12", "3.12.1", "maven", "uv.lock"]),
    ({"uv.lock": 'requires-python = "==3.13.*"\n'}, "uv", ["3.13", "3.13.5", "maven", "uv.lock"]),
    ({"uv.lock": 'requires-python = ">=3.15"\n'}, "uv", ["3.15", "3.15", "uv", "uv.lock"]),
    ({"poetry.lock": '[metadata]\npython-versions = "^3.12"\n'}, "poetry", ["3.12", "3.12.1", "maven", "poetry.lock"]),
    ({"poetry.lock": '[metadata]\npython-versions = "^2.7 || ^3.13"\n'}, "poetry", ["3.13", "3.13.5", "maven", "poetry.lock"]),
    ({"poetry.lock": '[metadata]\npython-versions = "~3.13 || >=3.14"\n'}, "poetry", ["3.13", "3.13.5", "maven", "poetry.lock"]),
])
def test_which_python_an_app_gets(tmp_path, files, manager, chosen):
    done = choose(tmp_path, files, manager)
    assert done.stdout.splitlines() == chosen, done


@pytest.mark.parametrize("files, words", [
    ({".python-version": "3.8\n"}, ".python-version asks for Python 3.8, which has no security fixes any more."),
    ({".python-version": "2.7.18\n"}, "no security fixes"),
    ({".python-version": "3.99\n"}, "asks for Python 3.99, which is not known"),
    ({".python-version": "python-3.12\n"}, '"python-3.12" is no version of Python; write one such as 3.11'),
    ({".python-version": "3.x\n"}, "is no version of Python"),
    ({".python-version": "3.12\n3.11\n"}, ".python-version has 2 lines"),
    ({".python-version": "\n# nothing\n"}, ".python-version has no version"),
    ({".python-version": "3.12".encode("utf-16")}, ".python-version is not in UTF-8"),
    ({".python-version": b"3.1\xff"}, ".python-version is not in UTF-8"),
    ({".python-version": "#" * 100000}, ".python-version has more than 64 kB"),
    ({".python_version": "3.12"}, "git mv .python_version .python-version"),
    ({"runtime.txt": "3.12\n"}, 'runtime.txt: "3.12" is no version of Python; write one such as python-3.11'),
    ({"runtime.txt": "pypy-7.3\n"}, "runtime.txt"),
    ({".tool-versions": "python latest\n"}, '.tool-versions: "latest" is no version of Python'),
])
def test_pins_that_can_not_be_used(tmp_path, files, words):
    done = choose(tmp_path, files)
    assert done.returncode == 1 and " !     " in done.stderr and words in done.stderr, done


def test_lock_files_that_can_not_be_read(tmp_path):
    for manager, name in (("uv", "uv.lock"), ("poetry", "poetry.lock")):
        done = choose(tmp_path, {name: "<<<<<<< ours\n"}, manager)
        assert done.returncode == 1 and f"{name} is not TOML" in done.stderr, done
    done = choose(tmp_path, {"Pipfile.lock": "<<<<<<< ours\n"}, "pipenv")
    assert done.returncode == 1 and "Pipfile.lock is not JSON" in done.stderr, done
    done = choose(tmp_path, {"uv.lock": 'requires-python = "<3.9"\n'}, "uv")
    assert done.returncode == 1 and "Supported are 3.11 to" in done.stderr, done


@pytest.mark.parametrize("files, programs, line", [
    ({"app.py": "from flask import Flask\napp = Flask(__name__)\n"}, ["gunicorn"], "web: gunicorn app:app\n"),
    ({"api/main.py": "import fastapi\nserver = fastapi.FastAPI()\n"}, ["uvicorn"], "web: uvicorn api.main:server --host 0.0.0.0 --port $PORT\n"),
    ({"main.py": "from fastapi import FastAPI\napp = FastAPI()\n"}, ["uvicorn", "gunicorn"],
     "web: gunicorn -k uvicorn.workers.UvicornWorker main:app\n"),
    ({"manage.py": "", "shop/wsgi.py": ""}, ["gunicorn"], "web: gunicorn shop.wsgi:application\n"),
    ({"bad.py": "def (", "app.py": "from flask import Flask\nweb = Flask(__name__)\n"}, [], "add gunicorn to the app's packages"),
    ({"script.py": "print(1)\n"}, [], "web: gunicorn module:application\n"),
])
def test_the_line_for_an_app_without_a_procfile(tmp_path, files, programs, line):
    for name in [*files, *(f"environment/bin/{program}" for program in programs)]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(files.get(name, ""))
    done = subprocess.run(["/usr/bin/python3", LIB / "suggest_process.py", tmp_path, tmp_path / "environment"], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0 and line in done.stdout, done
