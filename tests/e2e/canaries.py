"""Values that must never be found where they do not belong. None is anybody's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.upstream import Upstream


@dataclass(frozen=True)
class Canary:
    """A value and a sentence that holds it. blocked: under these policies nothing leaves."""

    name: str
    value: str
    sentence: str
    blocked: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return self.sentence.format(self.value)


BOTH = ("default", "strict")
CANARIES = (
    Canary("email", "canary.bird@mine.example.org", "Write to {} today."),
    Canary("phone", "+46 8 123 456 78", "Call me on phone {} today."),
    Canary("card", "4012 8888 8888 1881", "Take my card {} for it.", ("strict",)),
    Canary("iban", "GB82WEST12345698765432", "Pay to IBAN {} today.", ("strict",)),
    Canary("ssn", "457-55-5462", "My social security number (SSN) is {} as you know.", ("strict",)),
    Canary("aws", "AK" + "IAQ3EGUZHLWQRT2B7C", "The key is {} for now.", BOTH),
    Canary("github", "ghp" + "_16C7e42F292c6912E7710c838347Ae178B4a", "Use {} then.", BOTH),
)
BY_NAME = {canary.name: canary for canary in CANARIES}
# Large, and written before the first request.
TRIGGERS = ".hs"
SECRETS = (Upstream.credential,)


def seen(data: bytes, values: Iterable[str] = ()) -> set[str]:
    """Which of the canaries, the credential and the further values stand in these bytes.

    Numbers are found however they are grouped.
    """
    packed = re.sub(rb"[^A-Za-z0-9@]", b"", data)
    wanted = {canary.value for canary in CANARIES} | {*SECRETS, *values}
    return {
        value
        for value in wanted
        if value.encode() in data or re.sub(r"[^A-Za-z0-9@]", "", value).encode() in packed
    }


def seen_in_files(folder: Path, values: Iterable[str] = ()) -> dict[str, set[str]]:
    """By file, for all files below a folder."""
    found = {
        str(path.relative_to(folder)): seen(path.read_bytes(), values)
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != TRIGGERS
    }
    return {name: values for name, values in found.items() if values}
