"""Cleaning: the same text in one form, without characters that are not seen."""

import re
import unicodedata

import ftfy

_LINE_ENDS = re.compile("\r\n?|[\u0085\u2028\u2029\v\f]")
# Control characters, byte order marks inside the text, soft hyphens, and code points that are no characters.
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\ufeff\ufdd0-\ufdef\ufffe\uffff]")
_TRAILING_SPACE = re.compile(r"[^\S\n]+$", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n{3,}")
# UTF-8 that was read as Latin-1 or Windows-1252: a letter that is the first byte, then one that is the second.
_MOJIBAKE = re.compile("[\u00c2-\u00f4][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]")


def clean(text: str, *, repair: bool) -> str:
    """Return a text in Unicode's composed form (NFC), with plain line ends and at most one blank line in a row.

    Indentation stays, and so do joiners and marks of direction, which some scripts need.

    Args:
        repair: undo UTF-8 that was decoded as another encoding (`Ã©` becomes `é`), as `ftfy.fix_encoding` does.
    """
    if not text.isascii():
        # Its first letter begins with this byte; looking for that is five times as fast as searching.
        if repair and b"\xc3" in text.encode("utf-8", "surrogatepass") and _MOJIBAKE.search(text):
            text = ftfy.fix_encoding(text)
        text = unicodedata.normalize("NFC", text)
    # Most texts have nothing to remove; finding that out with string methods is five times as fast as substituting.
    if not text.replace("\n", " ").replace("\t", " ").isprintable():
        text = _UNSEEN.sub("", _LINE_ENDS.sub("\n", text))
        text = _TRAILING_SPACE.sub("", text)
    elif " \n" in text or "\t\n" in text or text.endswith((" ", "\t")):
        text = _TRAILING_SPACE.sub("", text)
    return _BLANK_LINES.sub("\n\n", text).strip("\n") if "\n\n\n" in text else text.strip("\n")
