"""What processes that have died left in this machine's spool, brought into the database."""

from __future__ import annotations

from gateway.audit import abandoned
from gateway.audit.chain import Head
from gateway.audit.replay import Forked, rejoin, replay
from gateway.audit.spool import Spool
from gateway.audit.spool_file import Leftover
from gateway.audit.store import Store


def inherit(store: Store, spool: Spool, *, now_ms: int, by: str) -> list[Leftover]:
    """Replay every file that no process holds, and close its chain: that process is gone.

    Returns those whose chains have gone on without them; their entries go behind another.
    Raises WriteError; what is in the database by then is passed over next time.
    """
    forked = []
    for leftover in spool.leftovers():
        try:
            end = replay(store, leftover.base, leftover.rows(), moved=_nothing)
            abandoned.close(store, end, now_ms=now_ms, by=by)
        except Forked:
            forked.append(leftover)
        else:
            leftover.remove()
    return forked


def adopt(store: Store, leftover: Leftover, head: Head, *, now_ms: int, by: str) -> Head:
    """Put its entries behind this head, as far as the database does not have them; the head then.

    What is open in a chain that has just begun is that process's, which cannot end it any more.
    Raises WriteError.
    """
    head = rejoin(store, leftover.rows(), head)
    head, _ = abandoned.interrupt(store, head, now_ms=now_ms, by=by)
    leftover.remove()
    return head


def _nothing(_head: Head) -> None:
    return None
