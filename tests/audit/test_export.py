"""Carrying entries out: every one, in the order of the tree, at least once."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.audit import formats
from gateway.audit.delivery import Batch, Undelivered
from gateway.audit.export import Cursor, export
from gateway.audit.placed import Missing, placed
from gateway.core.errors import ConfigError
from gateway.db import writing
from tests.audit.conftest import drop_triggers

LOG = "log.example+00000000+AAAA"


class Kept:
    """Takes batches; refuses the next so many first."""

    def __init__(self, refuse: int = 0) -> None:
        self.texts: list[str] = []
        self.refuse = refuse

    def send(self, batch: Batch) -> None:
        if self.refuse:
            self.refuse -= 1
            raise Undelivered("It is away.")
        self.texts.append(batch.text)

    def close(self) -> None:
        pass

    def indexes(self) -> list[int]:
        return [json.loads(line)["index"] for text in self.texts for line in text.splitlines()]


@pytest.fixture
def sequenced(filled: Any, sequencer: Any) -> Any:
    made = sequencer(max_entries=7)
    while made.round().entries:
        pass
    return filled


def test_entries_come_by_place_wherever_one_begins(sequenced: Any) -> None:
    whole = placed(sequenced, 0, 1_000)
    assert [entry["index"] for entry in whole] == list(range(30))
    for start in range(31):
        assert placed(sequenced, start, 4) == whole[start : start + 4]


def test_what_has_no_place_yet_does_not_come(filled: Any) -> None:
    assert placed(filled, 0, 10) == []


def test_a_missing_entry_is_not_passed_over(sequenced: Any) -> None:
    drop_triggers(sequenced)
    with writing(sequenced) as connection:
        connection.exec_driver_sql("DELETE FROM audit_entry WHERE n = 4")
    with pytest.raises(Missing, match="gateway audit verify"):
        placed(sequenced, 0, 30)


def test_all_is_delivered_and_the_next_run_goes_on_there(sequenced: Any, tmp_path: Path) -> None:
    form, kept, path = formats.named("jsonl"), Kept(), tmp_path / "at.json"
    assert sum(export(sequenced, form, kept, Cursor(LOG, path), until=11)) == 11
    second = Cursor(LOG, path)
    second.load()
    assert sum(export(sequenced, form, kept, second)) == 19
    assert kept.indexes() == list(range(30))
    assert list(export(sequenced, form, kept, second)) == []


def test_the_cursor_moves_only_behind_what_arrived(sequenced: Any, tmp_path: Path) -> None:
    cursor = Cursor(LOG, tmp_path / "at.json")
    with pytest.raises(Undelivered):
        list(export(sequenced, formats.named("jsonl"), Kept(refuse=1), cursor))
    assert cursor.at == 0
    assert not (tmp_path / "at.json").exists()


def test_following_tries_again_and_waits_longer_each_time(sequenced: Any) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) < 5

    kept = Kept(refuse=3)
    assert sum(export(sequenced, formats.named("jsonl"), kept, Cursor(LOG), wait=wait)) == 30
    assert waits == [2.0, 4.0, 8.0, 1.0, 1.0]
    assert kept.indexes() == list(range(30))


def test_a_batch_of_nothing_is_not_sent(sequenced: Any) -> None:
    kept = Kept()
    assert sum(export(sequenced, formats.named("cef"), kept, Cursor(LOG), until=1)) == 1
    assert "chain.opened" in "".join(kept.texts)
    again = Kept()
    assert list(export(sequenced, formats.named("cef"), again, Cursor(LOG, at=1), until=2)) == [1]
    assert again.texts == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x", "expected a cursor"),
        ("{}", "expected a cursor"),
        ('{"log": "other", "next": 3}', "of another log"),
    ],
)
def test_a_cursor_that_is_none_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "at.json").write_text(text)
    with pytest.raises(ConfigError, match=words):
        Cursor(LOG, tmp_path / "at.json").load()
