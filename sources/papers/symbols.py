r"""Characters of text commands: accents, letters, signs."""

import unicodedata
from collections.abc import Mapping

ACCENTS: Mapping[str, str] = {
    "\\'": "\u0301", "\\`": "\u0300", "\\^": "\u0302", '\\"': "\u0308", "\\~": "\u0303", "\\=": "\u0304",
    "\\.": "\u0307", "\\u": "\u0306", "\\v": "\u030c", "\\H": "\u030b", "\\r": "\u030a", "\\c": "\u0327",
    "\\k": "\u0328", "\\d": "\u0323", "\\b": "\u0331",
}  # fmt: skip
SIGNS: Mapping[str, str] = {
    "\\%": "%", "\\&": "&", "\\$": "$", "\\#": "#", "\\_": "_", "\\{": "{", "\\}": "}", "\\ ": " ", "\\,": " ",
    "\\;": " ", "\\:": " ", "\\!": "", "\\/": "", "\\-": "", "\\@": "", "\\>": " ", "\\\n": " ", "\\\t": " ",
    "\\ldots": "…", "\\dots": "…", "\\textellipsis": "…", "\\textbackslash": "\\", "\\textasciitilde": "~",
    "\\textasciicircum": "^", "\\textbar": "|", "\\textless": "<", "\\textgreater": ">", "\\textbullet": "•",
    "\\textendash": "–", "\\textemdash": "—", "\\textquotedblleft": "“", "\\textquotedblright": "”",
    "\\textquoteleft": "‘",
    "\\textquoteright": "’", "\\guillemotleft": "«", "\\guillemotright": "»", "\\og": "« ", "\\fg": " »",
    "\\flqq": "«", "\\frqq": "»", "\\glqq": "„", "\\grqq": "“", "\\textunderscore": "_", "\\textdollar": "$",
    "\\copyright": "©", "\\textcopyright": "©", "\\textregistered": "®", "\\texttrademark": "™", "\\S": "§", "\\P": "¶",
    "\\dag": "†", "\\ddag": "‡", "\\pounds": "£", "\\textsterling": "£", "\\euro": "€", "\\texteuro": "€",
    "\\textdegree": "°", "\\degree": "°", "\\textpm": "±", "\\texttimes": "×", "\\textmu": "µ", "\\slash": "/",
    "\\lq": "‘", "\\rq": "’", "\\textbraceleft": "{", "\\textbraceright": "}", "\\lbrack": "[", "\\rbrack": "]",
    "\\ss": "ß", "\\ae": "æ", "\\AE": "Æ", "\\oe": "œ", "\\OE": "Œ", "\\o": "ø", "\\O": "Ø", "\\aa": "å", "\\AA": "Å",
    "\\l": "ł", "\\L": "Ł", "\\i": "ı", "\\j": "ȷ", "\\th": "þ", "\\TH": "Þ", "\\dh": "ð", "\\DH": "Ð", "\\dj": "đ",
    "\\LaTeX": "LaTeX", "\\TeX": "TeX", "\\LaTeXe": "LaTeX2ε", "\\BibTeX": "BibTeX", "\\BIBTeX": "BibTeX",
    "\\AmS": "AMS", "\\AMS": "AMS", "\\AmSLaTeX": "AMS-LaTeX", "\\AmSTeX": "AMS-TeX", "\\XeLaTeX": "XeLaTeX",
    "\\pdfTeX": "pdfTeX", "\\pdfLaTeX": "pdfLaTeX", "\\XeTeX": "XeTeX", "\\LuaTeX": "LuaTeX", "\\LuaLaTeX": "LuaLaTeX",
    "\\eTeX": "ε-TeX", "\\MF": "METAFONT", "\\KOMAScript": "KOMA-Script", "\\METAFONT": "METAFONT",
    "\\METAPOST": "METAPOST",
    "\\MP": "METAPOST", "\\quad": " ", "\\qquad": " ", "\\space": " ", "\\nobreakspace": " ", "\\thinspace": " ",
    "\\enspace": " ", "\\enskip": " ", "\\hfill": " ", "\\hfil": " ", "\\hss": " ", "\\dotfill": " ", "\\tab": " ",
    "\\negthinspace": "", "\\nolinebreak": "", "\\allowbreak": "", "\\textquotesingle": "'", "\\textvisiblespace": "␣",
    "\\textasteriskcentered": "*", "\\textperiodcentered": "·", "\\textregistered ": "®", "\\checkmark": "✓",
    "\\bs": "\\", "\\@backslashchar": "\\", "\\bslash": "\\", "\\@percentchar": "%",
    "\\textlangle": "⟨", "\\textrangle": "⟩", "\\textcelsius": "°C", "\\textohm": "Ω", "\\textonehalf": "½",
    "\\textonequarter": "¼", "\\textthreequarters": "¾", "\\textdiv": "÷", "\\textminus": "−", "\\textrightarrow": "→",
    "\\textleftarrow": "←", "\\textuparrow": "↑", "\\textdownarrow": "↓", "\\textonesuperior": "¹",
    "\\texttwosuperior": "²", "\\textthreesuperior": "³", "\\textordfeminine": "ª", "\\textordmasculine": "º",
    "\\textsection": "§", "\\textparagraph": "¶", "\\textcent": "¢", "\\textyen": "¥", "\\textdagger": "†",
    "\\textdaggerdbl": "‡", "\\textquestiondown": "¿", "\\textexclamdown": "¡", "\\textbardbl": "‖",
    "\\textopenbullet": "◦", "\\guilsinglleft": "‹", "\\guilsinglright": "›", "\\quotedblbase": "„",
    "\\quotesinglbase": "‚", "\\textquotedbl": '"', "\\textnumero": "№", "\\textperthousand": "‰", "\\textlnot": "¬",
    "\\glq": "‚", "\\grq": "‘",
}  # fmt: skip
_DOTLESS = {"ı": "i", "ȷ": "j"}


def accented(accent: str, base: str) -> str:
    """Return a base with an accent over its first letter."""
    if not base:
        return {"\\'": "´", "\\`": "`", "\\^": "^", '\\"': "¨", "\\~": "~"}.get(accent, "")
    first = _DOTLESS.get(base[0], base[0])
    return unicodedata.normalize("NFC", first + ACCENTS[accent]) + base[1:]
