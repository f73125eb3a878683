"""Figures: numbers that sum up the answers of saved questions, counted by the database."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, text

from gateway.audit import questions
from gateway.audit.tables import audit_entry

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Figure:
    """sql: one number from the answer's columns. question: empty if it is of the log as such."""

    name: str
    label: str
    question: str = ""
    sql: str = ""


def _where(condition: str, what: str = "1") -> str:
    return f"sum(CASE WHEN {condition} THEN {what} ELSE 0 END)"


FIGURES = (
    Figure("entries", "Entries of the log in this time"),
    Figure("log_days", "Days from the log's first entry to the end of this time"),
    Figure("policies_in_force", "Policy bundles that judged exchanges"),
    Figure("exchanges", "Exchanges", "usage", "sum(exchanges)"),
    Figure("models", "Models that were asked for", "usage", "count(DISTINCT model)"),
    Figure("keys_used", "Gateway keys that made exchanges"),
    Figure("labelled", "Answers with a label of the gateway"),
    Figure("unlabelled", "Answers without any label", "unlabelled", "count(*)"),
    Figure("found", "Findings of sensitive data in requests", "destinations", "sum(found)"),
    Figure("categories", "Categories of such data", "destinations", "count(DISTINCT category)"),
    Figure("providers", "Providers of models that were asked for", "usage",
           "count(DISTINCT nullif(provider, ''))"),
    Figure("blocks", "Times that a rule blocked an exchange", "blocked", "sum(exchanges)"),
    Figure("would_have", "Times that rules on trial would have acted", "trials", "sum(exchanges)"),
    Figure("failed_checks", "Exchanges that passed though a check failed", "coverage",
           _where("what = 'detector failed'", "exchanges")),
    Figure("unread", "Exchanges with parts that no check could read", "coverage",
           _where("what = 'opaque'", "exchanges")),
    Figure("under_terms", "Exchanges under recorded terms of use", "terms",
           _where("coalesce(terms, '') <> ''", "exchanges")),
    Figure("without_terms", "Exchanges under no recorded terms", "terms",
           _where("coalesce(terms, '') = ''", "exchanges")),
    Figure("changes", "Acts of administration", "changes", "count(*)"),
    Figure("policy_changes", "Acts on policies", "changes", _where("kind = 'policy.change'")),
    Figure("terms_acts", "Acts on terms of use", "changes", _where("kind LIKE 'terms.%'")),
    Figure("reviews_opened", "Requests that were held for a person", "changes",
           _where("kind = 'review.opened'")),
    Figure("reviews_decided", "Held requests that a person decided on", "changes",
           _where("kind IN ('review.approved', 'review.edited', 'review.refused')")),
    Figure("reads", "Reads of the log", "reads", "count(*)"),
    Figure("unclosed", "Exchanges without an end", "unclosed", "count(*)"),
)  # fmt: skip

_OF_EXCHANGES = """
SELECT count(DISTINCT key_id) AS keys_used, count(DISTINCT policy_digest) AS policies_in_force,
    sum(CASE WHEN outcome = 'completed' AND labels IS NOT NULL THEN 1 ELSE 0 END) AS labelled
FROM exchange WHERE opened_ms >= :since_ms AND opened_ms < :until_ms
"""


def count(connection: Connection, since_ms: int, until_ms: int) -> dict[str, int]:
    """All figures for times in [since, until), by name."""
    times = {"since_ms": since_ms, "until_ms": until_ms}
    of_exchanges = connection.execute(text(_OF_EXCHANGES), times).one()
    found = {name: int(value or 0) for name, value in of_exchanges._asdict().items()}
    found |= _of_the_log(connection, since_ms, until_ms)
    by_question: defaultdict[str, list[Figure]] = defaultdict(list)
    for figure in FIGURES:
        if figure.question:
            by_question[figure.question].append(figure)
    for name, wanted in by_question.items():
        columns = ", ".join(figure.sql for figure in wanted)
        answer = questions.named(name).sql
        statement = text(f"SELECT {columns} FROM ({answer}) AS answer")  # noqa: S608 - our own
        row = connection.execute(statement, {**times, "tenant": ""}).one()
        found |= {figure.name: int(value or 0) for figure, value in zip(wanted, row, strict=True)}
    return {figure.name: found[figure.name] for figure in FIGURES}


def _of_the_log(connection: Connection, since_ms: int, until_ms: int) -> dict[str, int]:
    columns = audit_entry.c
    entries = connection.execute(
        select(func.count()).where(columns.ts_ms >= since_ms, columns.ts_ms < until_ms)
    ).scalar_one()
    first_ms = connection.execute(select(func.min(columns.ts_ms))).scalar_one()
    days = 0 if first_ms is None else max(0, until_ms - first_ms) // DAY_MS
    return {"entries": entries, "log_days": days}
