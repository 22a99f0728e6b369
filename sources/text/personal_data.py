"""Personal data in texts: e-mail addresses, telephone, card and id numbers are found and masked.

Telephone numbers are found by `phonenumbers`, the Python version of Google's libphonenumber, which knows the numbering
plans of all countries. The other kinds have check digits or a strict form, so that most other numbers are left alone.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import phonenumbers
from phonenumbers import Leniency, PhoneNumberMatcher

MASKS: Mapping[str, str] = {"email": "[EMAIL]", "card": "[CARD]", "id": "[ID]", "phone": "[PHONE]"}
KINDS = tuple(MASKS)

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,24}(?![\w@])")
_CARD = re.compile(
    r"[2-6](?<![\w.,-].)\d{3}(?:[ -]?\d{4}){2}[ -]?\d{1,7}(?![\w-]|[.,]\d)"
    r"|3(?<![\w-].)[47]\d{2}[ -]?\d{6}[ -]?\d{5}(?![\w-])"
)
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z\d]{4}){2,7}(?: ?[A-Z\d]{1,3})?(?!\w)")
_SSN = re.compile(r"(?<![\w-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")  # social security, USA
_CHINESE_ID = re.compile(r"(?<!\w)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{3}[\dXx](?!\w)")
# What could be a telephone number: digits with single separators between them, but no date.
_NUMBER = re.compile(
    r"[+(\d](?<![\w.,/:+-].)(?!(?:19|20)?\d\d([-./])\d\d?\1\d\d)"
    r"\(?\d?(?:(?:[).\-/\u2010-\u2013]{1,2} ?| )?\(?\d){6,17}(?![\w:]|[.,]\d)"
)
MIN_DIGITS = 7  # of all kinds but e-mail, close together
_DIGIT = re.compile(r"\d")
_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
_LEFT_OUT = bytes(k for k in range(256) if not (chr(k).isalnum() and k < 128) and chr(k) not in "_\n")
_DIGITS = re.compile(rf"\d(?:[^\w\n]{{0,2}}\d){{{MIN_DIGITS - 1}}}")
_CHINESE_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999
_CHINESE_DIGITS = "10X98765432"


def mask(text: str, kinds: Sequence[str] = KINDS, regions: Sequence[str] = ()) -> tuple[str, Mapping[str, int]]:
    """Replace personal data by a word that names its kind, such as `[EMAIL]`.

    Args:
        kinds: some of `KINDS`.
        regions: ISO 3166 codes of countries whose telephone numbers are found without the country's prefix too.
    Returns:
        The text, and the number of places that were masked of each kind.
    """
    counts = dict.fromkeys(kinds, 0)
    if "email" in kinds and "@" in text:
        text = _EMAIL.sub(partial(_masked, kind="email", counts=counts), text)
    if not _has_digits(text):
        return text, counts
    if "card" in kinds:
        text = _CARD.sub(partial(_masked, kind="card", counts=counts, is_one=is_card), text)
    if "id" in kinds:
        for pattern, is_one in ((_IBAN, is_iban), (_CHINESE_ID, is_chinese_id), (_SSN, None)):
            text = pattern.sub(partial(_masked, kind="id", counts=counts, is_one=is_one), text)
    if "phone" in kinds:
        text = _NUMBER.sub(lambda found: _without_phones(found[0], regions, counts), text)
    return text, counts


def _masked(
    found: re.Match[str], kind: str, counts: dict[str, int], is_one: Callable[[str], bool] | None = None
) -> str:
    if is_one is not None and not is_one(found[0]):
        return found[0]
    counts[kind] += 1
    return MASKS[kind]


def _has_digits(text: str) -> bool:
    """Return True if digits are close enough together for a number of any kind.

    Bytes are looked at first, with everything but letters and digits of ASCII left out: searching takes ten times as
    long, and most texts have no such number.
    """
    data = text.encode("utf-8", "surrogatepass")
    if b"0" * MIN_DIGITS not in data.translate(_ZEROS, _LEFT_OUT):
        others = "" if text.isascii() else data.translate(None, bytes(range(128))).decode("utf-8", "surrogatepass")
        if not _DIGIT.search(others):
            return False
    return _DIGITS.search(text) is not None


def is_card(number: str) -> bool:
    """Return True if a number has the length and the check digit of a payment card (ISO/IEC 7812)."""
    digits = [int(digit) for digit in number if digit.isdigit()]
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_iban(number: str) -> bool:
    """Return True if the check digits of a bank account's number are right (ISO 13616)."""
    compact = number.replace(" ", "")
    return 15 <= len(compact) <= 34 and int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


def is_chinese_id(number: str) -> bool:
    """Return True if the check character of a Chinese resident identity number is right (GB 11643-1999)."""
    total = sum(int(digit) * weight for digit, weight in zip(number, _CHINESE_WEIGHTS, strict=False))
    return _CHINESE_DIGITS[total % 11] == number[-1].upper()


def check_regions(regions: Sequence[str]) -> None:
    """Raise ValueError if a region is not known."""
    for region in regions:
        if region not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError(f"phone_regions has an unknown region {region!r}; expected ISO 3166 codes such as US")


def _without_phones(number: str, regions: Sequence[str], counts: dict[str, int]) -> str:
    """Return a piece of text that consists of digits and signs, with its telephone numbers masked."""
    for region in (None, *regions) if "+" not in number else (None,):
        found_here = PhoneNumberMatcher(number, region, Leniency.STRICT_GROUPING)
        places = [(found.start, found.end) for found in found_here if _is_written_as_phone(found, region)]
        if places:
            for first, end in reversed(places):
                number = number[:first] + MASKS["phone"] + number[end:]
            counts["phone"] += len(places)
            return number
    return number


def _is_written_as_phone(found: phonenumbers.PhoneNumberMatch, region: str | None) -> bool:
    """Return False for bare digits that only might be a number of a fixed line: they are mostly other numbers."""
    if region is None or not found.raw_string.isdigit():
        return True
    return phonenumbers.number_type(found.number) == phonenumbers.PhoneNumberType.MOBILE
