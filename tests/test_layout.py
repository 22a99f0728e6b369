"""The layout: packages and the parts of `pipelines` import in one direction, and there are no import cycles."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("public_addresses", "sources", "filters", "taxonomy", "pipelines", "deepseek_vl")
# The packages and modules that each package may import in addition to itself.
MAY_IMPORT: dict[str, set[str]] = {
    "public_addresses": set(),
    "sources": {"public_addresses"},
    "filters": {"sources", "taxonomy", "deepseek_vl"},
    "taxonomy": {"sources"},
    "pipelines": {"sources", "filters", "taxonomy", "deepseek_vl"},
    "deepseek_vl": {"public_addresses", "sources.terminal"},  # which imports nothing
}
# The parts of `pipelines`, lowest first; each imports only earlier ones.
LAYERS = (
    "storage", "once", "duplicates", "mixture", "registry", "release", "recipe", "recipe_file", "overrides",
    "public_names", "contradictions", "taxonomy_files", "job", "units", "tables", "workers", "report", "stages",
    "rewriting", "export", "publishing", "commands", "run",
)  # fmt: skip
ENTRY_POINTS = {
    "pipelines.card",
    "pipelines.refit",
    "pipelines.duplicates.__main__",
}  # the `python -m` forms


def _imports() -> dict[str, set[str]]:
    """Return for every module the project's modules that it imports, at its top or inside functions."""
    modules = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            modules[".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")] = path
    found: dict[str, set[str]] = {}
    for name, path in modules.items():
        found[name] = set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                whole = [f"{node.module}.{alias.name}" for alias in node.names]
                found[name] |= {module if module in modules else node.module for module in whole}
            elif isinstance(node, ast.Import):
                found[name] |= {alias.name for alias in node.names}
        found[name] &= modules.keys() - {name}
    return found


IMPORTS = _imports()


def test_packages_import_in_one_direction() -> None:
    wrong = [
        f"{module} imports {imported}"
        for module, all_imported in IMPORTS.items()
        for imported in all_imported
        if not {imported, imported.split(".")[0]} & {*MAY_IMPORT[module.split(".")[0]], module.split(".")[0]}
    ]
    assert not wrong


def test_parts_of_pipelines_import_only_lower_ones() -> None:
    level = {f"pipelines.{name}": number for number, name in enumerate(LAYERS)}

    def part(module: str) -> str:
        return ".".join(module.split(".")[:2])

    wrong = [
        f"{module} imports {imported}"
        for module, all_imported in IMPORTS.items()
        for imported in all_imported
        if part(module) in level and part(imported) in level and module not in ENTRY_POINTS
        if level[part(imported)] > level[part(module)]
    ]
    assert not wrong
    unplaced = {part(m) for m in IMPORTS if m.startswith("pipelines.")} - level.keys() - ENTRY_POINTS
    assert not unplaced, "name its layer"


def test_there_are_no_import_cycles() -> None:
    TopologicalSorter(IMPORTS).prepare()  # raises CycleError with the modules of the cycle


def test_no_part_imports_an_entry_point() -> None:
    assert not {module for imported in IMPORTS.values() for module in imported} & ENTRY_POINTS


@pytest.mark.parametrize(
    ("modules", "without"),
    [
        ("taxonomy.commands, taxonomy.instructions", ("pipelines", "filters", "apache_beam", "torch")),
        ("pipelines.workers.reader", ("apache_beam", "torch")),
        ("deepseek_vl.model, deepseek_vl.scoring", ("apache_beam", "pydantic", "pymupdf", "pipelines", "sources")),
    ],
)
def test_what_is_imported_stays_small(modules: str, without: tuple[str, ...]) -> None:
    code = f"import sys, {modules}\nprint(*(m for m in {without} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_recipe_imports_only_what_it_names() -> None:
    code = """
import sys
from pipelines.recipe_file import build_recipe
build_recipe({"sources": [{"type": "charts"}], "filters": [{"type": "min_ink"}], "taxonomy": {"labeller": None}})
print(*(m for m in ("pymupdf", "sources.web.source", "filters.ocr_agreement", "taxonomy.schema") if m in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
