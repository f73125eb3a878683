"""The rules of a policy document, each an error with file and line or a `Rule`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.core.effects import ANSWER, REQUEST
from gateway.core.judgement import (
    DATA_CLASS,
    OPAQUE,
    STATE,
    TERMS,
    Mode,
)
from gateway.core.languages import DEFAULT, TAG
from gateway.cursor import Cursor
from gateway.documents import unknown
from gateway.policy import conditions, groups
from gateway.policy.language import ON_ERROR_RULE, Rule, Vocabulary
from gateway.policy.matching import EVENTS, FIELDS, PRINCIPAL_FIELDS, Names, Scope, is_glob
from gateway.policy.reading_expressions import read_expression
from gateway.policy.reading_parameters import read_parameters
from gateway.policy.reading_scope import read_kinds, read_names, read_principals

MAX_RULES = 2_000
ID = r"[a-z][a-z0-9-]{0,62}"
REASON = r"[A-Z][A-Z0-9_]{0,62}"
RULE_KEYS = (
    "id",
    "description",
    "mode",
    "when",
    "then",
    "with",
    "reason",
    "message",
    "messageExpression",
)
WHEN_KEYS = (
    "categories",
    "min_score",
    "detectors",
    "kinds",
    "roles",
    *FIELDS,
    "principals",
    "condition",
)
# Of events without a text there is nothing to change.
_NO_TEXT = frozenset({ANSWER, DATA_CLASS, OPAQUE, REQUEST, STATE, TERMS})


@dataclass(frozen=True, slots=True)
class Known:
    """What a rule may name. kinds: those of the policy, if it is not for all."""

    vocabulary: Vocabulary
    names: conditions.Names
    kinds: frozenset[str] | None


def read_rules(cursor: Cursor, known: Known) -> list[Rule]:
    """The rules, in their order."""
    rules: dict[str, Rule] = {}
    for item in cursor.items():
        if len(rules) >= MAX_RULES:
            raise item.error(f"more than {MAX_RULES} rules in one policy.")
        rule = _rule(item.named("rule"), known)
        if rule.id in rules or rule.id == ON_ERROR_RULE:
            raise item.named("rule").error(f"the id {rule.id!r} is taken.")
        rules[rule.id] = rule
    return list(rules.values())


def _rule(cursor: Cursor, known: Known) -> Rule:
    required = ("id", "when", "then")
    ident = cursor.fields(RULE_KEYS, required)["id"].text(ID, "small letters, digits and hyphens")
    cursor = cursor.named(f"rule {ident!r}")
    fields = cursor.fields(RULE_KEYS)
    actions = known.vocabulary.actions
    action = actions[fields["then"].choice(actions)]
    words = _words(fields["message"]) if "message" in fields else {}
    how = read_parameters(cursor, fields.get("with"), action)
    if how.notice:
        words = {DEFAULT: how.notice}
    saying = None
    if "messageExpression" in fields:
        saying = read_expression(fields["messageExpression"], known.names.say)
    reason = ident.upper().replace("-", "_")
    rule = Rule(
        id=ident,
        action=action,
        words=words,
        saying=saying,
        order=how.order,
        manner=how.manner,
        target=how.target,
        at=cursor.place,
        reason=fields["reason"].text(REASON, "capitals") if "reason" in fields else reason,
        description=fields["description"].text() if "description" in fields else "",
        mode=read_mode(fields["mode"]) if "mode" in fields else Mode.ENFORCE,
        **_when(fields["when"], known),
    )
    empty = sorted(rule.categories.exact & _NO_TEXT)
    if action.changes_text and empty:
        raise fields["then"].error(
            f"{action.name!r} changes text, and {empty[0]} has none. Use block, flag or label."
        )
    return rule


def read_mode(cursor: Cursor) -> Mode:
    """A mode. YAML 1.1 takes a bare `off` for false."""
    if cursor.value is False:
        return Mode.OFF
    return Mode(cursor.choice([*Mode]))


def _words(cursor: Cursor) -> dict[str, str]:
    """A text, or texts by language."""
    if not isinstance(cursor.value, dict):
        return {DEFAULT: cursor.text()}
    found: dict[str, str] = {}
    for key, item in cursor.fields(cursor.value).items():
        if not re.fullmatch(TAG, key):
            raise item.error("expected a language by its tag, such as en, de or pt-BR.")
        if key.lower() in found:
            raise item.error("this language is given twice.")
        found[key.lower()] = item.text()
    if not found:
        raise cursor.error("is empty. Leave it out, or give a text in at least one language.")
    return found


def _when(cursor: Cursor, known: Known) -> dict[str, Any]:
    fields = cursor.fields(WHEN_KEYS, required=("categories",))
    own = {key: fields[key] for key in fields if key in FIELDS}
    scope = read_names(own, known.vocabulary.classes)
    if "principals" in fields:
        scope |= read_principals(fields["principals"].fields(PRINCIPAL_FIELDS))
    when: dict[str, Any] = {
        "scope": Scope(scope),
        "categories": _categories(fields["categories"], known.vocabulary),
    }
    if "min_score" in fields:
        when["min_score"] = round(fields["min_score"].fraction() * 1000)
    if "detectors" in fields:
        when["detectors"] = _known(fields["detectors"], known.vocabulary.detectors)
    kinds = _kinds(fields, known.kinds)
    if kinds is not None:
        when["kinds"] = kinds
    if "roles" in fields:
        when["roles"] = frozenset(fields["roles"].texts())
    if "condition" in fields:
        when["condition"] = read_expression(fields["condition"], known.names.parse)
    return when


def _kinds(fields: Mapping[str, Cursor], policy: frozenset[str] | None) -> frozenset[str] | None:
    """Those of the rule that are also the policy's."""
    if "kinds" not in fields:
        return policy
    kinds = read_kinds(fields["kinds"])
    if policy is None:
        return kinds
    if not kinds & policy:
        raise fields["kinds"].error(
            f"never applies: the policy itself is only for {', '.join(sorted(policy))}."
        )
    return kinds & policy


def _categories(cursor: Cursor, vocabulary: Vocabulary) -> Names:
    cursor.texts()
    known = vocabulary.categories
    written: set[str] = set()
    for item in cursor.items():
        name = item.text()
        group = name.removeprefix("group:")
        if group != name:
            members = groups.members(group, vocabulary.groups)
            if not members:
                known_groups = groups.names(vocabulary.groups)
                raise item.error(f"unknown group {group!r}.{unknown(group, known_groups)}")
            written |= members
        else:
            if known and name not in EVENTS:
                _check(item, name, known)
            written.add(name)
    return Names.of(written)


def _known(cursor: Cursor, known: Collection[str]) -> Names:
    written = cursor.texts()
    if known:
        for item in cursor.items():
            _check(item, item.text(), known)
    return Names.of(written)


def _check(item: Cursor, name: str, known: Collection[str]) -> None:
    if is_glob(name):
        names = Names.of([name])
        if not any(names.match(each) for each in known):
            raise item.error(f"{name!r} fits nothing.{unknown(name, known)}")
    elif name not in known:
        raise item.error(f"unknown name {name!r}.{unknown(name, known)}")
