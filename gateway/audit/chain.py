"""How entries hang together: their exact bytes, their hashes, and the seals on the ends.

Plain functions of their arguments; no database. A chain is one process's run of entries,
named (replica, epoch). Three kinds of hash are kept apart by their first byte, as in
RFC 6962, section 2.1.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

import msgspec

from gateway.core.canonical import canonical

OPENED = "exchange.opened"
CLOSED = "exchange.closed"
CHAIN_OPENED = "chain.opened"
CHAIN_CLOSED = "chain.closed"

# An entry before it has a place: (entry_id, ts_ms, texts, data). texts are the columns named in
# `tables.TEXTS`, in that order; data is from `data_text`.
Made = tuple[str, int, tuple[str, ...], str]

GENESIS = bytes(32)
MAX_COLUMN_CHARS = 256

_AWKWARD = re.compile(r"\\u(0000|d[89a-f])")


def entry_hash(prev: bytes, core: bytes) -> bytes:
    """Hash of one entry: SHA-256(0x00 || prev || core).

    prev: hash of the entry before, 32 bytes; all zero for the first entry.
    core: the canonical JSON text of the entry, ASCII.
    Raises ValueError if prev is not 32 bytes.
    """
    if len(prev) != 32:
        raise ValueError("prev must be 32 bytes")
    return hashlib.sha256(b"\x00" + prev + core).digest()


def registry_digest(before: bytes, replica: str, epoch: int) -> bytes:
    """Digest over the names of all chains so far: SHA-256(0x01 || before || [replica, epoch])."""
    return hashlib.sha256(b"\x01" + before + canonical([replica, epoch]).encode()).digest()


def key_fingerprint(key: bytes) -> str:
    """16 hex digits that tell audit keys apart and give none of them away."""
    return hmac.digest(key, b"gateway audit key", "sha256").hex()[:16]


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends. closed_ms is None until its process has closed it in good order."""

    replica: str
    epoch: int
    ordinal: int
    n: int
    hash: bytes
    opened_ms: int
    closed_ms: int | None = None

    def moved(self, row: tuple[Any, ...], *, closed_ms: int | None = None) -> Head:
        """The head with this row of `audit_entry` at the chain's end."""
        return replace(self, n=row[2], hash=row[-1], closed_ms=closed_ms)

    def mac(self, key: bytes) -> bytes:
        """HMAC-SHA256 over all of it, as a canonical JSON list that starts with "chain"."""
        closed_ms = "null" if self.closed_ms is None else self.closed_ms
        text = (
            f'["chain",{quoted(self.replica)},{self.epoch},{self.ordinal},{self.n},'
            f'"{self.hash.hex()}",{self.opened_ms},{closed_ms}]'
        )
        return hmac.digest(key, text.encode("ascii"), "sha256")


@dataclass(frozen=True, slots=True)
class Registry:
    """How many chains there are, and the digest over their names in order of opening."""

    chains: int = 0
    digest: bytes = GENESIS

    def add(self, replica: str, epoch: int) -> Registry:
        """The registry with one chain more."""
        return Registry(self.chains + 1, registry_digest(self.digest, replica, epoch))

    def mac(self, key: bytes) -> bytes:
        """HMAC-SHA256 over both."""
        values = ["registry", self.chains, self.digest.hex()]
        return hmac.digest(key, canonical(values).encode(), "sha256")


def data_text(data: dict[str, Any]) -> str:
    """Canonical JSON of an entry's own data, which must be JSON-ready and without floats.

    U+0000 and halves of surrogate pairs become U+FFFD: PostgreSQL's JSON functions refuse
    them, and one such entry would break every query. Raises TypeError for a float.
    """
    quick = _quick(data)
    if quick is not None:
        return quick
    text = canonical(data)
    return text if _AWKWARD.search(text) is None else canonical(_clean(data))


def columns(values: tuple[str, ...]) -> tuple[str, ...]:
    """Query columns fit for every database: no U+0000, no half surrogates, bounded."""
    text = "".join(values)
    if text.isascii() and "\0" not in text and len(text) <= MAX_COLUMN_CHARS:
        return values
    return tuple(_clean(value)[:MAX_COLUMN_CHARS] for value in values)


def rows(head: Head, entries: Sequence[Made]) -> list[tuple[Any, ...]]:
    """The rows of `audit_entry` that follow `head`, columns in the table's order."""
    out = []
    n, prev = head.n, head.hash
    for entry in entries:
        n += 1
        out.append(_row(head.replica, head.epoch, n, prev, entry))
        prev = out[-1][-1]
    return out


def _row(replica: str, epoch: int, n: int, prev: bytes, entry: Made) -> tuple[Any, ...]:
    entry_id, ts_ms, texts, data = entry
    exchange_id, kind, tenant, application, key_id, model, provider, outcome = map(quoted, texts)
    # Spelled out, not built as a dict: this is half the cost of an entry. Keys are sorted.
    core = (
        f'{{"application":{application},"data":{data},"epoch":{epoch},'
        f'"exchange_id":{exchange_id},"id":{quoted(entry_id)},"key_id":{key_id},"kind":{kind},'
        f'"model":{model},"n":{n},"outcome":{outcome},"provider":{provider},'
        f'"replica":{quoted(replica)},"tenant":{tenant},"ts_ms":{ts_ms},"v":1}}'
    )
    digest = hashlib.sha256(b"\x00" + prev + core.encode("ascii")).digest()
    return (replica, epoch, n, entry_id, ts_ms, *texts, core, prev, digest)


def _quick(data: dict[str, Any]) -> str | None:
    """As `canonical` in a third of the time, or None if it might be spelled otherwise.

    msgspec spells printable ASCII, integers and the rest of JSON in the same way. It takes
    floats too, so what it wrote is read again to see that there are none.
    """
    try:
        text = _encode(data)
        _read_without_floats(text)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return None
    if not text.isascii() or b"\\u" in text or b"\x7f" in text:
        return None
    return text.decode("ascii")


def _refuse_float(text: str) -> None:
    raise ValueError("a float")


_encode = msgspec.json.Encoder(order="deterministic").encode
_read_without_floats = msgspec.json.Decoder(float_hook=_refuse_float).decode


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        whole = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return whole.replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value
