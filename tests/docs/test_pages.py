"""Runs the commands of the documentation, page by page, each page against a fresh instance (see page.py)."""
import os
import re
import subprocess
import time

import page
import pytest
from support.instance import ROOT, Instance, missing

PAGES = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs" / "guides").glob("*.md")),
         "docs/how-to/write-a-buildpack.md"]
LIMIT = 300  # seconds of one command


class Shell:
    """Runs commands one after the other; folder, variables and nothing else live on between them."""

    def __init__(self, instance, folder):
        self.instance, self.state = instance, folder / "state"
        # What a machine of the tests sets for itself would overrule what a page tells git to trust.
        self.env = {name: value for name, value in instance.env.items() if name != "GIT_SSL_CAINFO"}
        self.env["TMPDIR"] = str(folder)  # what a page makes by mktemp goes with the test
        self.state.write_text(f"cd {ROOT}\n")

    def here(self, command):
        """The page speaks of the usual ports and directory; this instance has others."""
        for scheme, usual, port in (("http", 80, self.instance.http), ("https", 443, self.instance.https)):
            command = re.sub(rf"{scheme}://((?:[\w$-]+\.)*)localhost(?::{usual})?(?![\w.:-])",
                             rf"{scheme}://\1localhost:{port}", command)
        return command.replace("/var/lib/skiff/", f"{self.instance.data}/")

    def run(self, step):
        script = f"""trap '{{ declare -px; printf "cd %q\\n" "$PWD"; }} > {self.state}' EXIT
. {self.state}
{self.here(step.command)}
"""
        command = ["bash", "-c", script]
        if step.stop_after:
            command = ["timeout", "--preserve-status", str(step.stop_after), *command]
        done = subprocess.run(command, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, text=True, timeout=LIMIT)
        return done.returncode, done.stdout.replace(f"localhost:{self.instance.http}", "localhost")


def complaint(step, code, output):
    """What is not as the page says, or None."""
    if code != step.code and not step.stop_after:
        return f"ended with {code} instead of {step.code}"
    lacking = page.first_missing(step.expected, output)
    if lacking is not None:
        return f"did not print: {lacking}"
    if step.pattern and not re.search(step.pattern, output):
        return f"output does not match: {step.pattern}"
    return None


def check(shell, step, name):
    deadline = time.monotonic() + step.retry
    while True:
        code, output = shell.run(step)
        wrong = complaint(step, code, output)
        if wrong is None:
            return
        assert time.monotonic() < deadline, f"{name}:{step.line}: {step.command}\n{wrong}\n{output}"
        time.sleep(0.2)


@pytest.mark.parametrize("name", PAGES)
def test_the_commands_of_a_page_do_what_it_says(name, tmp_path):
    found = page.parse_page((ROOT / name).read_text())
    if found.skip_page:
        pytest.skip(found.skip_page)
    if not found.steps:
        pytest.skip("no block of this page is run: " + "; ".join(found.skipped))
    if missing():
        pytest.skip(missing())
    instance = Instance(tmp_path / "data")
    os.makedirs(instance.data)
    try:
        instance.up()
        shell = Shell(instance, tmp_path)
        for step in found.steps:
            check(shell, step, name)
    finally:
        instance.close()
