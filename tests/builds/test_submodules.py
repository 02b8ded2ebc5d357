"""Submodules of a pushed commit: fetched by the build, at the commit that the app names. As root."""
import importlib.util
import subprocess

import pytest

from conftest import Pushed
from support import pushes
from support.instance import ROOT
from support.servers import GitHandler, serving

GIT = ["git", "-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "protocol.file.allow=always"]
PACK = {".buildpacks": "./pack\n", "Procfile": "web: true\n",
        "pack/bin/compile": "cd \"$1\"; find . -name .git; find lib* -type f -printf '%p ' -exec cat {} \\; 2>&1; ls -d lib*\n"}


class Server:
    """Repositories on the address that pods reach the host by."""

    def __init__(self, http, address):
        self.http, self.root, self.address = http, http.root, address

    @property
    def asked(self):
        return self.http.asked

    def url(self, name, login=""):
        return f"http://{login}{self.address}:{self.http.server_port}/{name}"

    def commit(self, name, files, links=None):
        """Another commit of a repository: files, and submodules by path, each (commit, address)."""
        folder = self.root / name
        if not folder.exists():
            subprocess.run([*GIT, "init", "-q", "-b", "main", folder], check=True)
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        link(folder, links or {})
        subprocess.run([*GIT, "add", "-A"], cwd=folder, check=True)
        for path, (commit, _) in (links or {}).items():
            subprocess.run([*GIT, "update-index", "--add", "--cacheinfo", f"160000,{commit},{path}"], cwd=folder, check=True)
        subprocess.run([*GIT, "commit", "-qm", "change"], cwd=folder, check=True)
        return subprocess.run([*GIT, "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def link(folder, links):
    if links:
        (folder / ".gitmodules").write_text("".join(f'[submodule "{path}"]\n\tpath = {path}\n\turl = {url}\n'
                                                    for path, (_, url) in links.items()))


@pytest.fixture(scope="module")
def server(skiff, tmp_path_factory):
    with serving(skiff.gateway, GitHandler, root=tmp_path_factory.mktemp("served")) as http:
        yield Server(http, skiff.gateway)


def push(app, links, modules=None):
    """Pushes the app with these submodules: path to (commit, address). `modules` is another text for .gitmodules, "" none."""
    link(app.folder, links)
    if modules == "":
        (app.folder / ".gitmodules").unlink()
    elif modules:
        (app.folder / ".gitmodules").write_text(modules)
    app.git("add", "-A")
    for path, (commit, _) in links.items():
        app.git("update-index", "--add", "--cacheinfo", f"160000,{commit},{path}")
    app.git("commit", "-qm", "change", "--allow-empty")
    return Pushed(app.git("push", "skiff", "main", check=False))


def refused(pushed, *lines):
    pushes.refused(pushed, *(" !     " + line for line in lines))


def test_a_submodule_is_there_at_its_commit_and_in_the_next_build_without_a_fetch(skiff, server):
    first = server.commit("plain", {"a.txt": "first\n"})
    second = server.commit("plain", {"a.txt": "second\n"})
    app = skiff.app(PACK)
    url = server.url("plain/.git")
    pushed = push(app, {"lib one": (first, url)})
    assert pushed.ok, pushed.said
    assert f"-----> Fetching the submodule lib one ({first[:8]})" in pushed.said and "lib one/a.txt first" in pushed.said
    assert "./lib one/.git" not in pushed.said
    asked = len(server.asked)
    pushed = push(app, {"lib one": (first, url)})
    assert pushed.ok and "lib one/a.txt first" in pushed.said and "Fetching" not in pushed.said, pushed.said
    assert len(server.asked) == asked
    pushed = push(app, {"lib one": (second, url)})
    assert pushed.ok and "lib one/a.txt second" in pushed.said, pushed.said


def test_submodules_of_submodules_and_their_relative_addresses(skiff, server):
    inner = server.commit("inner", {"i.txt": "inner\n"})
    outer = server.commit("outer", {"o.txt": "outer\n"}, {"deep/in": (inner, "../../inner/.git")})
    pushed = push(skiff.app(PACK), {"lib": (outer, server.url("outer/.git"))})
    assert pushed.ok and "lib/o.txt outer" in pushed.said and "lib/deep/in/i.txt inner" in pushed.said, pushed.said


def test_what_can_not_be_fetched_refuses_the_push_and_names_it(skiff, server):
    commit = server.commit("there", {"a.txt": "a\n"})
    url = server.url("there/.git")
    app = skiff.app(PACK)
    refused(push(app, {"lib/x": (commit, server.url("none.git", "me:s3cret@"))}),
            f"The submodule lib/x can't be fetched from {server.url('none.git', '***@')}")
    refused(push(app, {"lib/x": ("1" * 40, url)}), f"The submodule lib/x can't be fetched from {url}, which has no commit {'1' * 40}",
            "Push that commit there")
    for address, words in (("../lib.git", "The address of the submodule lib/x is relative (../lib.git)"),
                           ("git@github.com:a/b.git", "The submodule lib/x has an address of ssh (git@github.com:a/b.git)"),
                           ("file:///etc", "The submodule lib/x has an address that is not fetched from: file:///etc"),
                           ("ext::sh -c id", "The submodule lib/x has an address that is not fetched from: ext::sh -c id"),
                           ("/etc", "The submodule lib/x has an address that is not fetched from: /etc")):
        refused(push(app, {"lib/x": (commit, address)}), words)
    links = {"lib/x": (commit, url)}
    refused(push(app, links, '[submodule "other"]\n\tpath = other\n\turl = https://git.example/x\n'),
            "The submodule lib/x has no address: .gitmodules does not name that path.")
    refused(push(app, links, "[submodule\n"), ".gitmodules can't be read: ")
    said = skiff.skiff("builds", "-a", app.name).stdout
    assert "s3cret" not in said and "s3cret" not in skiff.skiff("logs", "-a", app.name).stdout


@pytest.fixture(scope="module")
def reader():
    """The build's own reading of paths and addresses."""
    spec = importlib.util.spec_from_file_location("submodules", ROOT / "buildpacks" / "lib" / "submodules.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", ["", "..", "a/../b", "/etc", "a//b", "./a", ".git", "a/.GIT/hooks", "-a", "a/-b", "a\nb", 'a"b', "a\\b",
                                  "\x7f", "a/" * 600 + "a"])
def test_a_path_that_leads_elsewhere_is_refused(reader, path):
    with pytest.raises(reader.Refused):
        reader.check_path(path)


def test_paths_that_are_fetched_to(reader):
    for path in ("lib", "lib/one two", "a.git", "...", "ü/✓"):
        reader.check_path(path)


def test_a_submodule_is_written_into_its_own_empty_folder_alone(reader, tmp_path):
    app = tmp_path / "app"
    for folder in ("full", "empty", "real"):
        (app / folder).mkdir(parents=True)
    (app / "full" / "x").write_text("x")
    (app / "link").symlink_to(tmp_path)
    (app / "inside").symlink_to("real")
    assert reader.target_of(str(app), "empty") == str(app / "empty") and reader.target_of(str(app), "new/deep") == str(app / "new" / "deep")
    for path, words in (("link/x", "lies behind a symbolic link"), ("inside", "lies behind a symbolic link"), ("full", "has files of its own")):
        with pytest.raises(reader.Refused, match=words):
            reader.target_of(str(app), path)
    assert not (tmp_path / "x").exists()


def test_an_address_above_its_host_is_refused(reader):
    assert reader.relative("https://h/a/b.git/", "../c.git", "x") == "https://h/a/c.git"
    assert reader.relative("https://h/a/b.git", "./c", "x") == "https://h/a/b.git/c"
    with pytest.raises(reader.Refused, match="above the host"):
        reader.relative("https://h/a", "../../../c", "x")


def test_a_repository_of_its_own_without_gitmodules_is_told(skiff):
    pushed = push(skiff.app(PACK), {"lib": ("2" * 40, "")}, "")
    assert pushed.ok and " !     lib is a repository of its own, and there is no .gitmodules" in pushed.said, pushed.said


def test_submodules_of_others_are_checked_and_bounded_too(skiff, server):
    inner = server.commit("leaf", {"a.txt": "x\n"})
    outer = server.commit("outward", {"a.txt": "a\n"}, {"in": (inner, "file:///etc")})
    app = skiff.app(PACK)
    refused(push(app, {"lib": (outer, server.url("outward/.git"))}), "The submodule lib/in has an address that is not fetched from")
    chain = inner
    for depth in range(6):
        chain = server.commit(f"deep{depth}", {"a.txt": "a\n"},
                              {"in": (chain, server.url(f"deep{depth - 1}/.git" if depth else "leaf/.git"))})
    refused(push(app, {"lib": (chain, server.url("deep5/.git"))}), "The submodule lib/in/in/in/in/in lies in 5 others")
    many = {f"lib{i}": (inner, server.url("leaf/.git")) for i in range(101)}
    refused(push(skiff.app(PACK), many), "Push refused: the commit has more than 100 submodules")
