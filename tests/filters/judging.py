"""What tests of the DeepSeek-VL filter share: a tiny checkpoint, and samples with pictures."""

import dataclasses
from pathlib import Path

from sources.base.sample import EncodedImage, Message, Provenance, Sample
from tests.deepseek_vl import tiny
from tests.deepseek_vl.serving import encoded, picture

CONFIG = dataclasses.replace(tiny.HYBRID, language=dataclasses.replace(tiny.LANGUAGE, max_positions=2048))


def write_model(folder: Path, seed: int = 1) -> Path:
    """Write a checkpoint with random weights that depend on the seed."""
    from deepseek_vl import checkpoint

    checkpoint.save(tiny.model(CONFIG, seed), folder)
    tiny.tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def sample(number: int, text: str | None = None, *turns: str, source: str = "pdfs") -> Sample:
    """Return a sample with a picture of its own, and a text or the turns of a conversation."""
    data = encoded(picture(number))
    return Sample(
        id=f"{number:032x}",
        source=source,
        provenance=Provenance(locator=f"page={number}", digest="00"),
        images=[EncodedImage(data=data, extension="png", width=60, height=40)],
        text=None if turns else f"<image>\n{text}",
        messages=[
            Message(role="user" if k % 2 == 0 else "assistant", content=("<image>\n" if k == 0 else "") + turn)
            for k, turn in enumerate(turns)
        ]
        or None,
    )
