"""Pushes that become apps: what a build gets, what it may do, and what runs in the end."""
import hashlib
import http.server
import os
import pathlib
import shutil
import subprocess

import pytest

from support.instance import ROOT, wait_for
from support.pushes import accepted
from support.servers import GitHandler, serving

WEB = "web: exec python3 -m http.server $PORT\n"


def make(script, procfile="web: true\n"):
    return {"Procfile": procfile, "Makefile": "all:\n\t@" + script + "\n"}


def test_a_push_over_tls_trusts_the_instances_own_authority(skiff):
    site = skiff.app({"index.html": "over tls"})
    site.commit()
    token = (skiff.data / "token").read_text().strip()
    address = f"https://localhost:{skiff.https}/{site.name}.git"

    def push(**trust):
        return subprocess.run(["git", "-c", f"http.extraHeader=Authorization: Bearer {token}", "push", address, "main"],
                              cwd=site.folder, env={**skiff.env, **trust}, capture_output=True, text=True, timeout=300)

    stranger = push()
    assert stranger.returncode != 0 and "certificate" in stranger.stderr
    pushed = push(GIT_SSL_CAINFO=f"{skiff.data}/pki/edge-ca.crt")
    assert pushed.returncode == 0 and "deployed to Skiff" in pushed.stderr, pushed.stderr
    assert wait_for(lambda: site.get().endswith("over tls"), 30)


def test_a_static_site_is_served_through_the_edge(skiff):
    site = skiff.app({"static.json": '{"root": "public", "clean_urls": true, "error_page": "lost.html",'
                                     ' "https_only": true, "headers": {"/**": {"X-From": "site"}}}',
                      "public/index.html": "home", "public/about.html": "about", "public/lost.html": "lost",
                      "public/a.css": "b{}" * 1000})
    said = accepted(site.push())
    assert "-----> Static site app detected" in said and "       web: .skiff/serve" in said
    secure = ("--resolve", f"{site.host}:{skiff.https}:127.0.0.1", "--cacert", f"{skiff.data}/pki/edge-ca.crt")
    get = lambda path, *options: subprocess.run(
        ["curl", "-sS", "-m", "10", "-i", *secure, *options, f"https://{site.host}:{skiff.https}{path}"],
        capture_output=True, text=True, timeout=20).stdout.replace("\r", "")
    assert wait_for(lambda: "\n\nhome" in get("/"), 60)
    assert "\n\nabout" in get("/about") and "x-from: site" in get("/about").lower()
    missing = get("/nowhere")
    assert missing.startswith(("HTTP/1.1 404", "HTTP/2 404")) and missing.endswith("lost")
    assert "content-encoding: gzip" in get("/a.css", "--compressed").lower()
    plain = site.get("/about?x=1")
    assert plain.startswith("HTTP/1.1 301") and f"Location: https://{site.host}/about?x=1" in plain


def test_the_example_site(skiff):
    site = skiff.app({})
    shutil.copytree(ROOT / "examples" / "site", site.folder, dirs_exist_ok=True)
    accepted(site.push())
    assert wait_for(lambda: "<h1>About this site</h1>" in site.get("/about"), 60)
    assert "<h1>Not found</h1>" in site.get("/nowhere") and "Location: /\n" in site.get("/home")


def test_a_download_ends_well_though_its_site_is_stopped(skiff):
    site = skiff.app({"index.html": "i", "large": os.urandom(16 << 20)})
    accepted(site.push())
    assert wait_for(lambda: site.get("/").endswith("\n\ni"), 60)
    download = subprocess.Popen(["curl", "-sS", "-m", "60", "--limit-rate", "3M", "-o", "/dev/null", "-w", "%{size_download}",
                                 "-H", f"Host: {site.host}", f"http://127.0.0.1:{skiff.http}/large"],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    skiff.kubectl("-n", site.name, "delete", "pods", "--all", "--wait=false")
    said, _ = download.communicate(timeout=90)
    assert said == str(16 << 20)


def test_a_bad_static_json_refuses_the_push(skiff):
    pushed = skiff.app({"index.html": "x", "static.json": '{"error_page": "lost.html"}'}).push()
    assert not pushed.ok
    assert ' !     static.json: error_page: "lost.html" is no file below the root; add it, or correct the name' in pushed.said


def test_a_cmake_app_and_its_cache(skiff):
    cmake = 'cmake_minimum_required(VERSION 3.25)\nproject(app CXX)\nadd_executable(app a.cc b.cc)\n'
    app = skiff.app({"CMakeLists.txt": cmake, "a.cc": "int b(); int main() { return b(); }\n", "b.cc": "int b() { return 0; }\n",
                     "Procfile": "worker: build/app\n"})
    said = accepted(app.push())
    assert "-----> Building with CMake" in said and "a.cc.o" in said and "       worker: build/app" in said
    app.write({"b.cc": "int b() { return 1; }\n"})
    said = accepted(app.push())
    assert "-----> Using the cache of the build before" in said
    assert "b.cc.o" in said and "a.cc.o" not in said


def test_builds_and_apps_run_as_an_unprivileged_user(skiff):
    app = skiff.app(make("id -u; id -un; echo home $$HOME; grep -E '^(CapEff|NoNewPrivs)' /proc/self/status"))
    said = accepted(app.push())
    assert "70000\ndyno\nhome /app\n" in said and "NoNewPrivs:\t1" in said
    wrote = app.pod_says("id -u; id -un; echo home $HOME; touch /app/x /tmp/x && echo writable; touch /usr/x; stat -c %U Makefile")
    assert wrote[:4] == ["70000", "dyno", "home /app", "writable"] and wrote[-1] == "dyno"
    assert any("Permission denied" in line for line in wrote)


def test_a_cache_belongs_to_its_app(skiff):
    one, other = skiff.app(make("touch /skiff/cache/mine; ls /skiff/cache")), skiff.app(make("ls /skiff/cache; echo listed"))
    assert "mine" in accepted(one.push())
    said = accepted(other.push())
    assert "listed" in said and "mine" not in said
    one.write(make("ls /skiff/cache"))
    assert "mine" in accepted(one.push())
    with skiff.limits(diskMb=64):
        one.write(make("head -c 40M /dev/zero >/skiff/cache/large; ls /skiff/cache"))
        accepted(one.push(), "large\n")
        one.write(make("ls /skiff/cache; echo listed"))
        said = accepted(one.push(), "-----> The cache of earlier builds takes 4", " MB that a build has: it begins anew", "listed")
    assert "mine" not in said and "large" not in said


def test_what_a_buildpack_is_told(skiff):
    app = skiff.app({"pack/bin/detect": "echo Own\n",
                     "pack/bin/compile": 'ls "$3"; cat "$3/GREETING"; echo; echo "[$STACK]"; echo "[$SOURCE_VERSION]"\n'
                                         'echo "[${GIT_DIR:-}${GREETING:-}]"; cat beside.txt\n',
                     "pack/beside.txt": "found by its place in the buildpack\n",
                     "pack/bin/release": "printf -- '---\\ndefault_process_types:\\n  web: \"bin/own\"\\n  worker: w\\n'\n",
                     "Procfile": "worker: mine\n"}, ["BUILDPACK_URL=./pack", "GREETING=hi"])
    said = accepted(app.push())
    commit = app.git("rev-parse", "HEAD").stdout.strip()
    assert "-----> Own app detected\nBUILDPACK_URL\nGREETING\nhi\n[heroku-22]\n" in said
    assert f"[{commit}]\n[]\nfound by its place in the buildpack\n" in said
    assert "       web: bin/own\n       worker: mine" in said


def test_several_buildpacks_and_slugignore(skiff):
    app = skiff.app({".buildpacks": "\ufeff./pack\r\n# another\n./second\nskiff/static\n", ".slugignore": "# not these\n/notes\n*.psd\n",
                     "pack/bin/compile": "cd \"$1\"; ls; echo made >made.html\n[ -x \"$0\" ] || true\n"
                                         "echo 'export FROM_FIRST=yes:$NOT_SET; false' >\"$(dirname \"$0\")/../export\"\n",
                     "second/bin/compile": "echo \"[$FROM_FIRST]\"\n",
                     "index.html": "i", "notes/a": "x", "b.psd": "x"})
    said = accepted(app.push())
    assert "-----> pack app detected" in said and "-----> Static site app detected" in said and "[yes:]\n" in said
    assert "notes" not in said and "b.psd" not in said
    assert wait_for(lambda: app.get("/made.html").endswith("made\n"), 60)


def test_a_build_gets_the_layers_that_it_asks_for_whatever_the_last_one_had(skiff):
    app = skiff.app({".buildpacks": "./pack\n", "pack/bin/compile": "ls /usr/share/skiff/layers\n",
                     "pack/bin/layers": "echo python\n", "Procfile": "worker: true\n"})
    record = skiff.data / "platform" / "cache" / f"{app.name}.layers"
    record.write_text("nosuch")  # one that a version before had
    assert "-----> pack app detected\npython\n" in accepted(app.push())
    assert record.read_text() == "python"
    app.write({"pack/bin/layers": "echo nosuch\n"})
    pushed = app.push()
    assert not pushed.ok and ' !     Push refused: there is no stack layer "nosuch"; there are ' in pushed.said, pushed.said


def test_a_clone_without_history_deploys(skiff):
    app = skiff.app({"index.html": "one"})
    app.commit()
    app.write({"index.html": "two"})
    app.commit()
    shallow = skiff.data / f"{app.name}-shallow"
    app.git("clone", "-q", "--depth", "1", f"file://{app.folder}", shallow)
    remote = app.git("remote", "get-url", "skiff").stdout.strip()
    access = ("-c", "http.extraHeader=Authorization: Bearer " + (skiff.data / "token").read_text().strip())
    pushed = app.git("-C", shallow, *access, "push", remote, "main")
    assert "deployed to Skiff" in pushed.stderr and "rejected" not in pushed.stderr, pushed.stderr
    assert app.git("ls-remote", "skiff", "main").stdout.split()[0] == app.git("rev-parse", "HEAD").stdout.strip()
    assert wait_for(lambda: app.get().endswith("two"), 60)
    app.write({"index.html": "three"})
    accepted(app.push())
    app.git(*access, "clone", "-q", remote, skiff.data / f"{app.name}-copy")
    assert (skiff.data / f"{app.name}-copy" / "index.html").read_text() == "three"


def test_what_gitattributes_keeps_out_of_archives_is_built(skiff):
    app = skiff.app({**make("cat VERSION"), "VERSION": "$Format:%H$", ".gitattributes":
                     "[attr]dev export-ignore\nVERSION export-subst\nMakefile dev\n/Procfile export-ignore\n"})
    assert "$Format:%H$" in accepted(app.push())


def test_a_list_of_no_buildpack_leaves_detection_to_the_built_in_ones(skiff):
    assert "-----> Static site app detected" in accepted(skiff.app({".buildpacks": "# none yet\n", "index.html": "i"}).push())


def test_slugignore_removes_what_it_names_and_nothing_else(skiff):
    ignored = "old docs\r\n  # comment\r\n \t\r\n../skiff/cache/kept\n/../../skiff/cache/kept\nlink/*\n!old\n.\n..\n/\n" \
              "gone/\na/../deep\nno such*\n-x\nlast *"
    app = skiff.app({".buildpacks": "./a pack\r\n", "a pack/bin/compile": "cd \"$1\"; touch /skiff/cache/kept; ls -A | tr '\\n' ,\n",
                     "Procfile": "web: true\r\n"})
    assert "Procfile,a pack," in accepted(app.push())
    app.write({".slugignore": ignored, "a pack/bin/compile": "cd \"$1\"; ls /skiff/cache; ls -A | tr '\\n' ,\n",
               **{f"{name}/x": "x" for name in ("old docs", "old", "docs", "gone", "a", "deep", "last one")}, "-x": ""})
    (app.folder / "link").symlink_to("/skiff/cache")
    said = accepted(app.push())
    assert "kept\n.buildpacks,.slugignore,Procfile,a,a pack,docs,link,old," in said


def test_what_a_push_does_not_do_is_said(skiff):
    app = skiff.app(make("true"))
    said = accepted(app.push())
    assert "release phase" not in said
    app.write({"Procfile": "web: true\nrelease: bin/migrate\n"})
    said = accepted(app.push())
    assert " !     The release phase is not run yet: " in said


@pytest.fixture
def remote_pack(skiff, tmp_path):
    """A buildpack in a git repository and as an archive, served on the address that pods reach the host by."""
    work = tmp_path / "work"
    (work / "bin").mkdir(parents=True)
    (work / "bin" / "detect").write_text("echo Remote\n")
    (work / "bin" / "compile").write_text("echo 'from the main branch'\n")
    (work / "bin" / "release").write_text("printf -- '---\\ndefault_process_types:\\n  web: true\\n'\n")
    git = lambda *args: subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t.example", *args], cwd=work,
                                       check=True, capture_output=True)
    git("init", "-q", "-b", "main", ".")
    git("add", "-A")
    git("commit", "-qm", "one")
    git("checkout", "-qb", "next")
    (work / "bin" / "compile").write_text("echo 'from the next branch'\n")
    git("commit", "-qam", "two")
    git("checkout", "-q", "main")
    subprocess.run(["git", "clone", "-q", "--bare", work, tmp_path / "pack.git"], check=True)
    with serving(skiff.gateway, GitHandler, root=tmp_path) as server:
        yield f"http://{skiff.gateway}:{server.server_port}/pack.git"


def test_a_buildpack_by_address(skiff, remote_pack):
    app = skiff.app({"x": "y"}, [f"BUILDPACK_URL={remote_pack}"])
    assert "-----> Remote app detected\nfrom the main branch" in accepted(app.push())
    skiff.skiff("config:set", f"BUILDPACK_URL={remote_pack}#next", "-a", app.name)
    assert "from the next branch" in accepted(app.push())
    skiff.skiff("config:set", f"BUILDPACK_URL={remote_pack}#nosuch", "-a", app.name)
    pushed = app.push()
    assert not pushed.ok and f" !     The buildpack {remote_pack}#nosuch can't be fetched: " in pushed.said


def test_why_a_buildpack_can_not_be_fetched(skiff, remote_pack):
    base = remote_pack.removesuffix("/pack.git").removeprefix("http://")
    for address, words in (
            (f"http://me:s3cret@{base}/none.tgz", f"http://***@{base}/none.tgz can't be fetched: curl: (22) The requested URL returned error: 404"),
            ("http://127.0.0.1:9/x.tgz", "can't be fetched: curl: (7) "),
            ("git@github.com:a/b.git", "can't be fetched: a build has no key for ssh; name its https address."),
            ("file:///etc", "can't be fetched: fatal: '/etc' does not appear to be a git repository")):
        pushed = skiff.app({"x": "y"}, [f"BUILDPACK_URL={address}"]).push()
        assert not pushed.ok and words in pushed.said and "s3cret" not in pushed.said, pushed.said


def test_a_folder_that_is_no_buildpack(skiff):
    pushed = skiff.app({"pack/readme": "x"}, ["BUILDPACK_URL=./pack"]).push()
    assert not pushed.ok
    assert " !     The buildpack ./pack has no bin/compile: it is no classic buildpack." in pushed.said


def test_packages_of_an_aptfile(skiff):
    app = skiff.app({"Aptfile": "# for the build\r\nlibjansson-dev hello # both\r\n\r\n libsqlite3-dev \r", "Procfile": "worker: hello; build/app\n",
                     "main.c": "#include <jansson.h>\nint main() { puts(jansson_version_str()); }\n",
                     "Makefile": "all:\n\tmkdir -p build\n\tcc -o build/app main.c $$(pkg-config --cflags --libs jansson)\n"})
    accepted(app.push())
    wrote = app.pod_says("hello; build/app; ls .apt/usr/share/doc .apt/usr/include/stdio.h .apt/usr/include/sqlite3.h 2>/dev/null")
    assert wrote[0] == "Hello, world!" and wrote[1].startswith("2.") and wrote[2:] == [".apt/usr/include/sqlite3.h"], wrote
    app.write({"Aptfile": "libjansson-dev\nnosuchpackage\n"})
    pushed = app.push()
    assert not pushed.ok and ' !     Aptfile line 2: Debian has no package "nosuchpackage"; correct its name' in pushed.said
    app.write({"Aptfile": "hello https://example.com/x.deb # mine\n"})
    pushed = app.push()
    assert not pushed.ok and ' !     Aptfile line 1: "https://example.com/x.deb" is no name of a package' in pushed.said


def test_the_hosts_authorities_are_trusted(skiff):
    bundle = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
    said = accepted(skiff.app(make("sha256sum <$$SSL_CERT_FILE; sha256sum </etc/ssl/certs/ca-certificates.crt")).push())
    assert said.count(hashlib.sha256(bundle.read_bytes()).hexdigest()) == 2


class Proxy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"answered by the proxy\n")

    def log_message(self, *_):
        pass


def test_builds_use_the_hosts_proxy(skiff):
    with serving(skiff.gateway, Proxy) as proxy:
        skiff.skiff("down")
        address = f"http://{skiff.gateway}:{proxy.server_port}"
        before = dict(skiff.env)
        skiff.env.update(http_proxy=address, HTTP_PROXY=address, no_proxy="127.0.0.1,localhost")
        try:
            skiff.up()
            skiff.env = before
            said = accepted(skiff.app(make("curl -sS http://not-there.example/page; echo $$no_proxy")).push())
        finally:
            skiff.env = before
            skiff.skiff("down")
            skiff.up()
    assert "answered by the proxy\n127.0.0.1,localhost" in said
    assert "http://not-there.example/page" in proxy.asked
