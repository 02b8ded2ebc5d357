#!/usr/bin/env python3
"""site.py APP_DIR [RUN_DIR]: checks APP_DIR/static.json and writes APP_DIR/.skiff/nginx.conf.

All that is wrong is told, one line each with where and what to do, and the exit code is 1. RUN_DIR is where the app
lies when it runs (default /app).
"""
import json
import os
import re
import sys

MAX_FILE_BYTES = 256 * 1024
MAX_ENTRIES = 1000  # of routes, redirects and headers each
MAX_TEXT = 4096  # characters of a path or a value
REDIRECTS = (301, 302, 303, 307, 308)
KNOWN = ("root", "clean_urls", "error_page", "routes", "redirects", "https_only", "headers", "encoding")
# A site that needs these would be wrong, or open to all, without them.
REFUSED = {
    "basic_auth": "password protection is not supported; remove it and keep the site behind something that asks",
    "basic_auth_list": "password protection is not supported; remove it and keep the site behind something that asks",
    "proxies": "passing requests on is not supported; let the page call the API's own address, and remove it",
}
# These frame the message: nginx owns them.
OWN_HEADERS = ("connection", "content-length", "content-encoding", "date", "server", "transfer-encoding", "etag",
               "last-modified")
# Kept for errors too they would hurt: a 404 would be cached as long as the page.
SUCCESS_HEADERS = ("cache-control", "expires")
# In an app that is its own root these are not part of the site, at any depth: what builds and configures it, sources of
# programs, and what may hold secrets. A site that wants to show them names a folder as its root.
HIDDEN_NAMES = (
    "static.json", "Procfile", "app.json", "Aptfile", "Makefile", "CMakeLists.txt", "Dockerfile", "docker-compose.yml",
    "docker-compose.yaml", "Vagrantfile", "Gemfile", "Gemfile.lock", "Rakefile", "Guardfile", "config.ru", "_config.yml",
    "package.json", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bower.json",
    "composer.json", "composer.lock", "requirements.txt", "Pipfile", "Pipfile.lock", "pyproject.toml", "poetry.lock",
    "uv.lock", "go.mod", "go.sum", "Cargo.toml", "Cargo.lock", "pom.xml", "mix.exs", "mix.lock", "web.config")
HIDDEN_FOLDERS = ("node_modules", "__pycache__", "_plugins", "_layouts", "_includes", "_data", "_drafts", "_sass")
HIDDEN_ENDINGS = (
    "py", "pyc", "pyo", "rb", "erb", "haml", "slim", "gemspec", "php", "phtml", "go", "java", "class", "kt", "scala", "clj",
    "ex", "exs", "rs", "c", "cc", "cpp", "cxx", "h", "hh", "hpp", "cs", "fs", "vb", "pl", "pm", "lua", "gradle", "jar", "war",
    "sql", "sqlite", "sqlite3", "db", "env", "ini", "cfg", "conf", "yml", "yaml", "toml", "lock", "log", "bak", "old",
    "orig", "swp", "pem", "key", "crt", "p12", "pfx", "jks", "keystore")


class Problems(list):
    def add(self, where, text):
        self.append(f"static.json: {where}: {text}")


def unique(pairs):
    out = {}
    for key, value in pairs:
        if key in out:
            raise ValueError(f"the key {json.dumps(key)} is there twice; keep one")
        out[key] = value
    return out


def load(path):
    """The object in static.json; {} without the file. ValueError says what is wrong with the file as a whole."""
    if not os.path.isfile(path):
        return {}
    if os.path.getsize(path) > MAX_FILE_BYTES:
        raise ValueError(f"it is larger than {MAX_FILE_BYTES // 1024} KB; make it smaller")
    with open(path, "rb") as file:
        text = file.read()
    try:
        site = json.loads(text.decode("utf-8-sig"), object_pairs_hook=unique)
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8; save it as UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno} column {error.colno} is not JSON: {error.msg}; correct it") from None
    except RecursionError:
        raise ValueError("it is nested too deep; make it flat") from None
    if not isinstance(site, dict):
        raise ValueError('it is not an object; write { "root": "public" }')
    return site


def is_text(value):
    return isinstance(value, str) and len(value) <= MAX_TEXT and not re.search(r"[\x00-\x1f\x7f]", value)


def quote(text):
    """A literal of nginx's configuration. A $ would begin a variable: it is written as one that holds it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "${dollar}") + '"'


def pattern(glob):
    """The regular expression of a path: * is part of one segment, ** any number of segments."""
    pieces = re.split(r"(\*+)", glob)
    escaped = [re.sub(r"([^\w/-])", r"\\\1", p, flags=re.ASCII) for p in pieces[::2]]
    stars = [".*" if len(s) > 1 else "[^/]*" for s in pieces[1::2]] + [""]
    expression = "".join(a + b for a, b in zip(escaped, stars))
    return "^" + expression + "$"


def quote_pattern(prefix, glob):
    """`prefix` and a path's expression. Nothing is a variable in it."""
    return '"' + prefix + pattern(glob).replace("\\", "\\\\").replace('"', '\\"') + '"'


def entries(site, key, problems):
    """The (path, value) pairs of an object whose keys are paths."""
    value = site.get(key, {})
    if not isinstance(value, dict):
        problems.add(key, "it is not an object; write { \"/path\": … }")
        return []
    if len(value) > MAX_ENTRIES:
        problems.add(key, f"it has more than {MAX_ENTRIES} entries; join some with * or **")
        return []
    good = []
    for path, target in value.items():
        if not is_text(path) or not path.startswith("/"):
            problems.add(f"{key} {json.dumps(path)}", "it is not a path; begin it with /")
        else:
            good.append((path, target))
    return good


def switch(site, key, problems):
    value = site.get(key, False)
    if not isinstance(value, bool):
        problems.add(key, f"{json.dumps(value)} is neither true nor false; write one of them")
    return value is True


def inside(root, path):
    """The file `path` of the site, or None when there is none or it lies outside."""
    full = os.path.normpath(os.path.join(root, path.lstrip("/")))
    return full if full.startswith(root.rstrip("/") + "/") and os.path.isfile(full) else None


def site_root(app, site, problems):
    named = site.get("root")
    if named is None:
        return "public_html" if os.path.isdir(os.path.join(app, "public_html")) else "."
    if not is_text(named):
        problems.add("root", "it is not a folder's name; write for example \"public\"")
        return "."
    root = os.path.normpath(named.strip("/") or ".")
    if root.split("/")[0] == "..":
        problems.add("root", f"{json.dumps(named)} lies outside the app; name a folder of it")
    elif not os.path.isdir(os.path.join(app, root)):
        made = os.path.isfile(os.path.join(app, "package.json"))
        problems.add("root", f"{json.dumps(named)} is no folder of the app; add it, or name the one with the pages" + (
            ". If package.json's build makes it: skiff buildpacks:add --index 1 heroku/nodejs, "
            "then skiff buildpacks:add heroku-community/static" if made else ""))
    return root


def error_page(site, root, problems):
    page = site.get("error_page")
    if page is None:
        return "404.html" if inside(root, "404.html") else None
    if not is_text(page) or not inside(root, page):
        problems.add("error_page", f"{json.dumps(page)} is no file below the root; add it, or correct the name")
        return None
    return page.lstrip("/")


def routes(site, root, problems):
    """(glob, file) pairs; the file is "" where only what exists is served."""
    out = []
    for glob, target in entries(site, "routes", problems):
        where = f"routes {json.dumps(glob)}"
        if not is_text(target):
            problems.add(where, "its target is not a file's name; write for example \"index.html\"")
        elif target.endswith("/"):
            out.append((glob, ""))
        elif not inside(root, target):
            problems.add(where, f"{json.dumps(target)} is no file below the root; add it, or correct the name")
        else:
            out.append((glob, "/" + target.lstrip("/")))
    return out


def redirects(site, problems):
    out = []
    for glob, target in entries(site, "redirects", problems):
        where = f"redirects {json.dumps(glob)}"
        if isinstance(target, str):
            target = {"url": target}
        url = target.get("url") if isinstance(target, dict) else None
        status = target.get("status", 301) if isinstance(target, dict) else 301
        if not is_text(url) or not url or " " in url:
            problems.add(where, "it has no address to go to; write { \"url\": \"/new\", \"status\": 301 }")
        elif "${" in url:
            problems.add(where, "config vars are not put into addresses; write the address itself")
        elif isinstance(status, bool) or status not in REDIRECTS:
            problems.add(where, f"{json.dumps(status)} is no redirect; take one of {', '.join(map(str, REDIRECTS))}")
        else:
            out.append((glob, status, url))
    return out


def headers(site, problems):
    """(glob, name, value) in the order of the file."""
    out = []
    for glob, pairs in entries(site, "headers", problems):
        where = f"headers {json.dumps(glob)}"
        if not isinstance(pairs, dict):
            problems.add(where, "it is not an object; write { \"Cache-Control\": \"no-cache\" }")
            continue
        for name, value in pairs.items():
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}", name):
                problems.add(where, f"{json.dumps(name)} is no header's name; correct it")
            elif name.lower() in OWN_HEADERS:
                problems.add(where, f"{name} is set by the server; remove it")
            elif not is_text(value):
                problems.add(where, f"the value of {name} is not one line of text; correct it")
            else:
                out.append((glob, name, value))
    return out[:MAX_ENTRIES]


def header_lines(found):
    """Maps and add_header lines. Of several values for a path the last in the file counts: maps take the first."""
    maps, adds = [], []
    names = {}
    for glob, name, value in found:
        if name.lower() != "content-type":
            names.setdefault(name.lower(), (name, []))[1].insert(0, (glob, value))
    for number, (key, (name, values)) in enumerate(names.items()):
        maps.append(f"  map $first_uri $header_{number} {{")
        maps += [f"    {quote_pattern('~', glob)} {quote(value)};" for glob, value in values]
        maps.append("  }")
        always = "" if key in SUCCESS_HEADERS else " always"
        adds.append(f"    add_header {quote(name)} $header_{number}{always};")
    return maps, adds


def type_locations(found, find_file):
    """A type of one's own takes a location of its own. The last one of the file counts, nginx takes the first."""
    out = []
    for glob, name, value in reversed(found):
        if name.lower() == "content-type":
            out.append(f"    location ~ {quote_pattern('', glob)} {{ "
                       f"types {{ }} default_type {quote(value)}; {find_file} }}")
    return out


def hidden_locations():
    def either(words):
        return "|".join(re.escape(word) for word in words)

    expressions = (rf"/(?:{either(HIDDEN_NAMES)})$", rf"/(?:{either(HIDDEN_FOLDERS)})/", rf"\.(?:{either(HIDDEN_ENDINGS)})$",
                   "~$")
    return [f'    location ~* "{expression}" {{ return 404; }}'.replace("\\", "\\\\") for expression in expressions]


def render(site, app, run, problems):
    root = site_root(app, site, problems)
    folder = os.path.normpath(os.path.join(app, root))
    page = error_page(site, folder, problems)
    routed = routes(site, folder, problems)
    moved = redirects(site, problems)
    found = headers(site, problems)
    encoding = site.get("encoding", "utf-8")
    if not isinstance(encoding, str) or not re.fullmatch(r"[A-Za-z0-9_.:-]{1,40}", encoding):
        problems.add("encoding", "it is no character set; write for example \"utf-8\"")
    tries = "$uri $uri.html $uri/" if switch(site, "clean_urls", problems) else "$uri $uri/"
    find_file = f"try_files {tries} $fallback;"
    maps, adds = header_lines(found)
    route_lines = [f"    {quote_pattern('~', glob)} {quote(target or '@missing')};" for glob, target in routed]
    server = ["    set $keep $first_uri;"]
    if switch(site, "https_only", problems):
        server.append('    if ($http_x_forwarded_proto = "http") { return 301 "https://$host$request_uri"; }')
    server += ["    error_page 403 =404 " + (quote("/" + page) if page else "@missing") + ";"]
    if page:
        server.append(f"    error_page 404 500 {quote('/' + page)};")
    server += adds
    server.append(r'    location ~ "/\\.(?!well-known/)" { return 404; }')
    if root == ".":
        server += hidden_locations()
    for glob, status, url in moved:
        server.append(f"    location ~ {quote_pattern('', glob)} {{ return {status} {quote(url)}; }}")
    server += type_locations(found, find_file)
    server += [f"    location / {{ {find_file} }}", "    location @missing { return 404; }"]
    path = os.path.normpath(os.path.join(run, root))
    return CONFIG.format(root=quote(path), encoding=encoding, maps="\n".join(maps), routes="\n".join(route_lines),
                         server="\n".join(server))


# $first_uri is the path as the client asked for it, normalised. nginx keeps a map's value for the whole request, and
# `set $keep` asks for it before any internal redirect: headers and routes go by what was asked.
CONFIG = """\
# Made from static.json. @PORT@ is filled in when the site starts.
worker_processes 2;
daemon off;
pid /tmp/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
  include /etc/nginx/mime.types;
  types {{
    text/javascript mjs;
    application/manifest+json webmanifest;
    text/markdown md;
  }}
  default_type application/octet-stream;
  charset {encoding};
  charset_types text/css text/plain text/xml text/markdown text/javascript application/javascript application/json
    application/manifest+json application/rss+xml application/atom+xml;
  access_log off;
  server_tokens off;
  sendfile on;
  tcp_nopush on;
  absolute_redirect off;
  keepalive_timeout 75s;
  keepalive_requests 1000000;
  client_max_body_size 1m;
  client_body_temp_path /tmp/nginx-body;
  proxy_temp_path /tmp/nginx-proxy;
  fastcgi_temp_path /tmp/nginx-fastcgi;
  uwsgi_temp_path /tmp/nginx-uwsgi;
  scgi_temp_path /tmp/nginx-scgi;
  map_hash_bucket_size 256;
  gzip on;
  gzip_vary on;
  gzip_proxied any;
  gzip_comp_level 6;
  gzip_min_length 1024;
  gzip_types text/css text/plain text/xml text/markdown text/javascript application/javascript application/json
    application/manifest+json application/rss+xml application/atom+xml application/xml image/svg+xml application/wasm;
  geo $dollar {{ default "$"; }}
  map $uri $first_uri {{ default $uri; }}
  map $first_uri $fallback {{
    default @missing;
{routes}
  }}
{maps}
  server {{
    listen @PORT@;
    root {root};
{server}
  }}
}}
"""


def main(app, run):
    problems = Problems()
    try:
        site = load(os.path.join(app, "static.json"))
    except ValueError as error:
        print(f" !     static.json: {error}")
        return 1
    for key in site:
        if key in REFUSED:
            problems.add(key, REFUSED[key])
        elif key not in KNOWN:
            print(f" !     static.json: {key}: it is not known and has no effect; known are {', '.join(KNOWN)}")
    config = render(site, os.path.abspath(app), run, problems)
    for line in problems:
        print(f" !     {line}")
    if problems:
        return 1
    os.makedirs(os.path.join(app, ".skiff"), exist_ok=True)
    with open(os.path.join(app, ".skiff", "nginx.conf"), "w", encoding="utf-8") as file:
        file.write(config)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "/app"))
