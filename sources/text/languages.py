"""The languages in which texts are drawn: their scripts, and the characters that their fonts need."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """Requirements for a font of a language.

    Args:
        script: Unicode name of the script.
        range_bit: bit of the Unicode range in the OS/2 table of its fonts.
        sample: the characters of its texts; a font must have all of them.
        packages: Debian packages with such fonts.
        other_scripts: Unicode names of further scripts that its texts mix with the first.
        regions: marks of its fonts in the names of families that exist for several regions (`Noto Sans CJK JP`); a font
            without such a mark must claim the code page of the language and not that of mainland China.
        code_page: bit of that code page in the OS/2 table.
    """

    script: str
    range_bit: int
    sample: str
    packages: str
    other_scripts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    code_page: int | None = None

    @property
    def scripts(self) -> tuple[str, ...]:
        return (self.script, *self.other_scripts)


_LATIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,:;!?-()'\"/&%+$@#"
_LATIN_FONTS = "fonts-dejavu-core or fonts-liberation"
_CYRILLIC = "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЬЮЯабвгдежзийклмнопрстуфхцчшщьюя"
# If a script has several languages, the first is its default.
LANGUAGES: Mapping[str, Language] = {
    "en": Language("Latin", 0, _LATIN, _LATIN_FONTS),
    "de": Language("Latin", 1, _LATIN + "ÄÖÜäöüß", _LATIN_FONTS),
    "es": Language("Latin", 1, _LATIN + "ÁÉÍÑÓÚÜáéíñóúü¿¡", _LATIN_FONTS),
    "fr": Language("Latin", 1, _LATIN + "ÀÂÇÈÉÊËÎÏÔÙÛàâçèéêëîïôùûœŒ«»", _LATIN_FONTS),
    "it": Language("Latin", 1, _LATIN + "ÀÈÉÌÒÙàèéìòù", _LATIN_FONTS),
    "pt": Language("Latin", 1, _LATIN + "ÁÂÃÀÇÉÊÍÓÔÕÚáâãàçéêíóôõú", _LATIN_FONTS),
    "nl": Language("Latin", 1, _LATIN + "ÉËÏÓéëïó", _LATIN_FONTS),
    "sv": Language("Latin", 1, _LATIN + "ÅÄÖåäöé", _LATIN_FONTS),
    "da": Language("Latin", 1, _LATIN + "ÆØÅæøåé", _LATIN_FONTS),
    "nb": Language("Latin", 1, _LATIN + "ÆØÅæøåé", _LATIN_FONTS),
    "fi": Language("Latin", 1, _LATIN + "ÄÖÅäöå", _LATIN_FONTS),
    "hu": Language("Latin", 2, _LATIN + "ÁÉÍÓÖŐÚÜŰáéíóöőúüű", _LATIN_FONTS),
    "pl": Language("Latin", 2, _LATIN + "ĄĆĘŁŃÓŚŹŻąćęłńóśźż", _LATIN_FONTS),
    "cs": Language("Latin", 2, _LATIN + "ÁČĎÉĚÍŇÓŘŠŤÚŮÝŽáčďéěíňóřšťúůýž", _LATIN_FONTS),
    "ro": Language("Latin", 2, _LATIN + "ĂÂÎȘȚăâîșț", _LATIN_FONTS),
    "tr": Language("Latin", 2, _LATIN + "ÇĞİÖŞÜçğıöşü", _LATIN_FONTS),
    "vi": Language("Latin", 29, _LATIN + "ĂÂĐÊÔƠƯăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ", _LATIN_FONTS),
    "zh": Language(
        "Han",
        59,
        "的一是不了人在有我他这中大来上国和们为到说时要就出会可也你对生能而子那得于着下自之年过发后作里经关书写数学"
        "，。、；：？！（）《》“”0123456789",
        "fonts-noto-cjk",
        regions=("SC", "CN"),
    ),
    "zh-Hant": Language(
        "Han",
        59,
        "的一是不了人在有我他這中大來上國和們為到說時要就出會可也你對生能而子得於著下自之年過發後作裡經關書寫數學"
        "，。、；：？！（）《》「」0123456789",
        "fonts-noto-cjk",
        regions=("TC", "TW", "HK"),
        code_page=20,
    ),
    "ja": Language(
        "Hiragana",
        49,
        "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわをんがぎぐげござじずだでどばびぶべぼぱぴぷぺぽ"
        "っゃゅょアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワンッャュョー"
        "日本語国会学発気図売読対変経関権込働、。「」『』・？！（）0123456789",
        "fonts-noto-cjk or fonts-ipafont",
        other_scripts=("Katakana", "Han"),
        regions=("JP",),
        code_page=17,
    ),
    "ko": Language(
        "Hangul",
        56,
        "가각간갈감강개거건걸것게겠고곳과구국그기길까나날남내너년노는니다단대더도동되된드들때또라람로를리마만말면모문물"
        "바받방배보부분비사상새생서선성세소수시식신실아안않알야어업없었에여연오와요우운원월위으은을음이인일입있자작잘"
        "장저적전정제조주중지진집차처천체초출치크타통투파페포표품프하학한할합해했행현형호화회후.,?!()0123456789",
        "fonts-noto-cjk or fonts-nanum",
        regions=("KR",),
        code_page=19,
    ),
    "th": Language(
        "Thai",
        24,
        "กขคฆงจฉชซญฎฏฐฑณดตถทธนบปผฝพฟภมยรลวศษสหฬอฮะาำเแโใไๆฯัิีึืุู็่้๊๋์0123456789",
        "fonts-thai-tlwg",
    ),
    "ru": Language("Cyrillic", 9, _CYRILLIC + "ЁЪЫЭёъыэ", _LATIN_FONTS),
    "uk": Language("Cyrillic", 9, _CYRILLIC + "ҐЄІЇґєії", _LATIN_FONTS),
    "bg": Language("Cyrillic", 9, _CYRILLIC + "Ъъ", _LATIN_FONTS),
    "el": Language("Greek", 7, "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώ", _LATIN_FONTS),
    "he": Language("Hebrew", 11, "אבגדהוזחטיךכלםמןנסעףפץצקרשת", "fonts-dejavu-core or fonts-noto-core"),
    "ar": Language(
        "Arabic", 13, "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي،؟0123456789", "fonts-noto-core or fonts-hosny-amiri"
    ),
    "hi": Language(
        "Devanagari", 15, "अआइईउऊएऐओऔकखगघचछजझटठडढणतथदधनपफबभमयरलवशषसहािीुूेैोौं्।", "fonts-noto-core or fonts-lohit-deva"
    ),
}
RIGHT_TO_LEFT = ("ar", "he")
SHAPED = ("ar", "hi", "th")  # the form or the place of a letter depends on its neighbours
SQUARE = ("zh", "zh-Hant", "ja", "ko")  # characters as wide as they are high
UNSPACED = ("zh", "zh-Hant", "ja")  # words and sentences follow each other without a space
CHINESE = ("zh", "zh-Hant")


def locale_of(language: str) -> str:
    """Return the name of a language as Babel writes it."""
    return language.replace("-", "_")
