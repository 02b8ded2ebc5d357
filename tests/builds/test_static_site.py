"""The static-site buildpack's generator against a real nginx on this machine: what a static.json means for a visitor."""
import http.client
import json
import pathlib
import shutil
import socket
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
GENERATOR = ROOT / "buildpacks" / "static" / "lib" / "site.py"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")

pytestmark = pytest.mark.skipif(not NGINX, reason="nginx is not installed")


def write_site(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if isinstance(text, str) else json.dumps(text))
    return folder


def generate(folder):
    return subprocess.run(["python3", GENERATOR, folder, folder], capture_output=True, text=True, timeout=30)


class Site:
    def __init__(self, folder, files):
        write_site(folder, files)
        made = generate(folder)
        assert made.returncode == 0, made.stdout + made.stderr
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        config = (folder / ".skiff" / "nginx.conf").read_text().replace("@PORT@", f"127.0.0.1:{self.port}")
        run = folder.parent / (folder.name + ".conf")
        # The tests' folders are open to root only; the temporary files of several nginx must not meet.
        run.write_text("user root;\n" + config.replace("/tmp/nginx", f"{run}-nginx"))
        self.process = subprocess.Popen([NGINX, "-e", "stderr", "-c", run], stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(self.process.stderr.read())
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise AssertionError("nginx does not listen")

    def get(self, path, headers=None, method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        answer.text = answer.read().decode("latin-1")
        connection.close()
        return answer

    def close(self):
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture
def serve(tmp_path):
    sites = []

    def start(files):
        site = Site(tmp_path / f"site{len(sites)}", files)
        sites.append(site)
        return site

    yield start
    for site in sites:
        site.close()


def refuse(tmp_path, static):
    folder = write_site(tmp_path, {"static.json": static, "index.html": "hello"})
    made = generate(folder)
    assert made.returncode == 1
    return made.stdout


def test_a_plain_index_html_is_a_site(serve):
    site = serve({"index.html": "<p>hello</p>", "Procfile": "web: .skiff/serve\n", ".env": "secret"})
    page = site.get("/")
    assert page.status == 200 and page.text == "<p>hello</p>"
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["ETag"] and page.headers["Last-Modified"]
    assert site.get("/Procfile").status == 404 and site.get("/static.json").status == 404


def test_dotfiles_are_not_served_but_well_known_is(serve):
    site = serve({"index.html": "x", ".env": "secret", "a/.git/config": "secret", ".well-known/security.txt": "mail"})
    assert site.get("/.env").status == 404
    assert site.get("/a/.git/config").status == 404
    assert site.get("/.skiff/nginx.conf").status == 404
    assert site.get("/.well-known/security.txt").text == "mail"


@pytest.mark.parametrize("path", ["/../outside.txt", "/%2e%2e/outside.txt", "/a/..%2f..%2foutside.txt", "//../outside.txt"])
def test_nothing_outside_the_root_is_served(serve, path):
    site = serve({"outside.txt": "secret", "public/index.html": "x", "static.json": {"root": "public"}})
    answer = site.get(path)
    assert answer.status in (400, 404) and "secret" not in answer.text


def test_clean_urls_leave_html_away(serve):
    site = serve({"static.json": {"root": "www", "clean_urls": True}, "www/about.html": "about", "www/index.html": "i"})
    assert site.get("/about").text == "about" and site.get("/about.html").text == "about"
    without = serve({"static.json": {"root": "www"}, "www/about.html": "about"})
    assert without.get("/about").status == 404


def test_a_folder_redirects_to_its_slash_without_naming_host_or_port(serve):
    site = serve({"docs/index.html": "docs", "index.html": "i"})
    moved = site.get("/docs")
    assert moved.status == 301 and moved.headers["Location"] == "/docs/"
    assert site.get("/docs/").text == "docs"


def test_a_folder_without_index_is_not_found(serve):
    site = serve({"images/a.txt": "a", "index.html": "i"})
    assert site.get("/images/").status == 404 and "a.txt" not in site.get("/images/").text


def test_the_error_page_is_shown_with_the_errors_status(serve):
    site = serve({"static.json": {"error_page": "errors/lost.html"}, "errors/lost.html": "lost", "index.html": "i",
                  "empty/.keep": ""})
    for path in ("/nowhere", "/empty/", "/.env"):
        answer = site.get(path)
        assert (answer.status, answer.text) == (404, "lost")


def test_a_404_html_needs_no_setting(serve):
    site = serve({"404.html": "gone", "index.html": "i"})
    assert (site.get("/nowhere").status, site.get("/nowhere").text) == (404, "gone")


def test_routes_go_by_order_and_files_come_first(serve):
    site = serve({"static.json": {"root": "dist", "routes": {"/assets/*": "/assets/", "/api/**": "api.html",
                                                             "/**": "index.html"}},
                  "dist/index.html": "app", "dist/api.html": "api", "dist/assets/a.js": "code"})
    assert site.get("/any/where").text == "app" and site.get("/any/where").status == 200
    assert site.get("/api/v1/x").text == "api"
    assert site.get("/assets/a.js").text == "code"
    assert site.get("/assets/missing.js").status == 404
    assert site.get("/assets/deep/missing.js").text == "app"


def test_redirects_come_before_files(serve):
    site = serve({"static.json": {"redirects": {"/old/*": {"url": "/new?a=$1\"x", "status": 302}, "/gone": {"url": "/"},
                                                "/far": "https://example.com/"}},
                  "old/page": "file", "index.html": "i"})
    answer = site.get("/old/page")
    assert answer.status == 302 and answer.headers["Location"] == '/new?a=$1"x'
    assert site.get("/gone").status == 301
    assert site.get("/far").headers["Location"] == "https://example.com/"
    assert site.get("/old/deep/page").status == 404


def test_https_only_looks_at_the_routers_header(serve):
    site = serve({"static.json": {"https_only": True}, "index.html": "i"})
    answer = site.get("/a?b=c", {"X-Forwarded-Proto": "http", "Host": "shop.example"})
    assert answer.status == 301 and answer.headers["Location"] == "https://shop.example/a?b=c"
    assert site.get("/", {"X-Forwarded-Proto": "https"}).status == 200


def test_headers_go_by_the_path_that_was_asked(serve):
    site = serve({"static.json": {"clean_urls": True, "routes": {"/app/**": "index.html"},
                                  "headers": {"/**": {"X-Frame-Options": "DENY", "Cache-Control": "no-cache"},
                                              "/": {"X-Top": "yes $HOME \"q\""},
                                              "/assets/**": {"Cache-Control": "public, max-age=31536000"}}},
                  "index.html": "i", "about.html": "a", "assets/a.css": "b{}"})
    top = site.get("/")
    assert top.headers["X-Top"] == 'yes $HOME "q"' and top.headers["Cache-Control"] == "no-cache"
    assert site.get("/about").headers["X-Top"] is None
    assert site.get("/app/x").headers["X-Top"] is None and site.get("/app/x").headers["X-Frame-Options"] == "DENY"
    assert site.get("/assets/a.css").headers.get_all("Cache-Control") == ["public, max-age=31536000"]
    missing = site.get("/assets/missing.css")
    assert missing.headers["X-Frame-Options"] == "DENY" and missing.headers["Cache-Control"] is None


def test_a_content_type_of_ones_own_replaces_the_servers(serve):
    site = serve({"static.json": {"headers": {"/.well-known/x": {"Content-Type": "application/json"},
                                              "/feed": {"Content-Type": "application/atom+xml"}}},
                  "feed": "<feed/>", "index.html": "i"})
    assert site.get("/feed").headers.get_all("Content-Type") == ["application/atom+xml; charset=utf-8"]


@pytest.mark.parametrize("name,kind", [("a.css", "text/css"), ("a.mjs", "text/javascript"), ("a.svg", "image/svg+xml"),
                                       ("a.json", "application/json"), ("a.wasm", "application/wasm"),
                                       ("a.woff2", "font/woff2"), ("a.webmanifest", "application/manifest+json"),
                                       ("a.unknown", "application/octet-stream"), ("a.avif", "image/avif")])
def test_files_have_their_type(serve, name, kind):
    assert serve({name: "x", "index.html": "i"}).get("/" + name).headers["Content-Type"].split(";")[0] == kind


def test_large_text_is_compressed_for_those_who_take_it(serve):
    site = serve({"a.css": "b { color: red }\n" * 500, "small.css": "b{}", "index.html": "i"})
    packed = site.get("/a.css", {"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip" and packed.headers["Vary"] == "Accept-Encoding"
    assert site.get("/a.css").headers["Content-Encoding"] is None
    assert site.get("/small.css", {"Accept-Encoding": "gzip"}).headers["Content-Encoding"] is None


def test_conditional_requests_and_ranges(serve):
    site = serve({"a.txt": "0123456789", "index.html": "i"})
    first = site.get("/a.txt")
    assert site.get("/a.txt", {"If-None-Match": first.headers["ETag"]}).status == 304
    assert site.get("/a.txt", {"If-Modified-Since": first.headers["Last-Modified"]}).status == 304
    part = site.get("/a.txt", {"Range": "bytes=2-4"})
    assert (part.status, part.text, part.headers["Content-Range"]) == (206, "234", "bytes 2-4/10")
    assert site.get("/a.txt", {"Range": "bytes=99-"}).status == 416
    assert site.get("/a.txt", method="HEAD").text == ""
    assert site.get("/a.txt", method="POST").status == 405


@pytest.mark.parametrize("static,words", [
    ("{\n  \"root\": \"x\",\n}", "static.json: line 3 column 1 is not JSON"),
    ("[]", "static.json: it is not an object"),
    ('{"root": "a", "root": "b"}', 'static.json: the key "root" is there twice'),
    ({"root": "nowhere"}, 'static.json: root: "nowhere" is no folder of the app'),
    ({"root": "../.."}, 'static.json: root: "../.." lies outside the app'),
    ({"root": 7}, "static.json: root: it is not a folder's name"),
    ({"clean_urls": "yes"}, 'static.json: clean_urls: "yes" is neither true nor false'),
    ({"error_page": "lost.html"}, 'static.json: error_page: "lost.html" is no file below the root'),
    ({"error_page": "../etc/passwd"}, "static.json: error_page:"),
    ({"routes": {"/**": "app.html"}}, 'static.json: routes "/**": "app.html" is no file below the root'),
    ({"routes": []}, "static.json: routes: it is not an object"),
    ({"routes": {"x": "index.html"}}, 'static.json: routes "x": it is not a path'),
    ({"redirects": {"/a": {"status": 301}}}, 'static.json: redirects "/a": it has no address to go to'),
    ({"redirects": {"/a": {"url": "/b", "status": 200}}}, 'static.json: redirects "/a": 200 is no redirect'),
    ({"redirects": {"/a": {"url": "/${HOST}"}}}, 'static.json: redirects "/a": config vars are not put into addresses'),
    ({"headers": {"/**": {"Bad Name": "x"}}}, 'static.json: headers "/**": "Bad Name" is no header\'s name'),
    ({"headers": {"/**": {"X-A": "x\ny"}}}, 'static.json: headers "/**": the value of X-A is not one line of text'),
    ({"headers": {"/**": {"Content-Length": "1"}}}, 'static.json: headers "/**": Content-Length is set by the server'),
    ({"basic_auth": True}, "static.json: basic_auth: password protection is not supported"),
    ({"proxies": {"/api/": {"origin": "http://x"}}}, "static.json: proxies: passing requests on is not supported"),
    ({"encoding": "x; y"}, "static.json: encoding: it is no character set"),
])
def test_a_bad_static_json_is_refused_with_what_and_where(tmp_path, static, words):
    assert words in refuse(tmp_path, static)


@pytest.mark.parametrize("files", [{"static.json": "\ufeff{}\r\n"}, {"static.json/data": "{}"}],
                         ids=["byte order mark", "folder"])
def test_an_odd_static_json_is_no_obstacle(tmp_path, files):
    made = generate(write_site(tmp_path, {**files, "index.html": "i"}))
    assert made.returncode == 0, made.stdout + made.stderr


def test_a_root_that_another_buildpack_makes_is_told_how(tmp_path):
    write_site(tmp_path, {"package.json": {"scripts": {"build": "vite build"}}})
    assert "skiff buildpacks:add --index 1 heroku/nodejs" in refuse(tmp_path, {"root": "dist"})


def test_all_problems_are_told_at_once(tmp_path):
    said = refuse(tmp_path, {"clean_urls": 1, "error_page": "x", "routes": {"/a": 3}})
    assert len(said.splitlines()) == 3


def test_an_unknown_key_is_told_and_has_no_effect(tmp_path):
    made = generate(write_site(tmp_path, {"static.json": {"clean_url": True}, "index.html": "i"}))
    assert made.returncode == 0 and "static.json: clean_url: it is not known" in made.stdout


def test_a_hostile_file_cannot_write_configuration(serve):
    evil = '";} server { listen 1; } # $host ${uri} \\'
    site = serve({"static.json": {"headers": {"/" + evil: {"X-A": evil}, "/": {"X-B": evil}},
                                  "redirects": {"/x" + evil: {"url": "/y$uri"}}}, "index.html": "i"})
    assert site.get("/").headers["X-B"] == evil
