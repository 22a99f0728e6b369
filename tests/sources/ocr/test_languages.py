"""Pages of `--input` in other scripts: words in reading order, and boxes that hold the ink of shaped letters."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sources.base.illegible import Illegible
from sources.base.sample import Sample
from sources.ocr.blocks import paragraph
from sources.ocr.corpus_file import CorpusFile, gather
from sources.ocr.fields import Fields
from sources.ocr.language_of_text import LanguageTeller
from sources.ocr.page import Flow, Page, PageLayout
from sources.ocr.source import Ocr
from sources.ocr.story import lay_out
from sources.ocr.style import sample_style
from sources.ocr.templates.registry import KINDS, supported_languages
from sources.ocr.vocabulary import furniture_language, label, months, words
from sources.rng import generator
from sources.text.fonts import fonts_for, missing, script_of
from sources.text.languages import LANGUAGES, RIGHT_TO_LEFT, SHAPED

TEXTS = {
    "de": "Größere Übungen finden öfter statt, und die Fähre legt ab, wenn der Lotse seinen Tee getrunken hat.",
    "vi": "Phà rời bến khi đã đầy khách, hoặc khi người lái đã uống xong chén trà; bến cũ được giữ lại.",
    "ru": "Паром отправляется, когда он полон, или когда лоцман допил свой чай. В расписании восемь рейсов в день.",
    "el": "Το πλοίο φεύγει όταν γεμίσει ή όταν ο πιλότος τελειώσει το τσάι του. Υπάρχει δρομολόγιο από το 1987.",
    "he": "הוועדה התכנסה ב־14 במרץ 1987 כדי לדון בהעמקת הנמל (Berlin), ועלות העבודה 1,250,000 שקלים חדשים.",
    "ar": "اجتمعت اللجنة في 14 مارس 1987 للنظر في تعميق الميناء (Berlin)، وبلغت الكلفة 1250000 دينار تقريبا.",
    "ko": "나룻배는 손님이 다 차거나 사공이 차를 다 마시면 떠난다. 하루에 여덟 번 다닌다고 적혀 있다.",
    "hi": "समिति की बैठक 14 मार्च को हुई जिसमें बंदरगाह को गहरा करने पर विचार किया गया। काम वसंत में शुरू होगा।",
}
INK = 60  # grey levels between text and paper
MAX_OUTSIDE = 0.004  # fraction of the ink: letters are placed at quarter pixels, boxes are exact


def lay_out_paragraph(language: str, *, width: int = 420) -> PageLayout:
    """Lay out the text of a language on a page, black on white."""
    return lay_out_text(language, TEXTS[language], width=width)


def lay_out_text(language: str, text: str, *, width: int = 420) -> PageLayout:
    """Lay out one paragraph on a page, black on white."""
    style = sample_style(generator(2, 0, language), language, 1024)
    style = dataclasses.replace(style, size=26, leading=1.8, ink=(0, 0, 0), justify=False, indent=False)
    page = Page(
        width=width,
        height=700,
        css=style.css(),
        fonts=style.fonts,
        flows=[Flow(blocks=[paragraph(text)], boxes=[(20, 20, width - 20, 680)])],
        is_shaped=language in SHAPED,
        is_right_to_left=language in RIGHT_TO_LEFT,
    )
    return lay_out(page)


@pytest.mark.parametrize("language", TEXTS)
def test_words_are_in_reading_order_and_boxes_hold_their_ink(language: str) -> None:
    layout = lay_out_paragraph(language)
    assert "".join(layout.rendered.texts) == TEXTS[language].replace(" ", "")
    if language != "ko":  # Korean lines end between any two syllables
        assert list(layout.rendered.texts) == TEXTS[language].split()
    ink = 255 - layout.rendered.pixels.min(axis=2) > INK
    covered = np.zeros_like(ink)
    for x0, y0, x1, y1 in layout.rendered.boxes().astype(int):
        inside = ink[y0:y1, x0:x1]
        covered[y0:y1, x0:x1] = True
        assert inside[:, :2].any()
        assert inside[:, -2:].any()
        assert inside[:2].any()
        assert inside[-2:].any()
    assert (ink & ~covered).sum() <= MAX_OUTSIDE * ink.sum()


@pytest.mark.parametrize("language", RIGHT_TO_LEFT)
def test_right_to_left_lines_run_from_right_to_left(language: str) -> None:
    layout = lay_out_paragraph(language)
    boxes = layout.rendered.boxes()
    assert layout.lines.max() >= 2
    for line in range(layout.lines.max()):
        here = boxes[layout.lines == line]
        assert (np.diff(here[:, 2]) < 0).all()  # also for numbers and Latin words
        assert here[0, 2] > 390  # begins on the right
    assert (np.diff(boxes[:, 3])[np.diff(layout.lines) > 0] > 20).all()


def test_columns_from_right_to_left() -> None:
    for language, is_mirrored in (("ar", True), ("ru", False)):
        boxes = sample_style(generator(2, 0, "columns"), language, 1024).columns(3, 0, 100)
        assert (boxes[0][0] > boxes[1][0] > boxes[2][0]) == is_mirrored


def test_character_missing_in_the_chosen_font_is_illegible() -> None:
    style = sample_style(generator(2, 0, "ar"), "ar", 1024)
    chosen = next(font for font in fonts_for("ar") if missing("\u0b95", font))
    style = dataclasses.replace(style, body=dataclasses.replace(style.body, regular=chosen, bold=chosen, italic=None))
    page = Page(
        width=400,
        height=200,
        css=style.css(),
        fonts=style.fonts,
        flows=[Flow(blocks=[paragraph("مفتوح \u0b95")], boxes=[(20, 20, 380, 180)])],
        is_shaped=True,
    )
    with pytest.raises(Illegible, match=r"no chosen font draws '\u0b95'"):
        lay_out(page)


@pytest.mark.parametrize("is_shaped", [False, True])
def test_a_character_whose_glyph_is_empty_is_illegible(is_shaped: bool) -> None:
    """WenQuanYi Micro Hei maps several characters to glyphs without an outline: a page would have gaps."""
    style = sample_style(generator(2, 0, "zh"), "zh", 1024)
    chosen = next(font for font in fonts_for("zh") if font.family == "WenQuanYi Micro Hei")
    style = dataclasses.replace(style, body=dataclasses.replace(style.body, regular=chosen, bold=chosen, italic=None))
    for text, is_drawn in (("地，āé", True), ("气温12℃", False), ("第Ⅴ章", False), ("nǐ hǎo", False)):
        page = Page(
            width=400,
            height=200,
            css=style.css(),
            fonts=style.fonts,
            flows=[Flow(blocks=[paragraph(text)], boxes=[(20, 20, 380, 180)])],
            is_shaped=is_shaped,
        )
        if is_drawn:
            assert lay_out(page).text == text
        else:
            with pytest.raises(Illegible, match="no chosen font draws"):
                lay_out(page)


def _samples(tmp_path: Path, texts: Sequence[str], **settings: Any) -> list[Sample]:
    path, out = tmp_path / "texts.txt", tmp_path / "gathered"
    path.write_text("\n\n".join(texts), encoding="utf-8")
    source = Ocr(input=("texts.txt",), side_px=640, strength=0.2, **settings)
    source.gather(path, path.name, out, lambda: None)
    assert set(source.merge([out], tmp_path / "corpus")) == set(CorpusFile(tmp_path / "corpus").languages())
    with source.open(tmp_path / "corpus", "00") as samples:
        return [samples[number] for number in range(6)]


def test_texts_of_any_script_give_documents_with_default_settings(tmp_path: Path) -> None:
    languages = ("ru", "el", "he", "ar", "hi")
    samples = _samples(tmp_path, [TEXTS[name] for name in languages], scene=0.0, seed=4)
    assert {sample.flags[0] for sample in samples} <= set(KINDS)
    assert {sample.flags[1] for sample in samples} <= set(languages)
    assert len({sample.flags[1] for sample in samples}) >= 3


def test_setting_languages_decides_the_language_of_a_script(tmp_path: Path) -> None:
    samples = _samples(tmp_path, [TEXTS["vi"], TEXTS["ru"]], languages=("vi",))
    assert {sample.flags[1] for sample in samples} == {"vi"}
    texts = [TEXTS["de"], TEXTS["ru"]]
    out = tmp_path / "two"
    (tmp_path / "b.txt").write_text("\n\n".join(texts), encoding="utf-8")
    gather(tmp_path / "b.txt", "b.txt", "text", out, lambda: None)
    assert dict(CorpusFile(out).all()) == {"de": texts[0], "ru": texts[1]}


PARAGRAPHS = {
    "en": "The ferry leaves when it is full, or when the pilot has finished his tea, and nobody knows the timetable.",
    "tr": "Feribot dolduğunda ya da kaptan çayını bitirdiğinde kalkar ve bu tarifeyi bir türlü kimse bilmez.",
    "pl": "Prom odpływa, gdy jest pełny albo gdy pilot wypije herbatę, i nikt nie pamięta już, że jest na to rozkład.",
    "cs": "Přívoz odjíždí, když je plný, nebo když převozník dopije čaj, a nikdo si nepamatuje, že je na to řád.",
    "de": TEXTS["de"] + " Und das ist nicht immer so.",
    "fr": "Le bac part quand il est plein, ou quand le pilote a fini son thé, et les horaires ne sont pas pour lui.",
    "es": "El barco sale cuando está lleno o cuando el piloto termina su té, y los horarios no son para él.",
    "it": "Il traghetto parte quando è pieno o quando il pilota ha finito il tè, e non si sa per quale orario.",
    "pt": "O barco parte quando está cheio ou quando o piloto acaba o chá, e não há um horário para os passageiros.",
    "nl": "De veerboot vertrekt als hij vol is, of als de schipper zijn thee op heeft, en dat is voor het dorp goed.",
    "sv": "Färjan går när den är full eller när styrmannen har druckit sitt te, och det är inte för att den är sen.",
    "hu": "A komp akkor indul, ha megtelt, vagy ha a révész megitta a teáját, és ez már nem is lehet meg menetrend.",
    "vi": TEXTS["vi"],
    "uk": "Пором відходить, коли повний або коли лоцман допив чай, і це не є щось нове для тих, що їдуть до міста.",
    "ru": TEXTS["ru"] + " И это не то, что было на причале.",
}


def test_the_language_of_a_paragraph_is_told_by_its_words_and_letters() -> None:
    for language, text in PARAGRAPHS.items():
        assert LanguageTeller().tell(text)[0] == language
    teller = LanguageTeller()
    assert teller.tell("Menu")[0] == "en"
    assert teller.tell(PARAGRAPHS["tr"])[0] == "tr"
    assert teller.tell("Menu")[0] == "tr"  # a short line is in the language of the lines before
    assert teller.tell("Über die Brücke und weiter für Müßiggänger")[0] == "de"
    assert LanguageTeller(("de",)).tell(PARAGRAPHS["en"])[0] == "de"
    assert LanguageTeller(("de", "fr")).tell(PARAGRAPHS["fr"])[0] == "fr"


def test_labels_and_names_are_in_the_language_of_the_page() -> None:
    for language in LANGUAGES:
        assert furniture_language(language) == language
        fields = Fields(language, generator(1, 0, language))
        written = [
            label("figure", language, n=3, text="x"),
            label("page", language, n=4),
            fields.date(),
            *months(language),
        ]
        written += [fields.person(), fields.company(), fields.street(), fields.town(), *words("sections", language)]
        letters = "".join(written)
        assert script_of(letters) in LANGUAGES[language].scripts, written
        for kind in ("topics", "newspapers", "measures", "groups"):
            assert len(set(words(kind, language))) == len(words(kind, language)) >= 2
    assert label("figure", "pl", n=3, text="x") == "Rysunek 3. x"
    assert label("page", "tr", n=3) == "Sayfa 3"


def test_kinds_with_many_bundled_words_support_bundled_languages_only() -> None:
    for kind in ("invoice", "form", "dictionary"):
        assert supported_languages(kind, ("en", "ru", "zh", "ar")) == ("en", "zh")
    assert supported_languages("letter", ("ru", "ar")) == ("ru",)
    assert supported_languages("article", ("ru", "ar", "hi")) == ("ru", "ar", "hi")
    with pytest.raises(ValueError, match="there is no article page in hi"):
        Ocr(input=("texts.txt",), languages=("hi",), kinds={"article": 1}, engine="chromium")
