"""`vellum doctor`: what is installed, what is missing for each source, and the command that brings it."""

import argparse
import dataclasses
import json
import sys
import sysconfig
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from pipelines.commands import environment
from pipelines.commands.environment import Finding
from sources.terminal import escaping, for_terminal, raw

DONE, FAILED = 0, 1
PROG = "python -m pipelines.commands.doctor"
EXAMPLES = """\
examples:
  %(prog)s
  %(prog)s --json"""
# Of the core, what these sources need: two engines and the words of hyphens; mending and masking; images.
PDF_PACKAGES = ("pymupdf", "pypdfium2", "wordfreq")
TEXT_PACKAGES = ("ftfy", "phonenumbers", "pyarrow")
PAIR_PACKAGES = ("ftfy", "pillow", "pyarrow")
NOTEBOOK_PACKAGES = ("pillow",)
CORE = ("core", "pdfs", "language")  # parts that the bundled examples need


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A part of Vellum and what it uses.

    Args:
        kind: `source`, `filter`, `model` or `storage`.
        problem: why the part does not work in its default settings, as it says itself; None if it does.
    """

    name: str
    kind: str
    findings: Sequence[Finding]
    problem: str | None = None

    @property
    def is_ready(self) -> bool:
        return self.problem is None and all(f.is_there for f in self.findings if f.is_required)


def build_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The command's parser."""
    parser = argparse.ArgumentParser(
        prog=prog,
        allow_abbrev=False,
        description="Say what is installed, what is missing for each source, and the command that brings it. "
        "The exit code is 0 if the core works.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


@escaping
def main(arguments: Sequence[str] | None = None, prog: str = PROG) -> int:
    """Run the command. Returns 0 if the core works, else 1."""
    args = build_parser(prog).parse_args(arguments)
    core = Part(name="core", kind="core", findings=[*environment.project(), *environment.core_packages()])
    parts = [core, *(examine() if core.is_ready else [])]
    is_working = all(part.is_ready for part in parts if part.name in CORE)
    if args.json:
        print(json.dumps(as_json(parts, is_working), indent=2, ensure_ascii=False))
    elif core.is_ready:
        print_table(parts)
    else:  # without its packages, not even the table can be drawn
        missing = [f"{f.name} {f.detail}".strip() for f in core.findings if not f.is_there]
        print(f"missing of the core: {', '.join(missing)}; get it with:\n  {_commands([core])[0][0]}")
    return DONE if is_working else FAILED


def examine() -> list[Part]:
    """All parts but the core's packages. What takes long, the browser and PyTorch, is asked side by side."""
    with ThreadPoolExecutor(2) as pool:
        device, browser = pool.submit(environment.device), pool.submit(environment.browser)
        return [*_sources(browser), *_filters(), *_others(device)]


def _sources(browser: "Future[Finding]") -> list[Part]:
    from pipelines.registry import SOURCES

    needs: Mapping[str, Callable[[], list[Finding]]] = {
        "pdfs": lambda: [*environment.named_core_packages(PDF_PACKAGES), environment.libreoffice()],
        "text": lambda: environment.named_core_packages(TEXT_PACKAGES),
        "pairs": lambda: environment.named_core_packages(PAIR_PACKAGES),
        "notebooks": lambda: environment.named_core_packages(NOTEBOOK_PACKAGES),
        "images": _paddle_ocr,
        "books": _books,
        "papers": _papers,
        "charts": _charts,
        "diagrams": _charts,
        "ocr": _ocr,
        "synthetic_pages": lambda: _synthetic_pages(browser),
        "web": lambda: _web(browser),
    }
    return [
        Part(name=name, kind="source", findings=needs[name]() if name in needs else [], problem=_problem(name))
        for name in SOURCES
    ]


def _problem(source: str) -> str | None:
    """Why a source's own recipe is refused, None if it is not."""
    from pipelines.recipe import RECIPES, UsageError
    from pipelines.recipe_file import build_recipe, load_recipe

    path = RECIPES / f"{source}.yaml"
    try:
        recipe = build_recipe(load_recipe(path), path.name)
        for part in recipe.sources:
            part.check()
        for f in recipe.filters:
            f.check()
    except (UsageError, ValueError) as error:
        return str(error)
    return None


def _books() -> list[Finding]:
    from sources.books.source import PACKAGES

    return environment.extra_packages("books", PACKAGES.values())


def _papers() -> list[Finding]:
    from sources.papers.source import PACKAGES

    return [*environment.extra_packages("papers", PACKAGES.values()), environment.latex()]


def _charts() -> list[Finding]:
    from sources.charts.source import PACKAGES, Charts

    found = environment.extra_packages("charts", PACKAGES.values())
    return _with_fonts(found, environment.chart_fonts, Charts.languages)


def _ocr() -> list[Finding]:
    from sources.ocr.source import PACKAGES
    from sources.ocr.vocabulary import LANGUAGES

    packages = environment.extra_packages("ocr", PACKAGES.values())
    opencv = [environment.opencv()] if _is_there("opencv-contrib-python", packages) else []
    found = [*_with_fonts(packages, environment.text_fonts, LANGUAGES), *opencv]
    is_drawing = all(f.is_there for f in [*packages, *opencv])  # else the other fonts cannot be tried
    return [*found, *(environment.other_text_fonts(LANGUAGES) if is_drawing else [])]


def _synthetic_pages(browser: "Future[Finding]") -> list[Finding]:
    from sources.synthetic_pages.source import PACKAGES, SyntheticPages

    found = environment.extra_packages("web", PACKAGES.values())
    return [*_with_fonts(found, environment.page_fonts, SyntheticPages.languages), browser.result()]


def _web(browser: "Future[Finding]") -> list[Finding]:
    from sources.web.settings import PACKAGES

    return [*environment.extra_packages("web", PACKAGES.values()), browser.result()]


def _with_fonts(packages: list[Finding], look: Callable[[str], Finding], languages: Iterable[str]) -> list[Finding]:
    """With the fonts of languages, which cannot be looked at without fontTools."""
    return [*packages, *(map(look, languages) if _is_there("fonttools", packages) else [])]


def _is_there(name: str, findings: Iterable[Finding]) -> bool:
    return any(f.name == name and f.is_there for f in findings)


def _filters() -> list[Part]:
    from filters.language import Language
    from filters.ocr_agreement import OcrAgreement

    return [
        Part(
            name=Language.name,
            kind="filter",
            findings=[environment.language_model()],
            problem=_refusal(Language().check),
        ),
        Part(name=OcrAgreement.name, kind="filter", findings=_paddle_ocr(), problem=_refusal(OcrAgreement().check)),
    ]


def _paddle_ocr() -> list[Finding]:
    from sources.paddle_ocr.reader import MODULES

    modules = {"cv2": "opencv-contrib-python"}  # the others are called as their packages are
    names = [modules.get(module, module) for module in MODULES]
    return [*environment.extra_packages("ocr", names), *environment.ocr_models()]


def _refusal(check: Callable[[], None]) -> str | None:
    try:
        check()
    except ValueError as error:
        return str(error)
    return None


def _others(device: "Future[Finding]") -> list[Part]:
    model = environment.extra_packages("model")
    return [
        Part(
            name="model",
            kind="model",
            findings=[*model, *([device.result()] if _is_there("torch", model) else [])],
        ),
        Part(name="serve", kind="model", findings=environment.extra_packages("serve")),
        Part(name="train", kind="model", findings=environment.extra_packages("train", ["tensorboard"])),
        Part(name="gs://", kind="storage", findings=environment.extra_packages("gcp", ["google-cloud-storage"])),
        Part(name="s3://", kind="storage", findings=environment.extra_packages("aws", ["boto3"])),
    ]


def _commands(parts: Iterable[Part]) -> list[tuple[str, list[str]]]:
    """Command lines that bring what is missing, each with the parts that it is for."""
    wanted: dict[str, list[str]] = {}
    for part in parts:
        for f in part.findings:
            if not f.is_there and f.command:
                name = part.name if f.is_required else f"{part.name}, {f.name}"
                names = wanted.setdefault(f.command, [])
                if name not in names:
                    names.append(name)
    return list(wanted.items())


def as_json(parts: Sequence[Part], is_working: bool) -> dict[str, object]:
    """All that was found, for a program."""
    return {
        "works": is_working,
        "parts": [
            {
                "name": part.name,
                "kind": part.kind,
                "ready": part.is_ready,
                "problem": part.problem,
                "findings": [dataclasses.asdict(f) for f in part.findings],
            }
            for part in parts
        ],
        "commands": [{"command": command, "for": names} for command, names in _commands(parts)],
    }


def print_table(parts: Sequence[Part]) -> None:
    """All that was found, for a person."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("part", no_wrap=True)
    table.add_column("uses", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("found", overflow="fold")
    for part in parts:
        name = part.name
        for finding in _rows(part):
            state, colour = _state(finding)
            found = Text(for_terminal(_found(finding)))
            table.add_row(name, for_terminal(finding.name), Text(state, style=colour), found)
            name = ""
    console = Console(highlight=False, file=raw(sys.stdout))
    console.print(table)
    for part in parts:
        if part.problem and all(f.is_there for f in part.findings):  # else the rows say it
            console.print(Text(for_terminal(f"{part.name}: {part.problem}")), soft_wrap=True)
    console.print(Text(f"Ready:     {', '.join(part.name for part in parts if part.is_ready)}"))
    unready = [part.name for part in parts if not part.is_ready]
    if unready:
        console.print(Text(f"Not ready: {', '.join(unready)}"))
    commands = _commands(parts)
    if commands:
        print("\nTo get what is missing:")
    for command, names in commands:  # not wrapped: they are to be copied
        print(f"  # {'; '.join(names)}\n  {command}")


def _rows(part: Part) -> list[Finding]:
    """The findings of a part, with its packages in one row, and those that are missing in another."""
    others = [f for f in part.findings if not f.is_package]
    rows = []
    for is_there in (True, False):
        packages = [f for f in part.findings if f.is_package and f.is_there == is_there]
        if packages:
            names = ", ".join(f"{f.name} {f.detail}".strip() for f in packages)
            place = packages[0].path if part.name == "core" else ""
            rows.append(Finding(name="packages", is_there=is_there, detail=names, path=place))
    return [*others, *rows] if part.name == "core" else [*rows, *others]


def _state(finding: Finding) -> tuple[str, str]:
    if finding.is_there:
        return "ok", "green"
    return ("missing", "bold red") if finding.is_required else ("optional", "yellow")


def _found(finding: Finding) -> str:
    """Version and place; a place among the packages is relative to their folder."""
    place = finding.path.removeprefix(f"{sysconfig.get_path('purelib')}/")
    return ", ".join(filter(None, [finding.detail, place]))


if __name__ == "__main__":
    sys.exit(main())
