"""The part of a dataset card about text without images."""

from sources.base.card import UNTRUSTED, Example, SourceCard

CARD = SourceCard(
    images="nothing",
    text="a text: a row of published data, or a part of a text file",
    messages="a conversation as it was published, with the roles user, assistant and system",
    words="nothing",
    splits="Consecutive rows of a file are in one split, up to a work unit; a short file is in one split as a whole.",
    rights="The texts are the work of their authors; `provenance` has the licence where a row names one.",
    limits=(
        "Texts are cleaned: line ends, blank lines and wrongly decoded characters are not as they were published.",
        "Long text files are cut at paragraphs, so a sample may begin in the middle of a work.",
        "E-mail addresses and telephone, card and id numbers are masked as far as they were found; names are not.",
        "Texts are as their authors made them: bias and errors were not looked for or removed.",
        UNTRUSTED,
    ),
    tags=("text",),
    tasks=("text-generation",),
    examples=(
        Example(
            title="The first words of a text",
            needs=("text",),
            code="""\
written = next(sample for sample in samples if sample["text"])
beginning = " ".join(written["text"].split()[:20])
""",
        ),
    ),
)
