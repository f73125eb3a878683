"""`gateway findings`: marking false hits."""

from __future__ import annotations

from pathlib import Path

from tests.cli.house import Gateway, lines, value

NAME = "Jordan Reyes"


def test_a_value_is_marked_listed_and_ended(gateway: Gateway, ready: Path) -> None:
    made = value(
        gateway("findings", "quiet", "PERSON", "--reason", "test user", "--json", stdin=NAME + "\n")
    )
    assert (made["tenant"], made["category"], made["expires_ms"]) == ("default", "PERSON", 0)
    (listed,) = lines(gateway("findings", "list", "--json"))
    assert listed == made
    assert "test user" in gateway("findings", "list").stdout
    assert lines(gateway("findings", "list", "--tenant", "other", "--json")) == []
    assert value(gateway("findings", "end", made["id"], "--json"))["ended"]
    assert "No value is quiet" in gateway("findings", "list").stdout


def test_both_are_on_record_without_the_value(gateway: Gateway, ready: Path) -> None:
    made = value(gateway("findings", "quiet", "PERSON", "--days", "9", "--json", stdin=NAME))
    gateway("findings", "end", made["id"])
    told = gateway("audit", "query", "--json")
    assert "Reyes" not in told.stdout
    marked, ended = (e for e in reversed(lines(told)) if e["kind"].startswith("findings."))
    assert (marked["kind"], ended["kind"]) == ("findings.quieted", "findings.quiet_ended")
    names = ("id", "tenant", "category", "digest", "expires_ms")
    assert marked["data"] == {"via": "cli", **{name: made[name] for name in names}}


def test_what_cannot_be_done_is_said_and_not_recorded(gateway: Gateway, ready: Path) -> None:
    before = len(lines(gateway("audit", "query", "--json")))
    lower = gateway("findings", "quiet", "person", code=2, stdin=NAME)
    assert "category of a finding" in lower.stderr
    assert NAME not in lower.stderr
    assert "value of 1 to" in gateway("findings", "quiet", "PERSON", code=2, stdin="\n").stderr
    assert "no quiet value 'x'" in gateway("findings", "end", "x", code=2).stderr
    assert len(lines(gateway("audit", "query", "--json"))) == before
