"""Personal data are masked, and numbers that are none stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.text import personal_data
from sources.text.personal_data import KINDS, mask

REGIONS = ("US", "CN")
# Numbers that their issuers publish as examples or for tests.
MASKED = {
    "email": [
        ("Write to jane.doe+x@mail.example.org.", "Write to [EMAIL]."),
        ("<a@b.co>,c@d.museum", "<[EMAIL]>,[EMAIL]"),
        ("联系 wang@例子.中国 。", "联系 [EMAIL] 。"),
    ],
    "phone": [
        ("Call +49 30 1234567 now", "Call [PHONE] now"),
        ("(415) 555-2671 or 415-555-2672", "[PHONE] or [PHONE]"),
        ("手机：13800138000。", "手机：[PHONE]。"),
        ("tel. +44 (0)20 7946 0958", "tel. [PHONE]"),
    ],
    "card": [
        ("4111 1111 1111 1111", "[CARD]"),
        ("card 5555-5555-5555-4444, valid", "card [CARD], valid"),
        ("378282246310005.", "[CARD]."),
    ],
    "id": [
        ("IBAN DE89 3704 0044 0532 0130 00", "IBAN [ID]"),
        ("GB82WEST12345698765432", "[ID]"),
        ("SSN 219-09-9999", "SSN [ID]"),
        ("身份证 11010519491231002X。", "身份证 [ID]。"),
    ],
}
KEPT = [
    "On 2024-05-06 at 12:30:15, 1,234,567 people paid 12.50 to 19.99.",
    "ISBN 978-3-16-148410-0, arXiv:2403.05525v2, 10.1038/nphys1170",
    "pi = 3.14159265358979323846, e = 2.718281828459045",
    "4111 1111 1111 1112 has a wrong check digit",
    "110105194912310021 has a wrong check character",
    "192.168.100.200 and fe80::1, version 10.15.7",
    "a @ b, user@localhost, @handle, x@y",
    "0000 0000 0000 0000",
    "4294967295 and 12345678901",
    "LLVM 14 (12-20220428-1)",
    "2022-09-20  17:34:11 and 20.09.2022 17",
    "lines 1000000 - 2000000, 1990-2000 1991-2001",
    "GB83WEST12345698765432",
]


@pytest.mark.parametrize(("kind", "text", "expected"), [(k, *pair) for k, pairs in MASKED.items() for pair in pairs])
def test_personal_data_are_masked_and_counted(kind: str, text: str, expected: str) -> None:
    masked, counts = mask(text, KINDS, REGIONS)
    assert masked == expected
    assert counts == {**dict.fromkeys(KINDS, 0), kind: expected.count("[")}
    assert (
        mask(text, [other for other in KINDS if other != kind and kind not in ("card", "id")], REGIONS)[1].get(kind)
        is None
    )


@pytest.mark.parametrize("text", KEPT)
def test_other_numbers_stay(text: str) -> None:
    assert mask(text, KINDS, REGIONS) == (text, dict.fromkeys(KINDS, 0))


def test_national_numbers_are_found_only_in_their_regions() -> None:
    assert mask("13800138000", KINDS, ())[0] == "13800138000"
    assert mask("13800138000", KINDS, ("CN",))[0] == "[PHONE]"


@given(st.text(alphabet="0123456789 -.()\n_aé–１٣年/", max_size=30))
def test_bytes_tell_as_searching_does_whether_digits_are_close_together(text: str) -> None:
    assert personal_data._has_digits(text) == (personal_data._DIGITS.search(text) is not None)
