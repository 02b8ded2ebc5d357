"""What people's repositories are like, whatever their language: line ends of Windows, links, odd names, config values of
several lines, files left out. As root."""
import hashlib
import pathlib
import shlex

import pytest

from support.instance import wait_for

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
    "nodejs": {"package.json": '{"name": "odd", "version": "1.0.0", "private": true}\r\n', "index.js": "\r\n"},
}
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
    if not (BUILDPACKS / language / "bin" / "compile").exists():
        pytest.skip(f"there is no buildpack {language} yet")
    app = skiff.app(files_of(language), [f"GREETING={VALUE}"])
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


def test_an_aptfile_is_for_a_language_that_is_detected(skiff):
    """Also what it brings for the build: the program of a package, and the headers and libraries of another."""
    app = skiff.app({**LANGUAGES["static"], "Aptfile": "hello\r\nlibjansson-dev\r\n", "Procfile": "worker: true\n"})
    pushed = app.push()
    if "can't be fetched" in pushed.said:
        pytest.skip("no Debian mirror is reachable")
    assert pushed.ok, pushed.said
    apt, static = pushed.said.index("-----> Apt app detected"), pushed.said.index("-----> Static site app detected")
    assert apt < static
    assert skiff.skiff("builds", "-a", app.name).returncode == 0
    assert app.pod_says("hello; type -P hello")[:2] == ["Hello, world!", "/app/.apt/usr/bin/hello"]


def test_the_export_of_apt_serves_the_buildpacks_after_it(skiff):
    compile = "hello; cc -xc - -ljansson -o /tmp/x <<<'#include <jansson.h>\nint main() { return 0; }' && /tmp/x && pkg-config --libs jansson\n"
    app = skiff.app({"Aptfile": "hello\nlibjansson-dev\n", ".buildpacks": "heroku-community/apt\n./pack\n", "pack/bin/compile": compile,
                     "Procfile": "web: true\n"})
    pushed = app.push()
    if "can't be fetched" in pushed.said:
        pytest.skip("no Debian mirror is reachable")
    assert pushed.ok and "Hello, world!\n" in pushed.said and "-ljansson" in pushed.said, pushed.said


def test_apt_alone_says_what_it_lacks(skiff):
    app = skiff.app({"Makefile": "all:\n", "Procfile": "web: true\n"})
    skiff.skiff("buildpacks:set", "heroku-community/apt", "-a", app.name)
    pushed = app.push()
    assert not pushed.ok and " !     There is no Aptfile: name a Debian package a line" in pushed.said, pushed.said
