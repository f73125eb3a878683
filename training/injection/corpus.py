"""All texts that the model learns from: written ones by family, and rows of labelled sets."""

from __future__ import annotations

import gzip
import json
import random
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path

from faker import Faker

from training.injection.documents import Planted, document, plant
from training.injection.grammar import LANGUAGES, Grammar, read
from training.injection.texts import Text

# How many texts are made of one template: English has many templates, the others few.
_TIMES = {"en": 14, "other": 16}
_TIMES_PLANTED = {"en": 26, "other": 18}
_TIMES_REPLANTED = 4
_DOCUMENTS = 900
_CAPITALS, _SMALL = 0.04, 0.08
_LOCALES = (
    "de_DE",
    "es_ES",
    "fr_FR",
    "it_IT",
    "nl_NL",
    "pt_BR",
    "en_US",
    "pl_PL",
    "ru_RU",
    "el_GR",
)
_STRANGERS = 60
_STRETCHES, _STRETCH_CHARS = 2, 1_500
# Of recorded exchanges: the members that hold what somebody said, and how long that may be.
_SAID = frozenset({"content", "text", "output", "instructions", "system"})
_SHORTEST, _LONGEST = 40, 20_000


def written(seed: int) -> Iterator[Text]:
    """What was written for this model, expanded."""
    for language in LANGUAGES:
        grammar = read(language)
        rng = random.Random(f"{seed} {language}")
        times = _TIMES.get(language, _TIMES["other"])
        prose = _prose(grammar, rng)
        yield from _alone(grammar, rng, times)
        yield from _planted(
            grammar, rng, prose, _TIMES_PLANTED.get(language, _TIMES_PLANTED["other"])
        )
        count = _DOCUMENTS if language == "en" else _DOCUMENTS // 4
        for _ in range(count):
            pieces, between = document(rng, prose)
            yield Text(between.join(pieces), "benign", "written/documents", language)


def _prose(grammar: Grammar, rng: random.Random) -> list[str]:
    """Sentences of documents; requests among people are some of them, as in life."""
    templates = [t for family in grammar.of("prose") for t in family.templates] * 8
    templates += [
        t for f in grammar.of("benign") if f.name in ("people", "manual") for t in f.templates
    ]
    return [grammar.expand(t, rng) for t in templates for _ in range(3)]


def _alone(grammar: Grammar, rng: random.Random, times: int) -> Iterator[Text]:
    for kind in ("attack", "benign"):
        for family in grammar.of(kind):
            group = f"written/{kind}/{family.name}"
            made = {
                _cased(grammar.expand(template, rng), rng)
                for template in family.templates
                for _ in range(times if kind == "attack" else times * 2)
            }
            for text in sorted(made):
                yield Text(text, kind, group, grammar.language, 0, len(text) * (kind == "attack"))


def _planted(
    grammar: Grammar, rng: random.Random, prose: Sequence[str], times: int
) -> Iterator[Text]:
    # What attacks the model directly is planted as well, if less often.
    families = [(f, times) for f in grammar.of("planted")]
    families += [(f, max(1, times // 8)) for f in grammar.of("attack")]
    for family, count in families:
        for template in family.templates:
            for _ in range(count):
                pieces, between = document(rng, prose)
                payload = _cased(grammar.expand(template, rng), rng)
                made: Planted = plant(rng, pieces, between, payload, escaped=between == "")
                group = f"written/planted/{family.name}"
                yield Text(made.text, "planted", group, grammar.language, made.start, made.end)


def _cased(text: str, rng: random.Random) -> str:
    chance = rng.random()
    if chance < _CAPITALS:
        return text.upper()
    return text.lower() if chance < _CAPITALS + _SMALL else text


def labelled(data: Path) -> Iterator[Text]:
    """Rows of the sets in the data folder whose licences allow it (docs/models.md)."""
    for row in _rows(data / "injection.jsonl"):
        attack = "planted" if "indirect" in row["kind"] else "attack"
        yield Text(row["text"], attack if row["label"] else "benign", row["source"])
    for row in _rows(data / "benign.jsonl"):
        yield Text(row["text"], "benign", row["source"])
    for name in ("pii_presidio_synth_en", "pii_chat_multilingual", "pii_meddocan_es"):
        for row in _rows(data / f"{name}.jsonl"):
            yield Text(row["text"], "benign", name)
    # What a model was asked for or said is no attack by being harmful.
    for name in ("safety_outputs_pyrit", "safety_requests_en", "safety_ailuminate_en"):
        for row in _rows(data / f"{name}.jsonl"):
            yield Text(row["text"], "benign", name)
    for text in sorted(_recorded(data / "wire")):
        yield Text(text, "benign", "wire")


def replanted(data: Path, seed: int) -> Iterator[Text]:
    """BIPIA's instructions in documents of ours: the tables that they come in are share-alike."""
    rng = random.Random(f"{seed} BIPIA")
    prose = _prose(read("en"), rng)
    rows = [row["text"] for row in _rows(data / "injection.jsonl") if row["source"] == "BIPIA"]
    for payload in sorted({_beside_table(text) for text in rows} - {""}):
        for _ in range(_TIMES_REPLANTED):
            pieces, between = document(rng, prose)
            made = plant(rng, pieces, between, payload, escaped=between == "")
            yield Text(made.text, "planted", "BIPIA tasks", "en", made.start, made.end)


def _beside_table(text: str) -> str:
    """What is planted in a text of a Markdown table; nothing if the text is another document."""
    lines = text.splitlines()
    beside = [line for line in lines if not line.lstrip().startswith("|")]
    return "\n".join(beside).strip() if len(lines) - len(beside) > 1 else ""


def code(rng: random.Random) -> Iterator[Text]:
    """Stretches of Python's standard library: code, comments and docstrings are no attacks."""
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        source = path.read_text(encoding="utf-8", errors="replace")
        for _ in range(_STRETCHES):
            start = rng.randrange(max(1, len(source) - _STRETCH_CHARS))
            yield Text(source[start : start + _STRETCH_CHARS], "benign", "python")


def strangers(seed: int) -> Iterator[Text]:
    """Harmless words of many languages in no order, so that a language is no sign of anything."""
    for locale in _LOCALES:
        fake = Faker(locale)
        fake.seed_instance(seed)
        for _ in range(_STRANGERS):
            yield Text(" ".join(fake.sentences(8)), "benign", "strangers")


def _recorded(folder: Path) -> set[str]:
    """Texts of recorded exchanges with providers: prompts, answers, tools' results."""
    found: set[str] = set()
    for path in folder.glob("*.jsonl.gz"):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                for body in (row["request"], row["response"]):
                    try:
                        found.update(_strings(json.loads(body) if isinstance(body, str) else body))
                    except ValueError:
                        continue
    return found


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str):
                if key in _SAID and _SHORTEST <= len(inner) <= _LONGEST:
                    yield inner
            else:
                yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
