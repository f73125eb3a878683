"""The examples of a policy document: what they say, before anyone runs them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from gateway.core.judgement import Finding
from gateway.core.message import Direction, Kind
from gateway.cursor import Cursor
from gateway.policy.language import Example, Policy

MAX_EXAMPLES = 2_000
ABOUT_KEYS = (
    "model",
    "upstream_model",
    "provider",
    "hosting",
    "region",
    "endpoint",
)
FLAG_KEYS = ("stream", "json_mode", "trains")
CLASS_KEYS = ("data_classes", "classes")
NAMES_KEYS = ("terms", "attested")
PRINCIPAL_KEYS = ("tenant", "application", "team", "roles", "key_id")
EXAMPLE_KEYS = (
    "name",
    "direction",
    "text",
    "findings",
    "role",
    "kind",
    *ABOUT_KEYS,
    *FLAG_KEYS,
    *CLASS_KEYS,
    "retention_days",
    *NAMES_KEYS,
    "principal",
    "expect",
)
EXPECT_KEYS = ("outcome", "text", "rules")
FINDING_KEYS = ("category", "start", "end", "score", "detector", "note")
OUTCOMES = ("allow", "route", "review", "block")


def read_examples(policy: Policy, cursor: Cursor, rules: Collection[str]) -> Policy:
    """The policy with its examples. rules: the ids that `expect` may name."""
    examples: dict[str, Example] = {}
    for item in cursor.items():
        if len(examples) >= MAX_EXAMPLES:
            raise item.error(f"more than {MAX_EXAMPLES} examples in one policy.")
        example = _example(item.named("example"), rules)
        if example.name in examples:
            raise item.named("example").error(f"the name {example.name[:80]!r} is taken.")
        examples[example.name] = example
    return replace(policy, examples=tuple(examples.values()))


def _example(cursor: Cursor, rules: Collection[str]) -> Example:
    required = ("name", "expect")
    name = cursor.fields(EXAMPLE_KEYS, required)["name"].text()
    fields = cursor.named(f"example {name[:80]!r}").fields(EXAMPLE_KEYS)
    expect = fields["expect"].fields(EXPECT_KEYS, required=("outcome",))
    text = fields["text"].text() if "text" in fields else ""
    return Example(
        name=name,
        at=cursor.place,
        direction=fields["direction"].choice([d.value for d in Direction])
        if "direction" in fields
        else "request",
        text=text,
        findings=tuple(_finding(item, text) for item in fields["findings"].items())
        if "findings" in fields
        else None,
        about=_about(fields),
        role=fields["role"].text() if "role" in fields else "",
        kind=fields["kind"].choice([k.value for k in Kind]) if "kind" in fields else "text",
        outcome=expect["outcome"].choice(OUTCOMES),
        expected_text=expect["text"].text() if "text" in expect else None,
        expected_rules=_expected(expect["rules"], rules) if "rules" in expect else None,
    )


def _expected(cursor: Cursor, rules: Collection[str]) -> frozenset[str]:
    return frozenset(item.choice(rules) for item in cursor.items())


def _about(fields: dict[str, Cursor]) -> dict[str, Any]:
    about: dict[str, Any] = {key: fields[key].text() for key in ABOUT_KEYS if key in fields}
    about |= {key: fields[key].truth() for key in FLAG_KEYS if key in fields}
    about |= {key: tuple(fields[key].texts()) for key in CLASS_KEYS if key in fields}
    if "retention_days" in fields:
        about["retention_days"] = fields["retention_days"].count()
    about |= {key: tuple(fields[key].texts()) for key in NAMES_KEYS if key in fields}
    if "principal" in fields:
        for key, value in fields["principal"].fields(PRINCIPAL_KEYS).items():
            about[key] = tuple(value.texts()) if key == "roles" else value.text()
    return about


def _finding(cursor: Cursor, text: str) -> Finding:
    fields = cursor.fields(FINDING_KEYS, required=("category", "start", "end"))
    start, end = fields["start"].count(), fields["end"].count()
    if not start <= end <= len(text):
        raise cursor.error(f"expected start <= end <= {len(text)}, the length of the text.")
    return Finding(
        detector=fields["detector"].text() if "detector" in fields else "example",
        category=fields["category"].text(),
        start=start,
        end=end,
        score=fields["score"].fraction() if "score" in fields else 1.0,
        note=fields["note"].text() if "note" in fields else "",
    )
