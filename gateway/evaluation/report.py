"""All figures of one evaluation, as flat tables: one dictionary a row, ready for JSON."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gateway.evaluation import personal, raised, ranked
from gateway.evaluation.datasets import Dataset
from gateway.evaluation.rates import Cells
from gateway.evaluation.run import Cost, Judged

Tables = dict[str, list[Cells]]


def report(judged: Sequence[Judged], secrets: Collection[str]) -> Tables:
    """Every table by its name; one about which the rows say nothing is empty.

    secrets: the categories that are secrets.
    """
    return {
        **personal.tables(personal.compared(judged, secrets)),
        **raised.tables(judged),
        **ranked.tables(judged, secrets),
    }


def cost(dataset: Dataset, spent: Cost) -> Cells:
    """What judging one data set came to."""
    return {
        "file": dataset.name,
        "schema": dataset.schema.value,
        "texts": spent.texts,
        "kb": round(spent.text_bytes / 1_000, 1),
        "cpu_ms_per_kb": spent.ms_per_kb,
        "cpu_ms_per_text": spent.ms_per_text,
    }
