"""Each kind speaks its vendor's wire format, and believes nothing that does not."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from gateway import taxonomy
from gateway.core.errors import ConfigError
from gateway.core.ports import Submission
from gateway.detectors._assessors import _hazards, kinds
from gateway.detectors._assessors._method import Unclear
from tests.detectors.assessors.asked import answers, asks, body, built, chat

SAFE = chat("safe")
UNSAFE = chat("\n\nunsafe\nS1,S10")


def harmless(kind: str) -> tuple[str, list[bytes]]:
    """The least options of a kind, and answers that find nothing."""
    scores = dict.fromkeys(_hazards.OPENAI, 0.01)
    flags = dict.fromkeys(_hazards.OPENAI, False)
    return {
        "llama_guard": ("{}", [SAFE]),
        "shield_gemma": ("{}", [chat("No")] * 4),
        "granite_guardian": ("{}", [chat("<score> no </score>")]),
        "gpt_oss_safeguard": ("{}", [chat('{"violation": 0, "category": null}')]),
        "openai_moderation": (
            "{}",
            [_json(results=[{"flagged": False, "categories": flags, "category_scores": scores}])],
        ),
        "azure_content_safety": (
            "{}",
            [_json(categoriesAnalysis=[{"category": c, "severity": 0} for c in _hazards.AZURE])],
        ),
        "presidio": ("{}", [b"[]"]),
        "webhook": ("categories: [HATE]", [_json(results=[{"findings": []}])]),
    }[kind]


def _json(**value: Any) -> bytes:
    return json.dumps(value).encode()


def claims(kind: str, options: str, bodies: list[bytes], text: str = "Hello.") -> dict[str, float]:
    method = built(kind, options)
    said = method.read([asks(text)], bodies)
    assert {c.category for c in said.claims[0]} <= method.categories
    return {claim.category: round(claim.score, 3) for claim in said.claims[0] if claim.score > 0}


def moderation(flagged: bool, *true: str, **scores: float) -> bytes:
    flags = {name: name in true for name in _hazards.OPENAI}
    given = {name: scores.get(name, 0.01) for name in _hazards.OPENAI}
    return _json(results=[{"flagged": flagged, "categories": flags, "category_scores": given}])


def azure(**severities: int) -> bytes:
    found = [{"category": c, "severity": severities.get(c, 0)} for c in _hazards.AZURE]
    return _json(categoriesAnalysis=found, blocklistsMatch=[])


def logs(**chances: float) -> dict[str, float]:
    return {token: math.log(chance) for token, chance in chances.items()}


GEMMA = [chat("No")] * 3
SAID = [
    ("llama_guard", "{}", [SAFE], {}),
    ("llama_guard", "{}", [UNSAFE], {"VIOLENT_CRIMES": 1.0, "HATE": 1.0}),
    ("llama_guard", "{version: '4', api: completions}", [_json(choices=[{"text": "safe"}])], {}),
    (
        "llama_guard",
        "{}",
        [chat("unsafe\nS2", tokens=[("\n\n", {}), ("unsafe", logs(unsafe=0.6, safe=0.2))])],
        {"NONVIOLENT_CRIMES": 0.75},
    ),
    (
        "llama_guard",
        "api: completions",
        [
            _json(
                choices=[
                    {
                        "text": "unsafe\nS4",
                        "logprobs": {
                            "tokens": ["unsafe"],
                            "top_logprobs": [logs(unsafe=0.8, safe=0.2)],
                        },
                    }
                ]
            )
        ],
        {"CHILD_SEXUAL_EXPLOITATION": 0.8},
    ),
    # A word in two tokens has no chance of its own.
    (
        "llama_guard",
        "{}",
        [chat("unsafe\nS2", tokens=[("un", logs(un=0.9)), ("safe", logs(safe=1.0))])],
        {"NONVIOLENT_CRIMES": 1.0},
    ),
    ("shield_gemma", "{}", [chat("Yes"), *GEMMA], {"VIOLENT_CRIMES": 1.0}),
    (
        "shield_gemma",
        "api: chat",
        [*GEMMA, chat("Yes", tokens=[("Yes", logs(Yes=0.6, No=0.4))], finish_reason="length")],
        {"SEXUAL_CONTENT": 0.6},
    ),
    ("shield_gemma", "principles: {hate: 'No {hate}.'}", [chat("No")], {}),
    ("granite_guardian", "{}", [chat("<score> yes </score>")], {"UNSAFE": 1.0}),
    ("granite_guardian", "criteria: [jailbreak]", [chat("Yes")], {"JAILBREAK": 1.0}),
    (
        "granite_guardian",
        "{criteria: [violence], think: true}",
        [chat("<think>yes or no? it asks how to hurt</think>\n<score>yes</score>")],
        {"VIOLENT_CRIMES": 1.0},
    ),
    ("granite_guardian", "{}", [chat("No\n<confidence> High </confidence>")], {}),
    (
        "granite_guardian",
        "{}",
        [chat("<score>no</score>", tokens=[("<score>", {}), ("no", logs(no=0.7, yes=0.3))])],
        {"UNSAFE": 0.3},
    ),
    ("gpt_oss_safeguard", "{}", [chat('{"violation": 1, "category": "HATE"}')], {"HATE": 1.0}),
    (
        "gpt_oss_safeguard",
        "{}",
        [
            chat(
                "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final"
                '<|message|>```json\n{"violation": 1, "category": null, "confidence": 0.7}\n```'
                "<|return|>"
            )
        ],
        {"UNSAFE": 0.7},
    ),
    (
        "gpt_oss_safeguard",
        "{policy: No puns., categories: [PUN], effort: high}",
        [chat('{"violation": 1, "category": "PUN"}')],
        {"PUN": 1.0},
    ),
    (
        "openai_moderation",
        "{}",
        [moderation(True, "self-harm/intent", **{"self-harm/intent": 0.4, "self-harm": 0.2})],
        {"SELF_HARM_INTENT": 0.5, "SELF_HARM": 0.2},
    ),
    (
        "azure_content_safety",
        "{}",
        [azure(Hate=7, Violence=2)],
        {"HATE": 1, "VIOLENT_CRIMES": 0.286},
    ),
    (
        "presidio",
        "entities: [PERSON]",
        [json.dumps([{"entity_type": "PERSON", "start": 0, "end": 5, "score": 0.85}]).encode()],
        {"PERSON": 0.85},
    ),
    (
        "webhook",
        "categories: [HATE, PUN]",
        [_json(results=[{"findings": [{"category": "PUN", "score": 0.4, "start": 1, "end": 2}]}])],
        {"PUN": 0.4},
    ),
]


@pytest.mark.parametrize(("kind", "options", "bodies", "expected"), SAID)
def test_an_answer_is_read(
    kind: str, options: str, bodies: list[bytes], expected: dict[str, float]
) -> None:
    least = {"OPENAI": 0.011}
    found = claims(kind, options, bodies)
    if kind == "openai_moderation":
        found = {category: score for category, score in found.items() if score > least["OPENAI"]}
    assert found == expected


NONSENSE = {
    "llama_guard": [
        chat(""),
        chat("Safe."),
        chat("safe\nS1"),
        chat("safe\nunsafe\nS1"),
        chat("unsafe"),
        chat("unsafe\nS15"),
        chat("unsafe\nS1 because it is violent"),
        chat("I cannot help with that."),
        chat("unsafe\nS1", finish_reason="length"),
        chat("safe", finish_reason="content_filter"),
    ],
    "shield_gemma": [chat("Maybe"), chat("Yes No"), chat("Yesterday")],
    "granite_guardian": [
        chat("<score>maybe</score>"),
        chat("<score>yes</score><score>no</score>"),
        chat("yes and no"),
        chat("<think>still thinking"),
        chat("<think><score>no</score></think>"),
    ],
    "gpt_oss_safeguard": [
        chat("not a violation"),
        chat('{"violation": 2}'),
        chat('{"violation": 0, "category": "HATE"}'),
        chat('{"violation": 1, "category": "FUN"}'),
        chat('{"violation": 1, "confidence": 7}'),
        chat('{"violation": 0} {"violation": 1}'),
        chat('{"violation": 1, "violation": 0}'),
        chat('{"violation": 0, "note": "trust me"}'),
        chat("<|channel|>analysis<|message|>only this"),
    ],
    "openai_moderation": [
        moderation(False).replace(b'"flagged": false', b'"flagged": true, "flagged": false'),
        moderation(False, "hate"),
        moderation(True),
        _json(results=[]),
        _json(results=[{"flagged": False, "categories": {}, "category_scores": {}}]),
        moderation(False).replace(b"0.01", b"1.01"),
    ],
    "azure_content_safety": [
        azure(Hate=7).replace(b"7", b"8"),
        azure().replace(b"Sexual", b"Hate"),
        _json(categoriesAnalysis=[{"category": "Hate", "severity": 0}]),
    ],
    "presidio": [
        b'[{"entity_type": "PERSON", "start": 0, "end": 7, "score": 0.85}]',
        b'[{"entity_type": "PERSON", "start": 3, "end": 3, "score": 0.85}]',
        b'[{"entity_type": "PERSON", "start": -1, "end": 3, "score": 0.85}]',
        b'[{"entity_type": "UNASKED", "start": 0, "end": 3, "score": 0.85}]',
        b'{"error": "no such language"}',
    ],
    "webhook": [
        _json(results=[]),
        _json(results=[{"findings": []}, {"findings": []}]),
        _json(results=[{"findings": [{"category": "FUN", "score": 1}]}]),
        _json(results=[{"findings": [{"category": "HATE", "score": 1, "start": 0}]}]),
        _json(results=[{"findings": [{"category": "HATE", "score": 1, "start": 0, "end": 9}]}]),
        _json(results=[{"findings": [{"category": "HATE", "score": "1"}]}]),
        _json(results=[{"findings": [], "safe": True}]),
    ],
}
BROKEN = [b"", b"{", b"\xff\xfe", b"[]]", b"null", b"<html>busy</html>", b"[" * 100_000]


@pytest.mark.parametrize("kind", kinds())
def test_what_cannot_be_read_is_never_harmless(kind: str) -> None:
    options, bodies = harmless(kind)
    method = built(kind, options)
    (nothing,) = method.read([asks("Hello.")], bodies).claims
    assert all(claim.score < 0.5 for claim in nothing)
    for wrong in [*BROKEN, *NONSENSE[kind], bodies[0][:-1]]:
        with pytest.raises(Unclear):
            method.read([asks("Hello.")], [wrong, *bodies[1:]])


SLOW = ["\n" * 200_000, " " * 200_000 + "x", "<think>" * 30_000, "unsafe\n" + "S1," * 60_000]
SLOW += ["```" + "\n" * 200_000 + "x", "<|channel|>final<|message|>" + " " * 200_000 + "x"]


@pytest.mark.parametrize("text", SLOW, ids=range(len(SLOW)))
@pytest.mark.parametrize(
    "kind", ["llama_guard", "shield_gemma", "granite_guardian", "gpt_oss_safeguard"]
)
def test_an_answer_made_to_be_slow_is_not(kind: str, text: str) -> None:
    options, bodies = harmless(kind)
    with pytest.raises(Unclear):
        built(kind, options).read([asks("Hello.")], [chat(text), *bodies[1:]])


@pytest.mark.parametrize("kind", kinds())
def test_a_reason_says_nothing_of_the_answer(kind: str) -> None:
    options, bodies = harmless(kind)
    secret = chat("jane.roe@example.com")
    with pytest.raises(Unclear) as caught:
        built(kind, options).read([asks("Hello.")], [secret, *bodies[1:]])
    assert "jane" not in f"{caught.value!r} {caught.value.reason}"
    assert caught.value.reason.replace("_", "").isalpha()


@pytest.mark.parametrize("kind", kinds())
def test_every_category_is_one_of_the_taxonomy_or_named_by_the_operator(kind: str) -> None:
    ours = {e.category for e in taxonomy.load().hazards.values()}
    ours |= {e.category for e in taxonomy.load().security.values()} | {taxonomy.UNSAFE}
    if kind not in ("presidio", "webhook"):
        assert built(kind, harmless(kind)[0]).categories <= ours


@pytest.mark.parametrize(
    ("name", "table"), [("llama_guard", _hazards.LLAMA_GUARD), ("openai", _hazards.OPENAI)]
)
def test_the_taxonomy_knows_each_code_under_the_same_category(
    name: str, table: dict[str, str]
) -> None:
    known = {e.category: e.names.get(name, ()) for e in taxonomy.load().hazards.values()}
    assert [code for code, category in table.items() if code not in known[category]] == []


CALLS: list[tuple[str, str, Submission, str, dict[str, Any]]] = [
    ("llama_guard", "{}", asks("Hi"), "/v1/chat/completions", {"model": "m", "temperature": 0}),
    ("llama_guard", "api: completions", asks("Hi"), "/v1/completions", {"logprobs": 5}),
    ("shield_gemma", "{}", asks("Hi"), "/v1/completions", {"max_tokens": 1}),
    (
        "granite_guardian",
        "criteria: [jailbreak]",
        asks("Hi"),
        "/v1/chat/completions",
        {
            "messages": [{"role": "user", "content": "Hi"}],
            "chat_template_kwargs": {
                "guardian_config": {"criteria_id": "jailbreak", "risk_name": "jailbreak"},
                "think": False,
            },
        },
    ),
    (
        "granite_guardian",
        "told: system",
        answers("Ho", "Hi"),
        "/v1/chat/completions",
        {
            "messages": [
                {"role": "system", "content": "harm"},
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Ho"},
            ]
        },
    ),
    ("gpt_oss_safeguard", "{}", asks("Hi"), "/v1/chat/completions", {"reasoning_effort": "low"}),
    (
        "openai_moderation",
        "{}",
        asks("Hi"),
        "/v1/moderations",
        {"model": "omni-moderation-latest", "input": ["Hi"]},
    ),
    (
        "azure_content_safety",
        "{}",
        asks("Hi"),
        "/contentsafety/text:analyze?api-version=2024-09-01",
        {
            "text": "Hi",
            "categories": ["Hate", "SelfHarm", "Sexual", "Violence"],
            "outputType": "EightSeverityLevels",
        },
    ),
    (
        "presidio",
        "{language: de, entities: [PERSON]}",
        asks("Hi"),
        "/analyze",
        {"text": "Hi", "language": "de", "entities": ["PERSON"]},
    ),
    (
        "webhook",
        "{categories: [PUN], path: /judge, language: en}",
        answers("Hi"),
        "/judge",
        {"texts": ["Hi"], "direction": "response", "role": "assistant", "language": "en"},
    ),
]


@pytest.mark.parametrize(("kind", "options", "submission", "path", "fields"), CALLS)
def test_a_call_is_what_its_vendor_expects(
    kind: str, options: str, submission: Submission, path: str, fields: dict[str, Any]
) -> None:
    call = built(kind, options).calls([submission], "m")[0]
    assert call.path == path
    assert {key: body(call).get(key) for key in fields} == fields


@pytest.mark.parametrize(("version", "end"), [("3", "<|eot_id|>"), ("4", "<|eot|>")])
def test_llama_guard_judges_an_answer_by_what_was_asked(version: str, end: str) -> None:
    method = built("llama_guard", f"{{version: '{version}', api: completions}}")
    (call,) = method.calls([answers("Ho", "Hi")], "m")
    prompt = body(call)["prompt"]
    assert "unsafe content in 'Agent' messages" in prompt
    assert "<BEGIN CONVERSATION>\n\nUser: Hi\n\nAgent: Ho\n\n<END CONVERSATION>" in prompt
    assert prompt.count(end) == 1
    assert all(f"\n{code}: " in prompt for code in _hazards.LLAMA_GUARD)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("llama_guard", "logprobs: false"),
        ("llama_guard", "{logprobs: false, api: completions}"),
        ("granite_guardian", "logprobs: false"),
        ("gpt_oss_safeguard", "{}"),
    ],
)
def test_a_server_without_chances_is_not_asked_for_them(kind: str, options: str) -> None:
    (call,) = built(kind, options).calls([asks("Hi")], "m")
    assert not [key for key in body(call) if "logprobs" in key]


def test_shield_gemma_asks_about_each_principle() -> None:
    prompts = [body(c)["prompt"] for c in built("shield_gemma").calls([answers("Ho", "Hi")], "m")]
    assert len(prompts) == 4
    assert all("Chatbot Response: Ho\n<end_of_turn>" in prompt for prompt in prompts)
    assert all("Does the Chatbot Response violate" in prompt for prompt in prompts)


def test_neighbours_of_one_role_are_one_call_to_a_webhook() -> None:
    method = built("webhook", "categories: [PUN]")
    said = [asks("a"), asks("b"), answers("c")]
    assert [body(call)["texts"] for call in method.calls(said, "")] == [["a", "b"], ["c"]]
    two, one = _json(results=[{"findings": []}] * 2), _json(results=[{"findings": []}])
    assert len(method.read(said, [two, one]).claims) == 3


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("llama_guard", "version: '5'"),
        ("llama_guard", "api: smoke"),
        ("shield_gemma", "principles: {fun: x}"),
        ("granite_guardian", "criteria: [groundedness]"),
        ("gpt_oss_safeguard", "policy: x"),
        ("webhook", "{}"),
        ("webhook", "categories: [pun]"),
        ("webhook", "{categories: [PUN], path: 'http://elsewhere'}"),
        ("azure_content_safety", "api_version: '?x'"),
        ("presidio", "language: ENGLISH"),
    ],
)
def test_options_that_mean_nothing_are_errors(kind: str, options: str) -> None:
    with pytest.raises(ConfigError, match=r"f\.yaml:1"):
        built(kind, options)
