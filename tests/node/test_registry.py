"""Images from a registry: a small one of this test, over plain HTTP on loopback."""
import base64
import hashlib
import http.server
import json
import shutil
import threading

import pytest

from conftest import FOREVER, pod

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Registry:
    """Serves one image, in the read-only half of the OCI distribution protocol."""

    def __init__(self, layout, name, tag, password=None):
        self.name, self.tag = name, tag
        self.asked = []
        self.expected = password and "Basic " + base64.b64encode(f"user:{password}".encode()).decode()
        blobs = layout / "blobs" / "sha256"
        read = {path.name: path for path in blobs.iterdir()}
        index = json.loads((layout / "index.json").read_text())
        manifest = json.loads(read[index["manifests"][0]["digest"][7:]].read_text())
        manifest["mediaType"] = MANIFEST
        manifest["config"]["mediaType"] = "application/vnd.oci.image.config.v1+json"
        for layer in manifest["layers"]:
            layer["size"] = read[layer["digest"][7:]].stat().st_size
        self.manifest = json.dumps(manifest).encode()
        self.blobs = read
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                registry.answer(self)

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def reference(self):
        return f"{self.address}/{self.name}:{self.tag}"

    def answer(self, request):
        self.asked.append(request.path)
        status, kind, body = self.find(request)
        request.send_response(status)
        if status == 401:
            request.send_header("WWW-Authenticate", 'Basic realm="test"')
        request.send_header("Content-Type", kind)
        request.send_header("Docker-Content-Digest", "sha256:" + hashlib.sha256(body).hexdigest())
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(body)

    def find(self, request):
        if self.expected and request.headers.get("Authorization") != self.expected:
            return 401, "application/json", b'{"errors":[{"code":"UNAUTHORIZED","message":"who are you"}]}'
        if request.path == "/v2/":
            return 200, "application/json", b"{}"
        digest = hashlib.sha256(self.manifest).hexdigest()
        if request.path in (f"/v2/{self.name}/manifests/{self.tag}", f"/v2/{self.name}/manifests/sha256:{digest}"):
            return 200, MANIFEST, self.manifest
        prefix = f"/v2/{self.name}/blobs/sha256:"
        if request.path.startswith(prefix) and request.path[len(prefix):] in self.blobs:
            return 200, "application/octet-stream", self.blobs[request.path[len(prefix):]].read_bytes()
        return 404, "application/json", b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}'

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def registry(image):
    registry = Registry(image / "tools", "team/tools", "2")
    yield registry
    registry.close()


@pytest.fixture
def locked_registry(image):
    registry = Registry(image / "tools", "team/tools", "2", password="secret")
    yield registry
    registry.close()


def waiting(document):
    statuses = document.get("status", {}).get("containerStatuses", [{}])
    return statuses[0].get("state", {}).get("waiting", {})


def test_an_image_is_pulled_once_and_runs(rig, registry):
    image = {"image": registry.reference()}
    rig.put(pod("first", FOREVER, container=image))
    rig.wait_ready("first", 30)
    status = rig.pod("first")["status"]["containerStatuses"][0]
    assert status["image"] == registry.reference()
    asked = len(registry.asked)
    rig.put(pod("second", FOREVER, container=image))
    rig.wait_ready("second")
    assert len(registry.asked) == asked
    rig.put(pod("third", FOREVER, container={**image, "imagePullPolicy": "Always"}))
    rig.wait_ready("third", 30)
    assert len(registry.asked) > asked


def test_an_image_that_is_not_there_is_said_to_be_missing(rig, registry):
    rig.put(pod("lost", FOREVER, container={"image": f"{registry.address}/team/other:1"}))
    document = rig.until("lost", lambda p: waiting(p).get("reason") in ("ErrImagePull", "ImagePullBackOff"), 30)
    assert "manifest unknown" in waiting(document)["message"], waiting(document)


def test_a_pull_secret_opens_a_registry(rig, locked_registry):
    image = {"image": locked_registry.reference()}
    rig.put(pod("stranger", FOREVER, container=image))
    rig.until("stranger", lambda p: waiting(p).get("reason") in ("ErrImagePull", "ImagePullBackOff"), 30)
    auth = base64.b64encode(b"user:secret").decode()
    config = json.dumps({"auths": {locked_registry.address: {"auth": auth}}}).encode()
    rig.put({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "door"},
             "type": "kubernetes.io/dockerconfigjson",
             "data": {".dockerconfigjson": base64.b64encode(config).decode()}},
            pod("friend", FOREVER, container=image, imagePullSecrets=[{"name": "door"}]))
    rig.wait_ready("friend", 30)


def test_what_an_interrupted_pull_left_goes(rig, registry):
    left = rig.data / "node/images/pull-7/layout"
    left.mkdir(parents=True)
    rig.kill()
    rig.start()
    assert not left.parent.exists()


def test_an_upgrade_leaves_the_layers_of_running_containers_also_while_the_registry_is_away(rig, registry):
    image = {"image": registry.reference(), "imagePullPolicy": "IfNotPresent"}
    rig.put(pod("old", FOREVER, container=image))
    rig.wait_ready("old", 30)
    layers = rig.data / "node/images/layers"
    before = {layer.name: layer.stat().st_ino for layer in layers.iterdir()}
    rig.kill()
    shutil.rmtree(layers.parent / "seals")  # as the versions that kept none left it
    registry.close()
    rig.start()
    rig.put(pod("new", FOREVER, container=image))
    rig.wait_ready("new", 30)
    assert before and {layer.name: layer.stat().st_ino for layer in layers.iterdir()} == before
    assert rig.pod("old")["status"]["containerStatuses"][0]["restartCount"] == 0
