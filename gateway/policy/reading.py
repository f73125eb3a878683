"""A policy document becomes a `Policy`, or an error that says which line to mend."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Protocol

from gateway.core.effects import ANSWER, REQUEST
from gateway.core.judgement import DETECTOR_ERROR, OPAQUE, STATE, Mode, ReviewOrder, StreamMode
from gateway.core.languages import DEFAULT, TAG
from gateway.core.message import Direction, Kind
from gateway.core.ports import Asking
from gateway.cursor import Cursor
from gateway.documents import Document, unknown
from gateway.policy import conditions, groups
from gateway.policy.language import API_VERSION, KIND, ON_ERROR_RULE, Policy, Rule, Vocabulary
from gateway.policy.matching import (
    EVENTS,
    FIELDS,
    PRINCIPAL_FIELDS,
    Names,
    Scope,
    is_glob,
)
from gateway.policy.reading_examples import read_examples

MAX_RULES = 2_000
ID = r"[a-z][a-z0-9-]{0,62}"
VERSION = r"[A-Za-z0-9][A-Za-z0-9.+-]{0,62}"
REASON = r"[A-Z][A-Z0-9_]{0,62}"

TOP_KEYS = ("apiVersion", "kind", "metadata", "spec")
METADATA_KEYS = ("name", "version", "description", "owner")
SPEC_KEYS = ("match", "streaming", "onDetectorError", "assessors", "rules", "examples")
ASSESSORS_KEYS = ("always", "deadline_s")
MAX_DEADLINE_S = 600
MATCH_KEYS = (*FIELDS, "tenants", "applications", "teams")
RULE_KEYS = ("id", "description", "mode", "when", "then", "with", "reason", "message")
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
_NO_TEXT = frozenset({ANSWER, OPAQUE, REQUEST, STATE})


class Settled(Protocol):
    """An action that takes parameters."""

    def settle(self, parameters: Mapping[str, Any]) -> str:
        """The words its effects carry. Raises ValueError for parameters it cannot use."""


class Ordering(Protocol):
    """An action that holds a request for review."""

    def order(self, parameters: Mapping[str, Any]) -> ReviewOrder:
        """How the review is to be held. Raises ValueError for parameters it cannot use."""


def read(document: Document, vocabulary: Vocabulary) -> Policy:
    """The policy in a document. Raises ConfigError with file, line and what is known."""
    top = Cursor.top(document).fields(TOP_KEYS, required=TOP_KEYS)
    top["apiVersion"].choice([API_VERSION])
    top["kind"].choice([KIND])
    metadata = top["metadata"].fields(METADATA_KEYS, required=("name", "version"))
    spec = top["spec"].fields(SPEC_KEYS, required=("rules",))
    policy = Policy(
        name=metadata["name"].text(ID, "small letters, digits and hyphens"),
        version=metadata["version"].text(VERSION, "a version such as 2026.11.1"),
        description=metadata["description"].text() if "description" in metadata else "",
        owner=metadata["owner"].text() if "owner" in metadata else "",
        scope=_match(spec["match"]) if "match" in spec else Scope({}),
        streaming=_streaming(spec),
        rules=(*_rules(spec["rules"], vocabulary), _on_error(spec, vocabulary)),
        asking=_asking(spec["assessors"], vocabulary) if "assessors" in spec else Asking(),
    )
    _check_streaming(policy, spec)
    _check_reviews(policy, spec)
    if "examples" in spec:
        rules = frozenset(rule.id for rule in policy.rules)
        return read_examples(policy, spec["examples"], rules)
    return policy


def _match(cursor: Cursor) -> Scope:
    fields = cursor.fields(MATCH_KEYS)
    own = {key: value for key, value in fields.items() if key in FIELDS}
    principals = {key: value for key, value in fields.items() if key not in FIELDS}
    return Scope(_names(own) | {f"principals.{k}": v for k, v in _names(principals).items()})


def _streaming(spec: Mapping[str, Cursor]) -> StreamMode:
    if "streaming" not in spec:
        return StreamMode.WINDOW
    return StreamMode(spec["streaming"].choice([mode.value for mode in StreamMode]))


def _asking(cursor: Cursor, vocabulary: Vocabulary) -> Asking:
    fields = cursor.fields(ASSESSORS_KEYS)
    always: Collection[str] = ()
    if "always" in fields:
        always = fields["always"].texts()
        for item in fields["always"].items() if vocabulary.detectors else ():
            item.choice(vocabulary.assessors)
    deadline_s = fields["deadline_s"].count() if "deadline_s" in fields else 0
    if deadline_s > MAX_DEADLINE_S:
        raise fields["deadline_s"].error(f"expected at most {MAX_DEADLINE_S} seconds.")
    return Asking(frozenset(always), deadline_s)


def _rules(cursor: Cursor, vocabulary: Vocabulary) -> list[Rule]:
    rules: dict[str, Rule] = {}
    for item in cursor.items():
        if len(rules) >= MAX_RULES:
            raise item.error(f"more than {MAX_RULES} rules in one policy.")
        rule = _rule(item.named("rule"), vocabulary)
        if rule.id in rules or rule.id == ON_ERROR_RULE:
            raise item.named("rule").error(f"the id {rule.id!r} is taken.")
        rules[rule.id] = rule
    return list(rules.values())


def _rule(cursor: Cursor, vocabulary: Vocabulary) -> Rule:
    required = ("id", "when", "then")
    ident = cursor.fields(RULE_KEYS, required)["id"].text(ID, "small letters, digits and hyphens")
    cursor = cursor.named(f"rule {ident!r}")
    fields = cursor.fields(RULE_KEYS)
    action = vocabulary.actions[fields["then"].choice(vocabulary.actions)]
    words = _words(fields["message"]) if "message" in fields else {}
    order = _order(fields.get("with"), action)
    notice = _settle(fields["with"], action) if "with" in fields and order is None else ""
    if notice:
        words = {DEFAULT: notice}
    reason = ident.upper().replace("-", "_")
    rule = Rule(
        id=ident,
        action=action,
        words=words,
        reason=fields["reason"].text(REASON, "capitals") if "reason" in fields else reason,
        description=fields["description"].text() if "description" in fields else "",
        mode=read_mode(fields["mode"]) if "mode" in fields else Mode.ENFORCE,
        order=order,
        **_when(fields["when"], vocabulary),
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


def _settle(cursor: Cursor, action: object) -> str:
    settle = getattr(action, "settle", None)
    if settle is None:
        raise cursor.error("this action takes no parameters.")
    try:
        return str(settle(_parameters(cursor)))
    except ValueError as err:
        raise cursor.error(str(err)) from err


def _order(cursor: Cursor | None, action: object) -> ReviewOrder | None:
    """How an action that holds requests wants them reviewed; None for any other."""
    order = getattr(action, "order", None)
    if order is None:
        return None
    if cursor is None:
        found: ReviewOrder = order({})
        return found
    try:
        found = order(_parameters(cursor))
    except ValueError as err:
        raise cursor.error(str(err)) from err
    return found


def _parameters(cursor: Cursor) -> Mapping[str, Any]:
    if not isinstance(cursor.value, dict):
        raise cursor.error("expected the parameters of the action by name.")
    return cursor.value


def _when(cursor: Cursor, vocabulary: Vocabulary) -> dict[str, Any]:
    fields = cursor.fields(WHEN_KEYS, required=("categories",))
    scope = _names({key: fields[key] for key in fields if key in FIELDS})
    if "principals" in fields:
        named = _names(fields["principals"].fields(PRINCIPAL_FIELDS))
        scope |= {f"principals.{key}": value for key, value in named.items()}
    when: dict[str, Any] = {
        "scope": Scope(scope),
        "categories": _categories(fields["categories"], vocabulary),
    }
    if "min_score" in fields:
        when["min_score"] = round(fields["min_score"].fraction() * 1000)
    if "detectors" in fields:
        when["detectors"] = _known(fields["detectors"], vocabulary.detectors)
    if "kinds" in fields:
        when["kinds"] = frozenset(fields["kinds"].choices([kind.value for kind in Kind]))
    if "roles" in fields:
        when["roles"] = frozenset(fields["roles"].texts())
    if "condition" in fields:
        when["condition"] = _condition(fields["condition"])
    return when


def _names(fields: Mapping[str, Cursor]) -> dict[str, Names]:
    return {
        key: Names.of(
            value.choices([d.value for d in Direction]) if key == "directions" else value.texts()
        )
        for key, value in fields.items()
    }


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


def _condition(cursor: Cursor) -> conditions.Condition:
    try:
        return conditions.parse(cursor.text())
    except ValueError as err:
        raise cursor.error(f"{err}.") from err


def _on_error(spec: Mapping[str, Cursor], vocabulary: Vocabulary) -> Rule:
    """What happens to a text that a detector could not judge; the last rule of every policy."""
    name = "block"
    if "onDetectorError" in spec:
        name = spec["onDetectorError"].choice(on_error_actions(vocabulary))
    return Rule(
        id=ON_ERROR_RULE,
        action=vocabulary.actions[name],
        reason=DETECTOR_ERROR,
        words={},
        scope=Scope({}),
        categories=Names.of([DETECTOR_ERROR]),
    )


def on_error_actions(vocabulary: Vocabulary) -> list[str]:
    """What may be done on an error: it may come up in an answer, and those are not reviewed."""
    return [name for name, action in vocabulary.actions.items() if not action.holds]


def _check_streaming(policy: Policy, spec: Mapping[str, Cursor]) -> None:
    if policy.streaming is not StreamMode.OBSERVE:
        return
    for rule in policy.rules:
        if rule.enforces and _sees_answers(policy, rule):
            hint = " Set onDetectorError: flag." if rule.id == ON_ERROR_RULE else ""
            raise spec["streaming"].error(
                f"'observe' lets answers out before they are judged, but rule {rule.id!r} would "
                f"{rule.action.name} them. Use window or hold.{hint}"
            )


def _check_reviews(policy: Policy, spec: Mapping[str, Cursor]) -> None:
    for item, rule in zip(spec["rules"].items(), policy.rules, strict=False):
        if rule.action.holds and _sees_answers(policy, rule):
            raise item.named(f"rule {rule.id!r}").error(
                f"{rule.action.name!r} is for requests: an answer is never the same twice, so "
                "one that was approved could not be had again. Say `directions: [request]` "
                "under `when`."
            )


def _sees_answers(policy: Policy, rule: Rule) -> bool:
    scopes = (policy.scope.fields.get("directions"), rule.scope.fields.get("directions"))
    return all(names is None or names.match(Direction.RESPONSE) for names in scopes)
