"""The texts of an exchange as they are kept beside its closing entry, where policy wants that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.core.canonical import canonical
from gateway.core.exchange import Exchange, Side
from gateway.core.keeping import LEAST_FIRST, Keep, Keeping, Payload, Transcript


def transcript(keeping: Keeping, side: Side) -> Transcript | None:
    """Where the next message on this side is written down; None if nothing of it is kept."""
    if keeping.texts is Keep.NONE:
        return None
    side.transcripts.append(opened := Transcript(keeping))
    return opened


def payload(exchange: Exchange) -> Payload | None:
    """What is kept of it; None if nothing is."""
    asked, answered = exchange.request.transcripts, exchange.response.transcripts
    if not asked and not answered:
        return None
    if exchange.refusal is not None or not exchange.upstream_called:
        for each in asked:
            each.stopped = True
    document: dict[str, Any] = {"v": 1}
    for name, transcripts in (("request", asked), ("response", answered)):
        if transcripts:
            document[name] = _side(transcripts)
    retention = (*asked, *answered)[0].keeping.retention
    return Payload(exchange.concerned, retention, canonical(document).encode("ascii"))


def _side(transcripts: Sequence[Transcript]) -> dict[str, Any]:
    kept = {each.keeping.texts for each in transcripts}
    return {
        "kept": min(kept, key=LEAST_FIRST.index).value,
        "texts": [text for each in transcripts for text in each.texts()],
        "cut": any(each.cut for each in transcripts),
    }
