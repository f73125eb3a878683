"""What is planted in prompts, and how to tell whether bytes hold it. None of it is anybody's."""

import re

EMAIL = "jane.roe@example.com"
CARD = "4111 1111 1111 1111"
# In two pieces, so that nobody who looks for secrets in source files finds one here.
SECRET = "AK" + "IAQ3EGUZHLWQRT2B7C"
PROMPT = f"Please write to {EMAIL} about the card {CARD}, it expires soon."
SECRET_PROMPT = f"Please deploy with the key {SECRET} tonight."


def holds_email(data: bytes) -> bool:
    """Whether the address, or either half of it, is in there."""
    return any(half.encode() in data.lower() for half in EMAIL.split("@"))


def holds_card(data: bytes) -> bool:
    """Whether the card's digits are in there, whatever stands between them."""
    return re.sub(r"\D", "", CARD).encode() in re.sub(rb"\D", b"", data)


def holds_secret(data: bytes) -> bool:
    """Whether the secret is in there."""
    return SECRET.encode() in data
