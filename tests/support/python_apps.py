"""The apps below tests/builds/apps that are Python's, and what is expected of a push of theirs."""
import os
import pathlib
import subprocess
import sys

import pytest

from support.instance import ROOT

APPS = ROOT / "tests" / "builds" / "apps"
INDEX = "from pip._internal.models.index import PyPI; print(PyPI.simple_url, PyPI.file_storage_domain)"


def index_addresses():
    """The addresses of the Python package index and its files, as pip itself knows them."""
    wheel = next(iter(pathlib.Path("/usr/share/python-wheels").glob("pip-*.whl")), "")
    for python in ("/usr/bin/python3", sys.executable, "python3"):
        done = subprocess.run([python, "-c", INDEX], env={**os.environ, "PYTHONPATH": str(wheel)}, capture_output=True, text=True)
        if done.returncode == 0:
            simple, files = done.stdout.split()
            return simple, f"https://{files}"
    return pytest.skip("no pip is installed here")


def app_files(name):
    simple, files = index_addresses()
    folder = APPS / name
    return {str(path.relative_to(folder)): path.read_text().replace("@INDEX@", simple).replace("@FILES@", files)
            for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}


def body(app, path="/", *options):
    return app.get(path, *options).partition("\n\n")[2]
