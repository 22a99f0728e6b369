"""A hub on loopback: the part of its protocol that an upload uses, with everything in memory.

Repositories, preupload, the LFS batch with PUT and verification, and commits as ndjson. Digests of uploads are checked,
a commit may only name objects that were uploaded, and the token must be right.
"""

import base64
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hf_test"


@dataclass
class Hub:
    """The state of the server.

    Args:
        lfs_bytes: larger files, and Parquet, are stored as LFS objects.
        fails: requests that are refused: kind and number, counted from 1, with the status.
    """

    lfs_bytes: int = 100_000
    files: dict[str, bytes] = field(default_factory=dict)
    is_lfs: set[str] = field(default_factory=set)
    objects: dict[str, bytes] = field(default_factory=dict)
    commits: list[tuple[str, list[str]]] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    fails: dict[tuple[str, int], int] = field(default_factory=dict)
    created: list[dict[str, Any]] = field(default_factory=list)
    address: str = ""

    def is_private(self) -> bool:
        """The visibility that was asked for; versions of the client name it differently."""
        (content,) = self.created
        return content.get("visibility") == "private" or content.get("private") is True


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serve a hub until the block ends."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        if self._is_refused("tree"):
            return
        assert "/tree/" in self.path, self.path
        entries = []
        for path, data in sorted(self.hub.files.items()):
            blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
            entry: dict[str, Any] = {"type": "file", "path": path, "size": len(data), "oid": blob}
            if path in self.hub.is_lfs:
                entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
            entries.append(entry)
        self._answer(entries)

    def do_PUT(self) -> None:
        data, oid = self._body(), self.path.rpartition("/")[2]
        if self._is_refused("put", needs_token=False):
            return
        if hashlib.sha256(data).hexdigest() != oid:
            self._answer({"error": "wrong digest"}, 400)
            return
        self.hub.objects[oid] = data
        self._answer({})

    def do_POST(self) -> None:
        body = self._body()
        kind = next(
            k for k in ("create", "validate-yaml", "preupload", "batch", "verify", "commit") if f"/{k}" in self.path
        )
        if not self._is_refused(kind):
            self._answer(*getattr(self, f"_{kind.replace('-', '_')}")(body))

    def _create(self, body: bytes) -> tuple[Any, int]:
        content = json.loads(body)
        name = f"{content.get('organization', 'me')}/{content['name']}"
        if self.hub.created:
            return {"error": "exists", "url": f"{self.hub.address}/datasets/{name}"}, 409
        self.hub.created.append(content)
        return {"url": f"{self.hub.address}/datasets/{name}", "name": name, "id": "1"}, 200

    def _validate_yaml(self, body: bytes) -> tuple[Any, int]:
        assert json.loads(body)["content"].startswith("---\n")
        return {"errors": [], "warnings": []}, 200

    def _preupload(self, body: bytes) -> tuple[Any, int]:
        def answer(file: dict[str, Any]) -> dict[str, Any]:
            is_lfs = file["path"].endswith(".parquet") or file["size"] > self.hub.lfs_bytes
            return {"path": file["path"], "uploadMode": "lfs" if is_lfs else "regular", "shouldIgnore": False}

        return {"files": [answer(file) for file in json.loads(body)["files"]]}, 200

    def _batch(self, body: bytes) -> tuple[Any, int]:
        found = []
        for each in json.loads(body)["objects"]:
            entry = {"oid": each["oid"], "size": each["size"]}
            if each["oid"] not in self.hub.objects:
                links = {"upload": f"put/{each['oid']}", "verify": "verify"}
                entry["actions"] = {name: {"href": f"{self.hub.address}/{link}"} for name, link in links.items()}
            found.append(entry)
        return {"transfer": "basic", "objects": found}, 200

    def _verify(self, body: bytes) -> tuple[Any, int]:
        each = json.loads(body)
        return {}, 200 if len(self.hub.objects[each["oid"]]) == each["size"] else 400

    def _commit(self, body: bytes) -> tuple[Any, int]:
        header, *entries = [json.loads(line) for line in body.splitlines()]
        changed = []
        for entry in entries:
            value = entry["value"]
            path = value["path"]
            changed.append(path)
            if entry["key"] == "deletedFile":
                del self.hub.files[path]
            elif entry["key"] == "lfsFile":
                self.hub.files[path] = self.hub.objects[value["oid"]]
                self.hub.is_lfs.add(path)
            else:
                self.hub.files[path] = base64.b64decode(value["content"])
        self.hub.commits.append((header["value"]["summary"], changed))
        oid = f"{len(self.hub.commits):040x}"
        page = self.path.removeprefix("/api/").partition("/commit/")[0]
        url = f"{self.hub.address}/{page}/commit/{oid}"
        return {"success": True, "commitOid": oid, "commitUrl": url, "hookOutput": ""}, 200

    def _is_refused(self, kind: str, *, needs_token: bool = True) -> bool:
        self.hub.requests[kind] += 1
        status = self.hub.fails.get((kind, self.hub.requests[kind]))
        if needs_token and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            status = 401
        if status is not None:
            self._answer({"error": "refused"}, status)
        return status is not None

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            pieces = []
            while size := int(self.rfile.readline(), 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, content: Any, status: int = 200) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
