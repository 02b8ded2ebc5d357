"""Builds whose buildpacks ask for stack layers: made while the push waits, then there for the app and the next push.

The layers of the test are recipes in buildpacks/layers that are removed again.
"""
import contextlib
import json
import os
import pathlib

RECIPES = pathlib.Path(__file__).resolve().parents[2] / "buildpacks" / "layers"
PACK = {
    ".buildpacks": "./pack\n",
    "pack/bin/detect": "#!/bin/sh\necho Layered\n",
    "pack/bin/layers": '#!/bin/sh\ncat "$1/ask"\n',
    "pack/bin/compile": '#!/bin/sh\n[ ! -f "$1/run-with" ] || cp "$1/run-with" run-layers\nhello || echo no hello; ls /skiff/out /tmp\n',
    "Procfile": "worker: exec sleep 600\n",
}


@contextlib.contextmanager
def recipe(text):
    """The name of a layer with this recipe, for the block."""
    name = f"test{os.getpid()}x{abs(hash(text)) % 10000}"
    path = RECIPES / name
    path.write_text(text)
    try:
        yield name
    finally:
        path.unlink()


def phases_of(skiff, app):
    builds = json.loads(skiff.kubectl("-n", app.name, "get", "builds", "-o", "json").stdout)["items"]
    last = max(builds, key=lambda build: build["metadata"]["creationTimestamp"])
    return [phase["name"] for phase in last["status"]["phases"]]


def test_a_layer_is_made_at_the_first_push_and_the_next_one_begins_with_it(skiff):
    with recipe("# for a test\nbuild: hello\nrun: hello\n") as layer:
        app = skiff.app({**PACK, "ask": f"{layer}\n"})
        pushed = app.push()
        assert pushed.ok and "Hello, world!" in pushed.said, pushed.said
        said = pushed.said.splitlines()
        begin = said.index(f"-----> Preparing the stack ({layer})")
        assert begin < said.index("-----> Layered app detected") and said[begin + 1].startswith("       ")
        assert "layers" in phases_of(skiff, app)
        assert app.pod_says("hello") == ["Hello, world!"]

        app.write({"run-with": ""})
        pushed = app.push()
        assert pushed.ok and "Preparing" not in pushed.said and "Hello, world!" in pushed.said, pushed.said
        assert "layers" not in phases_of(skiff, app)
        assert app.pod_says("hello 2>/dev/null || echo none") == ["none"]

        app.write({"ask": ""})
        pushed = app.push()
        assert pushed.ok and "Hello, world!" in pushed.said  # it began in the pod of the last build
        pushed = app.push()
        assert pushed.ok and "no hello" in pushed.said, pushed.said

    app.write({"ask": f"{layer}\n", "run-with": f"{layer}\n"})
    pushed = app.push()
    assert not pushed.ok and f" !     Push refused: " in pushed.said and layer in pushed.said, pushed.said


def test_a_layer_that_can_not_be_made_refuses_the_push_at_once(skiff):
    with recipe("build: no-such-package-at-all\n") as layer:
        app = skiff.app({**PACK, "ask": f"{layer}\n"})
        pushed = app.push()
        assert not pushed.ok and "no-such-package-at-all" in pushed.said.split("Push refused: ")[1], pushed.said
    assert skiff.build_pods() == []
    app.write({"ask": ""})
    assert app.push().ok


def test_what_is_no_layer_is_refused(skiff):
    app = skiff.app({**PACK, "ask": "../layers\n"})
    pushed = app.push()
    assert not pushed.ok and "names no stack layer: its names are of a-z and 0-9" in pushed.said, pushed.said
    app.write({"ask": "".join(f"layer{number}\n" for number in range(9))})
    pushed = app.push()
    assert not pushed.ok and "the buildpacks ask for 9 stack layers, more than 8" in pushed.said, pushed.said
    app.write({"ask": "", "run-with": "python\n"})
    pushed = app.push()
    assert not pushed.ok and "the app would run with stack layers (python) that its build did not ask for" in pushed.said


def test_a_buildpack_that_asks_for_more_each_time_ends(skiff):
    app = skiff.app({**PACK, "pack/bin/layers": '#!/bin/sh\ncase $SKIFF_LAYERS in "") echo go;; *) echo python;; esac\n'})
    pushed = app.push()
    assert not pushed.ok and "their bin/layers must say the same each time" in pushed.said, pushed.said
