"""The markup of real pages against what was written down about them by eye (`papers_checked.yaml`)."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from rapidfuzz.distance import Levenshtein

from sources.papers.formula_commands import unknown_commands
from sources.papers.paper import open_paper
from sources.papers.samples import page_markups

CHECKED = Path(__file__).with_suffix(".yaml")
EDGE = 40  # characters in which the first and last words of a page must be
_STYLES = re.compile("[*`#]")


def check_pages(folder: Path) -> dict[str, Any]:
    """Print and return how much of the markup of the checked pages below a folder is right.

    Returns:
        `rejected`: pages that `min_markup_fit` does not keep for the commands in their formulas; they are left out.
        `accuracy`: share of characters of text that are right. `formulas`: the same for formulas. `errors`: those of
        the list that are still there, by kind. `fixed`: those that are gone. `edges`: share of pages that begin and end
        with the right words. `anchors`: share of the texts right that must be on a page, or must not be.
    """
    of_paper: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in yaml.safe_load(CHECKED.read_text("utf-8")):
        of_paper[entry["paper"]].append(entry)
    chars: Counter[str] = Counter()
    costs: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    anchors: list[bool] = []
    num_right_edges = num_pages = num_fixed = num_rejected = 0
    for name, entries in of_paper.items():
        path = folder / f"{name}.tex"
        if not path.exists():
            continue
        with open_paper(path, compile=False) as paper:
            assert paper is not None, path
            pages = page_markups(paper)
        for entry in entries:
            text = pages[entry["page"] - 1]
            if unknown_commands(text):
                num_rejected += 1
                continue
            num_pages += 1
            formulas = sum(map(len, text.replace("\\$", "").split("$")[1::2]))
            chars += Counter(formula=formulas, text=len(text) - formulas)
            num_right_edges += has_edges(text, entry)
            anchors += right_anchors(text, entry.get("has", ()), entry.get("lacks", ()))
            for error in entry.get("wrong", ()):
                cost = cost_of(text, error)
                num_fixed += cost == 0
                errors[error["kind"]] += cost > 0
                costs["formula" if error["kind"] == "formula" else "text"] += cost
    found = {
        "pages": num_pages,
        "papers": len(of_paper),
        "rejected": num_rejected,
        "accuracy": round(1 - costs["text"] / max(1, chars["text"]), 4),
        "formulas": round(1 - costs["formula"] / max(1, chars["formula"]), 4),
        "errors": dict(errors),
        "fixed": num_fixed,
        "edges": round(num_right_edges / max(1, num_pages), 3),
        "anchors": round(sum(anchors) / max(1, len(anchors)), 3),
    }
    print(found)
    return found


def cost_of(text: str, error: Mapping[str, str]) -> int:
    """Return how many characters an error of the list costs; 0 if the markup does not have it any more."""
    plain = " ".join(text.split())
    wrong, right = (" ".join(error.get(name, "").split()) for name in ("text", "right"))
    if error["kind"] == "missing":
        return 0 if wrong in plain else len(wrong)
    if wrong not in plain:
        return 0
    return plain.count(wrong) * (Levenshtein.distance(wrong, right) if right else len(wrong))


def has_edges(text: str, entry: Mapping[str, str]) -> bool:
    """Return True if a page's markup begins and, but for its notes, ends with the words that were seen there."""
    found = plain(text.split("\n\n[^")[0])
    begins, ends = plain(entry["begins"]), plain(entry["ends"])
    return begins in found[: len(begins) + EDGE] and ends in found[-len(ends) - EDGE :]


def right_anchors(text: str, has: Sequence[str], lacks: Sequence[str]) -> list[bool]:
    """Return for each text whether the markup of a page has it, or lacks it, as it should."""
    found = plain(text)
    return [*(plain(each) in found for each in has), *(each not in text for each in lacks)]


def plain(text: str) -> str:
    """Return Markdown without the signs of its styles, so that it can be compared with words read from a picture."""
    return " ".join(_STYLES.sub("", text).split())
