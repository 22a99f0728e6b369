"""The part of a dataset card about published pairs."""

from sources.base.card import UNTRUSTED, Example, SourceCard

CARD = SourceCard(
    images="images as they were published",
    text="the text that was published with the image, after one `<image>` for each image",
    messages="a conversation about the images as it was published, with the roles user, assistant and system",
    words="the words that were published with boxes",
    splits="Consecutive rows of a file are in one split, up to a work unit; a short file is in one split as a whole.",
    rights="Images and texts are the work of their authors; `provenance` has the licence where a row names one.",
    limits=(
        "Texts are as they were published, apart from cleaning: whether they fit their images was not checked.",
        "Personal data, bias and errors were not looked for or removed.",
        UNTRUSTED,
    ),
    tags=("image-text-pairs",),
    tasks=("visual-question-answering",),
    examples=(
        Example(
            title="The size of an image",
            needs=("images",),
            code="""\
pictured = next(sample for sample in samples if sample["images"])
width, height = pictured["images"][0].size
""",
        ),
    ),
)
