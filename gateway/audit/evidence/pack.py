"""Writes a pack: a ZIP file that is the same again for the same time, as far as the log is."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Engine, text

from gateway import __version__
from gateway.audit import questions, verifier
from gateway.audit.evidence import figures, proofs
from gateway.audit.evidence.document import Document
from gateway.audit.evidence.framework import Framework
from gateway.audit.evidence.html import html
from gateway.audit.evidence.report import TOP, Answered, report, when
from gateway.audit.formats.csv import cell
from gateway.core.note import Key
from gateway.db import snapshot

FORM = "gateway-evidence-pack/1"
# ZIP has no earlier year; the time of making would make each pack another one.
_TIME = (1980, 1, 1, 0, 0, 0)
_REVISIONS = {
    "policy": "SELECT policy_digest AS name, count(*) AS exchanges FROM exchange "
    "WHERE policy_digest IS NOT NULL AND opened_ms >= :since_ms AND opened_ms < :until_ms "
    "GROUP BY policy_digest ORDER BY policy_digest",
    "terms": "SELECT terms AS name, count(*) AS exchanges FROM exchange "
    "WHERE coalesce(terms, '') <> '' AND opened_ms >= :since_ms AND opened_ms < :until_ms "
    "GROUP BY terms ORDER BY terms",
}


@dataclass(frozen=True, slots=True)
class Texts:
    """Where revisions are found. Each gives file names with texts; none if it is not kept here.

    policy: by digest. terms: by PROFILE@REVISION.
    """

    policy: Callable[[str], Sequence[tuple[str, str]]]
    terms: Callable[[str], Sequence[tuple[str, str]]]


def write(
    engine: Engine,
    path: Path,
    framework: Framework,
    *,
    since_ms: int,
    until_ms: int,
    log_key: Key,
    texts: Texts,
    pdf: Callable[[Document], bytes] | None,
) -> str:
    """Writes the pack for times in [since, until) to a new file; its SHA-256 in hex.

    All of it is of one state of the database. Raises Unplaced if entries of that time have no
    place in the tree yet.
    """
    mode = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(path, mode, 0o600), "wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            _fill(_Pack(archive), engine, framework, since_ms, until_ms, log_key, texts, pdf)
        file.flush()
        os.fsync(file.fileno())
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Pack:
    """A ZIP file, and the digest of each file that was put into it."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.digests: dict[str, str] = {}
        self._archive = archive

    def add(self, name: str, data: bytes | str) -> None:
        with self.open(name) as file:
            file.write(data.encode() if isinstance(data, str) else data)

    @contextmanager
    def open(self, name: str) -> Iterator[_Hashed]:
        about = zipfile.ZipInfo(name, _TIME)
        about.compress_type = zipfile.ZIP_DEFLATED
        about.external_attr = 0o644 << 16
        with self._archive.open(about, "w", force_zip64=True) as file:
            hashed = _Hashed(file)
            yield hashed
        self.digests[name] = hashed.digest.hexdigest()


class _Hashed:
    """Hashes what it passes on."""

    def __init__(self, file: IO[bytes]) -> None:
        self.digest = hashlib.sha256()
        self._file = file

    def write(self, data: bytes) -> None:
        self.digest.update(data)
        self._file.write(data)


def _fill(
    pack: _Pack,
    engine: Engine,
    framework: Framework,
    since_ms: int,
    until_ms: int,
    log_key: Key,
    texts: Texts,
    pdf: Callable[[Document], bytes] | None,
) -> None:
    times = {"since_ms": since_ms, "until_ms": until_ms}
    with snapshot(engine) as connection:
        found = proofs.gather(connection, since_ms, until_ms, log_key)
        counted = figures.count(connection, since_ms, until_ms)
        answers = [
            _answer(pack, connection, question, times)
            for question in questions.saved().values()
            if ":subject" not in question.sql
        ]
        revisions = _revisions(pack, connection, times, texts)
    for name, bundle in found.bundles.items():
        pack.add(f"proofs/{name}", _json(bundle))
    pack.add("checkpoints.txt", found.checkpoints)
    pack.add("figures.json", _json(counted))
    pack.add("verifier.py", Path(verifier.__file__).read_bytes())
    document = report(
        framework,
        log=log_key.name,
        since_ms=since_ms,
        until_ms=until_ms,
        figures=counted,
        answers=answers,
        proofs=found,
        revisions=revisions,
    )
    pack.add("report.html", html(document))
    if pdf is not None:
        pack.add("report.pdf", pdf(document))
    pack.add("README.txt", _readme(framework, since_ms, until_ms, log_key))
    pack.add(
        "manifest.json",
        _json(
            {
                "form": FORM,
                "gateway": __version__,
                "framework": framework.id,
                "log": log_key.name,
                **times,
                "checkpoint_size": found.size,
                "files": dict(sorted(pack.digests.items())),
            }
        ),
    )
    sums = (f"{digest}  {name}\n" for name, digest in sorted(pack.digests.items()))
    pack.add("SHA256SUMS", "".join(sums))


def _answer(
    pack: _Pack, connection: Connection, question: questions.Question, times: dict[str, int]
) -> Answered:
    """Writes all rows; gives the first."""
    statement = text(question.sql).bindparams(**times, tenant="")
    first: list[tuple[Any, ...]] = []
    count = 0
    with (
        connection.execute(statement) as result,
        pack.open(f"questions/{question.name}.csv") as file,
    ):
        columns = tuple(result.keys())
        file.write(_lines([columns]))
        for rows in result.partitions(1_000):
            file.write(_lines(rows))
            first.extend(tuple(row) for row in rows[: TOP - len(first)])
            count += len(rows)
    return Answered(question, columns, first, count)


def _lines(rows: Sequence[Sequence[Any]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([cell(value) for value in row] for row in rows)
    return out.getvalue().encode()


def _revisions(
    pack: _Pack, connection: Connection, times: dict[str, int], texts: Texts
) -> list[tuple[str, str, str, str]]:
    rows = []
    for kind, lookup in (("policy", texts.policy), ("terms", texts.terms)):
        counts: dict[str, int] = {}
        for row in connection.execute(text(_REVISIONS[kind]), times):
            for name in row.name.split(","):
                counts[name] = counts.get(name, 0) + row.exchanges
        for name, exchanges in sorted(counts.items()):
            kept = [(f"{kind}/{name}/{file}", said) for file, said in lookup(name)]
            for file, said in kept:
                pack.add(file, said)
            where = ", ".join(file for file, _ in kept) or "not kept in this database"
            rows.append((kind, name, f"{exchanges:,}", where))
    return rows


def _readme(framework: Framework, since_ms: int, until_ms: int, log_key: Key) -> str:
    return f"""Evidence from the audit log of {log_key.name}
{framework.source}
{when(since_ms)} to {when(until_ms)}, the end not included

report.html, report.pdf   begin here: what the log shows of each control, and what it cannot
questions/                the answers that the report sums up, whole, as CSV
figures.json              its figures
policy/, terms/           rules and terms in force, where their texts are kept
proofs/                   entries, each with the proof that the signed log has it
checkpoints.txt           what the log signed of itself, the last of each day
verifier.py               checks the proofs, with nothing but Python 3.9; read it first
manifest.json             what this pack is; SHA256SUMS has the digest of every file

    sha256sum --check SHA256SUMS
    python3 verifier.py proofs/exchanges.json --key LOG_KEY

Ask for the log's key by another way than this pack came: gateway audit checkpoint --key.
"""


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
