"""Brings spooled entries into the database: in order, each once, however often it is begun."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from gateway.audit import chain
from gateway.audit.append import WriteError
from gateway.audit.chain import Head
from gateway.audit.sealing import Kept
from gateway.audit.spool_file import Spooled, head_after
from gateway.audit.store import Store
from gateway.audit.tables import TEXTS

# A closing entry that came when another process had closed the exchange as interrupted.
LATE = "exchange.closed_late"
_FIRST_TEXT = 5
_EXCHANGE, _KIND = TEXTS.index("exchange_id"), TEXTS.index("kind")


class Forked(WriteError):
    """The chain in the database has gone on without these entries. at: the last that both have."""

    def __init__(self, at: Head) -> None:
        super().__init__("the audit chain in the database is not the one that was spooled")
        self.at = at


def replay(
    store: Store, base: Head, rows: Iterable[Spooled], *, moved: Callable[[Head], None]
) -> Head:
    """Write those rows that the database does not have; the head after the last of them.

    base: what the first of them follows. moved: called with each head that is in the database.
    Raises WriteError; Forked if they do not follow what the database has.
    """
    head = base
    there = store.head(base)
    if there is None or there[0] < base.n or (there[0] == base.n and there[1] != base.hash):
        raise Forked(base)
    for group in groups(rows):
        last = head_after(head, group[-1].row)
        if last.n <= there[0]:
            if not store.holds(last):
                raise Forked(head)
            head = last
            moved(head)
            continue
        missing = [each for each in group if each.row[2] > there[0]]
        known = [each for each in group if each.row[2] <= there[0]]
        before = head_after(head, known[-1].row) if known else head
        if (before.n, before.hash) != there:
            raise Forked(head)
        store.write([each.row for each in missing], before, last, _kept(missing))
        head, there = last, (last.n, last.hash)
        moved(head)
    return head


def groups(rows: Iterable[Spooled], size: int = 256) -> Iterator[list[Spooled]]:
    """The rows, up to `size` at a time."""
    each = iter(rows)
    while group := list(islice(each, size)):
        yield group


class Attempt(threading.Thread):
    """One attempt at it, on a thread of its own: a database that is away answers late.

    at: how far the database is known to be. trouble: why it ended early; None if it did not.
    """

    def __init__(self, store: Store, base: Head, rows: Iterator[Spooled]) -> None:
        super().__init__(name="gateway-audit-replay", daemon=True)
        self.at = base
        self.trouble: WriteError | None = WriteError("replaying was cut off")
        self._store = store
        self._base = base
        self._rows = rows

    def run(self) -> None:
        """The thread; or the whole of it, for whoever has time to wait."""
        try:
            replay(self._store, self._base, self._rows, moved=self._moved)
        except WriteError as err:
            self.trouble = err
        else:
            self.trouble = None

    def _moved(self, head: Head) -> None:
        self.at = head


def rejoin(store: Store, rows: Iterable[Spooled], head: Head) -> Head:
    """Chain the rows again, behind this head; those the database has are passed over.

    What closes an exchange that has an end by then comes too late. Returns the head then.
    Raises WriteError.
    """
    for group in groups(rows):
        made = store.missing(list(_entries(group)))
        if made:
            taken = store.ended([texts[_EXCHANGE] for _, _, texts, _ in made])
            linked = chain.rows(head, [late(entry, taken) for entry in made])
            after = head.moved(linked[-1])
            ids = {row[3] for row in linked}
            kept = [each for each in _kept(group) if each.payload.entry_id in ids]
            store.write(linked, head, after, kept)
            head = after
    return head


def _kept(spooled: Iterable[Spooled]) -> list[Kept]:
    return [each.kept for each in spooled if each.kept is not None]


def _entries(rows: Iterable[Spooled]) -> Iterator[chain.Made]:
    """As they were before they had places. The end of their chain is not the next one's."""
    for row, _ in rows:
        texts = tuple(row[_FIRST_TEXT : _FIRST_TEXT + len(TEXTS)])
        if texts[_KIND] != chain.CHAIN_CLOSED:
            yield row[3], row[4], texts, chain.data_text(json.loads(row[-3])["data"])


def late(entry: chain.Made, taken: set[str]) -> chain.Made:
    """The entry; if it closes an exchange that another has closed, as one that came too late."""
    entry_id, ts_ms, texts, data = entry
    if texts[_KIND] != chain.CLOSED or texts[_EXCHANGE] not in taken:
        return entry
    renamed = tuple(LATE if place == _KIND else text for place, text in enumerate(texts))
    return entry_id, ts_ms, renamed, data
