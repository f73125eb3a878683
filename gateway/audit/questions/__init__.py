"""Saved questions: SQL files beside this one, each over the views of the log.

The first line of a file is its title. A question may use the parameters :since_ms, :until_ms,
:tenant (empty: all tenants) and :subject (empty: whoever it concerns); it runs as it is on SQLite
and on PostgreSQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from gateway.core.errors import ConfigError
from gateway.db import snapshot

FOLDER = Path(__file__).parent
MAX_ROWS = 10_000
_EVER_MS = 2**53


@dataclass(frozen=True, slots=True)
class Question:
    """One of them. name: of its file."""

    name: str
    title: str
    sql: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows of values under names. cut: there were more rows than `MAX_ROWS`."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    cut: bool


@cache
def saved() -> dict[str, Question]:
    """All questions by name."""
    return {path.stem: _read(path) for path in sorted(FOLDER.glob("*.sql"))}


def named(name: str) -> Question:
    """The question of this name. Raises ConfigError."""
    found = saved()
    if name not in found:
        raise ConfigError(f"There is no question {name[:40]!r}. Known: {', '.join(found)}.")
    return found[name]


def ask(
    engine: Engine,
    question: Question,
    *,
    since_ms: int | None = None,
    until_ms: int | None = None,
    tenant: str = "",
    subject: str = "",
) -> Answer:
    """What the log answers for times in [since, until).

    Raises ConfigError for a subject where the question is about nobody in particular.
    """
    given: dict[str, Any] = {
        "since_ms": since_ms or 0,
        "until_ms": _EVER_MS if until_ms is None else until_ms,
        "tenant": tenant,
    }
    if ":subject" in question.sql:
        given["subject"] = subject
    elif subject:
        raise ConfigError(f"The question {question.name!r} is not about one person.")
    statement = text(question.sql).bindparams(**given)
    with snapshot(engine) as connection, connection.execute(statement) as result:
        rows = [tuple(row) for row in result.fetchmany(MAX_ROWS + 1)]
        columns = tuple(result.keys())
    return Answer(columns, rows[:MAX_ROWS], len(rows) > MAX_ROWS)


def _read(path: Path) -> Question:
    sql = path.read_text(encoding="utf-8")
    first, _, _ = sql.partition("\n")
    return Question(path.stem, first.removeprefix("--").strip(), sql)
