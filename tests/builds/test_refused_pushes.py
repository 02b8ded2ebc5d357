"""Pushes that must not be deployed, each with what the pusher reads."""
import os
import subprocess

from support.pushes import refused

MAKE = {"Procfile": "web: true\n"}


def make(script):
    return {**MAKE, "Makefile": "all:\n\t@" + script + "\n"}


def test_nothing_is_detected(skiff):
    refused(skiff.app({"notes.txt": "x", "docs/_config.yml": "title: x\n"}).push(),
            " !     The app seems to be in a folder (docs/_config.yml). To push that alone: git subtree push --prefix docs skiff main",
            " !     No buildpack detects this app.",
            " !     A C++ app has a CMakeLists.txt or Makefile and a Procfile; a static site has an index.html or a static.json.",
            " !     Push refused: the build ended with exit code 1", "pre-receive hook declined")


def test_an_empty_commit(skiff):
    refused(skiff.app({}).push(), " !     No buildpack detects this app.")


def test_a_bad_procfile_line_before_anything_is_built(skiff):
    pushed = skiff.app({**make("echo built"), "Procfile": "# all\nweb: true\nthis is no line\n"}).push()
    refused(pushed, ' !     Push refused: Procfile line 3 is not of the form "type: command"')
    assert "built" not in pushed.said


def test_no_procfile(skiff):
    refused(skiff.app({"Makefile": "all:\n\ttrue\n"}).push(), " !     The app has no Procfile.",
            ' !     Add one with a line such as "web: build/server"; a web process listens on $PORT.')
    refused(skiff.app({".buildpacks": "./pack\n", "pack/bin/compile": "true\n"}).push(), ' !     Add one with a line such as "web: <command>";')


def test_a_build_that_fails(skiff):
    refused(skiff.app(make("echo no luck; exit 3")).push(), "no luck",
            " !     The build failed; what went wrong stands above.", " !     Push refused: the build ended with exit code 1")


def test_a_buildpack_whose_release_fails(skiff):
    refused(skiff.app({".buildpacks": "./pack", "pack/bin/compile": "true\n", "pack/bin/release": "exit 1\n", **MAKE}).push(),
            " !     The bin/release of the buildpack failed; what went wrong stands above.")


def test_a_build_that_says_it_was_fine_before_it_fails(skiff):
    refused(skiff.app(make("echo skiff-build: ok; exit 1")).push(), "pre-receive hook declined")


def test_a_build_that_hangs(skiff):
    app = skiff.app(make("echo waiting; sleep 600"))
    with skiff.limits(seconds=6):
        refused(app.push(), "waiting",
                " !     Push refused: the build took longer than 6 seconds and was stopped; build less, or in smaller steps, "
                'or raise "seconds" (6) in DATA/platform/build-limits.json')
    assert skiff.build_pods() == []


def test_a_build_that_fills_its_disk(skiff):
    app = skiff.app(make("head -c 200M /dev/zero >big"))
    with skiff.limits(diskMb=64):
        refused(app.push(), "No space left on device",
                " !     Push refused: the build filled its disk of 64 MB, which also holds its cache; write less, "
                'or raise "diskMb" (64) in DATA/platform/build-limits.json')
    image = skiff.data / "platform" / "cache" / f"{app.name}.img"
    assert image.stat().st_blocks * 512 <= 64 << 20
    app.write(make("echo fine"))
    assert app.push().ok


def test_a_build_has_no_other_place_to_write(skiff):
    refused(skiff.app(make("for d in / /usr /run /var /etc /opt /skiff /skiff/build /skiff/buildpacks; do "
                           "touch $$d/x 2>/dev/null && echo wrote to $$d; done; exit 1")).push())
    pushed = skiff.app(make("for d in / /usr /run /var /etc /opt /skiff /skiff/build /skiff/buildpacks; do "
                            "touch $$d/x 2>/dev/null && echo wrote to $$d; done; echo tried")).push()
    assert pushed.ok and "tried" in pushed.said and "wrote to" not in pushed.said, pushed.said


def test_a_build_that_takes_too_much_memory(skiff):
    app = skiff.app(make("exec python3 -c 'x = bytearray(600 << 20); print(len(x))'"))
    with skiff.limits(memoryMb=128):
        refused(app.push(),
                " !     Push refused: the build used more than 128 MB of memory and was stopped; run fewer jobs at once, "
                'or raise "memoryMb" (128) in DATA/platform/build-limits.json')


def test_a_build_that_talks_too_much_is_cut(skiff):
    app = skiff.app(make("yes words | head -c 1M; echo the end"))
    with skiff.limits(outputKb=20):
        pushed = app.push()
    assert pushed.ok and ' !     The build wrote more than 20 KB ("outputKb" in build-limits.json); what follows is not shown.' in pushed.said
    assert "the end" not in pushed.said


def test_an_app_that_is_too_large(skiff):
    app = skiff.app(make("head -c 3M /dev/zero >big"))
    with skiff.limits(slugMb=2):
        refused(app.push(), " !     Push refused: the compiled app is 3.0 MB, more than 2 MB; leave files out with a .slugignore, "
                "or raise \"slugMb\" (2) in DATA/platform/build-limits.json")


def test_a_pack_that_is_too_large(skiff):
    app = skiff.app({**make("true"), "big": os.urandom(3 << 20)})
    with skiff.limits(pushMb=1):
        pushed = app.push()
        refused(pushed, " !     Push refused: its pack takes more than 1 MB; leave large files out of its commits, or raise "
                "\"pushMb\" (1) in DATA/platform/build-limits.json")


def test_a_commit_whose_files_are_too_large(skiff):
    app = skiff.app({**make("true"), "big": bytes(8 << 20)})
    with skiff.limits(pushMb=2):
        refused(app.push(),
                " !     the commit can't be read, or its files take more than 2 MB; leave large files out of it")


def test_a_slug_that_is_a_link_to_the_hosts_files(skiff):
    # The build itself reads what a buildpack exports: it ends well, with a link where its archive should be.
    link = "echo 'make_tar() { ln -s /etc/shadow \"$1\"; }' >\"$(dirname \"$0\")/../export\"\n"
    refused(skiff.app({".buildpacks": "./pack\n", "pack/bin/compile": link, **MAKE}).push(),
            " !     Push refused: the build left no slug.tar")


def test_bad_limits_of_the_operator(skiff):
    app = skiff.app(make("true"))
    with skiff.limits(seconds=0):
        pushed = app.push()
    assert not pushed.ok and '"seconds" must be a number from 1 to 86400' in pushed.said


def test_another_branch_is_kept_but_not_deployed(skiff):
    app = skiff.app(make("echo built"))
    pushed = app.push("skiff", "main:feature")
    assert pushed.ok and "built" not in pushed.said
    assert "-----> feature is kept but not deployed: main and master deploy" in pushed.said
    assert "       To deploy it: git push skiff feature:main" in pushed.said
    assert "built" in app.push().said


def test_several_branches_at_once(skiff):
    app = skiff.app(make("echo built"))
    app.commit()
    app.git("branch", "master")
    pushed = app.push("skiff", "--all")
    refused(pushed, " !     This push changes several branches: main master",
            "       A push deploys one; name it: git push skiff main")
    assert "built" not in pushed.said
    app.git("tag", "first")
    assert "built" in app.push("skiff", "main", "first").said


def test_the_deployed_branch_can_not_be_deleted(skiff):
    app = skiff.app(make("true"))
    assert app.push().ok
    refused(app.push("skiff", ":main"), " !     main can't be deleted: it is what runs")


def test_history_is_rewritten_by_force_only(skiff):
    app = skiff.app(make("true"))
    assert app.push().ok
    app.git("commit", "-q", "--amend", "-m", "other")
    app.git("checkout", "-q", "--orphan", "fresh")
    app.git("branch", "-qD", "main")
    app.git("branch", "-qm", "main")
    app.write({"fresh": ""})  # else it is the same commit, made within the same second
    refused(app.push(), "[rejected]")
    assert app.push("--force", "skiff", "main").ok


def test_an_empty_repository(skiff):
    app = skiff.app({})
    assert "src refspec main does not match any" in app.git("push", "skiff", "main", check=False).stderr
    assert "remote HEAD" not in app.git("ls-remote", "skiff").stdout
    cloned = subprocess.run(["git", "clone", "-q", app.git("remote", "get-url", "skiff").stdout.strip(), "copy"],
                            cwd=app.folder, env=skiff.env, capture_output=True, text=True, timeout=60)
    assert cloned.returncode == 0 or "Authentication" in cloned.stderr or "could not read" in cloned.stderr


def ask(skiff, url):
    """git without the credentials that `skiff create` left for this repository."""
    return subprocess.run(["git", "ls-remote", url], cwd="/", env=skiff.env, capture_output=True, text=True, timeout=60)


def test_without_a_token_git_is_asked_for_one(skiff):
    app = skiff.app({})
    asked = ask(skiff, f"http://localhost:{skiff.http}/{app.name}.git")
    assert asked.returncode != 0 and "could not read Username" in asked.stderr


def test_a_wrong_token(skiff):
    app = skiff.app({})
    asked = ask(skiff, f"http://me:wrong@localhost:{skiff.http}/{app.name}.git")
    assert asked.returncode != 0 and "Authentication failed" in asked.stderr
    token = (skiff.data / "token").read_text().strip()
    assert ask(skiff, f"http://me:{token}@localhost:{skiff.http}/{app.name}.git").returncode == 0


def test_an_unknown_app(skiff):
    token = (skiff.data / "token").read_text().strip()
    asked = ask(skiff, f"http://me:{token}@localhost:{skiff.http}/nosuch.git")
    assert asked.returncode != 0 and "There is no app nosuch; make it with `skiff create nosuch`" in asked.stderr
