"""Typed contents of fields: people, firms, addresses, dates and numbers, invented in the manner of a country."""

import random as random_module
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from sources.ocr.vocabulary import BUNDLED, OWN, words
from sources.ocr.writing.traditional import in_script_of
from sources.text.languages import CHINESE, UNSPACED, locale_of

LOCALES = {
    "en": "en_US", "zh": "zh_CN", "de": "de_DE", "fr": "fr_FR", "es": "es_ES", "it": "it_IT", "pt": "pt_PT",
    "nl": "nl_NL", "sv": "sv_SE", "da": "da_DK", "nb": "no_NO", "fi": "fi_FI", "hu": "hu_HU", "pl": "pl_PL",
    "cs": "cs_CZ", "ro": "ro_RO", "tr": "tr_TR", "vi": "vi_VN", "ru": "ru_RU", "uk": "uk_UA", "bg": "bg_BG",
    "el": "el_GR", "he": "he_IL", "ar": "ar_AA", "hi": "hi_IN", "ja": "ja_JP", "ko": "ko_KR", "th": "th_TH",
    "zh-Hant": "zh_TW",
}  # fmt: skip
WHOLE_NAMES = ("zh", "zh-Hant", "ja", "ko", "ru", "uk")  # where a name is not a first and a last name
FAMILY_NAME_FIRST = ("hu",)
# Faker has no addresses of these countries: a street is named after a person, and a town likewise.
STREETS = {"tr": "{name} Sokak No: {n}", "bg": "ул. „{name}“ {n}", "ar": "شارع {name} {n}"}
TOWNS = {"tr": "{name}köy", "bg": "гр. {name}ово", "ar": "مدينة {name}"}
# Dates as they are written; Thai and Taiwanese years are counted from other years.
DATES = {
    "zh-Hant": ("{y}年{m}月{d}日", "民國{era}年{m}月{d}日", "{y}/{m}/{d}"),
    "ja": ("{y}年{m}月{d}日", "{y}年{m}月{d}日", "{y}/{m:02d}/{d:02d}"),
    "ko": ("{y}년 {m}월 {d}일", "{y}. {m}. {d}.", "{y}-{m:02d}-{d:02d}"),
    "th": ("{d} {month} {era}", "{d} {month} พ.ศ. {era}", "{d:02d}/{m:02d}/{era}"),
}
ERAS = {"th": 543, "zh-Hant": -1911}  # years after 0 of our era
TELEPHONES = {
    "zh-Hant": ("09##-###-###", "02-2###-####", "(04) 2###-####"),
    "ja": ("090-####-####", "03-####-####", "0##-###-####"),
    "ko": ("010-####-####", "02-###-####", "051-###-####"),
    "th": ("08#-###-####", "02-###-####", "09#-###-####"),
}
CURRENCIES = {
    "en": ("$", "€", "£"), "zh": ("¥",), "zh-Hant": ("NT$",), "ja": ("¥",), "ko": ("₩",), "th": ("฿",),
}  # fmt: skip
WHOLE_AMOUNTS = ("zh-Hant", "ja", "ko")  # whose amounts have no decimals
COUNTRIES = (
    "AT", "BR", "GB", "CA", "CL", "CN", "DK", "NL", "EG", "FI", "FR", "DE", "GR", "IN", "IE", "IT", "JP", "KE",
    "KR", "MX", "NO", "PL", "PT", "ES", "SE", "CH", "TH", "TR", "VN",
)  # fmt: skip
PAST = (date(1955, 1, 1), date(2026, 11, 30))
BIRTHS = (date(1931, 1, 1), date(2008, 12, 31))
RECENT = (date(2018, 1, 1), date(2026, 12, 31))


@lru_cache(maxsize=32)
def _faker(language: str) -> Any:
    from faker import Factory  # an optional dependency

    providers = ("address", "company", "job", "person")
    return Factory.create(LOCALES[language], [f"faker.providers.{name}" for name in providers], None)


@lru_cache(maxsize=256)
def _country(language: str, code: str) -> str:
    from babel import Locale  # an optional dependency

    return str(Locale.parse(locale_of(language)).territories[code])


class Fields:
    """Makes contents of fields in a language with the random generator of a sample."""

    def __init__(self, language: str, random: random_module.Random):
        self.language = language
        self.random = random

    def _make(self, kind: str) -> str:
        faker = _faker(self.language)
        faker.random = self.random
        return " ".join(str(getattr(faker, kind)()).replace("\n", ", ").split())

    def person(self) -> str:
        """Return the name of a person."""
        if self.language in WHOLE_NAMES:
            return self._make("name")
        first, last = self._make("first_name"), self._make("last_name")
        return f"{last} {first}" if self.language in FAMILY_NAME_FIRST else f"{first} {last}"

    def people(self, count: int) -> list[str]:
        """Return different names."""
        found: dict[str, None] = {}
        while len(found) < count:
            found[self.person()] = None
        return list(found)

    def company(self) -> str:
        """Return the name of a firm."""
        return self._make("company")

    def street(self) -> str:
        """Return a street with its number."""
        if self.language in STREETS:
            return STREETS[self.language].format(name=self._make("last_name"), n=self.random.randint(1, 180))
        if self.language == "zh":
            return f"{self._make('street_name')}{self.random.randint(1, 680)}号"
        if self.language == "ja":
            return "".join(self._make(part) for part in ("town", "chome", "ban", "gou"))
        if self.language == "ko":
            return f"{self._make('street_name')}로 {self.random.randint(1, 480)}"
        return self._make("street_address").rstrip(" ,")

    def town(self) -> str:
        """Return a town."""
        if self.language in TOWNS:
            return TOWNS[self.language].format(name=self._make("last_name"))
        return self._make("city")

    def address(self) -> str:
        """Return a street and a town in one line."""
        if self.language == "ko":
            return f"{self.town()} {self.street()}"
        return f"{self.town()}{self.street()}" if self.language in UNSPACED else f"{self.street()}, {self.town()}"

    def job(self) -> str:
        """Return an occupation."""
        return self._make("job")

    def postcode(self) -> str:
        """Return a postal code."""
        return self._make("postcode")

    def date(self, bounds: tuple[date, date] = PAST) -> str:
        """Return a date as it is written in the language, in one of several forms."""
        from babel.dates import format_date  # an optional dependency

        first, last = bounds
        day = first + timedelta(days=self.random.randrange((last - first).days + 1))
        if self.language == "zh":
            return self.random.choice((f"{day.year}年{day.month}月{day.day}日", day.isoformat()))
        if self.language == "en":
            name = format_date(day, "MMMM", locale="en")
            forms = (
                f"{day.day} {name} {day.year}",
                f"{name} {day.day}, {day.year}",
                day.isoformat(),
                f"{day:%d.%m.%Y}",
            )
            return self.random.choice(forms)
        if self.language in DATES:
            era = ERAS.get(self.language, 0)
            month = str(format_date(day, "MMMM", locale=locale_of(self.language)))
            form = self.random.choice(DATES[self.language])
            return form.format(y=day.year, era=day.year + era, m=day.month, d=day.day, month=month)
        form = self.random.choice(("long", "long", "medium", "short"))
        return "".join(sign for sign in str(format_date(day, form, locale=self.language)) if sign.isprintable())

    def birthday(self) -> str:
        return self.date(BIRTHS)

    def recent_date(self) -> str:
        return self.date(RECENT)

    def email(self) -> str:
        """Return an e-mail address in a domain that is reserved for examples."""
        name = "".join(
            self.random.choice(("ka", "lo", "mi", "ne", "ru", "sa", "te", "vo", "bel", "dor")) for _ in range(3)
        )
        number, end = self.random.randint(1, 99), self.random.choice(("org", "com", "net"))
        return f"{name}{self.random.choice(('', '.', '_'))}{number}@example.{end}"

    def telephone(self) -> str:
        """Return a telephone number."""
        if self.language == "zh":
            mobile = f"1{self.random.choice('3578')}{self._digits(9)}"
            return self.random.choice((mobile, f"0{self._digits(2)}-{self.random.randint(2, 8)}{self._digits(7)}"))
        if self.language in TELEPHONES:
            form = self.random.choice(TELEPHONES[self.language])
            return "".join(self.random.choice("0123456789") if sign == "#" else sign for sign in form)
        groups = ((3, 4, 4), (2, 3, 4), (4, 6), (3, 3, 2, 2))
        return " ".join(self._digits(length) for length in self.random.choice(groups))

    def _digits(self, count: int) -> str:
        return "".join(self.random.choices("0123456789", k=count))

    def _one_of(self, english: tuple[str, ...], chinese: tuple[str, ...], own: str = "") -> str:
        """Return a word of a list; `own` names the list of a language with a file of words."""
        if own and self.language in OWN:
            return self.random.choice(words(own, self.language))
        if self.language in CHINESE:
            return in_script_of(self.language, self.random.choice(chinese))
        return self.random.choice(english)

    def nationality(self) -> str:
        """Return a nationality or a country."""
        if self.language in OWN:
            return _country(self.language, self.random.choice(COUNTRIES))
        return self._one_of(
            ("Austrian", "Brazilian", "British", "Canadian", "Chilean", "Chinese", "Danish", "Dutch", "Egyptian",
             "Finnish", "French", "German", "Greek", "Indian", "Irish",
             "Italian", "Japanese", "Kenyan", "Korean", "Mexican",
             "Norwegian",
             "Polish", "Portuguese", "Spanish", "Swedish", "Swiss", "Thai",
             "Turkish", "Vietnamese"),
            ("中国", "日本", "韩国", "泰国", "越南", "印度", "法国", "德国", "英国", "意大利", "西班牙", "巴西",
             "加拿大", "埃及", "新加坡"),
        )  # fmt: skip

    def passport(self) -> str:
        return f"{self.random.choice('ABCDEFGHKLMPRT')}{self._digits(8)}"

    def count(self) -> str:
        return str(self.random.randint(1, 9))

    def reason(self) -> str:
        """Return a reason for a visit or an application."""
        return self._one_of(
            ("Business meeting", "Family visit", "Holiday", "Delivery", "Maintenance", "Job interview",
             "Medical appointment",
             "School trip", "Research", "Change of employer", "Moving house", "Training course", "Inspection",
             "Repair"),
            ("商务洽谈", "探亲", "旅游", "送货", "设备维修", "面试", "看病", "参观学习", "课题调研",
             "工作调动", "搬家", "培训", "检查", "咨询"),
            "reasons",
        )  # fmt: skip

    def gender(self) -> str:
        return self._one_of(("female", "male"), ("女", "男"), "genders")

    def degree(self) -> str:
        return self._one_of(
            ("Secondary school", "Vocational training", "Bachelor", "Master", "Doctorate"),
            ("高中", "中专", "大专", "本科", "硕士", "博士"),
            "degrees",
        )

    def department(self) -> str:
        return self._one_of(
            (
                "Accounts",
                "Purchasing",
                "Sales",
                "Production",
                "Personnel",
                "Logistics",
                "Laboratory",
                "Customer service",
                "IT",
            ),
            ("财务部", "采购部", "销售部", "生产部", "人事部", "物流部", "实验室", "客户服务部", "信息中心"),
            "departments",
        )

    def room(self) -> str:
        return f"{self._one_of(('', 'A', 'B', 'C'), ('', '甲', '乙'))}{self.random.randint(1, 9)}{self._digits(2)}"

    def time(self) -> str:
        return f"{self.random.randint(7, 20):02d}:{self.random.choice(('00', '15', '30', '45'))}"

    def amount(self) -> str:
        sign, whole = self.random.choice(CURRENCIES.get(self.language, CURRENCIES["en"])), self.random.randint(20, 9800)
        if self.language in WHOLE_AMOUNTS:
            return f"{sign}{whole * 100:,}"
        return f"{sign}{whole:,}.{self.random.choice(('00', '50', '80'))}"

    def height(self) -> str:
        return f"{self.random.randint(148, 198)} cm"

    def blood(self) -> str:
        return self.random.choice(("A", "B", "AB", "O" if self.language in BUNDLED[1:] else "0"))

    def plate(self) -> str:
        """Return the number plate of a vehicle."""
        letters = "".join(self.random.choices("ABCDEFGHKLMNPRST", k=2))
        if self.language == "zh":
            return f"{self.random.choice('京沪津渝冀豫云辽黑湘皖鲁')}{letters[0]}{self._digits(5)}"
        if self.language == "ja":
            return (
                f"{self._digits(3)} {self.random.choice('さすせそたちつてとなに')} {self._digits(2)}-{self._digits(2)}"
            )
        if self.language == "ko":
            return f"{self._digits(2)}{self.random.choice('가나다라마거너더러머')} {self._digits(4)}"
        if self.language == "th":
            return f"{''.join(self.random.choices('กขคงจชฐฎ', k=2))} {self._digits(4)}"
        return f"{letters}-{self._digits(4)}"

    def empty(self) -> str:
        return ""

    def entry(self, kind: str) -> str:
        """Return the content of a field of a type of `FIELD_TYPES`."""
        return FIELD_TYPES[kind](self)


FIELD_TYPES: Mapping[str, Callable[[Fields], str]] = {
    name: getattr(Fields, name)
    for name in (
        "address", "amount", "birthday", "blood", "company", "count", "degree", "department", "email", "empty",
        "gender",
        "height", "job", "nationality", "passport", "person", "plate", "postcode", "reason", "recent_date", "room",
        "street",
        "telephone", "time", "town",
    )
}  # fmt: skip
