"""What people's repositories are like, whatever their language: line ends of Windows, links, odd names, config values of
several lines, files left out. As root."""
import hashlib
import pathlib
import shlex
import subprocess

import pytest

from support.instance import wait_for
from support.pushes import accepted, refused

BUILDPACKS = pathlib.Path(__file__).parents[2] / "buildpacks"
VALUE = "two\nlines, \"quoted\" and 'quoted', $HOME `id` \\n \u00fc%s\n"
ODD = "odd n\u00e4me; $(id) 'x' & \"y\" [z] *.txt"
QUOTED = shlex.quote(ODD)
# By language: what makes an app its own. Nothing is downloaded but what the language needs for an empty app.
LANGUAGES = {
    "cpp": {"Makefile": "all:\n\ttrue\n"},
    "static": {"index.html": "a page\n"},
    "go": {"go.mod": "module example.com/odd\n\ngo 1.19\n", "main.go": "package main\n\nfunc main() {}\n"},
    "python": {"requirements.txt": "\r\n", "app.py": "print('hello')\r\n"},
    "ruby": {"Gemfile": 'source "https://rubygems.org"\r\n', "Gemfile.lock":
             "GEM\r\n  remote: https://rubygems.org/\r\n  specs:\r\n\r\nPLATFORMS\r\n  x86_64-linux\r\n\r\nDEPENDENCIES\r\n"},
    "java": {"pom.xml": "<project>\r\n<modelVersion>4.0.0</modelVersion><groupId>a</groupId><artifactId>odd</artifactId>\r\n"
                        "<version>1</version><packaging>pom</packaging></project>\r\n"},
    "nodejs": {"package.json": '{"name": "odd", "version": "1.0.0", "private": true}\r\n', "index.js": "\r\n"},
}
CONFIG = {"java": ["MAVEN_CUSTOM_GOALS=validate"]}  # which needs no plugin
CHECK = f"""cd /app
printf %s "$GREETING" | md5sum
cat link far/link
cat {QUOTED}
./run.sh
ls ignored.psd notes 2>&1 | wc -l
echo that is all
exec sleep 600
"""


def files_of(language):
    return {**LANGUAGES[language], "Procfile": "worker: sh check.sh\r\n\r\n# a comment\r\n", "check.sh": CHECK, "target.txt": "linked\n",
            ODD: "odd\n", "run.sh": "#!/bin/sh\necho runs\n", ".slugignore": "*.psd\r\n/notes\r\n", "ignored.psd": "x", "notes/a": "x",
            "far/away/a.txt": "far\n"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_repository_as_people_have_them_builds_and_runs(skiff, language):
    app = skiff.app(files_of(language), [f"GREETING={VALUE}", *CONFIG.get(language, [])])
    (app.folder / "link").symlink_to("target.txt")
    (app.folder / "far" / "link").symlink_to("away/a.txt")
    (app.folder / "dangling").symlink_to("nowhere")
    (app.folder / "run.sh").chmod(0o755)
    pushed = app.push()
    assert pushed.ok, pushed.said
    skiff.skiff("ps:scale", "worker=1", "-a", app.name)

    def lines():
        found = skiff.kubectl("-n", app.name, "logs", "deploy/worker", check=False).stdout.splitlines()
        return found if found[-1:] == ["that is all"] else None

    said = wait_for(lines, 60)
    assert said, skiff.kubectl("-n", app.name, "get", "pods", "-o", "yaml").stdout
    assert said == [hashlib.md5(VALUE.encode()).hexdigest() + "  -", "linked", "far", "odd", "runs", "2", "that is all"], said
    skiff.skiff("apps:destroy", "-a", app.name, "--confirm", app.name)


def test_config_values_reach_a_buildpack_as_they_are(skiff):
    app = skiff.app({".buildpacks": "./pack\r\n", "Procfile": "web: true\n",
                     "pack/bin/compile": 'md5sum <"$3/GREETING"; md5sum <"$3/EMPTY"; echo "[$SOURCE_VERSION][${GREETING:-}]"\n'},
                    [f"GREETING={VALUE}", "EMPTY="])
    pushed = app.push()
    assert pushed.ok, pushed.said
    commit = app.git("rev-parse", "HEAD").stdout.strip()
    assert f"{hashlib.md5(VALUE.encode()).hexdigest()}  -\n{hashlib.md5(b'').hexdigest()}  -\n[{commit}][]" in pushed.said, pushed.said


def test_a_config_var_does_not_change_the_script_that_takes_it_over(tmp_path):
    values = {"GREETING": VALUE, "EMPTY": "", "name": "shop", "app": "other", "list": "x", "UID": "5", "SHELLOPTS": "x", "PATH": "/x",
              "CDPATH": "/", "PYTHONHOME": "/x", "no-name": "x", "LEFT_OUT": "x"}
    for name, value in values.items():
        (tmp_path / name).write_text(value)
    script = (f'app=/app list=(1 2); . "{BUILDPACKS}/lib/config_vars.sh"; export_config_vars "{tmp_path}" LEFT_OUT >"$1"; '
              '[ "$app ${list[*]}" = "/app 1 2" ]; env -0')
    said = tmp_path / "said.txt"
    done = subprocess.run(["bash", "-euc", script, "-", said], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=60,
                          check=True)
    found = dict(line.split("=", 1) for line in done.stdout.split("\0") if line)
    assert {name for name in values if found.get(name) == values[name]} == {"GREETING", "EMPTY", "name"}, found
    assert found["PATH"] == "/usr/bin:/bin" and "CDPATH" not in found and "PYTHONHOME" not in found, found
    assert [line.split()[4] for line in said.read_text().splitlines()] == ["SHELLOPTS", "UID", "app", "list"]


def test_an_aptfile_is_for_a_language_that_is_detected_and_is_fetched_once(skiff):
    app = skiff.app({**LANGUAGES["static"], "Aptfile": "\ufeffhello\r\nlibsqlite3-dev\r\n", "Procfile": "worker: true\n"})
    said = accepted(app.push(), "\n       libsqlite3-dev\n")
    assert said.index("-----> Apt app detected") < said.index("-----> Static site app detected")
    assert app.pod_says("hello; type -P hello")[:2] == ["Hello, world!", "/app/.apt/usr/bin/hello"]
    # Without a mirror that answers, and in the place that the list says.
    app.write({".buildpacks": "./pack\napt\nstatic\n", "pack/bin/compile":
               'echo "export http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9" >"$(dirname "$0")/../export"\n'})
    said = accepted(app.push(), "-----> Installing the packages of the Aptfile\n       They are those of the build before\n")
    assert said.index("-----> pack app detected") < said.index("-----> Apt app detected") < said.index("-----> Static site app detected")


def test_an_aptfile_is_for_built_in_buildpacks_that_are_named_and_what_it_brings_for_those_after_it(skiff):
    compile = ("type -P hello; hello; cc -xc - -ljansson -o /tmp/x <<<'#include <jansson.h>\nint main() { return 0; }' && /tmp/x &&"
               " pkg-config --libs jansson\n")
    app = skiff.app({"Aptfile": "hello\nlibjansson-dev\n", ".buildpacks": "cpp\n./pack\n", "pack/bin/compile": compile,
                     "Makefile": "all:\n\t@echo made by $$(command -v hello)\n", "Procfile": "web: true\n"})
    accepted(app.push(), "made by /app/.apt/usr/bin/hello\n", "\n/app/.apt/usr/bin/hello\nHello, world!\n", "-ljansson")


def test_apt_alone_says_what_it_lacks(skiff):
    app = skiff.app({"Makefile": "all:\n", "Procfile": "web: true\n"})
    skiff.skiff("buildpacks:set", "heroku-community/apt", "-a", app.name)
    refused(app.push(), " !     There is no Aptfile: name a Debian package a line")
