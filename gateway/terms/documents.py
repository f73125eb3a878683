"""Whether the text of a document is still the one that was read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from gateway.terms.profile import Profile, Source

SAME, CHANGED, UNKNOWN = "same", "changed", "unknown"


@dataclass(frozen=True, slots=True)
class Compared:
    """One document. state: of SAME, CHANGED, UNKNOWN (no digest in the profile to compare with)."""

    profile: str
    title: str
    url: str
    state: str
    sha256: str


def compare(profile: Profile, data: bytes, sources: tuple[Source, ...] = ()) -> Compared:
    """Compare a text with the sources of a profile; it may be any of them.

    sources: those that it can be; all if not given.
    """
    digest = hashlib.sha256(data).hexdigest()
    able = sources or profile.sources
    known = [source for source in able if source.sha256]
    for source in known:
        if source.sha256 == digest:
            return Compared(profile.id, source.title, source.url, SAME, digest)
    first = (known or able)[0]
    return Compared(profile.id, first.title, first.url, CHANGED if known else UNKNOWN, digest)
