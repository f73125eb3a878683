"""The tables of `gateway evaluate`, as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.markup import escape

from gateway.cli._output import say, table

# By table: its title, and its columns by what they are called.
_HITS = {
    "Precision": "precision", "Recall": "recall", "F1": "f1", "F2": "f2",
    "Strict P": "strict_precision", "Strict R": "strict_recall",
    "Strict F1": "strict_f1", "Strict F2": "strict_f2",
    "Hits": "hits", "False": "alarms", "Missed": "misses",
}  # fmt: skip
_TABLES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "cost": (
        "CPU time of this process, one fresh text after the other",
        {
            "File": "file", "Schema": "schema", "Texts": "texts", "kB": "kb",
            "ms/kB": "cpu_ms_per_kb", "ms/text": "cpu_ms_per_text",
        },
    ),
    "personal_by_source": (
        "Personal data by source", {"Source": "source", "Types": "types", **_HITS}
    ),
    "personal_by_language": (
        "Personal data by language", {"Language": "language", "Types": "types", **_HITS}
    ),
    "personal_by_type": ("Personal data by type", {"Source": "source", "Type": "type", **_HITS}),
    "personal_texts": (
        "Texts that leak, and clean texts with a false hit",
        {
            "Source": "source", "Language": "language", "Texts": "texts", "Leaking": "leaking",
            "Share": "leak_share", "Clean texts": "clean_texts", "False hits": "false_hits",
        },
    ),
    "secrets_by_source": (
        "Secrets by source",
        {
            "Source": "source", "Precision": "precision", "Recall": "recall", "F1": "f1",
            "Hits": "hits", "False": "alarms", "Missed": "misses", "Decoys": "decoys",
            "Decoys raised": "decoys_raised",
        },
    ),
    "secrets_by_kind": (
        "Kinds of secrets that were missed", {"Kind": "kind", "Texts": "texts", "Found": "found"}
    ),
    "verbatim_by_source": (
        "Reproduction of registered works by source",
        {
            "Source": "source", "Precision": "precision", "Recall": "recall", "F1": "f1",
            "Hits": "hits", "False": "alarms", "Missed": "misses", "Others": "others",
            "Others raised": "others_raised",
        },
    ),
    "verbatim_by_kind": (
        "Reproduction of registered works by kind",
        {"Kind": "kind", "Texts": "texts", "Found": "found"},
    ),
    "ranked": (
        "Harmful texts: how scores rank them, and recall at 1% false alarms",
        {
            "Label": "label", "Score": "score", "Source": "source", "Kind": "kind",
            "Positive": "positives", "Negative": "negatives", "Theirs": "against",
            "AUROC": "auroc", "AUPRC": "auprc", "Recall": "recall_at_1pct",
            "Reported": "reported",
        },
    ),
    "false_alarms": (
        "Harmless texts: the share above the threshold for 1%, and with findings",
        {
            "Source": "source", "Kind": "kind", "Hard": "hard", "Texts": "texts",
            "Unsafe >": "unsafe_over", "Injection >": "injection_over",
            "Unsafe": "unsafe_reported", "Injection": "injection_reported",
            "Secret": "secret_reported", "Personal": "personal_reported",
            "PERSON": "person_reported",
        },
    ),
}  # fmt: skip


def show(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Every table that has rows."""
    for name, (title, columns) in _TABLES.items():
        rows = tables[name]
        if name == "secrets_by_kind":
            rows = [row for row in rows if row["found"] < row["texts"]]
        if rows:
            say(f"\n[bold cyan]{title}[/]")
            table(tuple(columns), [_cells(row, columns.values()) for row in rows], empty="None.")


def _cells(row: Mapping[str, Any], keys: Iterable[str]) -> list[str]:
    return [_cell(row[key]) for key in keys]


def _cell(value: Any) -> str:
    if value is None:
        return "[dim]-[/]"
    return f"{value:.3f}" if isinstance(value, float) else escape(str(value))
