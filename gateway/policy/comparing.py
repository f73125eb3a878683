"""How two bundles differ by what they mean: formatting, remarks and examples do not count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from gateway.core.judgement import Mode
from gateway.policy.bundle import PolicyBundle
from gateway.policy.language import Policy, Rule

ORDER = "order"


class Step(StrEnum):
    """What became of a thing."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Field(NamedTuple):
    """One that changed. Its name has dots where values lie in others. None: there is no such."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Change:
    """what: policy, rule, binding or bundle. name: a rule's is policy/rule, the bundle's empty.

    fields: of what changed. A field `order` holds names in the order in which they stand.
    """

    what: str
    name: str
    step: Step
    fields: tuple[Field, ...] = ()


def compare(before: PolicyBundle, after: PolicyBundle) -> list[Change]:
    """All changes; none if the two have the same digest."""
    old, new = ({p.name: p for p in bundle.policies} for bundle in (before, after))
    changes = [*_changed("bundle", {"": _order([*old], [*new])})]
    changes += _compared("policy", *({n: _of_policy(p) for n, p in x.items()} for x in (old, new)))
    for name in _names(old, new):
        kept = [_rules(x[name]) if name in x else {} for x in (old, new)]
        changes += _changed("policy", {name: _order(*map(list, kept))})
        changes += _compared("rule", *kept)
    return changes + _compared("binding", *(_bindings(each) for each in (before, after)))


def _compared(
    what: str, old: Mapping[str, dict[str, Any]], new: Mapping[str, dict[str, Any]]
) -> list[Change]:
    changes = [Change(what, name, Step.REMOVED) for name in old if name not in new]
    changes += [Change(what, name, Step.ADDED) for name in new if name not in old]
    fields = {name: _fields(old[name], new[name]) for name in new if name in old}
    return [*changes, *_changed(what, fields)]


def _changed(what: str, fields: Mapping[str, Sequence[Field]]) -> Iterator[Change]:
    for name, each in fields.items():
        if each:
            yield Change(what, name, Step.CHANGED, tuple(each))


def _fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Field]:
    old, new = _flat(old), _flat(new)
    return [
        Field(name, old.get(name), new.get(name))
        for name in _names(old, new)
        if old.get(name) != new.get(name)
    ]


def _order(old: Sequence[str], new: Sequence[str]) -> list[Field]:
    """Whether what both have stands in another order."""
    left = [name for name in old if name in new]
    right = [name for name in new if name in old]
    return [Field(ORDER, left, right)] if left != right else []


def _flat(said: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in said.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{above}{name}.")
        else:
            found[above + name] = value
    return found


def _names(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return [*old, *(name for name in new if name not in old)]


def _of_policy(policy: Policy) -> dict[str, Any]:
    said = policy.meaning()
    del said["rules"]
    return said


def _rules(policy: Policy) -> dict[str, dict[str, Any]]:
    return {f"{policy.name}/{rule.id}": _of_rule(rule) for rule in policy.rules}


def _of_rule(rule: Rule) -> dict[str, Any]:
    manner = {"realistic": rule.manner.realistic, "restore": rule.manner.places()}
    return {"mode": Mode.ENFORCE.value, **rule.meaning(), "with": manner}


def _bindings(bundle: PolicyBundle) -> dict[str, dict[str, Any]]:
    return {binding.name: binding.meaning() for binding in bundle.bindings}
