"""What an app is taken for, and what bin/release says that it runs."""
import subprocess

import pytest

from support.instance import ROOT, wait_for
from support.pushes import refused

LIB = ROOT / "buildpacks" / "lib"

STACK_OF_HEROKU = "heroku-22"


def process_types(text, folder, procfile=None):
    """What the build makes of the text that a bin/release printed."""
    if procfile is not None:
        (folder / "Procfile").write_bytes(procfile)
    return subprocess.run(["/usr/bin/python3", LIB / "process_types.py", folder / "Procfile"], input=text, text=True,
                          errors="surrogateescape", capture_output=True, timeout=60)


def language_of(files, folder):
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    done = subprocess.run(["/usr/bin/python3", LIB / "languages.py", folder], text=True, capture_output=True, timeout=60)
    return done.stdout.splitlines()


@pytest.mark.parametrize("text, line", [
    ('default_process_types:\n  web: ./srv any "two words"\n', 'web: ./srv any "two words"'),
    ("default_process_types:\n  web: sh -c 'exec ./srv any B'\n", "web: sh -c 'exec ./srv any B'"),
    ("default_process_types:\n  web: sh -c \"exec ./srv any 'C C'\"\n", "web: sh -c \"exec ./srv any 'C C'\""),
    ('default_process_types:\n  web: "./srv any \\"D D\\""\n', 'web: ./srv any "D D"'),
    ('default_process_types: {web: "./srv flow"}\n', "web: ./srv flow"),
    ("---\ndefault_process_types:\n  web: ./srv one\n    two\n", "web: ./srv one two"),
    ("default_process_types:\n  web: >-\n    ./srv\n    folded\n", "web: ./srv folded"),
    ("default_process_types:\n    web: true # not the word of YAML\n", "web: true"),
    ("default_process_types:\n  'web' : ./srv quoted\r\n", "web: ./srv quoted"),
    ("addons: []\nconfig_vars: {}\ndefault_process_types:\n  web: ./srv last\n", "web: ./srv last"),
])
def test_bin_release_is_read_as_yaml(tmp_path, text, line):
    done = process_types(text, tmp_path)
    assert (done.returncode, done.stdout) == (0, line + "\n"), done


def test_the_procfile_has_the_first_word(tmp_path):
    release = "default_process_types:\n  web: theirs\n  worker: theirs\n"
    done = process_types(release, tmp_path, b"\xef\xbb\xbf# mine\r\n  web : mine\r\nlast: x")
    assert done.stdout == "# mine\n  web : mine\nlast: x\nworker: theirs\n", done  # line ends as Python reads them
    assert process_types("", tmp_path, b"web: x\n").stdout == "web: x\n"
    assert process_types("---\n", tmp_path, b"\xff\n").returncode == 0


def test_a_command_of_several_lines_runs_as_it_is(skiff):
    app = skiff.app({".buildpacks": "./pack\n", "pack/bin/compile": "true\n", "pack/bin/release":
                     "cat <<'END'\ndefault_process_types:\n  worker: |\n    for word in \"a b\" 'c\\d'; do\n      echo \"<$word>\"\n"
                     "    done\n    echo 'that is all'\n    exec sleep 600\nEND\n"})
    assert app.push().ok
    skiff.skiff("scale", "worker=1", "-a", app.name)
    said = lambda: skiff.kubectl("-n", app.name, "logs", "deploy/worker", check=False).stdout
    assert wait_for(lambda: "that is all" in said(), 60), said()
    assert said() == "<a b>\n<c\\d>\nthat is all\n"


@pytest.mark.parametrize("text, words", [
    ("default_process_types: [web]\n", "default_process_types is no mapping of process types to commands"),
    ("default_process_types:\n  web: {a: b}\n", "the command of web is no text"),
    ("default_process_types:\n  web: 'open\n", "what it printed is not YAML: line "),
    ("just words\n", "what it printed is no mapping"),
    ("[" * 5000, "what it printed is not YAML: "),
])
def test_a_bin_release_that_can_not_be_used_is_told(tmp_path, text, words):
    done = process_types(text, tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith(" !     The bin/release of the buildpack can't be used: ") and words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_bin_release_that_can_not_be_used_refuses_the_push(skiff):
    refused(skiff.app({".buildpacks": "./pack\n", "pack/bin/compile": "true\n", "pack/bin/release": "echo just words\n"}).push(),
            " !     The bin/release of the buildpack can't be used: what it printed is no mapping")


@pytest.mark.parametrize("files, found", [
    (["mix.exs", "Makefile"], ["Elixir", "mix.exs", None]),
    (["composer.json", "CMakeLists.txt"], ["PHP", "composer.json", "php"]),
    (["index.php", "index.html"], ["PHP", "index.php", "php"]),
    (["App.csproj", "index.html"], [".NET", "App.csproj", "dotnet"]),
    (["Cargo.toml"], ["Rust", "Cargo.toml", None]),
    (["index.html", "tools/build.py", "docs/package.json"], None),
    (["CMakeLists.txt", "main.cc", "Procfile"], None),
    (["mix.exs/a", "index.html"], None),
])
def test_the_language_that_an_apps_own_files_name(tmp_path, files, found):
    name, file, pack = found or (None, None, None)
    address = f"https://github.com/heroku/heroku-buildpack-{pack}" if pack else ""
    assert language_of(files, tmp_path) == ([name, file, address] if found else [])


def test_a_languages_own_file_wins(skiff):
    pushed = skiff.app({"composer.json": "{}\n", "settings.php": "KEY\n", "config.yml": "a: b\n", "index.html": "x"}).push()
    refused(pushed, " !     This is a PHP app (composer.json), and no built-in buildpack is made for PHP.",
            " !     Name one that is: skiff config:set BUILDPACK_URL=https://github.com/heroku/heroku-buildpack-php",
            ' !     To serve its pages as they are: put them into a folder, and its name into a static.json: { "root": "public" }')
    assert "app detected" not in pushed.said


def test_of_several_languages_the_first_builds_and_the_others_are_told(skiff):
    refused(skiff.app({"config.ru": "x", "package.json": "{}", "pom.xml": ""}).push(), "-----> Ruby app detected",
            " !     This app is also one of nodejs, java, and ruby alone builds it.", "skiff buildpacks:add heroku/nodejs")


def test_a_named_buildpack_that_fails_with_an_app_of_another_kind_is_told(skiff):
    refused(skiff.app({"README": "x"}, ["BUILDPACK_URL=skiff/cpp"]).push(), " !     The build failed",
            " !     The buildpack cpp, which was named, does not take this app for its own")


def test_a_language_without_a_known_buildpack(skiff):
    refused(skiff.app({"Cargo.toml": "", "Makefile": "all:\n\ttrue\n"}).push(), " !     This is a Rust app (Cargo.toml)",
            "BUILDPACK_URL=<address of a git repository>", " !     To build it as C++ all the same: BUILDPACK_URL=cpp")


def test_the_owner_may_say_that_it_is_a_static_site(skiff):
    pushed = skiff.app({"package.json": "{}", "static.json": '{"root": "public"}', "public/index.html": "x"}).push()
    assert pushed.ok and "-----> Static site app detected" in pushed.said, pushed.said


def test_a_static_site_does_not_serve_sources_and_secrets(skiff):
    secret = ["settings.py", "lib/db.rb", ".env", "config/database.yml", "id.pem", "package.json", "Gemfile.lock", "a.php",
              "node_modules/x/index.js", "dump.sql", "notes.txt~", "main.go", "PROD.ENV", "sub/.git-credentials"]
    site = skiff.app({"static.json": "{}", "index.html": "home", "a.js": "js", "install.sh": "sh", "data.json": "{}",
                      **{name: "secret" for name in secret}})
    pushed = site.push()
    assert pushed.ok, pushed.said
    assert wait_for(lambda: site.get().endswith("\n\nhome"), 60)
    for name in secret:
        assert site.get("/" + name).startswith("HTTP/1.1 404"), name
    for name in ("a.js", "install.sh", "data.json"):
        assert site.get("/" + name).startswith("HTTP/1.1 200"), name


def test_a_program_that_is_not_there_where_apps_run(skiff):
    refused(skiff.app({"index.html": "bird", "Procfile": "web: python -m SimpleHTTPServer $PORT\n"}).push(),
            ' !     The process type web runs "python", and there is no such program where apps run.',
            " !     A static site needs no line for web: nginx serves it.")
    pushed = skiff.app({"Makefile": "all:\n\ttrue\n", "Procfile": "web: PYTHONUNBUFFERED=1 exec python3 x.py\n"}).push()
    refused(pushed, 'The process type web runs "python3"')
    pushed = skiff.app({"Makefile": "all:\n\ttrue\n", "Procfile": "web: cd x && python\nw: if true; then sleep 9; fi\nx: nginx -v\n"
                        "y: FOO=1 env BAR=2 bash -c 'x'\nz: $FOO bar\nv: env -u FOO bash x\nu: exec -a name bash x\n"}).push()
    assert pushed.ok, pushed.said


def test_a_program_that_is_not_in_the_app(skiff):
    for command, words in (("./nope --x", 'runs "./nope", and there is no such file in the app once it is built.'),
                           ("bin/nope", 'runs "bin/nope", and there is no such file'),
                           ("exec /app/run.sh", 'runs "run.sh", which can\'t be run: it has no executable bit.')):
        pushed = skiff.app({"Makefile": "all:\n\ttrue\n", "run.sh": "#!/bin/sh\n", "Procfile": f"web: {command}\n"}).push()
        refused(pushed, " !     The process type web " + words)
    refused(pushed, " !     Set it with: git update-index --chmod=+x run.sh")


def test_a_procfile_that_is_none(skiff):
    refused(skiff.app({"Makefile": "all:\n\ttrue\n", "Procfile/a": "x\n"}).push(), "Procfile is a folder")
    refused(skiff.app({"index.html": "x", "Procfile": "web: a\rworker: b\r"}).push(), "line ends of old Macs (CR alone)")


def test_a_source_file_named_build(skiff):
    app = skiff.app({"build": "notes\n", "CMakeLists.txt": "cmake_minimum_required(VERSION 3.25)\nproject(a C)\n"
                     "add_executable(a a.c)\n", "a.c": "int main(void) { return 0; }\n", "Procfile": "worker: _build/a\n"})
    pushed = app.push()
    assert pushed.ok and '"build" is a file here: CMake builds in "_build"' in pushed.said, pushed.said
    app.write({"_build": "x"})
    refused(app.push(), ' !     "build" is a file and "_build" is taken too: rename one, CMake needs a folder to build in')


def test_clang_builds_too(skiff):
    pushed = skiff.app({"Makefile": "CXX = clang++\napp: a.cc\n\t$(CXX) -o app a.cc\n", "a.cc": "#include <string>\nint main() { return 0; }\n",
                        "Procfile": "worker: ./app\n"}).push()
    assert pushed.ok, pushed.said


def test_names_of_buildpacks_that_are_none(skiff):
    refused(skiff.app({"x": ""}, ["BUILDPACK_URL=heroku/php"]).push(),
            " !     There is no buildpack heroku/php: it is neither a built-in one (",
            ") nor a folder of the app.", "such as https://github.com/heroku/heroku-buildpack-php")
    refused(skiff.app({".buildpacks": "./gone\n"}).push(), " !     There is no buildpack ./gone: ")


def test_pointers_of_git_lfs_are_told(skiff):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    pushed = skiff.app({"index.html": "x", "big.bin": pointer, "other.txt": "words"}).push()
    assert pushed.ok, pushed.said
    assert " !     Git LFS is not fetched: 1 files are pointers to their content, the first one big.bin" in pushed.said


def test_what_buildpacks_of_heroku_expect_of_a_stack(skiff):
    """They ask for these before they download anything."""
    look = ("echo \"[$STACK $SKIFF_STACK]\"; for p in jq zstd unzip zip wget curl git python3 rsync xz bzip2 gpg make gcc; do "
            "type -P $p >/dev/null || echo lacks $p; done; cat /etc/apt/sources.list; ls /etc/apt/sources.list.d")
    pushed = skiff.app({".buildpacks": "./pack\n", "pack/bin/compile": look + "\n", "Procfile": "web: true\n"}).push()
    assert pushed.ok, pushed.said
    assert f"[{STACK_OF_HEROKU} skiff-12]" in pushed.said and "lacks" not in pushed.said, pushed.said
    assert "/debian bookworm main\n" in pushed.said or "/debian bookworm main " in pushed.said, pushed.said
