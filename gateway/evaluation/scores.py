"""What the categories of findings say about a whole text: the one place where they get meaning.

A detector joins by reporting its categories: a hazard's id in capital letters, `UNSAFE` for
one that cannot tell which, `PROMPT_INJECTION` or `JAILBREAK`. Hazards are those of our
taxonomy (`gateway.taxonomy`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from gateway import taxonomy
from gateway.core.judgement import DETECTOR_ERROR, Finding

UNSAFE, INJECTION, SECRET, VERBATIM = "unsafe", "injection", "secret", "verbatim"
# What is neither personal nor in the taxonomy, and what it speaks for.
_OTHERS = {
    taxonomy.UNSAFE.lower(): UNSAFE,
    "protected_text": VERBATIM,
    DETECTOR_ERROR.lower(): "",
}


def scores(findings: Iterable[Finding], secrets: Collection[str]) -> dict[str, float]:
    """The highest score of what speaks for each; 0 where nothing does.

    secrets: the categories that are secrets. A hazard also has the scores of its parts.
    """
    out = dict.fromkeys((UNSAFE, INJECTION, SECRET, VERBATIM, *taxonomy.load().hazards), 0.0)
    for finding in findings:
        for name in _said(finding.category, secrets):
            out[name] = max(out[name], finding.score)
    return out


def _said(category: str, secrets: Collection[str]) -> list[str]:
    """The names of all that a finding of this category speaks for."""
    if category in secrets:
        return [SECRET]
    low = category.lower()
    known = taxonomy.load()
    names: tuple[str, ...]
    if found := known.hazards.get(low):
        names = (low, found.part_of, UNSAFE if found.unsafe else "")
    elif attack := known.security.get(low):
        names = (attack.speaks_for,)
    else:
        names = (_OTHERS.get(low, ""),)
    return [name for name in names if name]


def is_personal(category: str, secrets: Collection[str]) -> bool:
    """Whether a category is one of personal data: all are that are nothing else."""
    low = category.lower()
    known = taxonomy.load()
    return not (
        category in secrets or low in known.hazards or low in known.security or low in _OTHERS
    )


def hazard(label: str) -> str:
    """The score that a data set's label is measured by."""
    for entry in taxonomy.load().hazards.values():
        if label in entry.labels:
            return entry.id
    return label
