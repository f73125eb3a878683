"""The log as Parquet files, partitioned by day and tenant, for DuckDB, Trino or Spark.

PLACE/day=2026-11-22/tenant=acme/00000000000000000000-00000000000000049999.parquet holds
entries with places in that stretch of the tree. Files are written once and never changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine

from gateway.audit.archive_place import Place
from gateway.audit.export import Cursor
from gateway.audit.formats import Entry
from gateway.audit.formats._flat import COLUMNS, flat
from gateway.audit.placed import placed
from gateway.core.canonical import canonical
from gateway.core.errors import ConfigError

ROWS = 50_000
_BESIDE = ("hash", "index")


class Archive:
    """Writes Parquet. Needs pyarrow, which the extra `archive` brings."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._arrow, self._parquet = load()
        kinds = {int: self._arrow.int64(), str: self._arrow.string()}
        fields = [(name, kinds[kind]) for name, kind in COLUMNS.items()]
        self._schema = self._arrow.schema([*fields, ("core", self._arrow.string())])

    def write(self, engine: Engine, cursor: Cursor, *, before_ms: int) -> Iterator[tuple[str, int]]:
        """Every entry from the cursor on, up to the first that is not before this time.

        Gives each file and how many entries it has. The cursor moves on when all files of a
        stretch are kept; after a crash they are written again, under the same names.
        """
        while entries := placed(engine, cursor.at, ROWS):
            old = [entry for entry in entries if entry["ts_ms"] < before_ms]
            stretch = entries if len(old) == len(entries) else _up_to_first_new(entries, before_ms)
            yield from self._stretch(stretch)
            if stretch:
                cursor.move(stretch[-1]["index"] + 1)
            if len(stretch) < len(entries) or len(entries) < ROWS:
                return

    def _stretch(self, entries: Sequence[Entry]) -> Iterator[tuple[str, int]]:
        parts: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for entry in entries:
            row = flat(entry)
            row["core"] = _core(entry)
            parts[row["time"][:10], row["tenant"]].append(row)
        for (day, tenant), rows in sorted(parts.items()):
            yield self._file(day, tenant, rows), len(rows)

    def _file(self, day: str, tenant: str, rows: list[dict[str, Any]]) -> str:
        # As Hive and its readers write a value that is empty.
        value = quote(tenant, safe="") or "__HIVE_DEFAULT_PARTITION__"
        stretch = f"{rows[0]['index']:020d}-{rows[-1]['index']:020d}"
        table = self._arrow.Table.from_pylist(rows, schema=self._schema)
        write = partial(self._parquet.write_table, table, compression="zstd")
        return self._place.put(f"day={day}/tenant={value}/{stretch}.parquet", write)


def load() -> tuple[Any, Any]:
    """Imports pyarrow and its Parquet writer. Raises ConfigError if they are not installed."""
    try:
        import pyarrow  # noqa: PLC0415 - 0.2 s and 60 MiB, for this one command
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as err:
        raise ConfigError(
            "An archive needs pyarrow. Run: pip install 'responsible-use-gateway[archive]'"
        ) from err
    return pyarrow, parquet


def _up_to_first_new(entries: Sequence[Entry], before_ms: int) -> Sequence[Entry]:
    first = next(i for i, entry in enumerate(entries) if entry["ts_ms"] >= before_ms)
    return entries[:first]


def _core(entry: Entry) -> str:
    """The bytes that were hashed, again."""
    core = {name: value for name, value in entry.items() if name not in _BESIDE}
    return canonical(core)
