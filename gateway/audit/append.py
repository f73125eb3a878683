"""What a driver does for the one who writes: append a batch in as few steps as it allows.

Batches go past SQLAlchemy's statements, straight to the driver of a pooled connection: an
append is what every exchange pays for, twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from gateway.audit.chain import Head
from gateway.audit.sealing import Kept
from gateway.core.errors import GatewayError


class WriteError(GatewayError):
    """A batch was not written.

    unsure: it may have been, only the answer was lost. late: the database did not answer in
    time, so there is no use in asking it again at once.
    """

    def __init__(self, reason: str, *, unsure: bool = False, late: bool = False) -> None:
        super().__init__(reason)
        self.unsure = unsure
        self.late = late


class Appender(Protocol):
    """One connection that is kept. Used by one thread at a time; every call blocks."""

    def write(
        self,
        rows: Sequence[tuple[Any, ...]],
        before: Head,
        after: Head,
        seal: bytes,
        kept: Sequence[Kept] = (),
    ) -> None:
        """Write the rows and move the head from `before` to `after`, both or neither.

        rows: of `audit_entry`, columns in the table's order. seal: of the head `after`. kept: goes
        with the rows, but for payloads whose keys were destroyed meanwhile.
        Raises WriteError, also if the head in the database is not `before`.
        """

    def head(self, of: Head) -> tuple[int, bytes] | None:
        """(n, hash) of this chain's end in the database; None if there is no such chain.

        Raises WriteError.
        """

    def discard(self) -> None:
        """Drop the connection; the next call makes a new one."""


MOVED = "the chain's end in the database is not the one written last"


def reason(err: Exception) -> str:
    """The kind of failure; drivers' texts may hold values of the row."""
    cause = getattr(err, "orig", None) or err
    code = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None)
    return f"{type(cause).__name__} {code}" if code else type(cause).__name__
