"""Pages in Japanese, Korean, Thai and traditional Chinese: text, line breaks, words and boxes."""

import logging
import re
from itertools import pairwise

import numpy as np
import pytest

from sources.base.sample import Sample
from sources.ocr.fields import Fields
from sources.ocr.language_of_text import LanguageTeller
from sources.ocr.messages import whole_lines
from sources.ocr.passages import BundledPassages
from sources.ocr.source import Ocr
from sources.ocr.templates.registry import KINDS, supported_languages
from sources.ocr.templates.vertical import chinese_number, japanese_number
from sources.ocr.vocabulary import BUNDLED, words
from sources.ocr.writing.own_grammar import LANGUAGES, OwnWriter, grammar_of, with_particles
from sources.ocr.writing.traditional import to_traditional
from sources.rng import generator
from sources.text.fonts import FontError, fonts_for
from sources.text.thai import mark_breaks, split_thai
from tests.sources.ocr.test_languages import MAX_OUTSIDE, lay_out_text

NEW = ("zh-Hant", "ja", "ko", "th")
NOT_FIRST = "、。，；：？！）」』】ーっゃゅょぁぃぅぇぉッャュョァィゥェォ々・"
NOT_LAST = "（「『【"
THAI = "วันนี้อากาศดีมาก ฉันจึงเดินไปตลาดกับเพื่อนที่ทำงานใน 3 โรงพยาบาล (Berlin)"


def _sample(kind: str, language: str, number: int = 0, task: str = "text") -> Sample:
    source = Ocr(
        languages=(language,), kinds={kind: 1}, tasks={task: 1}, strength=0, scene=0, side_px=768, format="png"
    )
    return source.make(number, source.digest)


@pytest.mark.parametrize("language", NEW)
def test_passages_are_filled_and_varied(language: str) -> None:
    passages = BundledPassages()
    texts = [passages.paragraph(language, 7919 * k) for k in range(60)]
    titles = {passages.title(language, 7919 * k) for k in range(60)}
    assert not [text for text in (*texts, *titles) if re.search(r"[{}|]|[가-힣]\([가-힣]\)", text)]
    assert len(set(texts)) == 60
    assert len(titles) >= 45
    assert texts == [passages.paragraph(language, 7919 * k) for k in range(60)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_of_a_grammar_can_be_written(language: str) -> None:
    grammar = grammar_of(language)
    for scheme in grammar.schemes:
        assert set(scheme.let.values()) <= {*grammar.words, "person", "town"}
    written = {sentence for k in range(120) for n in range(2) for sentence in OwnWriter(k, language).paragraph(n)}
    assert len(written) >= 550
    for kind, found in grammar.words.items():
        assert len(set(found)) == len(found), kind


def test_particles_of_korean_follow_the_syllable_before() -> None:
    written = "톱을(를) 망치을(를) 줄자은(는) 솔은(는) 솔으로(로) 숲으로(로) 자으로(로)"
    assert with_particles(written) == "톱을 망치를 줄자는 솔은 솔로 숲으로 자로"
    assert with_particles("‘말’이라(라)고 ‘배’이라(라)고 사서이었(였)다") == "‘말’이라고 ‘배’라고 사서였다"


def test_traditional_chinese_has_no_simplified_characters() -> None:
    assert to_traditional("头发，发现，自行车") == "頭髮，發現，腳踏車"
    passages = BundledPassages()
    text = "".join(passages.paragraph("zh-Hant", 31 * k) for k in range(30)) + "".join(words("signs", "zh-Hant"))
    han = [sign for sign in text if "\u4e00" <= sign <= "\u9fff"]
    assert sum(not sign.encode("big5", "ignore") for sign in han) <= len(han) / 500


@pytest.mark.parametrize("language", NEW)
def test_dates_telephones_and_amounts_are_those_of_the_country(language: str) -> None:
    fields = Fields(language, generator(3, 0, language))
    form = {"zh-Hant": "年", "ja": "年|/", "ko": r"년|\. |-", "th": r" 25\d\d|พ.ศ.|/25"}[language]
    assert all(re.search(form, fields.date()) or language == "zh-Hant" for _ in range(20))
    assert fields.amount().startswith({"zh-Hant": "NT$", "ja": "¥", "ko": "₩", "th": "฿"}[language])
    assert len({fields.entry(kind) for kind in ("person", "company", "address", "job", "reason", "nationality")}) == 6


def test_the_kinds_of_each_language() -> None:
    for language in NEW:
        kinds = {kind for kind in KINDS if supported_languages(kind, (language,))}
        assert {"article", "invoice", "receipt", "form", "letter", "report", "newspaper", "listing"} <= kinds
        assert ("vertical" in kinds) == (language in ("zh-Hant", "ja"))
        assert not kinds & {"dictionary", "exam", "bilingual"}


@pytest.mark.parametrize("language", ["ja", "zh-Hant"])
def test_lines_neither_begin_nor_end_with_punctuation_that_must_not_stand_there(language: str) -> None:
    passages = BundledPassages()
    text = (
        "".join(passages.paragraph(language, 3 * k) for k in range(4))
        + "コーヒーを（「ミシン」と）ちょっと、きっと、" * 6
    )
    layout = lay_out_text(language, text, width=260)
    numbers = layout.lines.tolist()
    breaks = [
        (a, b) for (a, line), (b, after) in pairwise(zip(layout.rendered.texts, numbers, strict=True)) if after > line
    ]
    assert len(breaks) > 10
    assert not [b for _, b in breaks if b[0] in NOT_FIRST]
    assert not [a for a, _ in breaks if a[-1] in NOT_LAST]


def test_numbers_in_vertical_text() -> None:
    assert [japanese_number(digits) for digits in ("14", "118", "205", "4203", "0")] == [
        "十四",
        "百十八",
        "二百五",
        "四千二百三",
        "〇",
    ]
    assert chinese_number("118") == "一百一十八"


def test_vertical_japanese_turns_its_dashes_and_moves_its_small_kana() -> None:
    """The box of ー is higher than wide, and the box of 、 is on the right of the column."""
    from sources.ocr.typefaces import ink_box, load_glyphs
    from sources.text.fonts import vertical_forms

    font = next(font for font in fonts_for("ja", ("serif",)))
    face, forms = load_glyphs(font), vertical_forms(font)
    from pymupdf import mupdf

    glyphs = {sign: mupdf.fz_encode_character(face.font, ord(sign)) for sign in "ー、っ日"}
    x0, y0, x1, y1 = ink_box(face.font, forms[glyphs["ー"]])
    assert y1 - y0 > 3 * (x1 - x0)
    assert ink_box(face.font, forms[glyphs["、"]])[0] > 0.5 > face["、"][0]
    assert ink_box(face.font, forms[glyphs["っ"]])[0] > face["っ"][0]
    assert glyphs["日"] not in forms
    sample = _sample("vertical", "ja")
    assert sample.words is not None
    assert sample.text
    assert len(sample.words.texts) > 30


def test_words_of_thai() -> None:
    for text in (THAI, "", "abc", "(โรงเรียน)", "ช้าๆ", "น้ำมัน5ลิตร"):
        assert all("".join(split_thai(token)) == token for token in text.split(" "))
        assert mark_breaks(text).replace("\u200b", "") == text
    assert split_thai("วันนี้อากาศดีมาก") == ["วัน", "นี้", "อากาศ", "ดี", "มาก"]
    assert split_thai("(โรงเรียน)") == ["(โรงเรียน)"]


def test_boxes_of_thai_hold_their_ink_and_lines_keep_their_spaces() -> None:
    layout = lay_out_text("th", THAI)
    assert "".join(layout.rendered.texts) == THAI.replace(" ", "")
    assert len(layout.rendered.texts) >= 15
    assert layout.lines.max() >= 1  # broken between words, as there are few spaces
    assert not [
        word for word in layout.rendered.texts if "\u0e30" <= word[0] <= "\u0e3a" or "\u0e45" <= word[0] <= "\u0e4e"
    ]
    ink = 255 - layout.rendered.pixels.min(axis=2) > 60
    covered = np.zeros_like(ink)
    for x0, y0, x1, y1 in layout.rendered.boxes().astype(int):
        covered[y0:y1, x0:x1] = True
        assert ink[y0:y1, x0:x1].any()
    assert (ink & ~covered).sum() <= MAX_OUTSIDE * ink.sum()
    assert layout.is_glued is not None
    from sources.ocr.messages import GroundTruth

    truth = GroundTruth(
        rendered=layout.rendered, lines=layout.lines, is_whole=np.ones(9, bool), text=THAI, markdown=THAI,
        language="th",
        is_glued=layout.is_glued,
    )  # fmt: skip
    assert "".join(f"{line.text} " for line in whole_lines(truth)).replace(" ", "") == THAI.replace(" ", "")
    assert all(line.text in THAI for line in whole_lines(truth))


def test_the_language_of_chinese_characters_is_told() -> None:
    told = LanguageTeller().tell
    assert told("渡し船は満員になると出る。時刻表はない。")[0] == "ja"
    assert told("コーヒー豆")[0] == "ja"
    assert told("渡輪坐滿了就開，時刻表誰也記不得。")[0] == "zh-Hant"
    assert told("渡轮坐满了就开，时刻表谁也记不得。")[0] == "zh"
    assert told("나룻배는 손님이 차면 떠난다.")[0] == "ko"
    assert told("เรือจะออกเมื่อเต็ม")[0] == "th"
    assert LanguageTeller(("zh",)).tell("渡輪坐滿了就開。")[0] == "zh"


def test_all_languages_leaves_out_those_without_a_font(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import sources.text.fonts as fonts

    known, find = fonts.installed_for, fonts.fonts_for

    def lacking(language: str) -> tuple[fonts.Font, ...]:
        return () if language == "th" else known(language)

    def refusing(language: str) -> tuple[fonts.Font, ...]:
        if language == "th":
            raise FontError("no font with the Thai script is installed; install one (Debian: fonts-thai-tlwg)")
        return find(language)

    monkeypatch.setattr(fonts, "installed_for", lacking)
    monkeypatch.setattr(fonts, "fonts_for", refusing)
    with caplog.at_level(logging.WARNING):
        assert set(Ocr(languages=("all",)).languages) == {*BUNDLED} - {"th"}
    assert "no pages in th: no font with the Thai script is installed" in caplog.text
    with pytest.raises(FontError, match=r"Debian: fonts-thai-tlwg\), or do without it: --set languages=\[ja,en\]"):
        Ocr(languages=("th", "ja")).check()
    with pytest.raises(ValueError, match="languages is either all or a list"):
        Ocr(languages=("all", "ja"))


def test_without_a_setting_pages_are_english_and_chinese() -> None:
    source, passages = Ocr(), BundledPassages()
    made = [source._specify(number, passages) for number in range(200)]
    assert {found[1] for found in made if found is not None} == {"en", "zh"}
