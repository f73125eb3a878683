"""Which of E5's 250,000 pieces ours keeps: those of European languages and those that it meets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from gateway.detectors._pieces import SPACE, Pieces
from training.transformer.e5 import E5

# So many of the commonest pieces of Latin letters, digits and marks.
_LATIN = 24_000
# Others if so many texts have them.
_MET = 6
_FORM = re.compile(rf"{SPACE}?[A-Za-z\u00c0-\u024f0-9\u2019!-/:-@\[-`{{-~]*")
# Single letters below this are kept: Latin, Greek, Cyrillic.
_LETTERS = 0x0530
_SPECIAL = 4


def chosen(model: E5, texts: Iterable[str]) -> list[int]:
    """Their numbers, ascending."""
    whole = Pieces(model.pieces, model.scores.tolist(), unknown=model.unknown)
    met = Counter(number for text in texts for number in set(whole.numbers(text, 400)))
    kept = {*range(_SPECIAL), *(number for number, count in met.items() if count >= _MET)}
    common = [
        i for i in np.argsort(-model.scores, kind="stable") if _FORM.fullmatch(model.pieces[i])
    ]
    kept.update(map(int, common[:_LATIN]))
    kept.update(i for i, piece in enumerate(model.pieces) if _letter(piece))
    return sorted(kept)


def reduced(model: E5, kept: Sequence[int]) -> Pieces:
    """The pieces that were kept, by their new numbers."""
    scores = [float(model.scores[i]) for i in kept]
    return Pieces([model.pieces[i] for i in kept], scores, unknown=kept.index(model.unknown))


def _letter(piece: str) -> bool:
    bare = piece.removeprefix(SPACE)
    return len(bare) == 1 and ord(bare) < _LETTERS
