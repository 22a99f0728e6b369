"""Office documents to PDF, by LibreOffice without a window, without macros, without what documents link to."""

import ctypes
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from sources.base.source import InputError, unreadable_file

TIMEOUT_S = 180  # by the clock and of the processor
RESTART = 81  # exit code of a first start with a new profile
MAX_BYTES = 2_000_000_000  # of a file that it writes
PR_SET_PDEATHSIG = 1
OLE, RTF = b"\xd0\xcf\x11\xe0", b"{\\rtf"  # how documents begin that are no zip files
PACKAGES = ("libreoffice-writer", "libreoffice-impress")  # Debian's; each brings libreoffice-core
MISSING = (
    "LibreOffice is not installed, which turns office documents into PDFs; install it "
    f"(Debian: apt install {' '.join(PACKAGES)})"
)
# No macro runs, nothing that a document links to is loaded, and a proxy that is not there keeps it off the network.
PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
{items}
</oor:items>
"""
SETTINGS = (
    ("Office.Common/Security/Scripting", "DisableMacrosExecution", "true"),
    ("Office.Common/Security/Scripting", "MacroSecurityLevel", "3"),
    ("Office.Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    ("Office.Writer/Content/Update", "Link", "0"),
    ("Office.Calc/Content/Update", "Link", "2"),
    ("Inet/Settings", "ooInetProxyType", "1"),
    ("Inet/Settings", "ooInetHTTPProxyName", "127.0.0.1"),
    ("Inet/Settings", "ooInetHTTPProxyPort", "9"),
    ("Inet/Settings", "ooInetHTTPSProxyName", "127.0.0.1"),
    ("Inet/Settings", "ooInetHTTPSProxyPort", "9"),
)


def program() -> str | None:
    """LibreOffice's program itself, not the script that starts it, which would outlive a kill."""
    found = shutil.which("soffice") or shutil.which("libreoffice")
    if found is None:
        return None
    binary = Path(found).resolve().with_name("soffice.bin")
    return str(binary) if binary.exists() else found


def check_kind(path: Path) -> None:
    """Refuse what is no office document by its first bytes: LibreOffice would show it as text. Raises InputError."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
        if head.startswith((OLE, RTF)):
            return
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as package:
                if {"[Content_Types].xml", "mimetype"} & set(package.namelist()):
                    return
    except OSError as error:
        raise unreadable_file(error) from error
    except (zipfile.BadZipFile, ValueError) as error:
        raise InputError("damaged", f"the document cannot be opened: {error}") from error
    if not head:
        raise InputError("empty_file", "the file is empty (0 bytes)")
    raise InputError("not_a_document", f"no document of Word, PowerPoint or LibreOffice begins with {head!r}")


def convert(path: Path, suffix: str, out: Path, beat: Callable[[], None]) -> None:
    """Write the document at `path` as a PDF. Raises InputError.

    Args:
        suffix: end of the document's name, which tells its kind.
        beat: called while LibreOffice works.
    """
    check_kind(path)
    office = program()
    if office is None:
        raise InputError("no_libreoffice", MISSING)
    with tempfile.TemporaryDirectory(prefix="vellum-office-", dir=out.parent) as name:
        folder = Path(name)
        document = folder / f"document{suffix}"
        shutil.copyfile(path, document)
        (folder / "profile/user").mkdir(parents=True)
        items = (
            f'<item oor:path="/org.openoffice.{where}"><prop oor:name="{key}" oor:op="fuse">'
            f"<value>{value}</value></prop></item>"
            for where, key, value in SETTINGS
        )
        profile = PROFILE.format(items="\n".join(items))
        (folder / "profile/user/registrymodifications.xcu").write_text(profile)
        line = [office, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--norestore"]
        line += ["--nolockcheck", "--convert-to", "pdf", "--outdir", str(folder / "made"), str(document)]
        deadline = time.monotonic() + TIMEOUT_S
        code = RESTART
        for _ in range(2):
            if code == RESTART:
                code = _run(line, folder, deadline, beat)
        made = folder / "made/document.pdf"
        if not made.exists():
            raise InputError("not_converted", f"LibreOffice made no PDF of the document (exit code {code})")
        made.replace(out)


def _run(line: list[str], folder: Path, deadline: float, beat: Callable[[], None]) -> int:
    environment = {
        "HOME": str(folder),
        "PATH": os.environ.get("PATH", ""),
        "LANG": "C.UTF-8",
        "SAL_USE_VCLPLUGIN": "svp",
    }
    process = subprocess.Popen(
        line,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_limit,
    )
    try:
        while True:
            try:
                return process.wait(1)
            except subprocess.TimeoutExpired:
                beat()
                if time.monotonic() > deadline:
                    raise InputError("timeout", f"LibreOffice took more than {TIMEOUT_S} s") from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _limit() -> None:
    """In the new process: it goes with its parent, and is bounded in time and in what it writes."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CPU, (TIMEOUT_S, TIMEOUT_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_BYTES, MAX_BYTES))
