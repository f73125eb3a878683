"""Saved questions: each answered on both databases, from entries as the gateway writes them."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from gateway import db
from gateway.audit import concerning, questions
from gateway.core.errors import ConfigError
from gateway.core.ports import Entry


@pytest.fixture
def asked(engine: Any, audit_log: Any, opened: Any, closed: Any) -> Any:
    """A log with one exchange of each kind; asks it questions."""
    blocked = closed(2, tenant="other", application="web", outcome="blocked")
    blocked.core["response"] = {"bytes": 0, "findings": [], "effects": []}
    blocked.core["request"]["effects"] = [
        {"action": "block", "rule": "strict/keys", "reason": "KEY", "count": 1}
    ]
    seen = closed(3, application="web")
    seen.core.update({"labels": ["http"], "endpoint": "/v1/messages", "team": "t2"})
    seen.core["request"] |= {
        "opaque": [{"path": "/messages/0", "media_type": "image/png", "bytes": 700}],
        "trials": [{"mode": "shadow", "action": "block", "rule": "new/mail", "count": 2}],
    }
    seen.core["subject"] = "anna"
    entries = [
        opened(1), closed(1), opened(2, tenant="other"), blocked, opened(3), seen, opened(4),
        Entry("", "works.added", {"via": "cli", "work": "novel"}),
        Entry("", "access.audit_read", {"via": "api", "count": 3}, tenant="acme", key_id="k"),
    ]  # fmt: skip

    async def fill() -> None:
        async with audit_log() as log:
            for entry in entries:
                await log.append(entry)

    asyncio.run(fill())

    def ask(name: str, **filters: Any) -> list[dict[str, Any]]:
        found = questions.ask(engine, questions.named(name), **filters)
        return [dict(zip(found.columns, row, strict=True)) for row in found.rows]

    return ask


def test_destinations_say_who_sent_what_where(asked: Any) -> None:
    rows = asked("destinations")
    assert {(r["tenant"], r["category"], r["provider"], r["region"]) for r in rows} == {
        ("acme", "EMAIL_ADDRESS", "openai", "eu"),
        ("other", "EMAIL_ADDRESS", "openai", "eu"),
    }
    assert sum(row["found"] for row in rows) == 6


def test_blocks_are_told_by_rule_and_application(asked: Any) -> None:
    (row,) = asked("blocked")
    assert (row["rule"], row["tenant"], row["application"]) == ("strict/keys", "other", "web")
    assert row["exchanges"] == 1


def test_terms_are_told_with_their_revision(asked: Any) -> None:
    assert {row["terms"] for row in asked("terms", tenant="other")} == {"openai@1"}


def test_tokens_are_summed_by_team(asked: Any) -> None:
    (row,) = asked("usage", tenant="other")
    assert (row["team"], row["input_tokens"], row["output_tokens"]) == ("t1", 12, 34)


def priced(currency: str, nanos: int, **more: Any) -> dict[str, Any]:
    return {"currency": currency, "nanos": nanos, "since": "", "parts": [], **more}


@pytest.fixture
def spent(engine: Any, audit_log: Any, closed: Any) -> Any:
    """A log of answers of which some have a cost; asks what they cost."""
    entries = [closed(number) for number in range(8)]
    cores = [entry.core for entry in entries]
    for core in cores:
        core["upstream_called"] = True
    cores[0]["cost"] = priced("EUR", 1_500_000_001)
    cores[1]["cost"] = priced("EUR", 2**53 - 1, at_least=True)
    cores[2]["cost"] = priced("USD", 7)
    cores[4]["usage"] = {}
    entries[5] = closed(5, outcome="interrupted")
    entries[5].core.pop("usage")
    entries[6] = closed(6, outcome="upstream_error")
    entries[6].core["usage"] = {}
    # Its answer broke off after some tokens.
    entries.append(closed(8, outcome="upstream_error"))
    cores[7] |= {"cost": priced("EUR", 3), "team": "t2"}
    told = {"assessor": "far", "model": "judge", "calls": 2}
    tokens = {"prompt_tokens": 7, "completion_tokens": 2}
    cores[7]["request"] = {"consulted": [told | tokens | {"cost": priced("EUR", 5)}]}
    cores[7]["response"] = {
        "consulted": [
            told | tokens | {"cost": priced("EUR", 6)},
            told | tokens | {"model": "other"},
            told | {"assessor": "mute", "prompt_tokens": 0, "completion_tokens": 0},
            told | tokens | {"assessor": "knew", "calls": 0},
        ]
    }

    async def fill() -> None:
        async with audit_log() as log:
            for entry in entries:
                entry.core.setdefault("team", "t1")
                await log.append(entry)

    asyncio.run(fill())
    found = questions.ask(engine, questions.named("cost"))
    keys = ("team", "assessor", "model", "currency")
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    return {tuple(row[key] for key in keys): row for row in rows}


def test_cost_is_summed_by_currency_and_exact(spent: Any) -> None:
    euros, dollars = spent["t1", "", "m1", "EUR"], spent["t1", "", "m1", "USD"]
    assert (euros["cost"], euros["times"]) == ("9007200.754740992", 2)
    assert (dollars["cost"], dollars["at_least"]) == ("0.000000007", 0)
    assert (euros["at_least"], euros["unpriced"], euros["untold"]) == (1, 0, 0)


def test_what_has_no_cost_is_counted_not_left_out(spent: Any) -> None:
    unknown = spent["t1", "", "m1", ""]
    assert (unknown["cost"], unknown["times"]) == (None, 4)
    assert (unknown["unpriced"], unknown["untold"]) == (2, 2)
    assert unknown["input_tokens"] == 24


def test_what_judging_cost_is_told_apart(spent: Any) -> None:
    assert spent["t2", "", "m1", "EUR"]["cost"] == "0.000000003"
    both = spent["t2", "far", "judge", "EUR"]
    assert (both["cost"], both["times"], both["input_tokens"]) == ("0.000000011", 2, 14)
    assert spent["t2", "far", "other", ""]["unpriced"] == 1
    assert spent["t2", "mute", "judge", ""]["untold"] == 1
    assert not [key for key in spent if "knew" in key]


def test_unlabelled_answers_are_those_without_any_label(asked: Any) -> None:
    assert [row["exchange_id"] for row in asked("unlabelled")] == ["00000001-exchange"]


def test_coverage_tells_what_was_not_read(asked: Any) -> None:
    (row,) = asked("coverage")
    assert (row["what"], row["detail"], row["amount"]) == ("opaque", "image/png", 700)


def test_trials_are_no_effects(asked: Any) -> None:
    told = {(row["mode"], row["rule"], row["times"]) for row in asked("trials")}
    assert ("shadow", "new/mail", 2) in told
    assert all(row["rule"] != "new/mail" for row in asked("blocked"))


def test_acts_and_reads_are_told_apart(asked: Any) -> None:
    assert [row["kind"] for row in asked("changes")] == ["works.added"]
    assert [row["kind"] for row in asked("reads")] == ["access.audit_read"]


def test_a_person_is_known_by_reference(asked: Any) -> None:
    rows = asked("subject", subject="anna")
    assert [(row["kind"], row["outcome"]) for row in rows] == [("exchange.closed", "completed")]
    assert len(asked("subject")) == 1
    with pytest.raises(ConfigError, match="not about one person"):
        asked("usage", subject="anna")


def test_an_exchange_without_an_end_is_found(asked: Any) -> None:
    assert [row["exchange_id"] for row in asked("unclosed")] == ["00000004-exchange"]


@pytest.mark.parametrize("name", questions.saved())
def test_every_question_keeps_to_its_time_and_tenant(asked: Any, name: str) -> None:
    assert asked(name, until_ms=1) == []
    assert asked(name, since_ms=2**52) == []
    assert asked(name, tenant="nobody") == []
    assert questions.saved()[name].title.endswith("?")


def _given(sql: Any) -> dict[str, Any]:
    """A short time, and what else the question asks for."""
    given = {"since_ms": 1, "until_ms": 9, "tenant": "", "subject": ""}
    return {name: each for name, each in given.items() if f":{name}" in sql.text}


@pytest.mark.parametrize("name", questions.saved())
def test_a_short_time_is_read_by_an_index_on_sqlite(sqlite_url: str, name: str) -> None:
    sql = text(f"EXPLAIN QUERY PLAN {questions.saved()[name].sql}")
    engine = db.open_engine(sqlite_url)
    with db.snapshot(engine) as connection:
        plan = connection.execute(sql, _given(sql)).all()
    engine.dispose()
    steps = [row.detail for row in plan]
    tables = [step for step in steps if re.match(r"(SCAN|SEARCH) [a-z] ", step)]
    tables = [step for step in tables if "VIRTUAL" not in step]
    assert tables
    assert all("ts_ms>" in step or "exchange_id=" in step for step in tables), tables


@pytest.mark.parametrize("name", questions.saved())
def test_a_short_time_is_read_by_an_index_on_postgresql(postgres_url: str, name: str) -> None:
    sql = text(f"EXPLAIN {questions.saved()[name].sql}")
    engine = db.open_engine(postgres_url)
    with engine.begin() as connection:
        # A small table is read whole, whatever its indexes.
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = connection.execute(sql, _given(sql)).all()
    engine.dispose()
    steps = "\n".join(row[0] for row in plan)
    assert re.search(r"ix_audit_entry_[a-z_]*ts_ms", steps), steps
    assert "Seq Scan on audit_entry" not in steps, steps


OF_ANNA = {"since_ms": 0, "until_ms": 2**53, "tenant": "", "subject": "anna"}
ABOUT_ANNA = {
    "question": text(questions.saved()["subject"].sql).bindparams(**OF_ANNA),
    "export": concerning.entries("acme", "anna"),
}


def _plan(url: str, statement: Any) -> str:
    """How the database would read it, had it a choice but to read a small table whole."""
    engine = db.open_engine(url)
    literal = statement.compile(engine, compile_kwargs={"literal_binds": True})
    explain = "EXPLAIN" if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = connection.execution_options(no_parameters=True).exec_driver_sql(
            f"{explain} {literal}"
        )
        steps = "\n".join(str(row[-1]) for row in plan)
    engine.dispose()
    return steps


@pytest.mark.parametrize("name", ABOUT_ANNA)
def test_one_person_is_found_by_an_index_on_sqlite(sqlite_url: str, name: str) -> None:
    steps = _plan(sqlite_url, ABOUT_ANNA[name])
    assert "USING INDEX ix_audit_entry_subject_ts_ms (<expr>=?" in steps, steps
    read = [step for step in steps.splitlines() if "audit_entry" in step or " e " in step]
    assert all(step.startswith("SEARCH") for step in read), steps


@pytest.mark.parametrize("name", ABOUT_ANNA)
def test_one_person_is_found_by_an_index_on_postgresql(postgres_url: str, name: str) -> None:
    steps = _plan(postgres_url, ABOUT_ANNA[name])
    assert len(re.findall(r"Index Cond: .*data,subject.* = 'anna'", steps)) == 2, steps
    assert "Seq Scan on audit_entry" not in steps, steps


def test_other_questions_are_refused() -> None:
    with pytest.raises(ConfigError, match="Known: blocked, changes"):
        questions.named("why")


def test_the_page_lists_them_all() -> None:
    page = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")
    for question in questions.saved().values():
        assert f"| `{question.name}` | {question.title} |" in page


@pytest.mark.parametrize("name", questions.saved())
def test_no_two_rows_may_change_places(name: str) -> None:
    """A pack of the same time is the same again, whatever order a database has them in."""
    sql = questions.named(name).sql
    ordered = set(re.split(r",\s*|\s+DESC,\s*", sql.rpartition("ORDER BY ")[2].strip()))
    grouped = sql.rpartition("GROUP BY ")[2].partition("\n")[0] if "GROUP BY" in sql else ""
    wanted = set(grouped.split(", ")) if grouped else {"exchange_id"}
    assert wanted <= ordered or {"replica", "epoch", "n"} <= ordered
