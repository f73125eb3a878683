"""From what a verdict says to what happens to the text.

Findings overlap: an e-mail address holds a name, a connection string holds a password.
Overlapping ones are one span, and that span is replaced as a whole, so that nothing of
any of them survives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.core.judgement import Effect
from gateway.core.message import Edit
from gateway.core.ports import Action, Vault

# Findings the pipeline raises itself, so that a rule can fire without a match: one per
# request and one per answer, over no characters.
REQUEST = "REQUEST"
ANSWER = "ANSWER"


def resolve(
    effects: Sequence[Effect],
    actions: Mapping[str, Action],
    text: str,
    vault: Vault,
    *,
    offset: int = 0,
) -> list[Edit]:
    """The edits that carry out the text-changing effects on one text, in order.

    offset: where `text` starts in the text that the findings count in. Edits count in `text`.
    Effects that change no text, or lie outside this one, make no edit. Raises KeyError for
    an action that is not in `actions`.
    """
    edits = []
    for first, last, effect in spans(effects, actions):
        start, end = max(first - offset, 0), min(last - offset, len(text))
        if start < end:
            new = actions[effect.action].replacement(text[start:end], effect, vault)
            edits.append(Edit(start, end, new))
    return edits


def spans(
    effects: Sequence[Effect], actions: Mapping[str, Action]
) -> list[tuple[int, int, Effect]]:
    """(start, end, effect) of each stretch that is replaced as a whole, in order.

    Overlapping findings are one stretch; findings that only touch are two. Its effect is
    the strictest, then the one of the longest finding, then of the highest score, then the
    first. A stream must not be cut inside a stretch.
    """
    changing = [
        e for e in effects if actions[e.action].changes_text and e.finding.start < e.finding.end
    ]
    changing.sort(key=lambda e: (e.finding.start, e.finding.end))
    found: list[tuple[int, int, Effect]] = []
    for effect in changing:
        start, end = effect.finding.start, effect.finding.end
        if found and start < found[-1][1]:
            first, last, winner = found[-1]
            winner = max(winner, effect, key=lambda e: _rank(e, actions))
            found[-1] = (first, max(last, end), winner)
        else:
            found.append((start, end, effect))
    return found


def _rank(effect: Effect, actions: Mapping[str, Action]) -> tuple[int, int, float]:
    finding = effect.finding
    return actions[effect.action].strictness, finding.end - finding.start, finding.score
