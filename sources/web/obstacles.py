"""Obstacles: signs that a page does not show its real content, each from 0 (none) to 1 (certain).

The signs are stored with every sample; the filter `filters/page_obstacles.py` rejects by its thresholds. The phrases of
eighteen languages are in `obstacle_words.yaml`.
"""

import re
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from sources.config_file import load_data
from sources.web.capture import PageContent

SIGNS = (
    "soft_404",
    "consent_wall",
    "login_wall",
    "captcha",
    "parked",
    "paywall",
    "loading",
    "unstyled",
    "broken_pictures",
)
_LONELY_NUMBER = re.compile(r"\W*(404|410)\W*")
_LOGIN = re.compile(
    r"\b(log ?in|sign ?in|password|anmelden|members only|subscribers? only)\b|登录|登入|密码", re.IGNORECASE
)
_CAPTCHA_TEXT = re.compile(
    r"not a robot|verify (that )?you are (a )?human|unusual traffic|checking your browser|just a moment\.\.\.|captcha|"
    r"enable javascript and cookies to continue|验证码|人机验证",
    re.IGNORECASE,
)
_CAPTCHA_FRAMES = ("challenges.cloudflare.com", "hcaptcha.com", "geo.captcha-delivery.com", "recaptcha/api2/bframe")
_PARKED = re.compile(
    r"domain (name )?(is|may be) (for sale|available)|buy this domain|domain (is|has been) (parked|registered|expired)|"
    r"parked (free|domain)|related searches|sedoparking|hugedomains|域名出售|该域名",
    re.IGNORECASE,
)
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
SHORT_CHARS = 600  # pages without real content are shorter
BARE_CHARS = 60  # a page that only says that it is loading is shorter


def signs_of(content: PageContent, final_url: str) -> dict[str, float]:
    """Return the strength of every sign in `SIGNS` on a page."""
    text = " ".join(content.texts)
    is_short = len(text) < SHORT_CHARS
    heads = [content.title, *(e.name for e in content.elements if e.role == "heading")]
    head = " ".join(heads)
    facts = content.facts
    overlay, overlay_text = float(facts["overlay_share"]), str(facts["overlay_text"])
    buttons = " ".join(e.name for e in content.elements if e.role in ("button", "link"))
    host = urlsplit(final_url).netloc
    frames = [frame for frame in facts["frame_hosts"] if not frame.startswith(host)]
    consent, agree, paywall, not_found = map(phrases, ("consent", "agree", "paywall", "not_found"))
    asks_consent = consent.search(overlay_text) and agree.search(overlay_text)
    whole_consent = is_short and consent.search(head) and agree.search(buttons)
    has_password = facts["num_passwords"] > 0
    asks_payment = paywall.search(text) or paywall.search(overlay_text)
    says_missing = any(_LONELY_NUMBER.fullmatch(each) or not_found.search(each) for each in heads)
    says_loading = len(text) < BARE_CHARS and phrases("loading").search(text)
    return {
        "soft_404": _sign(says_missing, 0.9 if is_short else 0.3) or _sign(is_short and not_found.search(text), 0.6),
        "consent_wall": _sign(asks_consent, min(1.0, 2 * overlay)) or _sign(whole_consent, 0.7),
        "login_wall": _sign(has_password, 0.9 if is_short else 0.3) or _sign(is_short and _LOGIN.search(head), 0.6),
        "captcha": _sign(any(sign in frame for frame in frames for sign in _CAPTCHA_FRAMES), 0.9 if is_short else 0.3)
        or _sign(is_short and _CAPTCHA_TEXT.search(f"{head} {text}"), 0.8),
        "parked": _sign(_PARKED.search(f"{head} {text}"), 0.8 if is_short else 0.2),
        "paywall": _sign(asks_payment, 0.9 if facts["is_paid"] or overlay > 0.3 else 0.6 if is_short else 0.3),
        "loading": _sign(says_loading, 0.9) or _sign("loading" in content.flags, 0.8 if is_short else 0.3),
        "unstyled": _share(facts["num_failed_styles"], facts["num_styles"]),
        "broken_pictures": _share(facts["num_broken_pictures"], facts["num_pictures"]),
    }


@cache
def phrases(kind: str) -> re.Pattern[str]:
    """Return an expression for the phrases of a kind in all languages."""
    by_language: dict[str, list[str]] = load_data(Path(__file__).with_name("obstacle_words.yaml"))[kind]
    found = [phrase for phrases in by_language.values() for phrase in phrases]
    return re.compile(
        "|".join(
            phrase if _UNSPACED.search(phrase) else rf"(?<![\w.,])(?:{phrase})(?![\w]|[.,]\d)" for phrase in found
        ),
        re.IGNORECASE,
    )


def _sign(is_there: object, strength: float) -> float:
    return strength if is_there else 0.0


def _share(number: int, whole: int) -> float:
    return number / whole if whole else 0.0
