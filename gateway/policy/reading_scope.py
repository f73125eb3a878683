"""Which exchanges a policy, a rule or a binding is for, as it stands in a file."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from gateway.core.message import Direction, Kind
from gateway.cursor import Cursor
from gateway.policy.matching import FIELDS, PRINCIPAL_FIELDS, Names, Scope

KINDS = tuple(kind.value for kind in Kind)
# Of a policy or a binding. A rule has the principals under a key of their own, for its own
# `roles` are those of messages.
MATCH_KEYS = (*FIELDS, *PRINCIPAL_FIELDS, "kinds")


def read_match(
    cursor: Cursor, classes: Collection[str] = ()
) -> tuple[Scope, frozenset[str] | None]:
    """The exchanges, and the kinds of text if not all."""
    fields = cursor.fields(MATCH_KEYS)
    own = {key: value for key, value in fields.items() if key in FIELDS}
    principals = {key: value for key, value in fields.items() if key in PRINCIPAL_FIELDS}
    kinds = read_kinds(fields["kinds"]) if "kinds" in fields else None
    return Scope(read_names(own, classes) | read_principals(principals)), kinds


def read_principals(fields: Mapping[str, Cursor]) -> dict[str, Names]:
    """Who asks, by the names that scopes have for it."""
    return {f"principals.{key}": names for key, names in read_names(fields).items()}


def read_names(fields: Mapping[str, Cursor], classes: Collection[str] = ()) -> dict[str, Names]:
    """A list of names by field. classes: of data; without any, their names are not checked."""
    known = {"directions": [d.value for d in Direction], "data_classes": classes}
    return {
        key: Names.of(value.choices(known[key]) if known.get(key) else value.texts())
        for key, value in fields.items()
    }


def read_kinds(cursor: Cursor) -> frozenset[str]:
    """What texts are for."""
    return frozenset(cursor.choices(KINDS))
