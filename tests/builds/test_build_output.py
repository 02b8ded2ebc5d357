"""What a pusher sees of a build, and what is kept of it."""
import json

PACK = {
    ".buildpacks": "./pack\n",
    "pack/bin/detect": "#!/bin/sh\necho Talking\n",
    "pack/bin/compile": "#!/bin/sh\nsh ./talk\n",
    "pack/bin/report": "#!/bin/sh\necho seen by nobody >&2\ncat report; cat $3/TOLD; exit 3\n",
    "Procfile": "worker: exec sleep 600\n",
}


def record(skiff, app):
    builds = json.loads(skiff.kubectl("-n", app.name, "get", "builds", "-o", "json").stdout)["items"]
    return max(builds, key=lambda build: int(build["metadata"]["resourceVersion"]))["status"]  # the last one that ended


def test_no_escape_sequence_leaves_a_build(skiff):
    app = skiff.app({**PACK, "pack/talk": r"""printf '\033[1;31mred\033[0m and \033]0;title\007plain\n'
printf '10 %%\r20 %%\r\n'
printf 'a\302\2332Jb\n'
printf 'ends without a line end' >&2; printf '\033[?25l'
"""})
    app.write({"Procfile": "worker: exec sleep 600 \x1b[31m\n"})
    pushed = app.push()
    assert pushed.ok, pushed.said
    for line in ["red and plain", "10 %", "20 %", "a2Jb", "ends without a line end"]:
        assert line in pushed.said.splitlines() or f"{line}-----> Compressing..." in pushed.said, pushed.said
    build = record(skiff, app)
    output = skiff.skiff("builds:output", build["output"].split("/")[-1], "-a", app.name).stdout
    for text in (pushed.said, output):
        assert "red and plain" in text and not [c for c in text if c in "\x1b\r\x07\x9b"]


def test_what_a_buildpack_reports_and_how_long_its_phases_took_are_in_the_record(skiff):
    app = skiff.app({**PACK, "pack/talk": "echo compiled; [ ! -f /app/fail ] || exit 1\n",
                     "pack/report": "node_version: 20.1\nlist:\n  - x\ncolour: \"\033[31mred\"\n../bad: x\n"},
                    ["TOLD=by: a variable"])
    pushed = app.push()
    assert pushed.ok and "node_version" not in pushed.said and "seen by nobody" not in pushed.said, pushed.said
    build = record(skiff, app)
    assert build["report"] == {"node_version": "20.1", "colour": "red", "by": "a variable"}
    assert [phase["name"] for phase in build["phases"]] == [
        "receive", "source", "prepare", "start", "unpack", "detect", "compile", "check", "pack", "end", "image", "release"]
    shown = skiff.skiff("builds:info", build["output"].split("/")[-1], "-a", app.name).stdout
    assert "node_version         20.1\n" in shown and " s\n" in shown.split("compile ")[1]
    app.write({"fail": ""})
    assert not app.push().ok
    build = record(skiff, app)
    assert build["phase"] == "Failed" and build["report"]["node_version"] == "20.1"


def test_odd_names_links_and_executables_of_the_source_reach_the_app(skiff):
    names = ["a b", "-rf", "new\nline", "tab\t'\"$x\\", "ü-ß-✓", "*", "back\\slash", "x" * 250]
    app = skiff.app({"Makefile": "all:\n\ttrue\n", **{f"odd/{name}": f"{number}\n" for number, name in enumerate(names)}})
    (app.folder / "odd" / "latin\udcfc").write_text("latin\n")
    (app.folder / "link").symlink_to("odd/a b")
    (app.folder / "dangling").symlink_to("/no/such")
    (app.folder / "folder").symlink_to("odd")
    (app.folder / "run me.sh").write_text("#!/bin/sh\necho it runs\n")
    (app.folder / "run me.sh").chmod(0o755)
    said = app.pod_says("'./run me.sh'; readlink link dangling folder; ls -1 odd | wc -l; cat link; cat folder/-rf; "
                        "cat odd/$'new\\nline' odd/'*' odd/latin*; stat -c %a 'run me.sh' odd/-rf; ls -1b odd | LC_ALL=C sort | head -n 3")
    assert said[:8] == ["it runs", "odd/a b", "/no/such", "odd", "10", "0", "1", "2"]
    assert said[8:12] == ["5", "latin", "755", "644"]
