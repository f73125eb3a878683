"""Personal data: what was found, what was missed, what leaks, and what is seen in clean texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from gateway.evaluation.datasets import Row, Schema, Span
from gateway.evaluation.entities import Entity, counted, groups, merged
from gateway.evaluation.matching import ByType, leaks, overlap, strict
from gateway.evaluation.rates import Cells, Counts, share
from gateway.evaluation.run import EVERY_SOURCE, Judged
from gateway.evaluation.scores import is_personal


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of one text.

    clean: nothing is marked in it, not even what is not counted. holds: something that counts
    is. leaks: less than half of some of that is covered. hit: something that counts was found.
    """

    source: str
    language: str
    overlap: ByType
    strict: ByType
    clean: bool
    holds: bool
    leaks: bool
    hit: bool


def compared(judged: Iterable[Judged], secrets: Collection[str]) -> list[Compared]:
    """Each row that is labelled with personal data. secrets: the categories that are secrets."""
    return [
        _compared(each, each.row.spans, secrets)
        for each in judged
        if each.schema is Schema.PERSONAL and each.row.spans is not None
    ]


def tables(texts: Sequence[Compared]) -> dict[str, list[Cells]]:
    """By source, by language, by type; and what holds for whole texts."""
    several = len({text.source for text in texts}) > 1

    def sources(text: Compared) -> tuple[str, ...]:
        return (text.source, EVERY_SOURCE) if several else (text.source,)

    return {
        "personal_by_source": _table(
            ("source", "types"),
            texts,
            lambda text, type_: product(sources(text), groups(type_)),
        ),
        "personal_by_language": _table(
            ("language", "types"),
            texts,
            lambda text, type_: product((text.language,), groups(type_)),
        ),
        "personal_by_type": _table(
            ("source", "type"), texts, lambda text, type_: product(sources(text), (type_,))
        ),
        "personal_texts": _whole(texts, sources),
    }


def _compared(judged: Judged, spans: Sequence[Span], secrets: Collection[str]) -> Compared:
    row, findings = judged.row, judged.findings
    true = counted(Entity(span.start, span.end, span.type) for span in spans)
    found = _found(row, judged, secrets)
    # What is replaced does not leak, whatever it was taken for.
    replaced = [
        Entity(f.start, f.end, f.category)
        for f in findings
        if f.category in secrets or is_personal(f.category, secrets)
    ]
    return Compared(
        source=judged.source,
        language=row.language or "",
        overlap=overlap(true, found),
        strict=strict(row.text, true, found),
        clean=not spans,
        holds=bool(true),
        leaks=leaks(true, replaced),
        hit=bool(found),
    )


def _found(row: Row, judged: Judged, secrets: Collection[str]) -> list[Entity]:
    found = (
        Entity(f.start, f.end, f.category)
        for f in judged.findings
        if is_personal(f.category, secrets)
    )
    return merged(row.text, counted(found))


def _table(
    names: tuple[str, str],
    texts: Sequence[Compared],
    keys: Callable[[Compared, str], Iterable[tuple[str, str]]],
) -> list[Cells]:
    """One row for each key, the sum of all that has it. keys: those of a type in a text."""
    loose: dict[tuple[str, str], Counts] = defaultdict(Counts)
    exact: dict[tuple[str, str], Counts] = defaultdict(Counts)
    for text in texts:
        for type_, counts in text.overlap.items():
            for key in keys(text, type_):
                loose[key] += counts
                exact[key] += text.strict[type_]
    return [
        {
            **dict(zip(names, key, strict=True)),
            **loose[key].cells(),
            "strict_precision": exact[key].precision,
            "strict_recall": exact[key].recall,
            "strict_f1": exact[key].f(1),
            "strict_f2": exact[key].f(2),
        }
        for key in sorted(loose, key=_order)
    ]


def _whole(texts: Sequence[Compared], sources: Callable[[Compared], Iterable[str]]) -> list[Cells]:
    """How many texts leak something, and in how many clean ones something is seen."""
    by_origin: dict[tuple[str, str], list[Compared]] = defaultdict(list)
    for text in texts:
        for source, language in product(sources(text), {"", text.language}):
            by_origin[source, language].append(text)
    return [
        {"source": source, "language": language or "all", **_shares(group)}
        for (source, language), group in sorted(by_origin.items(), key=lambda item: _order(item[0]))
    ]


def _order(key: tuple[str, str]) -> tuple[bool, tuple[str, str]]:
    """By name, all sources together last."""
    return key[0] == EVERY_SOURCE, key


def _shares(texts: Sequence[Compared]) -> Cells:
    holding = [text for text in texts if text.holds]
    clean = [text for text in texts if text.clean]
    leaking, hit = sum(text.leaks for text in holding), sum(text.hit for text in clean)
    return {
        "texts": len(holding),
        "leaking": leaking,
        "leak_share": share(leaking, len(holding)),
        "clean_texts": len(clean),
        "false_hits": hit,
        "false_hit_share": share(hit, len(clean)),
    }
