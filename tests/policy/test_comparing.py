"""What is said to differ between two bundles: all that changes the digest, and nothing else."""

from __future__ import annotations

import pytest

from gateway import actions
from gateway.policy.bundle import PolicyBundle, load_texts
from gateway.policy.comparing import Step, compare
from gateway.policy.language import Vocabulary

VOCABULARY = Vocabulary(actions.load())
FIRST = "{id: a, when: {categories: [EMAIL_ADDRESS, IBAN]}, then: redact}"
SECOND = "{id: b, when: {categories: [PHONE_NUMBER]}, then: block}"
BINDING = """---
apiVersion: gateway/v1
kind: PolicyBinding
metadata: {name: all}
spec: {policy: p, mode: warn}
"""


def text(*rules: str, name: str = "p", version: str = "1", more: str = "") -> str:
    """One policy."""
    said = "".join(f"    - {rule}\n" for rule in rules)
    head = f'apiVersion: gateway/v1\nkind: Policy\nmetadata: {{name: {name}, version: "{version}"}}'
    return f"{head}\nspec:\n{more}  rules:\n{said}"


def bundle(*texts: str) -> PolicyBundle:
    return load_texts([(f"{n}.yaml", said) for n, said in enumerate(texts)], VOCABULARY)


BEFORE = [text(FIRST, SECOND), text(FIRST, name="q")]
# what is there instead -> the changes, each with its fields
CHANGES: dict[str, tuple[list[str], list[tuple[str, ...]]]] = {
    "nothing": (BEFORE, []),
    "a remark": ([f"# so\n{BEFORE[0]}", BEFORE[1]], []),
    "the order of names": (
        [text(FIRST.replace("EMAIL_ADDRESS, IBAN", "IBAN, EMAIL_ADDRESS"), SECOND), BEFORE[1]],
        [],
    ),
    "a rule less": ([text(SECOND), BEFORE[1]], [("rule", "p/a", "removed")]),
    "a rule more": ([BEFORE[0], text(FIRST, SECOND, name="q")], [("rule", "q/b", "added")]),
    "an action": (
        [text(FIRST.replace("redact", "mask"), SECOND), BEFORE[1]],
        [("rule", "p/a", "changed", "then")],
    ),
    "a mode and a name": (
        [text(FIRST.replace("IBAN]}", "UUID]}, mode: warn"), SECOND), BEFORE[1]],
        [("rule", "p/a", "changed", "mode", "categories")],
    ),
    "a scope": (
        [text(FIRST, SECOND, more="  match: {tenants: [acme]}\n"), BEFORE[1]],
        [("policy", "p", "changed", "scope.principals.tenants")],
    ),
    "a version": (
        [text(FIRST, SECOND, version="2"), BEFORE[1]],
        [("policy", "p", "changed", "version")],
    ),
    "the order of rules": (
        [text(SECOND, FIRST), BEFORE[1]],
        [("policy", "p", "changed", "order")],
    ),
    "the order of policies": ([*reversed(BEFORE)], [("bundle", "", "changed", "order")]),
    "a policy less": (
        BEFORE[:1],
        [
            ("policy", "q", "removed"),
            ("rule", "q/a", "removed"),
            ("rule", "q/on-detector-error", "removed"),
        ],
    ),
    "a binding": ([*BEFORE, BINDING], [("binding", "all", "added")]),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_differs(case: str) -> None:
    texts, expected = CHANGES[case]
    before, after = bundle(*BEFORE), bundle(*texts)
    found = compare(before, after)
    said = [(c.what, c.name, str(c.step), *(f.name for f in c.fields)) for c in found]
    assert sorted(said) == sorted(expected)
    assert bool(found) == (before.digest != after.digest)


def test_the_way_back_is_the_opposite() -> None:
    for texts, _ in CHANGES.values():
        there = compare(bundle(*BEFORE), bundle(*texts))
        back = compare(bundle(*texts), bundle(*BEFORE))
        turned = {Step.ADDED: Step.REMOVED, Step.REMOVED: Step.ADDED, Step.CHANGED: Step.CHANGED}
        assert sorted((c.what, c.name, turned[c.step]) for c in there) == sorted(
            (c.what, c.name, c.step) for c in back
        )
        pairs = {(c.name, f.name): (f.before, f.after) for c in there for f in c.fields}
        assert pairs == {
            (c.name, f.name): (f.after, f.before) for c in back for f in c.fields
        }  # fmt: skip


def test_a_binding_tells_what_changed() -> None:
    before, after = (bundle(*BEFORE, BINDING.replace("warn", mode)) for mode in ("warn", "shadow"))
    (change,) = compare(before, after)
    assert (change.what, change.name) == ("binding", "all")
    assert change.fields == (("mode", "warn", "shadow"),)


HIDE = "{id: a, when: {categories: [EMAIL_ADDRESS]}, then: pseudonymise}"
RESTORES = [
    ("", "restore: {tools: [b]}", [("with.restore.tools", None, ["b"])]),
    ("restore: {tools: [b]}", "restore: {tools: []}", [("with.restore.tools", ["b"], [])]),
    ("restore: [text]", "", [("with.restore.kinds", ["text"], None)]),
    ("restore: {tools: [b, c]}", "restore: {tools: [c, b]}", []),
    (
        "restore: {tools: [b]}",
        "restore: {kinds: [tool_arguments], tools: [b, c]}, style: realistic",
        [
            ("with.realistic", False, True),
            ("with.restore.kinds", None, ["tool_arguments"]),
            ("with.restore.tools", ["b"], ["b", "c"]),
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "fields"), RESTORES)
def test_where_originals_come_back_is_told_as_it_is_written(
    before: str, after: str, fields: list[tuple[str, object, object]]
) -> None:
    old, new = (
        bundle(text(HIDE[:-1] + (f", with: {{{said}}}}}" if said else "}")))
        for said in (before, after)
    )
    found = compare(old, new)
    assert [field for change in found for field in change.fields] == fields
    assert bool(found) == (old.digest != new.digest)
