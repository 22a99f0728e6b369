"""Obstacles: signs that a page does not show its real content, each from 0 (none) to 1 (certain).

The signs are stored with every sample; the filter `filters/page_obstacles.py` rejects by its thresholds.
"""

import re
from urllib.parse import urlsplit

from sources.web.capture import PageContent

SIGNS = ("soft_404", "consent_wall", "login_wall", "captcha", "parked")
_NOT_FOUND = re.compile(
    r"\b(404|410)\b|not found|no longer (available|exists?)|(page|file|site) (does ?n[o']t|cannot be|could ?n[o']t be) "
    r"?(found|exist)|nothing (was )?found|页面不存在|找不到|未找到|已删除|无法找到",
    re.IGNORECASE,
)
_CONSENT = re.compile(
    r"cookie|consent|gdpr|privacy (choices|settings|policy)|we value your privacy|einwilligung|datenschutz|同意|隐私",
    re.IGNORECASE,
)
_AGREE = re.compile(
    r"\b(accept|agree|allow|consent|got it|reject|decline|manage|akzeptieren|zustimmen)\b|同意|接受|拒绝", re.IGNORECASE
)
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
SHORT_CHARS = 600  # pages without real content are shorter


def signs_of(seen: PageContent, final_url: str) -> dict[str, float]:
    """Return the strength of every sign in `SIGNS` on a page."""
    text = " ".join(seen.texts)
    is_short = len(text) < SHORT_CHARS
    heads = " ".join([seen.title, *(e.name for e in seen.elements if e.role == "heading")])
    overlay, overlay_text = float(seen.facts["overlay_share"]), str(seen.facts["overlay_text"])
    buttons = " ".join(e.name for e in seen.elements if e.role in ("button", "link"))
    host = urlsplit(final_url).netloc
    frames = [frame for frame in seen.facts["frame_hosts"] if not frame.startswith(host)]
    asks_consent = _CONSENT.search(overlay_text) and _AGREE.search(overlay_text)
    whole_consent = is_short and _CONSENT.search(heads) and _AGREE.search(buttons)
    has_password = seen.facts["num_passwords"] > 0
    return {
        "soft_404": _sign(_NOT_FOUND.search(heads), 0.9 if is_short else 0.3)
        or _sign(is_short and _NOT_FOUND.search(text), 0.6),
        "consent_wall": _sign(asks_consent, min(1.0, 2 * overlay)) or _sign(whole_consent, 0.7),
        "login_wall": _sign(has_password, 0.9 if is_short else 0.3) or _sign(is_short and _LOGIN.search(heads), 0.6),
        "captcha": _sign(any(sign in frame for frame in frames for sign in _CAPTCHA_FRAMES), 0.9 if is_short else 0.3)
        or _sign(is_short and _CAPTCHA_TEXT.search(f"{heads} {text}"), 0.8),
        "parked": _sign(_PARKED.search(f"{heads} {text}"), 0.8 if is_short else 0.2),
    }


def _sign(is_there: object, strength: float) -> float:
    return strength if is_there else 0.0
