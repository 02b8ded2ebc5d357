"""An image from a registry, by skopeo; the registry is of this test, on the loopback."""
import hashlib
import http.server
import json
import threading

import pytest
from conftest import FOREVER, pod, write_image

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
def registry(tmp_path):
    layout = tmp_path / "layout"
    write_image(layout, "1")
    blobs = layout / "blobs" / "sha256"
    named = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"].split(":")[1]
    manifest = json.loads((blobs / named).read_text())
    manifest["config"]["mediaType"] = "application/vnd.oci.image.config.v1+json"
    manifest["layers"][0]["size"] = (blobs / manifest["layers"][0]["digest"].split(":")[1]).stat().st_size
    manifest = json.dumps({**manifest, "mediaType": MANIFEST}).encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        asked = []

        def do_GET(self):
            self.asked.append(self.path)
            if self.path.startswith("/v2/tools/blobs/sha256:"):
                return self.answer((blobs / self.path.rpartition(":")[2]).read_bytes(), "application/octet-stream")
            if self.path == "/v2/tools/manifests/1":
                return self.answer(manifest, MANIFEST)
            return self.answer(b"{}", "application/json") if self.path == "/v2/" else self.send_error(404)

        def answer(self, body, kind):
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Docker-Content-Digest", "sha256:" + hashlib.sha256(body).hexdigest())
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}", Handler.asked
    server.shutdown()
    server.server_close()


def reason(found):
    statuses = found.get("status", {}).get("containerStatuses") or [{}]
    return statuses[0].get("state", {}).get("waiting", {}).get("reason")


def test_an_image_is_pulled_once_and_a_missing_one_is_told(rig, registry):
    address, asked = registry
    image = {"image": f"{address}/tools:1", "imagePullPolicy": "IfNotPresent"}
    rig.put(pod("pulls", FOREVER, container=image))
    rig.wait_ready("pulls", 30)
    rig.wait_log("pulls", "up")
    before = len(asked)
    assert before >= 3  # manifest, configuration, layer
    rig.put(pod("finds", FOREVER, container=image))
    rig.wait_ready("finds", 30)
    assert len(asked) == before
    rig.put(pod("misses", FOREVER, container={**image, "image": f"{address}/tools:2"}))
    rig.until("misses", lambda found: reason(found) in ("ErrImagePull", "ImagePullBackOff"), 30)
