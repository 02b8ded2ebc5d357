"""Packages from the npm registry that the app uses: its address and token as npm itself reads them, hashes verified."""
import base64
import hashlib
import http.client
import json
import os
import platform
import re
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from refuse import Refusal

DEFAULT = "https://registry.npmjs.org/"
SECONDS = 60  # until a silent registry is given up
RECENT = 24 * 3600  # seconds in which what the registry listed is not asked for again
MOST_BYTES = 400 << 20  # of a package; Node.js takes 55 MB
SHORT = "application/vnd.npm.install-v1+json"


def hide_password(text):
    """The text without the logins of the addresses in it. A password may hold an @: the last one ends it."""
    return re.sub(r"//[^/?#\s]*@", "//***@", text)


def read_npmrc(path):
    """Its keys, with ${NAME} replaced by the environment's value."""
    settings = {}
    try:
        lines = open(path, encoding="utf-8-sig", errors="replace").read().splitlines()
    except OSError:
        return settings
    for line in lines:
        key, equals, value = line.strip().partition("=")
        if equals and not key.startswith(("#", ";")):
            value = re.sub(r"\$\{(\w+)\??\}", lambda name: os.environ.get(name[1], ""), value.strip().strip("\"'"))
            settings[key.strip()] = value
    return settings


class Registry:
    def __init__(self, app, cache):
        self.settings = read_npmrc(os.path.join(app, ".npmrc"))
        for name, value in os.environ.items():
            if name.lower().startswith("npm_config_") and value:
                self.settings[name[11:] if "//" in name else name[11:].lower()] = value
        self.take_logins()
        self.cache = cache
        self.trust = ssl.create_default_context()
        if self.settings.get("cafile"):
            self.trust.load_verify_locations(os.path.join(app, self.settings["cafile"]))

    def take_logins(self):
        """A login in a registry's address counts as one that is written for it: urllib takes none there."""
        for key in [key for key in self.settings if key == "registry" or key.endswith(":registry")]:
            try:
                parts = urllib.parse.urlsplit(self.settings[key])
            except ValueError:
                continue  # is told when it is asked
            login, at, host = parts.netloc.rpartition("@")
            if at:
                self.settings[key] = urllib.parse.urlunsplit(parts._replace(netloc=host))
                place = f"//{host}{parts.path.rstrip('/')}/"
                self.settings.setdefault(place + ":_auth", base64.b64encode(urllib.parse.unquote(login).encode()).decode())

    def address(self, name):
        scope = name.split("/")[0] + ":registry" if name.startswith("@") else ""
        return (self.settings.get(scope) or self.settings.get("registry") or DEFAULT).rstrip("/") + "/"

    def authorization(self, address):
        """A token counts for addresses below the one that it is written for, as with npm."""
        place = "//" + address.split("://", 1)[1]
        while place.count("/") > 2:
            place = place[:place.rstrip("/").rfind("/") + 1]
            for key in (place, place.rstrip("/")):
                if self.settings.get(key + ":_authToken"):
                    return "Bearer " + self.settings[key + ":_authToken"]
                if self.settings.get(key + ":_auth"):
                    return "Basic " + self.settings[key + ":_auth"]
        return ""

    def open(self, address, **headers):
        try:
            request = urllib.request.Request(address, headers=headers)
            token = self.authorization(address)
            if token:
                request.add_unredirected_header("Authorization", token)
            return urllib.request.urlopen(request, timeout=SECONDS, context=self.trust)
        except (OSError, ValueError, http.client.HTTPException) as error:
            said = f"it answers {error.code}" if isinstance(error, urllib.error.HTTPError) else getattr(error, "reason", error)
            raise Refusal(hide_password(f"{address} can't be fetched: {said}"),
                          "The registry is the one of .npmrc or of the config var NPM_CONFIG_REGISTRY; both may name another,",
                          "which has to hold the packages of Node.js and of the package manager too.") from None

    def versions(self, name):
        """{version: dist} of a package, as listed within the last day."""
        address = self.address(name) + name.replace("/", "%2f")
        kept = os.path.join(self.cache, "lists", hashlib.sha256(address.encode()).hexdigest()[:16] + ".json")
        if os.path.exists(kept) and 0 <= time.time() - os.path.getmtime(kept) < RECENT:
            return json.load(open(kept))
        with self.open(address, Accept=SHORT) as answer:
            try:
                listed = {version: about["dist"] for version, about in json.load(answer)["versions"].items()}
            except (ValueError, KeyError, TypeError, AttributeError):
                raise Refusal(f"{hide_password(self.address(name))} does not answer as an npm registry does when asked for {name}") from None
        os.makedirs(os.path.dirname(kept), exist_ok=True)
        with open(kept + ".part", "w") as file:
            json.dump(listed, file)
        os.replace(kept + ".part", kept)
        return listed

    def fetch(self, name, version, dist, place, pinned=None):
        """Unpacks the package into `place`; `pinned` is the hash that package.json asks for: (kind, hexadecimal)."""
        part = place + ".part"
        shutil.rmtree(part, ignore_errors=True)
        os.makedirs(part)
        archive = part + "/package.tgz"
        with self.open(dist["tarball"]) as answer, open(archive, "wb") as file:
            data = answer.read(MOST_BYTES + 1)
            if len(data) > MOST_BYTES:
                raise Refusal(f"The package {name} {version} is larger than {MOST_BYTES >> 20} MB")
            file.write(data)
        verify(name, version, data, dist)
        # GNU tar leaves out what points outside of the folder.
        subprocess.run(["tar", "-xzf", archive, "-C", part, "--strip-components=1", "--no-same-owner"], check=True)
        os.unlink(archive)
        if pinned:
            verify_pin(name, version, pinned, data, os.path.join(part, "bin/yarn.js"))
        shutil.rmtree(place, ignore_errors=True)
        os.rename(part, place)


def verify(name, version, data, dist):
    kind, _, expected = dist.get("integrity", "").split(" ")[0].partition("-")
    if kind in ("sha512", "sha384", "sha256"):
        right = base64.b64encode(hashlib.new(kind, data).digest()).decode() == expected
    else:
        right = hashlib.sha1(data).hexdigest() == dist.get("shasum")
    if not right:
        raise Refusal(f"The package {name} {version} is not what the registry says that it is: its hash is another one",
                      "Push again; if it stays so, the registry or a proxy on the way to it is broken.")


def verify_pin(name, version, pinned, data, program):
    """Corepack's hash is that of the package, or with Yarn 2 and newer that of its program."""
    kind, expected = pinned
    made = [hashlib.new(kind, data).hexdigest()]
    if os.path.exists(program):
        made.append(hashlib.new(kind, open(program, "rb").read()).hexdigest())
    if expected.lower() not in made:
        raise Refusal(f"package.json: packageManager names another hash than that of {name} {version}: {kind}.{made[0]}")


def node_package():
    machine = {"x86_64": "x64", "aarch64": "arm64", "armv7l": "armv7l", "ppc64le": "ppc64le", "s390x": "s390x"}
    return "node-linux-" + machine.get(platform.machine(), platform.machine())
