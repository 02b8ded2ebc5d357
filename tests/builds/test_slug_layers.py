"""Folders that a buildpack names in slug-layers are layers of the app's image: kept, not copied, when they are the same."""
import json

RUN = "org.opencontainers.image.ref.name"
PACK = {
    ".buildpacks": "./pack\n",
    "pack/bin/detect": "#!/bin/sh\necho Layered\n",
    # The modules are kept from build to build, with their times.
    "pack/bin/compile": """#!/bin/sh
set -e
if [ ! -d "$2/modules" ]; then mkdir "$2/modules"; head -c 300000 /dev/urandom >"$2/modules/large"; ln -s large "$2/modules/link"; fi
cp -a "$2/modules" "$1/modules"
mkdir -p "$1/vendor/bundle/deep" && cat "$1/version" >"$1/vendor/bundle/deep/gem"
cp "$1/slug-layers" .
""",
    "slug-layers": "modules\nvendor/bundle\nvendor/bundle/deep\n/app/vendor/\nmissing\n../etc\n..\nlink\n",
    "link": "",
    "version": "1\n",
    "Procfile": "worker: exec sleep 600\n",
}


def image_layers(skiff, app):
    """The layers of the app's image that are its own, as (digest, names in the archive), the lowest first."""
    folder = skiff.data / "images" / app.name
    image = skiff.kubectl("-n", app.name, "get", "deploy/worker", "-o",
                          "jsonpath={.spec.template.spec.containers[0].image}").stdout

    def blob(digest):
        return folder / "blobs" / digest.replace(":", "/")

    entry = next(entry for entry in json.loads((folder / "index.json").read_text())["manifests"]
                 if entry["annotations"][RUN] == image.split(":")[-1])
    return [(layer["digest"], blob(layer["digest"])) for layer in json.loads(blob(entry["digest"]).read_text())["layers"]][1:]


def test_a_folder_that_did_not_change_is_neither_copied_nor_in_the_rest(skiff):
    app = skiff.app(PACK)
    (app.folder / "link").unlink()
    (app.folder / "link").symlink_to("pack")
    first = app.push()
    assert first.ok, first.said
    before = image_layers(skiff, app)
    assert len(before) == 3  # modules, vendor, the rest
    assert [path.stat().st_size > 300000 for _, path in before] == [True, False, False]
    kept = before[0][1].stat()

    app.write({"version": "2\n", "notes": "changed\n"})
    assert app.push().ok
    after = image_layers(skiff, app)
    assert [one[0] == other[0] for one, other in zip(before, after)] == [True, False, False]
    assert (after[0][1].stat().st_ino, after[0][1].stat().st_mtime_ns) == (kept.st_ino, kept.st_mtime_ns)

    skiff.skiff("scale", "worker=1", "-a", app.name)
    said = app.pod_says("cat vendor/bundle/deep/gem notes; readlink modules/link link; wc -c <modules/large; "
                        "stat -c %U:%a . vendor vendor/bundle modules; touch modules/new && echo writable")
    assert said == ["2", "changed", "large", "pack", "300000", *["dyno:755"] * 4, "writable"]

    skiff.skiff("rollback", "v2", "-a", app.name)
    assert [digest for digest, _ in image_layers(skiff, app)] == [digest for digest, _ in before]


def test_all_layers_together_obey_the_bound_of_the_compiled_app(skiff):
    app = skiff.app({**PACK, "pack/bin/compile": """#!/bin/sh
set -e
for name in one two three; do mkdir "$1/$name"; head -c 900000 /dev/urandom >"$1/$name/data"; echo $name >>slug-layers; done
"""})
    with skiff.limits(slugMb=2):
        pushed = app.push()
    assert not pushed.ok and "the compiled app is 2.6 MB, more than 2 MB" in pushed.said, pushed.said


def test_what_a_build_leaves_in_place_of_a_layer_is_not_followed(skiff):
    app = skiff.app({**PACK, "pack/bin/compile": "#!/bin/sh\nln -s /etc/shadow /skiff/out/layer-1.tar\n"})
    pushed = app.push()
    assert not pushed.ok and "the build left something else than a file layer-1.tar" in pushed.said, pushed.said
