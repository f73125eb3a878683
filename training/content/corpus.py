"""The texts written for training the classifier of content, put together from their parts.

acts/HAZARD.txt   what must not be asked for, as verb phrases: "forge a passport"
twins/*.txt       what may: alike in words (alike.txt), or ordinary
frames/LANG.txt   what such a phrase is said in. [ask] and [answer] take either kind, so that
                  they tell nothing by themselves; in [never] nothing is asked for: refusals,
                  prevention, news, law, fiction
questions.txt     ordinary questions and tasks with slots, and what is put into them
said/HAZARD.txt   whole requests and statements; other files there hold what is harmless, and
                  groups.txt of whom it is said
pairs/*.txt       whole requests, posts and answers, the harmful beside harmless ones on the
                  same things: under `# HAZARD LANG`, `+ ` before what is harmful, `- ` before
                  what is not

A line has one column, English, or one for each of LANGUAGES between bars; a column may be
empty. No line tells how anything harmful is done.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway import taxonomy

HERE = Path(__file__).parent
LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt")
HARMLESS = ""

_SECTION = re.compile(r"\[(\w+)\]")
# How often each kind of frame is used for a phrase, by whether it is harmful.
_TIMES = {
    True: {"ask": 9, "answer": 3, "never": 6},
    False: {"ask": 7, "answer": 2, "never": 1},
}
_TIMES_ORDINARY = 16
_TIMES_PAIRED = 2
_OPENINGS = ("Hi, ", "hey ", "Hello! ", "Please answer in detail. ", "Quick question: ", "ok so ")
_ENDINGS = (" Thanks!", " thx", " Be concise.", " Answer as a list.", " Please.", " ???")


@dataclass(frozen=True, slots=True)
class Text:
    """One text for training.

    hazard: the id of what it is, or HARMLESS. family: the frame or file that it was made from,
    for leaving whole families out.
    """

    text: str
    language: str
    hazard: str
    family: str


def corpus(seed: int = 1) -> list[Text]:
    """Every text, the same for the same seed."""
    rng = random.Random(seed)
    return [*_framed(rng), *_said(rng), *_ordinary(rng), *_paired(rng)]


def lines(path: Path) -> Iterator[dict[str, str]]:
    """What each line of a file says, by language."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line:
            columns = [column.strip() for column in line.split("|")]
            yield {key: text for key, text in zip(LANGUAGES, columns, strict=False) if text}


def frames(language: str) -> dict[str, list[str]]:
    """The frames of a language by section."""
    out: dict[str, list[str]] = {}
    section = ""
    for line in (HERE / "frames" / f"{language}.txt").read_text(encoding="utf-8").splitlines():
        if match := _SECTION.fullmatch(line):
            section = match[1]
        elif line:
            out.setdefault(section, []).append(line)
    return out


def _framed(rng: random.Random) -> Iterator[Text]:
    known = {language: frames(language) for language in LANGUAGES}
    for folder in ("acts", "twins"):
        for path in sorted((HERE / folder).glob("*.txt")):
            hazard = path.stem if folder == "acts" else HARMLESS
            for line in lines(path):
                for language, act in line.items():
                    yield from _around(act, language, hazard, known[language], rng)


def _around(
    act: str, language: str, hazard: str, known: dict[str, list[str]], rng: random.Random
) -> Iterator[Text]:
    """A phrase in some frames of each section."""
    for section, times in _TIMES[bool(hazard)].items():
        kind = HARMLESS if section == "never" else hazard
        for frame in rng.sample(known[section], min(times, len(known[section]))):
            text = frame.replace("{acting}", gerund(act)).replace("{act}", act)
            yield Text(_roughened(text, rng), language, kind, f"{section}: {frame}")


def gerund(act: str) -> str:
    """An English verb phrase as what somebody is doing; right for nearly all verbs."""
    verb, space, rest = act.partition(" ")
    if re.fullmatch(r"\w*[^aeiou\W][aeiou][bdgmnprt]", verb) and len(verb) <= 4:
        verb += verb[-1]
    elif verb.endswith("ie"):
        verb = verb[:-2] + "y"
    elif verb.endswith("e") and not verb.endswith(("ee", "oe")):
        verb = verb[:-1]
    return f"{verb}ing{space}{rest}"


def _said(rng: random.Random) -> Iterator[Text]:
    groups = list(lines(HERE / "said" / "groups.txt"))
    hazards = taxonomy.load().hazards
    for path in sorted((HERE / "said").glob("*.txt")):
        if path.stem == "groups":
            continue
        hazard = path.stem if path.stem in hazards else HARMLESS
        for line in lines(path):
            for language, said in line.items():
                for text in _about(said, language, groups):
                    for _ in range(3):
                        yield Text(_roughened(text, rng), language, hazard, f"said: {said}")


def _ordinary(rng: random.Random) -> Iterator[Text]:
    """What nobody minds: facts, plans, cooking, tables."""
    slots: dict[str, list[str]] = {}
    for line in (HERE / "questions.txt").read_text(encoding="utf-8").splitlines():
        name, _, text = line.removeprefix("[").partition("] ")
        slots.setdefault(name, []).extend([text] if not name else text.split("|"))
    for frame in slots.pop(""):
        for _ in range(_TIMES_ORDINARY):
            text = re.sub(r"\{(\w+)\}", lambda slot: rng.choice(slots[slot[1]]), frame)
            yield Text(_roughened(text, rng), "en", HARMLESS, f"ordinary: {frame}")


def _paired(rng: random.Random) -> Iterator[Text]:
    """Each harmful text and the harmless ones behind it are one family."""
    for path in sorted((HERE / "pairs").glob("*.txt")):
        hazard, language, family = "", "", ""
        for line in path.read_text(encoding="utf-8").splitlines():
            mark, _, text = line.partition(" ")
            if mark == "#":
                hazard, language = text.split()
            elif mark:
                if mark == "+" or not family:
                    family = f"pair {path.stem}: {text}"
                kind = hazard if mark == "+" else HARMLESS
                for _ in range(_TIMES_PAIRED):
                    yield Text(_roughened(text, rng), language, kind, family)


def _about(said: str, language: str, groups: Sequence[dict[str, str]]) -> list[str]:
    """A statement, about each group if it is about one."""
    if "{group}" not in said:
        return [said]
    return [said.replace("{group}", group[language]) for group in groups if language in group]


def _roughened(text: str, rng: random.Random) -> str:
    """As people type: some in small letters, without marks, with slips, with a greeting."""
    if rng.random() < 0.5:
        text = text[:1].upper() + text[1:]
    draw = rng.random()
    if draw < 0.15:
        text = text.lower()
    elif draw < 0.18:
        text = text.upper()
    elif draw < 0.26:
        text = text.rstrip(".?!:")
    elif draw < 0.34:
        text = _slipped(text, rng)
    if rng.random() < 0.08:
        text = rng.choice(_OPENINGS) + text
    if rng.random() < 0.08:
        text += rng.choice(_ENDINGS)
    return text


def _slipped(text: str, rng: random.Random) -> str:
    """Two letters left out or swapped."""
    for _ in range(2):
        if len(text) > 8:
            at = rng.randrange(1, len(text) - 2)
            swapped = text[at + 1] + text[at] if rng.random() < 0.5 else text[at + 1]
            text = text[:at] + swapped + text[at + 2 :]
    return text
