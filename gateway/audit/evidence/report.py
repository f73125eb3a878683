"""The report of a pack: what was asked of the log, and what it shows, control by control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.audit.evidence.document import Document, Facts, Finding, Grid, Prose, Section
from gateway.audit.evidence.figures import FIGURES
from gateway.audit.evidence.framework import Certainty, Control, Framework, Standing
from gateway.audit.evidence.proofs import Proofs
from gateway.audit.questions import Question

TOP = 12
BADGES = {
    Standing.SHOWS: "the log shows it",
    Standing.PARTLY: "the log shows part of it",
    Standing.NOTHING: "not from this log",
}
_SUMMARY = ("exchanges", "blocks", "found", "unlabelled", "changes", "unclosed")


@dataclass(frozen=True, slots=True)
class Answered:
    """A question with the first rows of its answer, and how many there are in all."""

    question: Question
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    count: int


def report(
    framework: Framework,
    *,
    log: str,
    since_ms: int,
    until_ms: int,
    figures: Mapping[str, int],
    answers: Sequence[Answered],
    proofs: Proofs,
    revisions: Sequence[Sequence[str]],
) -> Document:
    """revisions: rows of kind, name, exchanges, and where its text is."""
    labels = {figure.name: figure.label for figure in FIGURES}
    return Document(
        title=f"What the audit log shows: {framework.title}",
        subtitle="Evidence pack",
        facts=(
            ("Framework", f"{framework.source}; read as of {framework.as_of}"),
            ("Time", f"{when(since_ms)} to {when(until_ms)}, the end not included"),
            ("Log", log),
            ("Checkpoint", f"{proofs.size:,} entries" if proofs.size else "nothing to prove"),
            ("Witnesses", ", ".join(proofs.witnesses) or "none signed this checkpoint"),
        ),
        sections=(
            _summary(framework, figures, labels),
            Section(
                "Control by control",
                [_finding(each, figures, labels) for each in framework.controls],
            ),
            Section(
                "Rules and terms in force",
                [Grid(("Kind", "Revision", "Exchanges", "Text"), revisions, frozenset({2}))],
            ),
            Section("Answers", [block for each in answers for block in _answer(each)]),
            Section("How to check this pack", _checking()),
        ),
    )


def _summary(
    framework: Framework, figures: Mapping[str, int], labels: Mapping[str, str]
) -> Section:
    counts = [sum(c.standing is each for c in framework.controls) for each in Standing]
    return Section(
        "In short",
        [
            Prose(
                f"Of {len(framework.controls)} controls the log shows {counts[0]}, parts of "
                f"{counts[1]}, and nothing of {counts[2]}. This report is evidence for somebody "
                "who judges. It is no judgement, no legal advice, and makes nobody compliant.",
                note=True,
            ),
            Facts([(labels[name], f"{figures[name]:,}") for name in _SUMMARY], large=True),
            Prose(framework.scope),
            Grid(
                ("Control", "What it is about", "This log"),
                [(c.id, c.title, BADGES[c.standing]) for c in framework.controls],
            ),
        ],
    )


def _finding(control: Control, figures: Mapping[str, int], labels: Mapping[str, str]) -> Finding:
    doubts = {
        Certainty.VERIFIED: "",
        Certainty.REPORTED: "This control's number and content are as others report them.",
        Certainty.UNCLEAR: "It is unclear whether this control is read rightly.",
    }
    return Finding(
        control.id,
        control.title,
        control.standing.value,
        BADGES[control.standing],
        doubts[control.certainty],
        control.shows,
        control.lacks,
        Facts([(labels[name], f"{figures[name]:,}") for name in control.figures]),
        [f"questions/{name}.csv" for name in control.questions],
    )


def _answer(answered: Answered) -> tuple[Prose, Grid]:
    title = f"{answered.question.title} All rows: questions/{answered.question.name}.csv"
    rows = [
        [_cell(name, value) for name, value in zip(answered.columns, row, strict=True)]
        for row in answered.rows
    ]
    numbers = frozenset(
        i
        for i, name in enumerate(answered.columns)
        if not name.endswith("_ms") and any(isinstance(row[i], int) for row in answered.rows)
    )
    heads = [name.removesuffix("_ms").replace("_", " ") for name in answered.columns]
    return Prose(title), Grid(heads, rows, numbers, answered.count - len(rows))


def _checking() -> list[Prose]:
    return [
        Prose("SHA256SUMS lists every other file: sha256sum --check SHA256SUMS."),
        Prose(
            "The proofs need nothing but Python 3.9: python3 verifier.py proofs/exchanges.json "
            "--key LOG_KEY, and the same for proofs/acts.json. Read verifier.py first. Take the "
            "log's key from where you trust it to come from, not from this pack."
        ),
        Prose(
            "checkpoints.txt holds the last checkpoint of each day. With the database at hand, "
            "gateway audit verify --against checkpoints.txt recomputes the whole log."
        ),
        Prose(
            "The log proves that its entries are as they were written. It cannot prove that what "
            "they say is true, nor that nothing went around the gateway."
        ),
    ]


def when(ms: int) -> str:
    """A time in UTC, to the second."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _cell(column: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, int):
        return when(value) if column.endswith("_ms") else f"{value:,}"
    return str(value)
