"""The examples of a profile: what they say, before anyone runs them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gateway.core.errors import ConfigError
from gateway.cursor import Cursor
from gateway.terms import facts
from gateway.terms.profile import Clause, Example
from gateway.terms.reading_clauses import MODALITIES

MAX_EXAMPLES = 500
EXAMPLE_KEYS = (
    "name", "provider", "model", "tier", "trains", "retention_days", "modalities", "accepted",
    "attested", "hazard", "expect",
)  # fmt: skip


def read_examples(
    cursor: Cursor, clauses: Sequence[Clause], hazards: Collection[str]
) -> tuple[Example, ...]:
    """All examples. Raises ConfigError."""
    found: list[Example] = []
    ids = [clause.id for clause in clauses]
    for item in cursor.items():
        if len(found) >= MAX_EXAMPLES:
            raise item.error(f"more than {MAX_EXAMPLES} examples in one profile.")
        found.append(_example(item, ids, hazards))
    return tuple(found)


def _example(cursor: Cursor, clauses: Collection[str], hazards: Collection[str]) -> Example:
    fields = cursor.fields(EXAMPLE_KEYS, ("name", "provider", "model", "expect"))
    expect = fields["expect"].fields(("states", "rules"))
    modalities = fields["modalities"].choices(MODALITIES) if "modalities" in fields else ["text"]
    return Example(
        name=fields["name"].text(),
        at=f"{cursor.document.path}:{cursor.document.lines.get(cursor.at, 1)}",
        provider=fields["provider"].text(),
        model=fields["model"].text(),
        tier=fields["tier"].text() if "tier" in fields else "",
        trains=fields["trains"].truth() if "trains" in fields else True,
        retention_days=fields["retention_days"].count() if "retention_days" in fields else -1,
        modalities=frozenset(modalities),
        accepted=fields["accepted"].truth() if "accepted" in fields else True,
        attested=_attested(fields["attested"]) if "attested" in fields else {},
        hazard=fields["hazard"].choice(hazards) if "hazard" in fields else "",
        states=frozenset(item.text() for item in expect["states"].items())
        if "states" in expect
        else None,
        rules=frozenset(item.choice(clauses) for item in expect["rules"].items())
        if "rules" in expect
        else frozenset(),
    )


def _attested(cursor: Cursor) -> dict[str, str]:
    """`name` or `name=value`, as `gateway terms attest` takes them."""
    found = {}
    for item in cursor.items():
        name, _, value = item.text().partition("=")
        try:
            facts.check(name, value)
        except ConfigError as err:
            raise item.error(str(err)) from err
        found[name] = value
    return found
