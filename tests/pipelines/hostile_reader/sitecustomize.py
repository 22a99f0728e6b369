"""Put on PYTHONPATH by tests: the reader tries what a hostile file would have it do, and says how that went.

`VELLUM_HOSTILE` names the folder with what is not the reader's.
"""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

if any("pipelines.workers.reader" in argument for argument in sys.orig_argv):
    from sources.base.source import InputError
    from sources.plain_text import PlainText

    ELSEWHERE = Path(os.environ["VELLUM_HOSTILE"])
    PARENT = os.getppid()

    def trace() -> None:
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        if libc.ptrace(16, PARENT, 0, 0) < 0:  # PTRACE_ATTACH
            raise OSError(ctypes.get_errno(), "ptrace")

    ATTEMPTS = {
        "tcp": lambda: socket.create_connection(("127.0.0.1", int(os.environ["VELLUM_PORT"])), 2),
        "udp": lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
        "raw": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
        "write": lambda: (ELSEWHERE / "written").write_text("x"),
        "overwrite": lambda: (ELSEWHERE / "secret").write_text("x"),
        "remove": lambda: (ELSEWHERE / "secret").unlink(),
        "link": lambda: os.link(ELSEWHERE / "secret", ELSEWHERE / "linked"),
        "read": lambda: (ELSEWHERE / "secret").read_text(),
        "list": lambda: os.listdir(ELSEWHERE),
        "passwords": lambda: Path("/etc/passwd").read_text(),
        "environment": lambda: Path(f"/proc/{PARENT}/environ").read_bytes(),
        "trace": trace,
        "child": lambda: subprocess.run(["/bin/cat", str(ELSEWHERE / "secret")], check=True, capture_output=True),
    }
    ALLOWED = {
        "scratch": lambda: (Path(os.environ["VELLUM_SCRATCH"]) / "part").write_text("x"),
        "temporary": lambda: (Path(os.environ["TMPDIR"]) / "file").write_text("x"),
        "import": lambda: __import__("wave"),
        "pair": socket.socketpair,
        "fork": lambda: subprocess.run(["/bin/true"], check=True),
    }

    def attempted(attempts):
        found = {}
        for name, attempt in attempts.items():
            try:
                attempt()
                found[name] = "done"
            except (OSError, subprocess.CalledProcessError) as error:
                found[name] = type(error).__name__
        return found

    def open_hostile(self, path, digest=None):
        content = path.read_text()
        raise InputError(
            "hostile", json.dumps({"content": content, "bad": attempted(ATTEMPTS), "good": attempted(ALLOWED)})
        )

    PlainText.open = open_hostile
