"""Models that judge, asked over OpenAI's chat or completions API, as any catalogue entry can be.

Shapes: API reference of OpenAI, "Chat" and "Completions" (2026); vLLM's and llama.cpp's servers
follow them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from gateway.core.calls import Outgoing
from gateway.detectors._assessors._answers import read
from gateway.detectors._assessors._method import Answered, Claim, Unclear

CHAT, COMPLETIONS = "openai_chat", "openai_completions"
APIS = {"chat": CHAT, "completions": COMPLETIONS}
_PATHS = {CHAT: "/v1/chat/completions", COMPLETIONS: "/v1/completions"}
_TOP = 5
_Count = Annotated[int, msgspec.Meta(ge=0)]


class Usage(msgspec.Struct):
    """What it cost, as the server counts."""

    prompt_tokens: _Count = 0
    completion_tokens: _Count = 0


class _Top(msgspec.Struct):
    token: str
    logprob: float


class _Token(msgspec.Struct):
    token: str
    logprob: float
    top_logprobs: list[_Top] = []


class _Logprobs(msgspec.Struct):
    """Of chat: `content`. Of completions: the other two, the latter by place and token."""

    content: list[_Token] | None = None
    tokens: list[str] | None = None
    top_logprobs: list[dict[str, float] | None] | None = None


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message | None = None
    text: str | None = None
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    usage: Usage | None = None


class Said(msgspec.Struct, frozen=True):
    """What a model said. tokens: each with its likeliest alternatives; empty if not told."""

    text: str
    usage: Usage
    tokens: list[tuple[str, dict[str, float]]]

    def likelihood(self, yes: str, no: str, *, said: str) -> float:
        """How likely `yes` was against `no` where the model said `said`, which is one of them.

        1 or 0 if the server tells no probabilities, or the word is not one token.
        """
        for token, others in self.tokens:
            if _word(token) != said:
                continue
            chances = {yes: 0.0, no: 0.0}
            for other, logprob in others.items():
                if _word(other) in chances:
                    chances[_word(other)] += math.exp(min(0.0, logprob))
            total = chances[yes] + chances[no]
            if total > 0:
                return chances[yes] / total
        return float(said == yes)


def ask(dialect: str, model: str, what: Sequence[Mapping[str, str]] | str, **more: Any) -> Outgoing:
    """One call. what: the messages of a chat, or the prompt of a completion. more: its fields.

    Chances of tokens are asked for, unless `logprobs` is None: not all servers know the word.
    """
    body: dict[str, Any] = {"model": model, "temperature": 0, "stream": False}
    if dialect == CHAT:
        body |= {"messages": list(what), "logprobs": True, "top_logprobs": _TOP}
    else:
        body |= {"prompt": what, "logprobs": _TOP}
    body |= more
    if body["logprobs"] is None:
        body = {key: value for key, value in body.items() if "logprobs" not in key}
    return Outgoing(json.dumps(body).encode(), dialect, _PATHS[dialect], model)


def heard(body: bytes, *, cut: bool = False) -> Said:
    """The answer to one. Raises Unclear if it is none, or was cut off. cut: that was asked for."""
    found: _Completion = read(body, _Completion)
    if len(found.choices) != 1:
        raise Unclear("not_its_schema")
    (choice,) = found.choices
    text = choice.message.content if choice.message else choice.text
    if text is None:
        raise Unclear("empty")
    if choice.finish_reason == "content_filter" or (choice.finish_reason == "length" and not cut):
        raise Unclear("cut_off")
    return Said(text, found.usage or Usage(), _tokens(choice.logprobs))


def told(said: Sequence[Said], claims: Sequence[Sequence[Claim]]) -> Answered:
    """Claims with what all answers cost together."""
    return Answered(
        claims,
        sum(each.usage.prompt_tokens for each in said),
        sum(each.usage.completion_tokens for each in said),
    )


def _tokens(given: _Logprobs | None) -> list[tuple[str, dict[str, float]]]:
    if given is None:
        return []
    if given.content is not None:
        return [
            (t.token, {t.token: t.logprob, **{o.token: o.logprob for o in t.top_logprobs}})
            for t in given.content
        ]
    pairs = zip(given.tokens or (), given.top_logprobs or (), strict=False)
    return [(token, others or {}) for token, others in pairs]


def _word(token: str) -> str:
    """A token as the word it stands for: tokenisers mark the space before it in several ways."""
    return token.strip().strip("\u2581\u0120\u010a").strip().lower()
