"""What the categories of findings say about a whole text: the one place where they get meaning.

A detector joins by reporting its categories: a hazard's id in capital letters, `UNSAFE` for
one that cannot tell which, `PROMPT_INJECTION` or `JAILBREAK`. Hazards are those of our
taxonomy, after MLCommons' AILuminate 1.0 and Llama Guard's codes with finer ones of our own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from gateway.core.judgement import DETECTOR_ERROR, Finding

# Each with the hazard that it is a part of; empty for none.
HAZARDS: Mapping[str, str] = {
    "violent_crimes": "",
    "graphic_violence": "",
    "nonviolent_crimes": "",
    "fraud_deception": "nonviolent_crimes",
    "controlled_substances": "nonviolent_crimes",
    "conventional_weapons": "nonviolent_crimes",
    "cyber_malware": "nonviolent_crimes",
    "sex_crimes": "",
    "ncii": "sex_crimes",
    "child_sexual_exploitation": "",
    "defamation": "",
    "specialized_advice": "",
    "specialized_advice_medical": "specialized_advice",
    "specialized_advice_legal": "specialized_advice",
    "specialized_advice_financial": "specialized_advice",
    "high_stakes_automation": "",
    "privacy_violation": "",
    "intellectual_property": "",
    "weapons_cbrne": "",
    "hate": "",
    "harassment": "",
    "self_harm": "",
    "self_harm_instructions": "self_harm",
    "self_harm_intent": "self_harm",
    "sexual_content": "",
    "elections": "",
    "misinformation": "",
    "manipulation": "",
    "profanity": "",
    "immoral": "",
    "needs_caution": "",
    "minors_age_inappropriate": "",
    "biometric_emotion_inference": "",
    "code_interpreter_abuse": "",
}
# Worth a note or a disclosure; by themselves they do not make a text unsafe.
NOT_UNSAFE = frozenset(
    {
        "specialized_advice",
        "specialized_advice_medical",
        "specialized_advice_legal",
        "specialized_advice_financial",
        "high_stakes_automation",
        "elections",
        "profanity",
        "immoral",
        "needs_caution",
    }
)
UNSAFE, INJECTION, SECRET, VERBATIM = "unsafe", "injection", "secret", "verbatim"
# What speaks for each of these, besides hazards.
_SAID_BY: Mapping[str, frozenset[str]] = {
    UNSAFE: frozenset({"unsafe"}),
    INJECTION: frozenset(
        {
            "prompt_injection",
            "prompt_injection_direct",
            "prompt_injection_indirect",
            "jailbreak",
        }
    ),
    VERBATIM: frozenset({"protected_text"}),
}
_NOT_PERSONAL = frozenset(HAZARDS).union(*_SAID_BY.values()) | {DETECTOR_ERROR.lower()}

# Names that data sets have for hazards of ours.
_LABELS: Mapping[str, str] = {
    "copyright": "intellectual_property",
    "cyber": "cyber_malware",
    "hate_threatening": "hate",
    "illegal": "nonviolent_crimes",
    "offensive": "profanity",
    "privacy": "privacy_violation",
    "sexual": "sexual_content",
    "sexual_crime": "sex_crimes",
    "sexual_minors": "child_sexual_exploitation",
    "specialised_advice": "specialized_advice",
    "violence": "violent_crimes",
    "violence_graphic": "graphic_violence",
    "weapons": "weapons_cbrne",
}


def scores(findings: Iterable[Finding], secrets: Collection[str]) -> dict[str, float]:
    """The highest score of what speaks for each; 0 where nothing does.

    secrets: the categories that are secrets. A hazard also has the scores of its parts.
    """
    out = {UNSAFE: 0.0, INJECTION: 0.0, SECRET: 0.0, VERBATIM: 0.0, **dict.fromkeys(HAZARDS, 0.0)}
    for finding in findings:
        for name in _said(finding.category, secrets):
            out[name] = max(out[name], finding.score)
    return out


def _said(category: str, secrets: Collection[str]) -> list[str]:
    """The names of all that a finding of this category speaks for."""
    if category in secrets:
        return [SECRET]
    low = category.lower()
    names = [name for name, categories in _SAID_BY.items() if low in categories]
    if low in HAZARDS:
        names += [low, HAZARDS[low]] if HAZARDS[low] else [low]
        if low not in NOT_UNSAFE:
            names.append(UNSAFE)
    return names


def is_personal(category: str, secrets: Collection[str]) -> bool:
    """Whether a category is one of personal data: all are that are nothing else."""
    return category not in secrets and category.lower() not in _NOT_PERSONAL


def hazard(label: str) -> str:
    """The score that a data set's label is measured by."""
    return _LABELS.get(label, label)
