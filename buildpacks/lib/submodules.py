"""submodules.py APP LIST CACHE: fetches the submodules of a pushed commit into APP, and theirs into them.

LIST has a line "COMMIT PATH" for each, as the commit itself names them; APP/.gitmodules says where they are. CACHE keeps
what was fetched, a repository for each address, so that a push that leaves a submodule as it is fetches nothing. All of it
comes from whoever pushes, and is checked as that: addresses, paths, how many and how deep. What can't be fetched ends the
build, with the submodule's name.
"""
import hashlib
import os
import re
import shutil
import subprocess
import sys
import urllib.parse

MOST_SUBMODULES = 100  # together, as the platform takes of one commit
MOST_DEPTH = 5  # submodules of submodules
MOST_PATH = 1024  # characters
MOST_MODULES_BYTES = 256 << 10  # of one .gitmodules
FETCH_SECONDS = 600  # of one submodule; the build as a whole has its own bound

# Of the build's own git: nothing that the app's files say (its .gitconfig is that of HOME), no other protocols, no
# questions, and a server that stands still is given up.
SETTINGS = ["protocol.allow=never", "protocol.http.allow=always", "protocol.https.allow=always", "core.hooksPath=/dev/null",
            "http.lowSpeedLimit=1000", "http.lowSpeedTime=60", "transfer.fsckObjects=true", "gc.auto=0",
            "advice.detachedHead=false", "core.protectHFS=true", "core.protectNTFS=true", "safe.directory=*"]
# What old versions of git wrote into many a history does no harm, as with a push.
OLD_HABITS = ["badDate", "badDateOverflow", "badEmail", "badName", "badTimezone", "missingEmail", "missingNameBeforeEmail",
              "missingSpaceBeforeDate", "missingSpaceBeforeEmail", "multipleAuthors", "zeroPaddedDate", "zeroPaddedFilemode"]
SETTINGS += [f"fetch.fsck.{name}=ignore" for name in OLD_HABITS]


class Refused(Exception):
    """What is wrong, a line each."""


def git(*words, seconds=FETCH_SECONDS, **options):
    settings = [word for setting in SETTINGS for word in ("-c", setting)]
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"}
    return subprocess.run(["git", *settings, *words], env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds,
                          **options)


def shown(url):
    """An address without the password that it may hold, and without what would steer a terminal."""
    return re.sub(r"[^ -~]", "?", re.sub(r"//[^/?#]*@", "//***@", url))


def check_path(path):
    parts = path.split("/")
    if not path or len(path) > MOST_PATH or re.search(r'[\x00-\x1f\x7f\\"]', path) or any(
            part in ("", ".", "..") or part.lower() == ".git" or part.startswith("-") for part in parts):
        raise Refused(f"The path of the submodule {shown(path[:100])} can't be fetched to.",
                      'A path has no control characters, quotes, backslashes, ".." or ".git".')


def resolve(url, parent, name):
    """The address that a .gitmodules says, as it can be fetched from. `parent` is that of the repository it is in."""
    if url.startswith(("./", "../")):
        if not parent:
            raise Refused(f"The address of the submodule {name} is relative ({shown(url)}), and a push tells of no repository "
                          "that it could be relative to.", "Write its whole https address into .gitmodules.")
        url = relative(parent, url, name)
    if re.match(r"ssh://|[^/:]+@[^/:]+:", url):
        raise Refused(f"The submodule {name} has an address of ssh ({shown(url)}), and a build has no key for it.",
                      "Write its https address into .gitmodules.")
    try:
        parsed = urllib.parse.urlsplit(url)
        fine = parsed.scheme in ("https", "http") and parsed.hostname and not re.search(r"[^!-~]", url)
    except ValueError:
        fine = False
    if not fine:
        raise Refused(f"The submodule {name} has an address that is not fetched from: {shown(url[:200])}",
                      "Write its https address into .gitmodules.")
    return url


def relative(parent, url, name):
    base = urllib.parse.urlsplit(parent.rstrip("/"))
    folders = base.path.split("/")
    while url.startswith(("./", "../")):
        up, url = url.startswith("../"), url.partition("/")[2]
        if up and len(folders) < 2:
            raise Refused(f"The address of the submodule {name} leads above the host that it is relative to.")
        if up:
            folders.pop()
    return urllib.parse.urlunsplit((base.scheme, base.netloc, "/".join([*folders, url]), "", ""))


def read_modules(folder, where):
    """The path and address of each submodule that the .gitmodules of a folder names."""
    path = os.path.join(folder, ".gitmodules")
    if os.path.islink(path) or not os.path.isfile(path):
        if os.path.lexists(path):
            raise Refused(f"{where}.gitmodules is no file, and should name the submodules and their addresses.")
        return None
    if os.path.getsize(path) > MOST_MODULES_BYTES:
        raise Refused(f"{where}.gitmodules is larger than {MOST_MODULES_BYTES >> 10} KB.")
    read = git("config", "--no-includes", "-z", "--file", path, "--get-regexp", r"^submodule\..*\.(path|url)$")
    if read.returncode not in (0, 1):
        said = os.fsdecode(read.stderr).strip().splitlines()
        raise Refused(f"{where}.gitmodules can't be read: {shown(said[0] if said else 'git says nothing')}")
    modules = {}
    for entry in filter(None, os.fsdecode(read.stdout).split("\0")):
        key, _, value = entry.partition("\n")
        name, _, field = key.removeprefix("submodule.").rpartition(".")
        modules.setdefault(name, {})[field] = value
    return {module["path"].rstrip("/"): module.get("url", "") for module in modules.values() if "path" in module}


def list_links(repository, commit):
    """The (commit, path) of each submodule of a commit."""
    tree = git(f"--git-dir={repository}", "ls-tree", "-r", "-z", "--full-tree", commit)
    for entry in filter(None, os.fsdecode(tree.stdout).split("\0")):
        facts, _, path = entry.partition("\t")
        mode, _, name = facts.split(" ")
        if mode == "160000":
            yield name, path


def target_of(app, path):
    """The empty folder that stands in the place of a submodule; what lies behind a link is elsewhere."""
    folder = os.path.join(app, path)
    if os.path.realpath(folder) != os.path.join(os.path.realpath(app), path):
        raise Refused(f"The submodule {shown(path)} lies behind a symbolic link.")
    if os.path.isdir(folder) and os.listdir(folder):
        raise Refused(f"The folder of the submodule {shown(path)} has files of its own.")
    os.makedirs(folder, exist_ok=True)
    return folder


class Fetcher:
    def __init__(self, app, cache):
        self.app, self.cache, self.count, self.used = app, cache, 0, set()

    def repository(self, url):
        name = hashlib.sha256(url.encode()).hexdigest()[:32] + ".git"
        self.used.add(name)
        path = os.path.join(self.cache, name)
        if not os.path.isdir(path):
            os.makedirs(self.cache, exist_ok=True)
            made = git("init", "-q", "--bare", path)
            if made.returncode != 0:
                raise Refused(f"git can't make a repository: {shown(os.fsdecode(made.stderr).strip())}")
        return path

    def get(self, name, url, commit):
        """The repository with the commit."""
        repository = self.repository(url)
        at = f"--git-dir={repository}"

        def complete():
            """A fetch that was cut leaves objects, and no reference to them."""
            return git(at, "rev-parse", "-q", "--verify", f"refs/kept/{commit}^{{commit}}").returncode == 0

        if complete():
            return repository
        print(f"-----> Fetching the submodule {name} ({commit[:8]})", flush=True)
        fetched = git(at, "fetch", "-q", "--depth", "1", "--no-tags", url, f"+{commit}:refs/kept/{commit}")
        if not complete():  # a server that gives branches and tags alone
            fetched = git(at, "fetch", "-q", "--no-tags", url, "+refs/heads/*:refs/there/heads/*", "+refs/tags/*:refs/there/tags/*")
            git(at, "update-ref", f"refs/kept/{commit}", commit)
        if not complete():
            said = os.fsdecode(fetched.stderr).strip().splitlines() if fetched.returncode else []
            why = f": {shown(said[-1].removeprefix('fatal: '))}" if said else f", which has no commit {commit}"
            raise Refused(f"The submodule {name} can't be fetched from {shown(url)}{why}",
                          *([] if said else ["Push that commit there, or name another one: git submodule update --remote"]))
        return repository

    def fetch_all(self, folder, links, parent, depth):
        """Those of one commit, whose files lie in app/folder. `parent` is the address that they came from."""
        modules = read_modules(os.path.join(self.app, folder), folder and folder + "/")
        if modules is None:
            for _, path in links:
                print(f" !     {shown(os.path.join(folder, path))} is a repository of its own, and there is no .gitmodules that "
                      "says where: its folder is empty", flush=True)
            return
        for commit, path in links:
            check_path(path)
            name = os.path.join(folder, path)
            if path not in modules or not modules[path]:
                raise Refused(f"The submodule {name} has no address: .gitmodules does not name that path.",
                              "git submodule add <https address> " + path)
            self.count += 1
            if self.count > MOST_SUBMODULES:
                raise Refused(f"There are more than {MOST_SUBMODULES} submodules, with those of submodules.")
            if depth > MOST_DEPTH:
                raise Refused(f"The submodule {name} lies in {MOST_DEPTH} others, and deeper ones are not fetched.")
            self.fetch_one(name, resolve(modules[path], parent, name), commit, depth)

    def fetch_one(self, name, url, commit, depth):
        folder = target_of(self.app, name)
        repository = self.get(name, url, commit)
        done = git(f"--git-dir={repository}", f"--work-tree={folder}", "checkout", "-q", "--force", commit, "--", ".", cwd=folder)
        is_empty = git(f"--git-dir={repository}", "ls-tree", "-z", commit).stdout == b""
        if done.returncode != 0 and not is_empty:
            raise Refused(f"The files of the submodule {name} can't be written: {shown(os.fsdecode(done.stderr).strip())}")
        self.fetch_all(name, list(list_links(repository, commit)), url, depth + 1)

    def drop_unused(self):
        for name in os.listdir(self.cache) if os.path.isdir(self.cache) else []:
            if name not in self.used:
                shutil.rmtree(os.path.join(self.cache, name), ignore_errors=True)


def main():
    app, listing, cache = sys.argv[1:]
    sys.stdout.reconfigure(errors="replace")  # names may be of any bytes
    with open(listing, encoding="utf-8", errors="surrogateescape") as lines:
        links = [tuple(line.rstrip("\n").split(" ", 1)) for line in lines]
    fetcher = Fetcher(app, cache)
    try:
        fetcher.fetch_all("", links, "", 1)
        fetcher.drop_unused()
    except subprocess.TimeoutExpired:
        raise SystemExit(f"\n !     A submodule took longer than {FETCH_SECONDS // 60} minutes to fetch.") from None
    except Refused as refused:
        raise SystemExit("\n" + "\n".join(f" !     {line}" for line in refused.args)) from None


if __name__ == "__main__":
    main()
