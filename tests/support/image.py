"""Local images for tests: the stack's own layers with a few files on top. Nothing is downloaded."""
import hashlib
import io
import json
import tarfile


def put_blob(layout, data):
    digest = hashlib.sha256(data).hexdigest()
    (layout / "blobs" / "sha256" / digest).write_bytes(data)
    return {"digest": f"sha256:{digest}", "size": len(data)}


def layer_of(files):
    """A tar of {path: (mode, text)}."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, (mode, text) in files.items():
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(text), mode
            tar.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def add_image(instance, name, tag, files):
    """Makes skiff.local/<name>:<tag> of the instance: skiff.local/stack:run with `files` ({path: (mode, text)}) added."""
    stack = instance.data / "images" / "stack"
    layout = instance.data / "images" / name
    (layout / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)

    def read(digest):
        return json.loads((stack / "blobs" / "sha256" / digest.removeprefix("sha256:")).read_text())

    index = json.loads((stack / "index.json").read_text())
    run = next(entry for entry in index["manifests"]
               if entry["annotations"]["org.opencontainers.image.ref.name"] == "run")
    manifest = read(run["digest"])
    config = read(manifest["config"]["digest"])
    for layer in manifest["layers"]:
        blob = layer["digest"].removeprefix("sha256:")
        target = layout / "blobs" / "sha256" / blob
        if not target.exists():
            target.hardlink_to(stack / "blobs" / "sha256" / blob)
    added = put_blob(layout, layer_of(files))
    manifest["layers"].append({**added, "mediaType": "application/vnd.oci.image.layer.v1.tar"})
    config["rootfs"]["diff_ids"].append(added["digest"])
    manifest["config"] = {**manifest["config"], **put_blob(layout, json.dumps(config).encode())}
    entry = {**run, **put_blob(layout, json.dumps(manifest).encode()),
             "annotations": {"org.opencontainers.image.ref.name": tag}}
    path = layout / "index.json"
    known = json.loads(path.read_text())["manifests"] if path.exists() else []
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    path.write_text(json.dumps({"schemaVersion": 2, "manifests": [*known, entry]}))
