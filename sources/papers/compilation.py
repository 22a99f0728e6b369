"""A missing PDF compiled with pdfLaTeX: no shell, no file outside of the paper's own, limits of time and size."""

import ctypes
import os
import resource
import shutil
import signal
import subprocess
from pathlib import Path

from sources.base.source import InputError
from sources.papers.archive import MAX_FILE_BYTES, MissingFile, PaperFiles, inside

PROGRAM = "pdflatex"
PACKAGES = ("texlive-latex-recommended", "texlive-fonts-recommended", "cm-super-minimal")  # Debian's
MISSING = f"the paper has no PDF, and {PROGRAM} is not installed (Debian: apt install {' '.join(PACKAGES)})"
TIMEOUT_S = 60  # of one run, of the processor and twice that by the clock
MAX_RUNS = 3  # references are right after the second, long tables after the third
MAX_OUTPUT_BYTES = 300_000_000
MAX_COPIED_BYTES = 500_000_000
PR_SET_PDEATHSIG = 1
EPOCH = "315532800"  # 1980-01-01, in place of the time of the run: same sources, same bytes
_SUFFIXES = (
    ".tex",
    ".ltx",
    ".bbl",
    ".sty",
    ".cls",
    ".def",
    ".cfg",
    ".clo",
    ".bst",
    ".png",
    ".jpg",
    ".jpeg",
    ".pdf",
    ".ind",
)


def compile_pdf(files: PaperFiles, main: str, folder: Path, wanted: tuple[str, ...] = ()) -> Path:
    """Return the PDF of a paper, compiled in a folder.

    Args:
        main: name of its main file.
        folder: an empty folder, which is filled.
        wanted: further files that the paper names, for papers whose files are not listed.
    Raises:
        InputError: pdfLaTeX is not installed, fails, or takes too long.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise InputError("no_latex", MISSING)
    _copy(files, main, folder, wanted)
    place = Path(main).parent
    work = folder / place
    name = Path(main).name
    pdf = work / f"{Path(main).stem}.pdf"
    pdf.unlink(missing_ok=True)
    before = None
    for _ in range(MAX_RUNS):
        _run(program, name, work)
        auxiliary = [path.read_bytes() for path in sorted(work.glob("*.aux"))]
        if auxiliary == before:
            break
        before = auxiliary
    if not pdf.exists():
        raise InputError("not_compiled", f"pdfLaTeX makes no PDF of the paper: {_reason(work, name)}")
    return pdf


def _copy(files: PaperFiles, main: str, folder: Path, wanted: tuple[str, ...]) -> None:
    """Write the paper's files under their plain names, which never lead out of the folder."""
    total = 0
    names = [name for name in files.names() if name.lower().endswith(_SUFFIXES)] or [main, *wanted]
    for name in names:
        plain = inside(name)
        if plain is None or Path(plain).name.startswith("."):
            continue
        try:
            data = files.read(name, MAX_FILE_BYTES)
        except MissingFile:
            continue
        total += len(data)
        if total > MAX_COPIED_BYTES:
            raise InputError("too_large", f"the paper's files have more than {MAX_COPIED_BYTES:,} bytes")
        path = folder / plain
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except (NotADirectoryError, FileExistsError, IsADirectoryError):  # a file and a folder of the same name
            continue


def _run(program: str, name: str, work: Path) -> None:
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(work),
        "TEXMFVAR": str(work / ".texmf"),
        "TEXMFHOME": str(work / ".texmf"),
        "LANG": "C.UTF-8",
        "SOURCE_DATE_EPOCH": EPOCH,
        "FORCE_SOURCE_DATE": "1",
        "openin_any": "p",  # no absolute name, no parent folder, no hidden file
        "openout_any": "p",
        "shell_escape": "f",
        "MKTEXTFM": "0",
        "max_print_line": "1000",
    }
    line = [program, "-no-shell-escape", "-interaction=batchmode", "-no-mktex=tfm", f"./{name}"]
    process = subprocess.Popen(
        line,
        cwd=work,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_limit,
    )
    try:
        process.wait(2 * TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise InputError("timeout", f"pdfLaTeX took more than {2 * TIMEOUT_S} s") from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise InputError("timeout", f"pdfLaTeX took more than {TIMEOUT_S} s of the processor")
    if process.returncode == -signal.SIGXFSZ:
        raise InputError("too_large", f"pdfLaTeX wrote more than {MAX_OUTPUT_BYTES:,} bytes")


def _limit() -> None:
    """In the new process: it goes with its parent, and is bounded in time and in what it writes."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_CPU, (TIMEOUT_S, TIMEOUT_S + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_OUTPUT_BYTES, MAX_OUTPUT_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _reason(work: Path, name: str) -> str:
    """The first error of the log."""
    log = work / f"{Path(name).stem}.log"
    try:
        with log.open(encoding="utf-8", errors="replace") as file:
            found = next((line[2:].strip() for line in file if line.startswith("! ")), "no error in its log")
    except OSError:
        found = "no log"
    return found[:200]
