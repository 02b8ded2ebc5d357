"""Go apps: which Go they are built with, modules, vendored modules, C code, what is refused, what a second push does not do."""
import base64
import hashlib
import http.server
import io
import json
import os
import pathlib
import re
import subprocess
import threading
import zipfile

import pytest

from support.instance import wait_for
from support.pushes import accepted, refused

ROOT = pathlib.Path(__file__).resolve().parents[2]
APPS = ROOT / "tests" / "builds" / "apps"
PACK = ROOT / "buildpacks" / "go"
RELEASE = "1.27.3"  # what these tests fetch, and nothing else
MODULE = f"module example.com/app\n\ngo 1.24\n\ntoolchain go{RELEASE}\n"
SERVER = """package main

import (
\t"fmt"
\t"net/http"
\t"os"
)

func main() {
\thttp.ListenAndServe(":"+os.Getenv("PORT"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
\t\tfmt.Fprint(w, greet())
\t}))
}
"""
GREET = "package main\n\nfunc greet() string { return \"hello\" }\n"
APP = {"go.mod": MODULE, "main.go": SERVER, "greet.go": GREET}


def folder_files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


SHOP = folder_files(APPS / "go-shop")


@pytest.fixture(scope="module")
def go(skiff):
    made = skiff.app({})
    accepted(made.push_as(APP))
    return made


# Which Go: the decision alone, then by pushes.

def wanted(tmp_path, files, config=None):
    env = tmp_path / "env"
    env.mkdir()
    if config is not None:
        (env / "GOVERSION").write_bytes(config)
    app = tmp_path / "app"
    app.mkdir()
    for name, data in files.items():
        (app / name).write_bytes(data)
    done = subprocess.run(["python3", PACK / "lib/versions.py", "wanted", app, env], capture_output=True, text=True)
    return done.returncode, done.stdout.rstrip("\n").split("\t") if done.returncode == 0 else done.stdout


def choose(kind, version, releases):
    done = subprocess.run(["python3", PACK / "lib/versions.py", "choose", kind, version, "go.mod"], input=releases,
                          capture_output=True, text=True)
    return done.stdout.strip()


@pytest.mark.parametrize("files, config, kind, version, where", [
    ({"go.mod": b"module a\n"}, None, "newest", "-", "Nothing"),
    ({"go.mod": b"module a\ngo 1.24\n"}, None, "least", "1.24", 'go.mod (the line "go 1.24")'),
    ({"go.mod": b"module a\r\ngo 1.24.1\r\n"}, None, "least", "1.24.1", 'go.mod (the line "go 1.24.1")'),
    ({"go.mod": b"\xef\xbb\xbfmodule a\ngo 1.24 // why\n"}, None, "least", "1.24", 'go.mod (the line "go 1.24")'),
    ({"go.mod": b"go 1.24\ntoolchain go1.26.2\n"}, None, "least", "1.26.2", 'go.mod (the line "toolchain go1.26.2")'),
    ({"go.mod": b"go 1.24\ntoolchain go1.26.2-custom\n"}, None, "least", "1.26.2", 'go.mod (the line "toolchain go1.26.2-custom")'),
    ({"go.mod": b"go 1.24\ntoolchain default\n"}, None, "least", "1.24", 'go.mod (the line "go 1.24")'),
    ({"go.mod": b"go 1.24\n", "go.work": b"go 1.25.1\nuse .\n"}, None, "least", "1.25.1", 'go.work (the line "go 1.25.1")'),
    ({"go.mod": b"go 1.24\n", ".tool-versions": b"nodejs 20.1\ngolang 1.26.1 1.25\n"}, None, "exact", "1.26.1", ".tool-versions"),
    ({"go.mod": b"go 1.24\n", ".go-version": b"# ours\n\n1.26\r\n", ".tool-versions": b"golang 1.25.1"}, None, "line", "1.26",
     ".go-version"),
    ({"go.mod": b"// +heroku goVersion go1.26.3\r\ngo 1.24\r\n", ".go-version": b"1.25"}, None, "exact", "1.26.3",
     "go.mod (// +heroku goVersion)"),
    ({"go.mod": b"// +heroku goVersion go1.26.3\ngo 1.24\n"}, b"go1.27\n", "line", "1.27", "The config var GOVERSION"),
    ({"go.mod": b"// +heroku goVersion 1.25 // for now\ngo 1.24\n"}, None, "line", "1.25", "go.mod (// +heroku goVersion)"),
    ({"go.mod": b"// +heroku goVersion go 1.25\ngo 1.24\n"}, None, "line", "1.25", "go.mod (// +heroku goVersion)"),
    ({"go.mod": b"go 1.26\n"}, b"go1.26rc1", "exact", "1.26rc1", "The config var GOVERSION"),
    ({"go.mod": b"go 1.24\n"}, b"1.25.x", "line", "1.25", "The config var GOVERSION"),
    ({"go.mod": b"go 1.24\n"}, b"=1.25.2", "exact", "1.25.2", "The config var GOVERSION"),
    ({"go.mod": b"go 1.16\n"}, b"go1.19.0", "exact", "1.19", "The config var GOVERSION"),
    ({"go.mod": b"go 1.24\n"}, b"latest", "newest", "-", "The config var GOVERSION"),
    ({"go.mod": b"go 1.24\n"}, b" \n", "least", "1.24", 'go.mod (the line "go 1.24")'),
])
def test_the_first_place_that_asks_for_a_version_counts(tmp_path, files, config, kind, version, where):
    assert wanted(tmp_path, files, config) == (0, [kind, version, where])


@pytest.mark.parametrize("files, config, said", [
    ({"go.mod": b"go 1.24\n"}, b"devel-0a1b2c3", 'The config var GOVERSION asks for Go "devel-0a1b2c3", which is no version of Go'),
    ({"go.mod": b"go one\n"}, None, 'go.mod (the line "go one") names no version of Go'),
    ({"go.mod": b"go 1.24\n", ".go-version": b"stable please"}, None, '.go-version asks for Go "stable please"'),
    ({"go.mod": b"go 1.24\n", ".tool-versions": b"golang ref:master"}, None, '.tool-versions asks for Go "ref:master"'),
    ({"go.mod": b"go 1.24.2\n", ".go-version": b"1.24.1"}, None, '.go-version asks for Go 1.24.1, but the line "go 1.24.2" in go.mod'),
    ({"go.mod": b"go 1.26.0\n", ".go-version": b"1.26rc1"}, None, 'asks for Go 1.26rc1, but the line "go 1.26.0" in go.mod'),
    ({"go.mod": b"go 1.24\n", ".go-version": b"1.23"}, None, 'needs 1.24 or newer: change one of them'),
    ({"go.mod": b"x" * (1 << 20) + b"x"}, None, "go.mod is larger than 1 MB"),
])
def test_a_wrong_pin_is_named(tmp_path, files, config, said):
    code, text = wanted(tmp_path, files, config)
    assert code == 1 and text.startswith(" !     ") and said in text


RELEASES = "1.9.2rc2 1.21.0 1.21.13 1.25.9 1.25.10 1.26rc1 1.26.0 1.26.8 1.27.3 1.28rc1 junk"


@pytest.mark.parametrize("kind, version, taken", [
    ("newest", "-", "1.27.3"),  # and no candidate of the next one
    ("line", "1.25", "1.25.10"),
    ("exact", "1.26rc1", "1.26rc1"),
    ("exact", "1.25.9", "1.25.9"),
    ("least", "1.25.9", "1.25.9"),
    ("least", "1.25", "1.25.10"),
    ("least", "1.25.8", "1.25.10"),
    ("least", "1.26.9", "1.27.3"),
    ("least", "1.18", "1.27.3"),
])
def test_the_release_that_is_taken(kind, version, taken):
    assert choose(kind, version, RELEASES) == taken


@pytest.mark.parametrize("kind, version", [("exact", "1.26.1"), ("line", "1.24"), ("line", "1.28"), ("least", "1.28"), ("exact", "1.26")])
def test_a_release_that_can_not_be_had_is_refused_with_those_that_can(kind, version):
    said = choose(kind, version, RELEASES)
    assert f"go.mod asks for Go {version}, which can't be had." in said
    assert "The newest of each line: 1.27.3, 1.26.8, 1.25.10, 1.21.13" in said
    assert ("Of Go 1.26 there are: 1.26.8, 1.26.0, 1.26rc1" in said) == version.startswith("1.26")


@pytest.mark.parametrize("files, config, where", [
    ({"go.mod": MODULE.replace("\n", "\r\n")}, [], f'go.mod (the line "toolchain go{RELEASE}")'),
    ({"go.mod": "module example.com/app\n\ngo 1.24\n", ".go-version": f"{RELEASE}\r\n"}, [], ".go-version"),
    ({}, [f"GOVERSION=go{RELEASE}"], "The config var GOVERSION"),
])
def test_pins_are_obeyed(go, files, config, where):
    accepted(go.push_as(APP | files, config), f"-----> Using Go {RELEASE}: {where}")
    assert go.get().endswith("hello")


@pytest.mark.parametrize("files, config, said", [
    ({"go.mod": "module example.com/app\n\ngo 1.27.99\n\ntoolchain go9.1\n"}, [], 'go.mod (the line "toolchain go9.1") names no version of Go'),
    ({"go.mod": "module example.com/app\n\ngo 1.99\n"}, [], 'go.mod (the line "go 1.99") asks for Go 1.99, which can\'t be had.'),
    ({".go-version": "1.27.99\n"}, [], ".go-version asks for Go 1.27.99, which can't be had."),
    ({".tool-versions": "golang 1.98\n"}, [], ".tool-versions asks for Go 1.98, which can't be had."),
    ({}, ["GOVERSION=go1.27.99"], "The config var GOVERSION asks for Go 1.27.99, which can't be had."),
])
def test_wrong_pins_refuse_the_push(go, files, config, said):
    pushed = go.push_as(APP | files, config)
    refused(pushed, f" !     {said}")
    assert "Running: go install" not in pushed.said
    if "can't be had" in said:
        assert f"{RELEASE}" in pushed.said or " !     The newest of each line: 1." in pushed.said


def test_debians_go_builds_for_who_asks_for_it(go):
    accepted(go.push_as(APP | {"go.mod": "module example.com/app\n\ngo 1.18\n"}, ["GOVERSION=go1.19.8"]), "-----> Using Go 1.19.8: ")
    assert go.get().endswith("hello")


# What is built.

def test_modules_of_several_programs_with_a_procfile(go):
    pushed = go.push_as(SHOP | {"Procfile": "web: web\r\nworker: worker\r\n"}, ["GO_LINKER_SYMBOL=main.version"])
    accepted(pushed, "Built: bin/web bin/worker")
    about = go.get("/about")
    commit = go.git("rev-parse", "HEAD").stdout.strip()
    assert f"go=go{RELEASE} version={commit} " in about and about.endswith("tags=heroku\n"), about
    assert "from the shop" in go.get("/")


def test_without_a_procfile_each_program_is_a_process_type(go):
    accepted(go.push_as(SHOP), "web", "worker")
    assert "from the shop" in go.get("/")
    go.skiff.skiff("scale", "worker=1", "-a", go.name)
    said = lambda: go.skiff.kubectl("-n", go.name, "logs", "deploy/worker", check=False).stdout
    try:
        assert wait_for(lambda: "packed " in said(), 60), said()
    finally:
        go.skiff.skiff("scale", "worker=0", "-a", go.name)


def test_the_packages_that_the_app_names(go):
    only = SHOP | {"go.mod": b"// +heroku install ./cmd/web\r\n" + SHOP["go.mod"].replace(b"\n", b"\r\n")}
    pushed = go.push_as(only)
    accepted(pushed, "Built: bin/web\n")
    assert "from the shop" in go.get("/")
    refused(go.push_as(SHOP, ["GO_INSTALL_PACKAGE_SPEC=./internal/..."]),
            " !     No main package is among ./internal/..., which the config var GO_INSTALL_PACKAGE_SPEC names.")


def test_vendored_modules_need_no_proxy(go):
    files = {"go.mod": MODULE + "\nrequire example.com/words v1.6.0\n", "greet.go":
             'package main\n\nimport "example.com/words"\n\nfunc greet() string { return words.Greet() }\n',
             "vendor/modules.txt": "# example.com/words v1.6.0\n## explicit; go 1.24\nexample.com/words\n",
             "vendor/example.com/words/words.go": 'package words\n\nfunc Greet() string { return "hello from vendor" }\n'}
    config = ["GOPROXY=off"]
    accepted(go.push_as(APP | files, config), "-mod=vendor")
    assert go.get().endswith("hello from vendor")
    files["go.mod"] = files["go.mod"].replace("v1.6.0", "v1.5.0")
    refused(go.push_as(APP | files, config), "inconsistent vendoring", ' !     vendor/ is not what go.mod asks for; see above. Run "go mod vendor"')


def test_a_workspace_of_two_modules(go):
    files = {"go.work": f"go 1.24\n\ntoolchain go{RELEASE}\n\nuse (\n\t./web\n\t./greet\n)\n",
             "web/go.mod": "module example.com/web\n\ngo 1.24\n", "greet/go.mod": "module example.com/greet\n\ngo 1.24\n",
             "web/main.go": SERVER.replace('"fmt"', '"fmt"\n\t"example.com/greet"').replace("greet()", "greet.Greet()"),
             "greet/greet.go": "package greet\n\nfunc Greet() string { return \"hello from two modules\" }\n"}
    accepted(go.push_as(files), "Built: bin/web")
    assert go.get().endswith("hello from two modules")


def test_hooks_run_before_and_after(go):
    hooks = {"bin/go-pre-compile": "echo 'package main; func greet() string { return \"made before\" }' > greet.go\n",
             "bin/go-post-compile": "#!/bin/sh\nls bin/app\n"}
    pushed = go.push_as({name: text for name, text in APP.items() if name != "greet.go"} | hooks)
    accepted(pushed, "-----> Running bin/go-pre-compile", "-----> Running bin/go-post-compile\n       bin/app")
    assert go.get().endswith("made before")
    refused(go.push_as(APP | {"bin/go-pre-compile": "#!/bin/sh\nexit 3\n"}), " !     bin/go-pre-compile failed")


# C code.

C_PROGRAM = """package main

// #cgo LDFLAGS: -largon2
// #include <argon2.h>
import "C"

func greet() string { return C.GoString(C.argon2_error_message(C.ARGON2_OK)) + " from C" }
"""


def test_c_code_with_what_an_aptfile_brings(go):
    files = APP | {"greet.go": C_PROGRAM}
    refused(go.push_as(files), " !     Native code needs argon2.h, which the stack lacks: it is in Debian's package libargon2-dev.",
            ' !     Write the line "libargon2-dev" into a file Aptfile')
    accepted(go.push_as(files | {"Aptfile": "libargon2-dev\r\n"}))
    assert go.get().endswith("OK from C")


def test_config_vars_are_the_environment_of_the_build(tmp_path):
    for name, value in {"CGO_CFLAGS": "-I${build_dir}/include", "GOFLAGS": "-v", "TWO_LINES": "a\nb", "PATH": "/x", "GOPATH": "/x",
                        "not-a-name": "x"}.items():
        (tmp_path / name).write_text(value)
    look = f'. {PACK}/lib/env.sh; . {PACK}/../lib/config_vars.sh; load_config {tmp_path} /app; printf "%s|" "$CGO_CFLAGS" "$GOFLAGS" "$TWO_LINES" "${{GOPATH:-}}" "$PATH"'
    done = subprocess.run(["bash", "-euc", look], capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"})
    assert done.stdout == "-I/app/include|-v|a\nb||/usr/bin:/bin|"


# What is refused, in Go's own words and with what to do.

def test_a_checksum_that_differs_is_refused(go):
    # Not the modules of the other tests: what is in the cache was verified when it came.
    sums = SHOP["go.sum"].replace(b"uuid v1.6.0 h1:N", b"uuid v1.6.0 h1:M")
    refused(go.push_as(SHOP | {"go.sum": sums}), "checksum mismatch", "SECURITY ERROR", " !     A module is not the one that go.sum names")


def test_a_missing_checksum_is_refused(go):
    sums = b"".join(line for line in SHOP["go.sum"].splitlines(True) if b"chi" not in line)
    refused(go.push_as(SHOP | {"go.sum": sums}), "missing go.sum entry", ' !     Run "go mod tidy", commit go.mod and go.sum')


def test_a_missing_requirement_is_refused(go):
    refused(go.push_as(SHOP | {"go.mod": MODULE.replace("app", "shop"), "go.sum": ""}), "no required module provides package",
            ' !     Run "go mod tidy"')


@pytest.mark.parametrize("files, texts", [
    ({"main.go": SERVER}, ["There is main.go and no go.mod", 'Run "go mod init <name>"']),
    ({"Gopkg.lock": "", "x.go": "package main\n"}, ["There is Gopkg.lock and no go.mod"]),
    ({"src/launcher/main.go": SERVER}, ["There is src/launcher/main.go and no go.mod", 'Run "go mod init <name>"']),
    ({"go.mod": MODULE, "lib.go": "package lib\n"}, ["No main package is in this module: there is nothing to run."]),
    (APP | {"main.go": SERVER + "func {\n"}, ["syntax error", "Go's own words stand above."]),
    (APP | {"bin": "x"}, ["bin is a file, and programs are built into a folder of that name"]),
    (APP | {"go.sum/x": "x"}, ["go.sum is a folder, and should be a file."]),
    (APP | {"go.mod": MODULE + "\nrequire (\n"}, ["go.mod"]),
    ({"go.mod": MODULE, "a/web/main.go": "package main\nfunc main() {}\n", "b/web/main.go": "package main\nfunc main() {}\n"},
     ["Two packages make a program called web"]),
])
def test_what_is_no_app_is_refused(go, files, texts):
    refused(go.push_as(files), *texts)


def test_a_module_that_needs_a_newer_go_is_named(go):
    files = {"go.work": f"go 1.24\n\ntoolchain go{RELEASE}\n\nuse ./web\n", "web/go.mod": "module example.com/web\n\ngo 1.99\n",
             "web/main.go": "package main\n\nfunc main() {}\n", "go.mod": ""}
    del files["go.mod"]
    refused(go.push_as(files), "1.99", f" !     A newer Go is needed than Go {RELEASE}")


# The cache, private modules, the dyno.

def test_a_second_push_fetches_nothing(go):
    accepted(go.push_as(SHOP))
    changed = SHOP | {"cmd/web/main.go": SHOP["cmd/web/main.go"].replace(b"from the shop", b"from the new shop")}
    pushed = go.push_as(changed, ["GOPROXY=off", "GOSUMDB=off", "GOFLAGS=-v"])
    accepted(pushed, "example.com/shop/cmd/web")
    assert "Fetching" not in pushed.said and "downloading" not in pushed.said
    assert "go-chi" not in pushed.said and "internal/order" not in pushed.said  # -v names what is compiled
    assert "from the new shop" in go.get("/")


class Proxy(http.server.BaseHTTPRequestHandler):
    """A module proxy with one module."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("corp.example/greet@v1.2.0/go.mod", "module corp.example/greet\n")
        writer.writestr("corp.example/greet@v1.2.0/greet.go",
                        "package greet\n\nfunc Greet() string { return \"hello from the corporation\" }\n")
    files = {"v1.2.0.info": json.dumps({"Version": "v1.2.0"}).encode(), "v1.2.0.mod": b"module corp.example/greet\n",
             "v1.2.0.zip": archive.getvalue(), "list": b"v1.2.0\n"}
    asked = []

    def do_GET(self):
        self.asked.append(self.path)
        data = self.files.get(self.path.removeprefix("/corp.example/greet/@v/"))
        self.send_response(200 if data else 404)
        self.end_headers()
        self.wfile.write(data or b"not here")

    def log_message(self, *_):
        pass


def module_sum(named):
    """The h1 sum of a module's files, as go.sum has it."""
    lines = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(named.items()))
    return "h1:" + base64.b64encode(hashlib.sha256(lines.encode()).digest()).decode()


def test_private_modules_by_gos_own_variables(go, skiff):
    with zipfile.ZipFile(Proxy.archive) as reader:
        whole = module_sum({name: reader.read(name) for name in reader.namelist()})
    sums = (f"corp.example/greet v1.2.0 {whole}\n"
            f"corp.example/greet v1.2.0/go.mod {module_sum({'go.mod': Proxy.files['v1.2.0.mod']})}\n")
    files = {"go.mod": MODULE + "\nrequire corp.example/greet v1.2.0\n", "go.sum": sums,
             "main.go": SERVER.replace('"fmt"', '"fmt"\n\t"corp.example/greet"').replace("greet()", "greet.Greet()")}
    with http.server.ThreadingHTTPServer(("0.0.0.0", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            address = f"http://{skiff.gateway}:{server.server_port}"
            refused(go.push_as(files, ["GOPROXY=off"]), "module lookup disabled by GOPROXY=off", " !     A module can't be fetched")
            accepted(go.push_as(files, [f"GOPROXY={address}", "GOPRIVATE=corp.example", "GONOPROXY=none"]))
        finally:
            server.shutdown()
    assert go.get().endswith("hello from the corporation")
    assert "/corp.example/greet/@v/v1.2.0.zip" in Proxy.asked


@pytest.mark.parametrize("host, value, answer", [
    ("github.com", "anna:secret", "username=anna\npassword=secret\n"),
    ("github.com", "token", "username=token\npassword=x-oauth-basic\n"),
    ("gitlab.com", "token", ""),
])
def test_passwords_of_private_repositories(host, value, answer):
    done = subprocess.run(["bash", PACK / "lib/git_credential.sh", "get"], input=f"protocol=https\nhost={host}\n\n", text=True,
                          capture_output=True, check=True, env=os.environ | {"GO_GIT_CRED__HTTPS__GITHUB__COM": value})
    assert done.stdout == answer


def test_the_dyno_has_only_what_runs(go):
    accepted(go.push_as(APP | {"main.go": SERVER.replace("greet()", 'greet() + " " + os.Getenv("GOMEMLIMIT")')}))
    assert int(go.get().rsplit(" ", 1)[1]) > 0
    said = go.pod_says("grep -c GOMAXPROCS .profile.d/go.sh; ls -A /app /app/bin; type -P go gcc || echo neither")
    assert said[-1] == "neither" and "app" in said and not {".config", ".cache", "go"} & set(said), said
    # The module says go 1.24: such a program does not see the dyno's bound, whatever Go built it.
    assert said[0] != "0", said
    go.write({"go.mod": MODULE.replace("go 1.24", "go 1.25")})
    assert go.pod_says("grep -c GOMAXPROCS .profile.d/go.sh") == ["0"]


def test_the_dynos_bounds_are_told_to_gos_runtime():
    """The lines that a dyno sources, where this machine's own bound is: it may have none."""
    look = f"GOMEMLIMIT=1GiB GOMAXPROCS=3; export GOMEMLIMIT GOMAXPROCS; . {PACK}/lib/profile.sh; " \
        f". {PACK}/lib/processors.sh; echo $GOMEMLIMIT $GOMAXPROCS"
    assert subprocess.run(["bash", "-euc", look], capture_output=True, text=True, check=True).stdout == "1GiB 3\n"


def test_the_go_example(go):
    """ipify-go, as it lies in examples/, with its own tests run by the Go that builds it."""
    files = folder_files(ROOT / "examples" / "ipify-go")
    said = accepted(go.push_as(files | {"bin/go-pre-compile": "#!/bin/sh\ngo test ./...\n"}), "Built: bin/ipify-go")
    assert re.search(r"(?m)^ +ok +\tskiff\.example/ipify-go\t", said), said
    answer = go.get("/?format=json", "-H", "X-Forwarded-For: 8.8.8.8")
    assert "access-control-allow-origin: *" in answer.lower() and answer.endswith('{"ip":"127.0.0.1"}'), answer
    assert go.get("/?format=jsonp&callback=alert(1)").startswith("HTTP/1.1 400")
