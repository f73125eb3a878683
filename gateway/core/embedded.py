"""Text that is carried as base64 inside a string: in a data URL, or beside its type."""

from __future__ import annotations

import base64
import binascii
import re

# What follows "!" in the path of such a text (see `Part.path`).
BASE64 = "base64"
# RFC 2397.
DATA_URL = re.compile(
    r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w.+-]{1,40}=[\w.+-]{1,80}){0,4};base64,", re.IGNORECASE
)
_TEXT_TYPE = re.compile(
    r"text/.+|application/(?:.+\+)?(?:json|xml|yaml|x-yaml|toml|csv|sql|rtf|x-ndjson|jsonl|"
    r"javascript|x-javascript|typescript|x-sh|x-python|graphql|x-www-form-urlencoded)",
    re.IGNORECASE,
)
_FOR_URLS = str.maketrans({"-": "+", "_": "/", "\r": None, "\n": None})


def is_text(media_type: str) -> bool:
    """Whether content of this media type is text."""
    return _TEXT_TYPE.fullmatch(media_type) is not None


def data_text(value: str) -> str | None:
    """The text in a data URL of base64; None if it is no such URL, or its content no text."""
    url = DATA_URL.match(value) if value[:5].lower() == "data:" else None
    if url is None or not is_text(url.group(1) or "text/plain"):
        return None
    return decoded(value)


def decoded(value: str) -> str | None:
    """The text of a string that ends in base64, read as kindly as others read it.

    None if that is not base64, or not of UTF-8; UTF-16 would pass for it but for its zeros.
    """
    content = value[_start(value) :].translate(_FOR_URLS).rstrip("=")
    try:
        data = base64.b64decode(content + "=" * (-len(content) % 4), validate=True)
        return None if b"\0" in data else data.decode("utf-8")
    except (binascii.Error, ValueError):
        return None


def encoded(value: str, text: str) -> tuple[int, str]:
    """What has to stand in such a string, from where on, so that it holds this text."""
    return _start(value), base64.b64encode(text.encode("utf-8")).decode("ascii")


def _start(value: str) -> int:
    url = DATA_URL.match(value)
    return url.end() if url else 0
