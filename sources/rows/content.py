"""The written content of a row: a text, or a conversation, cleaned; with its licence and address."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sources.base.sample import Message, Provenance
from sources.base.source import ItemError
from sources.rows.columns import Columns
from sources.rows.conversation import messages_of
from sources.text.cleaning import clean

MAX_URL_CHARS = 2000
MAX_LICENSE_CHARS = 100


def provenance_of(row: Mapping[str, Any], columns: Columns, *, digest: str, locator: str) -> Provenance:
    """Return the provenance of a row; its address and licence count if they look like ones."""
    url, license_name = columns.value(row, "url"), columns.value(row, "license")
    is_url = isinstance(url, str) and url.startswith(("http://", "https://")) and len(url) <= MAX_URL_CHARS
    is_license = isinstance(license_name, str) and 0 < len(license_name.strip()) <= MAX_LICENSE_CHARS
    return Provenance(
        locator=locator,
        digest=digest,
        uri=url if is_url and url.isprintable() else "",
        license=license_name.strip() if is_license else None,
    )


def content_of(
    row: Mapping[str, Any], columns: Columns, *, repair: bool, is_clean: bool = False
) -> str | list[Message]:
    """Return the text or the conversation of a row.

    Args:
        repair: as in `clean`.
        is_clean: texts are taken as they are.
    Raises:
        ItemError: it has none.
    """
    if "text" in columns.found:
        return cleaned(columns.value(row, "text"), repair=repair, is_clean=is_clean)
    if "messages" in columns.found:
        turns = messages_of(columns.value(row, "messages"))
    else:
        asked = [columns.value(row, "question"), *filter(None, [columns.value(row, "context")])]
        question = {"role": "user", "content": "\n\n".join(map(text_of, asked))}
        turns = messages_of([question, {"role": "assistant", "content": text_of(columns.value(row, "answer"))}])
    return [Message(role=turn.role, content=cleaned(turn.content, repair=repair, is_clean=is_clean)) for turn in turns]


def cleaned(value: Any, *, repair: bool, is_clean: bool = False) -> str:
    """Return a clean text. Raises ItemError if the value is none."""
    text = text_of(value) if is_clean else clean(text_of(value), repair=repair)
    if not text.strip():
        raise ItemError("no_text", "the text is empty")
    try:
        text.encode()
    except UnicodeEncodeError as error:  # JSON can express half a surrogate pair
        raise ItemError("not_unicode", "the text has half a surrogate pair, which is no character") from error
    return text


def text_of(value: Any) -> str:
    """Return the text in a column. Of several answers to one question it is the most frequent, else the first one."""
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        value = Counter(value).most_common(1)[0][0]
    if value is None or value == []:
        raise ItemError("no_text", "the row has no text")
    if not isinstance(value, str):
        raise ItemError("not_text", f"the column holds a {type(value).__name__}, expected a text")
    return value
