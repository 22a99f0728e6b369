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
    """

    script: str
    range_bit: int
    sample: str
    packages: str


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
SHAPED = ("ar", "hi")  # the form of a letter depends on its neighbours
