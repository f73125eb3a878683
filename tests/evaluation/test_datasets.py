from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.core.errors import ConfigError
from gateway.evaluation.datasets import Schema, read

SPAN = {"start": 0, "end": 1, "type": "PERSON"}


def write(folder: Path, *rows: dict[str, Any] | str) -> Path:
    path = folder / "rows.jsonl"
    lines = [row if isinstance(row, str) else json.dumps({"text": "ä b", **row}) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("schema", "rows"),
    [
        ("personal", [{"spans": [SPAN], "language": "de"}, {"spans": []}]),
        ("personal", [{"spans": [], "source": "x", "template": 7}]),
        ("secrets", [{"label": 1, "kind": "jwt", "spans": [SPAN]}, {"label": 0}]),
        ("secrets", [{"label": 1, "kind": "jwt"}, {"label": 0, "kind": "decoy"}]),
        ("safety", [{"labels": {"hate": 1}}, {"labels": {}}]),
        ("injection", [{"label": 1, "kind": "x", "source": "y"}, {"label": 0}]),
        ("verbatim", [{"label": 0, "kind": "x", "overlap_words": 3, "doc": "d"}]),
        ("benign", [{"source": "x"}, {"source": "x", "hard": True}]),
        ("plain", [{"language": "fr"}]),
        ("plain", [{}]),
    ],
)
def test_rows_tell_their_schema(tmp_path: Path, schema: str, rows: list[dict[str, Any]]) -> None:
    dataset = read(write(tmp_path, *rows))
    assert (dataset.schema, len(dataset.rows)) == (Schema(schema), len(rows))


def test_a_schema_that_is_said_is_taken(tmp_path: Path) -> None:
    assert read(write(tmp_path, {"label": 1}), Schema.SECRETS).schema is Schema.SECRETS


def test_gzip_and_blank_lines_are_read(tmp_path: Path) -> None:
    path = write(tmp_path, {}, "", {"language": "de"})
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert [row.language for row in read(path).rows] == [None, "de"]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("{", "rows.jsonl:2: "),
        ("[]", "rows.jsonl:2: "),
        ('{"language": "secret"}', "rows.jsonl:2: "),
        ('{"text": 5}', "rows.jsonl:2: "),
        ('{"text": "secret", "label": 2}', "rows.jsonl:2: "),
        ('{"text": "secret", "labels": {"hate": "no"}}', "rows.jsonl:2: "),
        ('{"text": "secret", "spans": [{"start": 2, "end": 7, "type": "X"}]}', "6 characters"),
        ('{"text": "secret", "spans": [{"start": 2, "end": 2, "type": "X"}]}', "start 2, end 2"),
    ],
)
def test_a_bad_row_is_named_by_its_line_alone(tmp_path: Path, bad: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(write(tmp_path, {}, bad))
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read(tmp_path / "none.jsonl")
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b'{"text": "a"}')[:12])
    with pytest.raises(ConfigError, match="no whole gzip"):
        read(tmp_path / "cut.gz")
    with pytest.raises(ConfigError, match="holds no row"):
        read(write(tmp_path, ""))
