"""The mixture of a dataset for card, report and summary: wanted and reached shares of the tokens."""

from collections.abc import Mapping
from typing import Any

from pipelines.mixture.tokens import ESTIMATE
from sources.text.token_estimate import CHARS_PER_TOKEN, TOKENS_PER_CJK


def mixture_rows(manifest: Mapping[str, Any]) -> list[dict[str, str]]:
    """A row for each component, in the recipe's order; none if the recipe has no mixture."""
    mixture = manifest.get("mixture")
    if mixture is None:
        return []
    return [
        {
            "name": name,
            "sources": ", ".join(dict.fromkeys(component["sources"])),
            "samples": f"{component['samples']:,}",
            "tokens": f"{component['tokens']:,}",
            "found": f"{component['found']:,}",
            "wanted": _percent(component["share"]),
            "reached": _percent(component["tokens"] / mixture["tokens"]) if mixture["tokens"] else "–",
        }
        for name, component in mixture["components"].items()
    ]


def mixture_lead(manifest: Mapping[str, Any]) -> str:
    """How many tokens there are and how they were counted; one line of text, empty without a mixture."""
    mixture = manifest.get("mixture")
    if mixture is None:
        return ""
    how = f"counted with the tokenizer that has the SHA-256 {mixture['counted_with']}"
    if mixture["counted_with"] == ESTIMATE:
        how = (
            f"estimated, not counted: a token has {CHARS_PER_TOKEN:g} characters, and a Chinese, Japanese or Korean "
            f"character is {TOKENS_PER_CJK:g} tokens"
        )
    missing = [name for name, component in mixture["components"].items() if not component["found"]]
    sentences = [
        f"{mixture['tokens']:,} tokens, where {mixture['wanted_tokens']:,} were wanted. Tokens of texts are {how}; an "
        f"image is {mixture['image_tokens']} tokens, whatever its size.",
        mixture_limit(manifest),
        f"Nothing was found for {', '.join(missing)}." if missing else "",
    ]
    return " ".join(filter(None, sentences))


def mixture_limit(manifest: Mapping[str, Any]) -> str:
    """Which components are too small, or bound the others; a sentence, empty if there are none."""
    mixture = manifest["mixture"]
    total = mixture["wanted_tokens"]
    components = {name: component for name, component in mixture["components"].items() if component["found"]}
    allowed = {name: component["found"] / component["share"] for name, component in components.items()}
    short = sorted((name for name in allowed if allowed[name] < total - 0.5), key=allowed.__getitem__)
    if short:
        parts = (
            f"{name} has {components[name]['found']:,} of {components[name]['share'] * total:,.0f} tokens"
            for name in short
        )
        return f"Too little was found: {'; '.join(parts)}."
    scarcest = min(allowed, key=allowed.__getitem__, default="")
    if not scarcest or allowed[scarcest] > total + 0.5:
        return ""
    return (
        f"The scarcest component is {scarcest}: its {components[scarcest]['found']:,} tokens are used to the last, and "
        "the others are cut to fit them. More input for it makes all of them larger; mixture.tokens asks for a number "
        "of tokens whatever is scarce."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
