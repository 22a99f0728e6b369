"""The dataset's columns in the words of the hub."""

from typing import Any


def hub_features(score_names: list[str]) -> dict[str, Any]:
    """The columns as the hub's `datasets` library describes them, so that images decode."""

    def value(dtype: str) -> dict[str, Any]:
        return {"dtype": dtype, "_type": "Value"}

    text = value("string")
    boxes = {name: value("float32") for name in ("x0", "y0", "x1", "y1")}
    return {
        "id": text,
        "source": text,
        "images": {"feature": {"_type": "Image"}, "_type": "List"},
        "messages": {"feature": {"role": text, "content": text}, "_type": "List"},
        "text": text,
        "words": {"feature": {"text": text, **boxes, "image": value("int32")}, "_type": "List"},
        "flags": {"feature": text, "_type": "List"},
        "language": text,
        "label": {"use_case": text, "confidence": value("float32"), "labeller": text, "secondary": text},
        **({"scores": {name: value("float32") for name in score_names}} if score_names else {}),
        "phash": value("binary"),
        "provenance": dict.fromkeys(("uri", "locator", "license", "fetched_at", "digest"), text),
        "split": text,
    }
