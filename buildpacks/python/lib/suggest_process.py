#!/usr/bin/env python3
"""suggest_process.py APP ENVIRONMENT: for an app without a Procfile, the line to write for what was found in it."""
import ast
import glob
import os
import sys

MAX_FILES = 300
MAX_BYTES = 1 << 20
SKIPPED = {".heroku", "node_modules", ".apt", "tests", "test", "docs", ".git"}
FRAMEWORKS = {"FastAPI": "asgi", "Starlette": "asgi", "Litestar": "asgi", "Quart": "asgi", "Flask": "wsgi", "Bottle": "wsgi"}


def sources(app):
    """The app's own Python files, those at the top first."""
    found = []
    for place, folders, names in os.walk(app):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        found += [os.path.relpath(os.path.join(place, name), app) for name in sorted(names) if name.endswith(".py")]
        if len(found) > MAX_FILES:
            break
    return sorted(found[:MAX_FILES], key=lambda path: (path.count(os.sep), path))


def module_of(path):
    return path.removesuffix(".py").removesuffix("/__init__").replace(os.sep, ".")


def calls_framework(node):
    called = getattr(node, "func", None)
    return FRAMEWORKS.get(getattr(called, "attr", getattr(called, "id", None)))


def find_application(app):
    """(kind, "module:name") of the first `app = Flask(...)` or the like."""
    for path in sources(app):
        try:
            with open(os.path.join(app, path), "rb") as file:
                tree = ast.parse(file.read(MAX_BYTES))
        except (OSError, SyntaxError, ValueError, RecursionError):
            continue
        for node in tree.body:
            if isinstance(node, ast.Assign) and calls_framework(node.value) and isinstance(node.targets[0], ast.Name):
                return calls_framework(node.value), f"{module_of(path)}:{node.targets[0].id}"
    return None


def find_django(app):
    for name, kind in (("wsgi", "wsgi"), ("asgi", "asgi")):
        for path in sources(app):
            if os.path.basename(path) == name + ".py":
                return kind, f"{module_of(path)}:application"
    return None


def has(environment, name):
    return bool(glob.glob(os.path.join(environment, "bin", name)))


def suggestion(app, environment):
    """(the line, what must be installed for it besides) or None."""
    django = os.path.isfile(os.path.join(app, "manage.py"))
    found = (find_django(app) if django else None) or find_application(app)
    if not found:
        return None
    kind, target = found
    if kind == "wsgi":
        server, line = "gunicorn", f"web: gunicorn {target}"
    elif has(environment, "gunicorn") and has(environment, "uvicorn") and not django:
        server, line = "gunicorn", f"web: gunicorn -k uvicorn.workers.UvicornWorker {target}"
    else:
        server, line = "uvicorn", f"web: uvicorn {target} --host 0.0.0.0 --port $PORT"
    if kind == "wsgi" and not has(environment, "gunicorn") and has(environment, "waitress-serve"):
        server, line = "waitress-serve", f"web: waitress-serve --port=$PORT {target}"
    return line, None if has(environment, server) else server


if __name__ == "__main__":
    found = suggestion(sys.argv[1], sys.argv[2])
    if found:
        line, missing = found
        print(" !     There is no Procfile, which says what runs. For what was found, write into one:")
        print(f"       {line}")
        if missing:
            print(f"       and add {missing} to the app's packages.")
    else:
        print(" !     There is no Procfile, which says what runs. Write one with a line such as:")
        print("       web: gunicorn module:application")
        print("       worker: python worker.py")
