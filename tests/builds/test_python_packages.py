"""Python apps whose packages come by uv, Poetry and Pipenv, and packages that are compiled."""
import json

import pytest

from support.instance import wait_for
from support.pushes import accepted, refused
from support.python_apps import app_files, body, index_addresses


def test_uv_installs_what_its_lock_names(skiff):
    app = skiff.app(app_files("python-fastapi"))
    said = accepted(app.push())
    assert "uv sync --locked" in said, said
    assert wait_for(lambda: body(app).startswith("{")), app.get()
    assert json.loads(body(app)) == {"greeting": "hello from FastAPI", "development": False}
    app.write({"pyproject.toml": app_files("python-fastapi")["pyproject.toml"].replace('"uvicorn"', '"uvicorn", "bottle"')})
    refused(app.push(), "needs to be updated", "uv.lock does not fit pyproject.toml: run \"uv lock\", and commit uv.lock.")


@pytest.fixture(scope="module")
def poetry(skiff):
    """One app, so that Poetry is fetched once."""
    return skiff.app({}, [f"POETRY_PYPI_MIRROR_URL={index_addresses()[0]}/"])


def test_poetry_installs_what_its_lock_names(poetry):
    files = app_files("python-poetry")
    accepted(poetry.push_as(files), "poetry sync --only main")
    assert wait_for(lambda: '"hello from Bottle"' in body(poetry)), poetry.get()
    assert json.loads(body(poetry)) == {"greeting": "hello from Bottle", "development": False}
    refused(poetry.push_as({**files, "pyproject.toml": files["pyproject.toml"].replace("bottle (", "flask (")}),
            "changed significantly", "poetry.lock does not fit pyproject.toml")


def test_pipenv_installs_what_its_lock_names(skiff):
    app = skiff.app(app_files("python-pipenv"))
    assert "Using Python 3.11, which Pipfile.lock asks for" in accepted(app.push())
    assert wait_for(lambda: body(app).startswith("{")), app.get()
    assert json.loads(body(app)) == {"greeting": "hello from Bottle", "development": False}
    app.write({"Pipfile": app_files("python-pipenv")["Pipfile"].replace("waitress", "flask")})
    refused(app.push(), "Pipfile.lock does not fit Pipfile")


def test_extensions_are_compiled(skiff):
    app = skiff.app(app_files("python-native"))
    accepted(app.push())
    assert wait_for(lambda: "2 + 3 = 5, libpq " in body(app)), app.get()
    # Their sources may have changed with nothing else.
    app.write({"sums.c": app_files("python-native")["sums.c"].replace("a + b", "a + b + 10")})
    accepted(app.push())
    assert wait_for(lambda: "2 + 3 = 15" in body(app)), app.get()
    app.write({"sums.c": "#include <mysql.h>\n"})
    refused(app.push(), "Debian's package default-libmysqlclient-dev", 'Write the line "default-libmysqlclient-dev" into a file Aptfile')


def test_another_python_is_fetched_once_and_what_fetched_it_is_not_there_later(poetry):
    """A library that Java has too, which may have fetched it: the app runs without that."""
    files = app_files("python-poetry")
    files |= {".python-version": "3.13\n", "Aptfile": "libjpeg62-turbo\n",
              "greeter.py": files["greeter.py"].replace('"hello from Bottle"', "__import__('sys').version")}
    accepted(poetry.push_as(files), "Using Python 3.13, which .python-version asks for", "\n       libjpeg62-turbo\n")
    assert wait_for(lambda: '"greeting": "3.13.' in body(poetry)), poetry.get()
    assert "Fetching Python" not in accepted(poetry.push_as(files))
