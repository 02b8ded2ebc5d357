"""A gem server for tests, made from Debian's packages: where rubygems is out of reach, gems and their index come from here.

The packages of some gems, and of all that they need, are fetched and unpacked (not installed), and their files packed as
gems again by what the buildpack does that with. Gems of the test's own are added: with C code, for one.
"""
import functools
import http.server
import os
import pathlib
import re
import subprocess
import threading

from support.instance import ROOT

PARTS = ROOT / "buildpacks" / "ruby" / "lib"
DEBIAN_GEMS = PARTS / "debian_gems.rb"
# Of what a package depends on, these are gems.
GEM_PACKAGES = re.compile(r"(ruby-.*|puma|rake|thin|rackup|bundler|jekyll.*)")


def run(*command, cwd=None):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def fetch_packages(names, folder):
    """The .deb files of `names` and of the gems that they depend on."""
    state = folder / "status"
    state.write_text("")
    lines = run("apt-get", "-o", f"Dir::State::status={state}", "-y", "--no-install-recommends", "--print-uris", "install",
                *names).splitlines()
    found = {line.split()[1].split("_")[0] for line in lines if line.startswith("'")}
    run("apt-get", "download", *sorted(name for name in found if GEM_PACKAGES.fullmatch(name)), cwd=folder)
    return sorted(folder.glob("*.deb"))


def unpack(packages, root):
    info = root / "var" / "lib" / "dpkg" / "info"
    info.mkdir(parents=True)
    for package in packages:
        run("dpkg-deb", "-x", str(package), str(root))
        files = [line.split(None, 5)[5].split(" -> ")[0].lstrip(".").rstrip("/")
                 for line in run("dpkg-deb", "-c", str(package)).splitlines()]
        (info / f"{package.name.split('_')[0]}.list").write_text("\n".join(files) + "\n")


def build_gem(folder, name, files, specification, ending="", *options):
    """The file of a gem of the test's own, below `folder`."""
    source = folder / name
    for path, text in files.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(text)
    (source / f"{name}.gemspec").write_text(
        f"Gem::Specification.new do |s|\n  s.name = '{name}'\n  s.version = '1.0.0'\n  s.summary = 'a test'\n  s.authors = ['test']\n"
        f"  s.files = {list(files)!r}\n  {specification}\nend\n")
    run("ruby", *options, "-S", "gem", "build", "--silent", f"{name}.gemspec", cwd=source)
    return source / f"{name}-1.0.0{ending}.gem"


def build_binary(folder, name, files):
    """The file of a gem that is compiled for Linux with glibc, as RubyGems 3.3.22 and later know it."""
    return build_gem(folder, name, files, "s.platform = 'x86_64-linux-gnu'; s.required_rubygems_version = '>= 3.3.22'",
                     "-x86_64-linux-gnu", "-r", str(PARTS / "gnu_platform.rb"))


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves the folder; counts what is asked, and asks for a password where one is set."""

    password = None

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.asked.append(self.path)
        if self.server.password and self.headers.get("Authorization") != self.server.password:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="gems"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        super().do_GET()

    def do_HEAD(self):
        self.do_GET()


class GemIndex:
    def __init__(self, folder, packages):
        self.folder = pathlib.Path(folder)
        (self.folder / "gems").mkdir(parents=True)
        debs, root = self.folder / "debs", self.folder / "root"
        debs.mkdir()
        unpack(fetch_packages(packages, debs), root)
        run("ruby", str(DEBIAN_GEMS), "-", str(self.folder / "gems"), str(root))
        self.server = None

    def add(self, name, files, specification):
        made = build_gem(self.folder, name, files, specification)
        os.replace(made, self.folder / "gems" / made.name)

    def start(self, address):
        run("gem", "generate_index", "--silent", "-d", str(self.folder))
        handler = functools.partial(Quiet, directory=str(self.folder))
        self.server = http.server.ThreadingHTTPServer((address, 0), handler)
        self.server.asked, self.server.password = [], None
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    @property
    def address(self):
        host, port = self.server.server_address[:2]
        return f"http://{host}:{port}"

    @property
    def asked(self):
        return self.server.asked

    def close(self):
        self.server.shutdown()
        self.server.server_close()
