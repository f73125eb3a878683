"""Checks evidence from a gateway's audit log, with nothing but Python 3.9 or newer.

    python3 verifier.py BUNDLE.json --key LOG_KEY [--witness WITNESS_KEY]...

For auditors: this one file imports the standard library only, asks no database and no
network, and is meant to be read before it is trusted. Take the keys from where you trust
them to come from, not from the bundle: whoever forges a bundle puts fitting keys into it.

What is checked, in this order:

1. The checkpoint, a signed note (c2sp.org/tlog-checkpoint): the log's Ed25519 signature, and
   the cosignature (c2sp.org/tlog-cosignature) of each witness you name.
2. Each entry: its hash is SHA-256(0x00 || hash of the entry before || entry).
3. Its place: that hash is a leaf of the log's Merkle tree (RFC 6962) at the place it claims,
   shown by hashes that lead from the leaf to the root that the checkpoint signs.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

FORM = "gateway-audit-evidence/1"
LOG, WITNESS = 1, 4


class Broken(Exception):
    """The evidence does not hold."""


# --- Ed25519, RFC 8032, section 5.1: verification only -------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)

Point = tuple[int, int, int, int]
Key = tuple[str, bytes, int, bytes]


def add(a: Point, b: Point) -> Point:
    """The sum of two points, each (X, Y, Z, T) as in section 5.1.4."""
    minus = (a[1] - a[0]) * (b[1] - b[0])
    plus = (a[1] + a[0]) * (b[1] + b[0])
    t, z = 2 * a[3] * b[3] * D, 2 * a[2] * b[2]
    e, f, g, h = plus - minus, z - t, z + t, plus + minus
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number: int, point: Point) -> Point:
    """The point added to itself so often."""
    found = NEUTRAL
    while number:
        if number & 1:
            found = add(found, point)
        point, number = add(point, point), number >> 1
    return found


def decode(raw: bytes) -> Point | None:
    """A point from its 32 bytes (section 5.1.3); None if there is no such point."""
    y = int.from_bytes(raw, "little")
    odd, y = y >> 255, y & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT_OF_MINUS_1 % P
    if y >= P or x * x % P != square or (x == 0 and odd):
        return None
    x = P - x if x & 1 != odd else x
    return x, y, 1, x * y % P


_BASE = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether this key made this signature of this message (section 5.1.7)."""
    key, commitment = decode(public), decode(signature[:32])
    answer = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or key is None or commitment is None or answer >= ORDER:
        return False
    hashed = hashlib.sha512(signature[:32] + public + message).digest()
    left = times(answer, _BASE or NEUTRAL)
    right = add(commitment, times(int.from_bytes(hashed, "little") % ORDER, key))
    return all((left[i] * right[2] - right[i] * left[2]) % P == 0 for i in (0, 1))


# --- The Merkle tree, RFC 6962 -------------------------------------------------------------


def leads_to(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root that the proof leads to from this leaf (RFC 9162, section 2.1.3.2)."""
    node, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise Broken("the proof is longer than the tree is high")
        if node & 1 or node == last:
            found = hashlib.sha256(b"\x01" + sibling + found).digest()
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\x01" + found + sibling).digest()
        node, last = node >> 1, last >> 1
    if last:
        raise Broken("the proof is shorter than the tree is high")
    return found


# --- Keys and signed notes, c2sp.org -------------------------------------------------------


def read_key(text: str) -> Key:
    """(name, id, kind, 32 bytes) of a key as `name+id+base64`."""
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    raw = base64.b64decode(encoded)
    found = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    if len(raw) != 33 or raw[0] not in (LOG, WITNESS) or found.hex() != key_id:
        raise Broken(f"not a key of a log or witness: {text[:80]!r}")
    return name, found, raw[0], raw[1:]


def signature_by(note: str, key: Key) -> int:
    """When this key signed the note, in seconds since 1970 (0 for a log's own key)."""
    name, key_id, kind, public = key
    body, _, lines = note.rpartition("\n\n")
    for line in lines.splitlines():
        dash, signer, encoded = line.split(" ")
        raw = base64.b64decode(encoded)
        if (dash, signer, raw[:4]) != ("\u2014", name, key_id):
            continue
        time_s, message, value = 0, body + "\n", raw[4:]
        if kind == WITNESS:
            time_s, value = int.from_bytes(value[:8], "big"), value[8:]
            message = f"cosignature/v1\ntime {time_s}\n{message}"
        if signed(public, message.encode(), value):
            return time_s
        raise Broken(f"the signature of {name} under the checkpoint does not hold")
    raise Broken(f"the checkpoint is not signed by {name}")


def read_checkpoint(note: str) -> tuple[str, int, bytes]:
    """(origin, number of entries, root) that the note states."""
    origin, size, root = note.rpartition("\n\n")[0].split("\n")
    return origin, int(size), base64.b64decode(root)


# --- The bundle ----------------------------------------------------------------------------


def check_entry(entry: dict[str, Any], size: int, root: bytes) -> dict[str, Any]:
    """The entry's own values, if it is what the log has at its place. Raises Broken."""
    before, core, index = bytes.fromhex(entry["prev"]), entry["core"], entry["index"]
    if len(before) != 32 or not 0 <= index < size:
        raise Broken(f"no entry of this log: place {index} of {size}")
    entry_hash = hashlib.sha256(b"\x00" + before + core.encode()).digest()
    leaf = hashlib.sha256(b"\x00" + entry_hash).digest()
    proof = [base64.b64decode(each) for each in entry["proof"]]
    if leads_to(leaf, index, size, proof) != root:
        raise Broken(f"the entry is not the one that the log has at place {index}")
    found: dict[str, Any] = json.loads(core)
    return found


def check(bundle: dict[str, Any], log_key: str = "", witness_keys: Sequence[str] = ()) -> list[str]:
    """Lines that say what holds. Raises Broken at the first thing that does not."""
    try:
        return list(_check(bundle, log_key, witness_keys))
    except (KeyError, TypeError, ValueError, AttributeError) as err:
        raise Broken(f"the bundle cannot be read ({type(err).__name__})") from err


def _check(bundle: dict[str, Any], log_key: str, witness_keys: Sequence[str]) -> Iterator[str]:
    if bundle["form"] != FORM:
        raise Broken(f"expected a bundle of the form {FORM}")
    key = read_key(log_key or bundle["key"])
    note = bundle["checkpoint"]
    origin, size, root = read_checkpoint(note)
    signature_by(note, key)
    if origin != key[0] or key[2] != LOG:
        raise Broken(f"the checkpoint is of {origin}, the key that of {key[0]}")
    yield f"log         {origin}"
    yield f"checkpoint  {size} entries, root {root.hex()}"
    yield (
        "signed      by the key you gave"
        if log_key
        else ("signed      by the key in the bundle: ANYBODY CAN MAKE SUCH A BUNDLE. Give --key")
    )
    for text in witness_keys:
        witness = read_key(text)
        if witness[2] != WITNESS:
            raise Broken(f"the key of {witness[0]} is not that of a witness")
        yield f"witnessed   by {witness[0]} at {_when(signature_by(note, witness))}"
    if not bundle["entries"]:
        raise Broken("the bundle has no entries")
    for entry in bundle["entries"]:
        core = check_entry(entry, size, root)
        made = _when(core["ts_ms"] / 1000)
        yield f"entry       {entry['index']} of {size}: {json.dumps(core['kind'])}, {made}"
        for name in ("exchange_id", "tenant", "application", "model", "outcome"):
            if core[name]:
                yield f"            {name} {json.dumps(core[name])}"


def _when(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, timezone.utc)  # noqa: UP017  Python 3.9 has no UTC
    return moment.strftime("%Y-%m-%d %H:%M:%SZ")


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 if all holds, 1 if not, 2 if it was called wrongly."""
    paths, log_key, witnesses = [], "", []
    rest = iter(arguments)
    for word in rest:
        if word == "--key":
            log_key = next(rest, "")
        elif word == "--witness":
            witnesses.append(next(rest, ""))
        else:
            paths.append(word)
    if len(paths) != 1 or paths[0].startswith("-"):
        sys.stderr.write("usage: verifier.py BUNDLE.json --key LOG_KEY [--witness KEY]...\n")
        return 2
    try:
        bundle = json.loads(Path(paths[0]).read_text(encoding="utf-8"))
        lines, code = [*check(bundle, log_key, witnesses), "The evidence holds."], 0
    except (Broken, OSError, ValueError) as err:
        lines, code = [f"THE EVIDENCE DOES NOT HOLD: {err}"], 1
    sys.stdout.write("\n".join(lines) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
