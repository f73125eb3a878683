"""Every mistake in a policy is named with its file, its line and what is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway import documents
from gateway.core.errors import ConfigError
from gateway.core.judgement import USUAL, Manner
from gateway.core.message import Kind
from gateway.policy.bundle import PolicyBundle, compile_documents
from gateway.policy.language import Vocabulary

GOOD = """\
apiVersion: gateway/v1
kind: Policy
metadata: {name: p, version: "1"}
spec:
  rules:
    - id: mail
      when:
        categories: [EMAIL_ADDRESS]
      then: redact
"""

TOO_LONG = """{name: a, text: bc, expect: {outcome: allow},
    findings: [{category: PERSON, start: 1, end: 3}]}"""

# What is replaced in GOOD, by what, and the message.
MISTAKES = [
    ("gateway/v1", "gateway/v2", r"f\.yaml:1: apiVersion: unknown name 'gateway/v2'.*gateway/v1"),
    ("kind: Policy", "kind: Polcy", r"f\.yaml:2: kind: unknown name 'Polcy'.*mean 'Policy'"),
    ("metadata:", "metdata:", r"f\.yaml:3: the document: unknown key 'metdata'.*'metadata'"),
    ('version: "1"', "version: 1", r"f\.yaml:3: metadata, version: expected text.*in quotes"),
    (', version: "1"', "", r"f\.yaml:3: metadata: 'version' is missing"),
    ("name: p,", "name: P p,", r"expected small letters, digits and hyphens, found 'P p'"),
    ("spec:", "spec: 3\nother:", r"unknown key 'other'"),
    ("  rules:", "  rulse:", r"f\.yaml:5: spec: unknown key 'rulse'.*Did you mean 'rules'"),
    ("  rules:", "  rules: 3\n  examples:", r"f\.yaml:5: spec, rules: expected a list, found 3"),
    ("id: mail", "id: 3", r"f\.yaml:6: rule, id: expected text"),
    ("id: mail", "id: on-detector-error", r"f\.yaml:6: rule: the id 'on-detector-error' is taken"),
    ("then: redact", "then: redacted", r"f\.yaml:9: rule 'mail', then: unknown name 'redacted'\."),
    ("then: redact", "then: redacted", r"mean 'redact'\? Known: allow, block, flag, label, mask,"),
    ("then: redact", "than: redact", r"f\.yaml:9: rule: unknown key 'than'"),
    ("      then: redact\n", "", r"f\.yaml:6: rule: 'then' is missing"),
    ("then: redact", "then: redact\n      with: {a: 1}", r":10: .*with: this action takes no"),
    ("then: redact", "then: label\n      with: {a: 1}", r"unknown parameter 'a'\. Known: notice"),
    ("redact", "pseudonymise\n      with: {a: 1}", r":10: .*with: unknown parameter 'a'.*style"),
    ("redact", "pseudonymise\n      with: {style: real}", r"one of placeholder, realistic"),
    ("redact", "pseudonymise\n      with: {restore: text}", r"list of some of text, reasoning"),
    ("redact", "pseudonymise\n      with: {restore: [tools]}", r"some of .*tool_arguments"),
    ("redact", "pseudonymise\n      with: {restore: {tool: [a]}}", r":10: .*Known: kinds, tools"),
    ("redact", "pseudonymise\n      with: {restore: {kinds: text}}", r"kinds of restore must be"),
    ("redact", "pseudonymise\n      with: {restore: {tools: mail}}", r"a list of names of tools"),
    ("redact", "pseudonymise\n      with: {restore: {tools: ['a[b]']}}", r"with \* for any char"),
    (
        "redact",
        "pseudonymise\n      with: {restore: {kinds: [text], tools: [a]}}",
        r":10: .*tool_arguments is not among its kinds",
    ),
    ("then: redact", "then: redact\n      reason: low", r"f\.yaml:10: .*reason: expected capitals"),
    ("[EMAIL_ADDRESS]", "[EMAIL_ADRESS]", r":8: rule 'mail', when, categories\[0\]: unknown name"),
    ("[EMAIL_ADDRESS]", "[EMAIL_ADRESS]", r"'EMAIL_ADRESS'\. Did you mean 'EMAIL_ADDRESS'"),
    ("[EMAIL_ADDRESS]", '["X_*"]', r"'X_\*' fits nothing"),
    ("[EMAIL_ADDRESS]", '["group:contct"]', r"unknown group 'contct'\. Did you mean 'contact'"),
    ("[EMAIL_ADDRESS]", "[]", r"categories: is empty\. Leave it out"),
    ("[EMAIL_ADDRESS]", "EMAIL_ADDRESS", r"expected a list, found the text 'EMAIL_ADDRESS'"),
    ("[EMAIL_ADDRESS]", "[OPAQUE]", r"f\.yaml:9: .*'redact' changes text, and OPAQUE has none"),
    ("        categories: [EMAIL_ADDRESS]", "        kinds: [text]", r"'categories' is missing"),
    ("[EMAIL_ADDRESS]", "[PERSON]\n        min_score: 60", r"from 0 to 1, found 60"),
    ("[EMAIL_ADDRESS]", "[PERSON]\n        min_score: .nan", r"from 0 to 1, found nan"),
    ("[EMAIL_ADDRESS]", "[PERSON]\n        min_score: yes", r"from 0 to 1, found true"),
    ("[EMAIL_ADDRESS]", "[PERSON]\n        kinds: [txt]", r"f\.yaml:9: .*kinds\[0\].*'text'"),
    ("[EMAIL_ADDRESS]", "[PERSON]\n        directions: [in]", r"unknown name 'in'.*request"),
    ("[EMAIL_ADDRESS]", "[PERSON]\n        detectors: [pi]", r"unknown name 'pi'.*'pii'"),
    ("[EMAIL_ADDRESS]", "[PERSON]\n        tenants: [a]", r"unknown key 'tenants'"),
    ("[EMAIL_ADDRESS]", "[PERSON]\n        principals: {tenant: [a]}", r"mean 'tenants'"),
    ("[EMAIL_ADDRESS]", "[PERSON]\n        models: [1]", r"models\[0\]: expected text, found 1"),
    ("[EMAIL_ADDRESS]", '["a\\uD800"]', r"f.yaml:8: not YAML: found invalid Unicode"),
    ("  rules:", "  streaming: widow\n  rules:", r"f\.yaml:5: spec, streaming.*'window'"),
    ("  rules:", "  streaming: observe\n  rules:", r"f\.yaml:5: .*rule 'mail' would redact them"),
    ("redact", "flag\n  streaming: observe", r"'on-detector-error' would block.*: flag\."),
    ("  rules:", "  onDetectorError: blok\n  rules:", r"onDetectorError: unknown name 'blok'"),
    ("  rules:", "  match: {hues: [a]}\n  rules:", r"f\.yaml:5: spec, match: unknown key 'hues'"),
    ("redact\n", "redact\n  examples: [{name: a}]\n", r":10: example: 'expect' is missing"),
    ("redact\n", "redact\n  examples: [{name: a, expect: {outcome: no}}]\n", r"example 'a'.*false"),
    ("redact\n", "redact\n  examples: [{name: a, expect: {outcome: allow, rules: [x]}}]\n",
     r"unknown name 'x'\. Known: mail, on-detector-error"),
    ("redact\n", f"redact\n  examples: [{TOO_LONG}]\n", r"expected start <= end <= 2"),
]  # fmt: skip


def compiled(text: str, vocabulary: Vocabulary) -> PolicyBundle:
    return compile_documents(documents.parse(text.encode(), "f.yaml"), vocabulary)


def test_the_policy_that_the_mistakes_are_made_in_is_good(vocabulary: Vocabulary) -> None:
    assert compiled(GOOD, vocabulary).revision == "p@1"


@pytest.mark.parametrize(("good", "bad", "message"), MISTAKES)
def test_a_mistake_is_named(good: str, bad: str, message: str, vocabulary: Vocabulary) -> None:
    assert good in GOOD
    with pytest.raises(ConfigError, match=message):
        compiled(GOOD.replace(good, bad, 1), vocabulary)


def test_two_rules_of_one_name_are_refused(build: Callable[..., PolicyBundle]) -> None:
    rule = "  - {id: a, when: {categories: [PERSON]}, then: flag}"
    with pytest.raises(ConfigError, match=r"f\.yaml:7: rule: the id 'a' is taken"):
        build(f"rules:\n{rule}\n{rule}")


def test_two_policies_of_one_name_are_refused(vocabulary: Vocabulary) -> None:
    with pytest.raises(ConfigError, match=r"f\.yaml:14: there is another policy named 'p'"):
        compiled(f"{GOOD}\n---\n{GOOD}", vocabulary)


def test_without_detectors_names_are_not_checked(vocabulary: Vocabulary) -> None:
    text = GOOD.replace("EMAIL_ADDRESS", "ANYTHING")
    assert compiled(text, Vocabulary(vocabulary.actions)).policies


def test_observing_is_fine_for_a_rule_that_sees_no_answers(
    build: Callable[..., PolicyBundle],
) -> None:
    bundle = build(
        "streaming: observe\nonDetectorError: flag\nrules:\n"
        "  - {id: a, when: {categories: [PERSON], directions: [request]}, then: block}"
    )
    assert bundle.policies[0].streaming == "observe"


def test_a_category_of_a_group_is_known_without_its_detector(vocabulary: Vocabulary) -> None:
    assert compiled(GOOD.replace("EMAIL_ADDRESS", "LOCATION"), vocabulary).policies


MANNERS = [
    ("", USUAL),
    ("with: {}", USUAL),
    ("with: {style: placeholder}", USUAL),
    ("with: {style: realistic}", Manner(realistic=True)),
    ("with: {restore: [text, reasoning]}", Manner(False, frozenset({Kind.TEXT, Kind.REASONING}))),
    ("with: {restore: []}", Manner(restore=frozenset())),
    ("with: {restore: {}}", USUAL),
    ("with: {restore: {kinds: [text]}}", Manner(restore=frozenset({Kind.TEXT}))),
    ("with: {restore: {tools: [mail, 'crm.*']}}", Manner(tools=(frozenset({"mail", "crm.*"}),))),
    ("with: {restore: {tools: []}}", Manner(tools=(frozenset(),))),
]


@pytest.mark.parametrize(("written", "manner"), MANNERS)
def test_how_originals_are_replaced(vocabulary: Vocabulary, written: str, manner: Manner) -> None:
    text = GOOD.replace("redact", f"pseudonymise\n      {written}")
    bundle = compile_documents(documents.parse(text.encode(), "f.yaml"), vocabulary)
    assert bundle.policies[0].rules[0].manner == manner
    usual = compile_documents(
        documents.parse(GOOD.replace("redact", "pseudonymise").encode(), "f.yaml"), vocabulary
    )
    assert (bundle.digest == usual.digest) == (manner == USUAL)
