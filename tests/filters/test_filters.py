"""Filters: reason codes, boundaries, samples without images or text, and scores that no threshold changes."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.aspect_ratio import MaxAspectRatio
from filters.damage import MaxDamage
from filters.filter import Filter, Scores
from filters.garbled_text import MaxGarbledShare
from filters.hidden_words import MaxHiddenWords
from filters.ink import MinInk
from filters.language import Language, find_model
from filters.needs_ocr import MaxNeedsOcr
from filters.prose import prose
from filters.short_side import MinShortSide
from filters.text_height import MinTextHeight
from filters.text_length import TextLength
from pipelines.recipe import scores_key
from sources.base.sample import EncodedImage, Message, Provenance, Sample, Words

ENGLISH = "The collection keeps every page with its picture and the words in the order in which they are read."
CHINESE = "训练视觉语言模型需要大量的页面数据，每一页都包含图像和文字。"

# A text layer whose font maps every letter to the one before it.
CIPHER = "".join(chr(ord(c) - 1) if c.isalpha() else c for c in f"{ENGLISH} {ENGLISH}".upper().lower())
TABLE = "\n".join(f"Zinc {k} 12,{k}40 kg 0.{k}7 % n/a" for k in range(40))
CODE = "\n".join(f"for (int k{k} = 0; k{k} < n; ++k{k}) {{ sum[{k}] += a[k{k}] * b; }}" for k in range(30))
CONTENTS = "\n".join(f"{k}.{k} Tensors ........................ {k * 7}" for k in range(40))


def sample(text: str | None = None, sizes: tuple[tuple[int, int], ...] = (), **measures: float) -> Sample:
    images = [EncodedImage(data=b"", extension="png", width=width, height=height) for width, height in sizes]
    provenance = Provenance(locator="page=1", digest="00")
    return Sample(id="0", source="pdfs", provenance=provenance, images=images, text=text, measures=measures)


def verdict(a_filter: Filter, a_sample: Sample) -> str | None:
    (scores,) = a_filter.scores([a_sample])
    return a_filter.rejects(scores)


GREY_AREA = "a" * 98
CASES = [
    (MinShortSide(side_px=112), sample(sizes=((1000, 112),)), None),
    (MinShortSide(side_px=112), sample(sizes=((1000, 111),)), "short_side"),
    (MinShortSide(side_px=112), sample(sizes=((500, 500), (111, 500))), "short_side"),
    (MinShortSide(), sample("text only"), None),
    (MaxAspectRatio(ratio=5), sample(sizes=((500, 100),)), None),
    (MaxAspectRatio(ratio=5), sample(sizes=((100, 500),)), None),
    (MaxAspectRatio(ratio=5), sample(sizes=((501, 100),)), "aspect_ratio"),
    (MaxAspectRatio(ratio=5), sample(sizes=((100, 501),)), "aspect_ratio"),
    (MaxAspectRatio(), sample("text only"), None),
    (MinInk(share=0.01), sample(ink=0.01), None),
    (MinInk(share=0.01), sample(ink=0.0099), "blank_page"),
    (MinInk(share=0.01), sample("not measured"), None),
    (TextLength(min_chars=4), sample("<image>\na b c d"), None),
    (TextLength(min_chars=4), sample("<image>\na b\n c"), "short_text"),
    (TextLength(min_chars=4), sample("<image>\n"), "no_text_layer"),
    (TextLength(min_chars=4), sample(), "no_text_layer"),
    (TextLength(min_chars=0), sample(), None),
    (TextLength(max_chars=40), sample("x " * 40), None),
    (TextLength(max_chars=40), sample("x " * 41), "long_text"),
    (MaxGarbledShare(share=0.02), sample(GREY_AREA + "\ufffd\ufffd"), None),
    (MaxGarbledShare(share=0.02), sample(GREY_AREA + "\ufffd\ufffd\ufffd"), "garbled_text"),
    (MaxGarbledShare(), sample("\ue001\uf8ff\U000f0001 private codes"), "garbled_text"),
    (MaxGarbledShare(), sample("(cid:12)(cid:3) as some programs write it"), "garbled_text"),
    (MaxGarbledShare(), sample("".join(chr(ord(letter) << 8) for letter in "Pure Black")), "garbled_text"),
    (MaxGarbledShare(), sample("Ça va? 你好，世界。 مرحبا 𝛼 ≤ β → ∞ ½ € 👍"), None),
    (MaxGarbledShare(), sample(), None),
    (Language(), sample(ENGLISH), None),
    (Language(keep=("en",)), sample(ENGLISH), None),
    (Language(keep=("zh",)), sample(ENGLISH), "language"),
    (Language(keep=("zh", "en")), sample(CHINESE), None),
    (Language(), sample(CIPHER), "language_confidence"),
    (Language(min_confidence=1.0), sample("qwx 12 zzkr 7 ppq"), None),  # too little to judge
    (Language(min_confidence=1.0), sample(TABLE), None),
    (Language(min_confidence=1.0), sample(CODE), None),
    (Language(min_confidence=1.0), sample(CONTENTS), None),
    (Language(keep=("zh",)), sample(TABLE), None),
    (MaxDamage(share=0.2), sample(damage=0.2), None),
    (MaxDamage(share=0.2), sample(damage=0.21), "damaged_page"),
    (MaxDamage(share=0.2), sample("not measured"), None),
    (MaxHiddenWords(share=0.5), sample(hidden_words=0.5), None),
    (MaxHiddenWords(share=0.5), sample(hidden_words=0.6), "hidden_text"),
    (MaxNeedsOcr(share=0.5), sample(needs_ocr=0.5), None),
    (MaxNeedsOcr(share=0.5), sample(needs_ocr=0.6), "needs_ocr"),
    (MinTextHeight(px=6.5), sample(text_height_px=6.5), None),
    (MinTextHeight(px=6.5), sample(text_height_px=6.25), "small_text"),
    (MinTextHeight(), sample("no words"), None),
    (Language(keep=("en",)), sample(), None),
    (Language(keep=("en",)), sample("<image>\n \n"), None),
]


@pytest.mark.parametrize(("a_filter", "a_sample", "reason"), CASES)
def test_verdicts(a_filter, a_sample, reason):
    assert verdict(a_filter, a_sample) == reason
    assert reason is None or reason in a_filter.reasons


ALL = [
    *(MinShortSide(), MaxAspectRatio(), MinInk(), TextLength(), MaxGarbledShare(), Language()),
    *(MaxDamage(), MaxHiddenWords(), MaxNeedsOcr(), MinTextHeight()),
]
STRICT = [
    MinShortSide(side_px=5000),
    MaxAspectRatio(ratio=1),
    MinInk(share=0.9),
    TextLength(min_chars=100, max_chars=101),
    MaxGarbledShare(share=0),
    Language(keep=("fr",), min_confidence=0.99),
    MaxDamage(share=0),
    MaxHiddenWords(share=0),
    MaxNeedsOcr(share=0),
    MinTextHeight(px=100),
]


@pytest.mark.parametrize(("default", "strict"), list(zip(ALL, STRICT, strict=True)))
def test_thresholds_never_change_scores(default, strict):
    samples = [sample(ENGLISH, ((800, 600),), ink=0.1), sample(CHINESE), sample(), sample("\ufffd\ufffd abc")]
    assert default.scores(samples) == strict.scores(samples)
    assert scores_key([default]) == scores_key([strict])


@pytest.mark.parametrize("a_filter", ALL)
def test_scores_have_the_names_they_promise(a_filter):
    for scores in a_filter.scores([sample(ENGLISH, ((800, 600),), ink=0.1), sample()]):
        assert tuple(scores.values) == a_filter.score_names
    assert a_filter.scores([]) == []
    assert len(set(a_filter.reasons)) == len(a_filter.reasons)


@given(st.permutations([ENGLISH, CHINESE, "", "Une page de texte en français, avec ses mots.", "123 456"]))
def test_scores_do_not_depend_on_the_neighbours(texts):
    for a_filter in (Language(), TextLength(), MaxGarbledShare()):
        together = a_filter.scores([sample(text) for text in texts])
        assert together == [a_filter.scores([sample(text)])[0] for text in texts]


@given(st.text(max_size=200))
def test_garbled_share_is_a_share(text):
    (scores,) = MaxGarbledShare().scores([sample(text)])
    share = scores.values["garbled_share"]
    assert share is None or 0 <= share <= 1


def test_language_is_named():
    scores = Language().scores([sample(f"{ENGLISH} {ENGLISH}"), sample(CHINESE * 2), sample()])
    assert [s.language for s in scores] == ["en", "zh", None]
    assert all(0 < s.values["language_confidence"] <= 1 for s in scores[:2])
    assert scores[2] == Scores(values={"language_confidence": None})


def test_of_code_the_language_is_that_of_what_can_be_seen():
    code = '<ul class="list">' + '<li class="item"><a href="#">x</a></li>' * 50 + "</ul>"
    turns = [("user", "<image>\n写出这个页面的 HTML 代码。"), ("assistant", f"```html\n{code}\n```")]
    messages = [Message(role=role, content=content) for role, content in turns]
    words = Words(texts=[CHINESE], boxes=np.zeros((1, 4), np.float32), images=np.zeros(1, np.int32))
    seen = dataclasses.replace(sample(), messages=messages, words=words)
    in_english = dataclasses.replace(seen, words=dataclasses.replace(words, texts=ENGLISH.split()))
    without_words = dataclasses.replace(seen, words=Words())
    assert [s.language for s in Language().scores([seen, in_english, without_words])] == ["zh", "en", "zh"]


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(ValueError, match="nowhere"):
        find_model(str(tmp_path / "nowhere.ftz"))


@pytest.mark.parametrize(
    ("cls", "settings"),
    [
        (MinShortSide, {"side_px": 0}),
        (MaxAspectRatio, {"ratio": 0.5}),
        (MinInk, {"share": 1}),
        (TextLength, {"min_chars": 9, "max_chars": 8}),
        (MaxGarbledShare, {"share": 1.5}),
        (Language, {"min_confidence": 2}),
        (Language, {"keep": ("English",)}),
        (MaxDamage, {"share": -1}),
        (MaxHiddenWords, {"share": 2}),
        (MaxNeedsOcr, {"share": 2}),
        (MinTextHeight, {"px": -1}),
    ],
)
def test_impossible_thresholds_are_refused(cls, settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        cls(**settings)


def test_filters_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        MinInk().share = 0.5


def test_prose_is_lines_of_words():
    hindi = "यह पन्ना उन लोगों के लिए लिखा गया है जो पढ़ना पसंद करते हैं और सीखते हैं"
    thai = "หน้านี้เขียนขึ้นสำหรับผู้ที่ชอบอ่านหนังสือและเรียนรู้สิ่งใหม่ทุกวัน"
    for text in (f"{ENGLISH}\n{ENGLISH}", CHINESE * 2, f"{hindi}\n{hindi}", thai):
        assert prose(text, 10_000) == " ".join(text.splitlines())
    assert prose(f"{TABLE}\n{ENGLISH}\n{CODE}\n{ENGLISH}\n{CONTENTS}", 10_000) == f"{ENGLISH} {ENGLISH}"
    assert prose(ENGLISH.upper() * 3, 10_000) == ""
    assert prose("", 100) == ""
