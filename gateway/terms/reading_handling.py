"""What becomes of data at the vendor, by tier of its service, and what outputs may be used for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.cursor import Cursor
from gateway.terms.profile import Certainty, Clause

TIER = r"[a-z0-9][a-z0-9_-]{0,30}"
MAX_DAYS = 3_650
OUTPUT_KEYS = ("train_other_models", "compete", "naming_prefix", "clause")
OUTPUT_USES = ("allowed", "allowed_with_naming", "forbidden", "unclear")
DATA_KEYS = ("trains", "retention_days", "locations", "clause", "tiers")
TIER_KEYS = DATA_KEYS[:-1]
TRAINS = ("yes", "no", "unclear")


def read_tiers(cursor: Cursor) -> tuple[str, ...]:
    """All tiers that the documents know."""
    return tuple(item.text(TIER, "small letters, digits, _ and -") for item in cursor.items())


def read_output_use(cursor: Cursor, clauses: Sequence[Clause]) -> dict[str, str]:
    """Which uses of outputs are allowed. Raises ConfigError."""
    fields = cursor.fields(OUTPUT_KEYS)
    uses = ("train_other_models", "compete")
    found: dict[str, str] = {key: fields[key].choice(OUTPUT_USES) for key in uses if key in fields}
    if "naming_prefix" in fields:
        found["naming_prefix"] = fields["naming_prefix"].text()
    if "clause" in fields:
        found["clause"] = fields["clause"].choice([clause.id for clause in clauses])
    return found


def read_data(cursor: Cursor, clauses: Sequence[Clause], known: Sequence[str]) -> dict[str, Any]:
    """What becomes of data, and under `tiers` what is otherwise there. Raises ConfigError.

    known: all tiers, if the profile says which there are.
    """
    fields = cursor.fields(DATA_KEYS)
    found = _handling(cursor, fields, clauses, {})
    if "tiers" in fields:
        found["tiers"] = {}
        for item in fields["tiers"].items():
            of = item.fields(("tier", *TIER_KEYS), ("tier",))
            name = of["tier"].choice(known) if known else of["tier"].text(TIER, "a tier's name")
            if name in found["tiers"]:
                raise of["tier"].error(f"the tier {name!r} is given twice.")
            found["tiers"][name] = _handling(item, of, clauses, found)
    return found


def _handling(
    cursor: Cursor,
    fields: Mapping[str, Cursor],
    clauses: Sequence[Clause],
    usual: Mapping[str, Any],
) -> dict[str, Any]:
    """What one tier says, or all. usual: what counts where it says nothing."""
    found: dict[str, Any] = {}
    if "trains" in fields:
        found["trains"] = _trains(fields["trains"])
    if "retention_days" in fields and fields["retention_days"].value is not None:
        found["retention_days"] = read_days(fields["retention_days"])
    if "locations" in fields:
        found["locations"] = fields["locations"].texts()
    if "clause" in fields:
        found["clause"] = fields["clause"].choice([clause.id for clause in clauses])
    if found.get("trains") == "yes" or "retention_days" in found:
        _check(cursor, {**usual, **found}, clauses)
    return found


def _trains(cursor: Cursor) -> str:
    """A bare `yes` or `no` is a truth value in YAML 1.1."""
    if isinstance(cursor.value, bool):
        return "yes" if cursor.value else "no"
    return cursor.choice(TRAINS)


def _check(cursor: Cursor, said: Mapping[str, Any], clauses: Sequence[Clause]) -> None:
    """A catalogue that says otherwise may be stopped by it."""
    clause = next((each for each in clauses if each.id == said.get("clause")), None)
    if clause is not None and clause.certainty is Certainty.UNCLEAR:
        raise cursor.error(
            f"clause {clause.id!r} is unclear, and nothing is stopped by what is unclear. "
            "Say `trains: unclear`, and no retention_days."
        )


def read_days(cursor: Cursor) -> int:
    """A number of days."""
    days = cursor.count()
    if days > MAX_DAYS:
        raise cursor.error(f"expected at most {MAX_DAYS} days.")
    return days
