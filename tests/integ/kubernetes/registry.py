"""An image registry on the loopback, for what pulls by name: read only, from files and documents in memory."""
import hashlib
import http.server
import json
import re
import threading

KIND = "application/vnd.oci.image."


class Registry:
    """Images by repository and tag, served at 127.0.0.1:PORT under every registry's name."""

    def __init__(self):
        self.manifests, self.blobs = {}, {}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """GET and HEAD of /v2/."""
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                kind, data = outer.look(self.path.split("?")[0])
                self.send_response(200 if data is not None else 404)
                data = data or b""
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Docker-Content-Digest", "sha256:" + hashlib.sha256(data).hexdigest())
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

            do_HEAD = do_GET

            def log_message(self, *_):
                """Quiet."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def look(self, path):
        """(content type, bytes) of a path; bytes None when there is nothing."""
        found = re.fullmatch(r"/v2/(.+)/(manifests|blobs)/([^/]+)", path)
        if path == "/v2/":
            return "application/json", b"{}"
        if not found:
            return "text/plain", None
        if found[2] == "manifests":
            return KIND + "manifest.v1+json", self.manifests.get((found[1], found[3]))
        blob = self.blobs.get(found[3])
        if isinstance(blob, str):
            with open(blob, "rb") as f:
                blob = f.read()
        return "application/octet-stream", blob

    def blob(self, data, kind):
        """Keep a document; its descriptor."""
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        self.blobs[digest] = data
        return {"mediaType": KIND + kind, "digest": digest, "size": len(data)}

    def add(self, repository, tag, layer, size, digest, config):
        """An image of one layer, a file."""
        self.blobs["sha256:" + digest] = layer
        image = {"architecture": "amd64", "os": "linux", "config": config,
                 "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest]}}
        manifest = json.dumps({"schemaVersion": 2, "mediaType": KIND + "manifest.v1+json",
                               "config": self.blob(json.dumps(image).encode(), "config.v1+json"),
                               "layers": [{"mediaType": KIND + "layer.v1.tar", "digest": "sha256:" + digest,
                                           "size": size}]}).encode()
        self.manifests[repository, tag] = manifest
        self.manifests[repository, "sha256:" + hashlib.sha256(manifest).hexdigest()] = manifest
