"""A push beside the platform's housekeeping of its repository: packing anew, leftovers of pushes that were cut."""
import contextlib
import http.server
import os
import subprocess
import threading
import time

from conftest import GIT
from support.instance import wait_for

MOMENT = 4  # seconds: leftovers are looked for two seconds after a git has ended


class Gate:
    """A server that builds ask and that answers when it is told to: a build stands still meanwhile."""

    def __init__(self, address):
        self.asked, self.opened = threading.Event(), threading.Event()
        gate = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                gate.asked.set()
                gate.opened.wait(600)
                with contextlib.suppress(OSError):
                    self.send_response(200)
                    self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://{address}:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.opened.set()
        self.server.shutdown()
        self.server.server_close()


def packs(repository):
    return {path.name for path in (repository / "objects" / "pack").glob("*.pack")}


def quarantines(repository):
    return [path.name for path in (repository / "objects").iterdir() if "incoming" in path.name]


def test_a_push_goes_on_while_its_repository_is_packed_and_tidied(skiff, tmp_path):
    app = skiff.app({"Makefile": "all:\n\ttrue\n", "Procfile": "worker: sleep 600\n", "large": os.urandom(2 << 20)})
    assert app.push().ok
    repository = skiff.data / "platform" / "git" / f"{app.name}.git"
    gate = Gate(skiff.gateway)
    try:
        app.write({"Makefile": f"all:\n\tcurl -sS {gate.url}\n", "larger": os.urandom(2 << 20)})
        pushing = app.start_push()
        assert gate.asked.wait(300)
        # It has been going on for hours, and another one was cut by a kill of the platform before.
        (repository / "objects" / "tmp_objdir-incoming-old").mkdir()
        assert len(quarantines(repository)) == 2
        for name in quarantines(repository):
            os.utime(repository / "objects" / name, (1, 1))
        before = packs(repository)
        with skiff.limits(repositoryMb=1):
            refused = app.git("push", "--dry-run", "skiff", "main", check=False)
            assert refused.returncode != 0 and "the app's repository takes" in refused.stderr, refused.stderr
        # It was packed beside the push, and nothing is removed while the push goes on.
        assert packs(repository) != before or (repository / "packed-refs").exists()
        time.sleep(MOMENT)
        assert len(quarantines(repository)) == 2, quarantines(repository)
        gate.opened.set()
        said, _ = pushing.communicate(timeout=300)
        assert pushing.returncode == 0 and "v3 released" in said, said
    finally:
        gate.close()
    assert wait_for(lambda: not quarantines(repository), 60)
    # All that was pushed can be fetched.
    app.git("fetch", "-q", "skiff")
    copy = tmp_path / "copy.git"
    subprocess.run(["git", "init", "-q", "--bare", str(copy)], check=True)
    url = app.git("remote", "get-url", "skiff").stdout.strip()
    helper = app.git("config", "--local", "--get", f"credential.{url.rsplit('/', 1)[0]}.helper").stdout.strip()
    subprocess.run([*GIT, "-c", f"credential.helper={helper}", "fetch", "-q", url, "main"], cwd=copy, env=skiff.env, check=True,
                   timeout=120)
    commit = app.git("rev-parse", "HEAD").stdout.strip()
    assert (copy / "FETCH_HEAD").read_text().startswith(commit)
    assert subprocess.run(["git", "fsck", "--full"], cwd=copy, capture_output=True).returncode == 0
