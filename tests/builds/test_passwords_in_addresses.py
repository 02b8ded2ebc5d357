"""Logins in the addresses of registries and buildpacks: used, and shown to nobody. A password may hold an @."""
import base64
import http.server
import importlib
import json
import pathlib
import subprocess
import sys
import threading

import pytest

PACKS = pathlib.Path(__file__).resolve().parents[2] / "buildpacks"
LOGIN = "bob:s3@cret"


class Registry(http.server.BaseHTTPRequestHandler):
    """Lists one package to who says the login."""

    def do_GET(self):
        known = self.headers.get("Authorization") == "Basic " + base64.b64encode(LOGIN.encode()).decode()
        body = json.dumps({"versions": {"1.0.0": {"dist": {"tarball": "x"}}}}).encode() if known else b"no"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.syspath_prepend(str(PACKS / "nodejs" / "lib"))
    yield importlib.import_module("registry")
    for name in ("registry", "refuse"):
        sys.modules.pop(name, None)


@pytest.fixture
def server():
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()


def test_a_registry_gets_the_login_of_its_address(registry, server, tmp_path):
    (tmp_path / ".npmrc").write_text(f"registry=http://{LOGIN}@{server}/\n")
    assert registry.Registry(str(tmp_path), str(tmp_path / "cache")).versions("left") == {"1.0.0": {"tarball": "x"}}


def test_what_fails_shows_no_login(registry, server, tmp_path):
    # Wrong, not there, and no address at all.
    for address in (f"http://eve:s3@cret@{server}/", f"http://{LOGIN}@127.0.0.1:9/", f"http://{LOGIN}@host:port/"):
        (tmp_path / ".npmrc").write_text(f"registry={address}\n")
        with pytest.raises(registry.Refusal) as refused:
            registry.Registry(str(tmp_path), str(tmp_path / "cache")).versions("left")
        said = str(refused.value.args)
        assert "s3" not in said and "cret" not in said, said


def test_a_buildpack_and_what_pip_prints_show_no_login():
    address = f"http://{LOGIN}@127.0.0.1:9/pack.tgz"
    done = subprocess.run(["bash", "-c", 'fail() { printf "%s\\n" "$@"; exit 1; }; packs=$1; . "$1/lib/choose.sh"; fetch_buildpack "$2"', "-",
                           str(PACKS), address], capture_output=True, text=True, timeout=60)
    assert "The buildpack http://***@127.0.0.1:9/pack.tgz can't be fetched" in done.stdout + done.stderr
    shown = subprocess.run(["bash", "-c", '. "$1/python/lib/output.sh"; echo "Looking in indexes: $2, //$3@x?q" | show', "-", str(PACKS),
                            address, LOGIN], capture_output=True, text=True, timeout=60).stdout
    assert shown == "       Looking in indexes: http://***@127.0.0.1:9/pack.tgz, //***@x?q\n"
