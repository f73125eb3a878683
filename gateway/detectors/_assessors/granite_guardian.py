"""Granite Guardian: yes or no to one criterion at a time.

How it is asked and answers: IBM, model cards of Granite Guardian 3.0 to 3.3 and 4.1 (2024 to
2026). The server's own template writes the prompt; it is told the criterion through vLLM's
`chat_template_kwargs`, or, as Ollama wants it, by the system message. From 3.3 on the answer
stands in `<score>`, after what was thought in `<think>`; before that it is the first word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from gateway.core.calls import Outgoing
from gateway.core.message import Direction
from gateway.core.ports import Submission
from gateway.cursor import Cursor
from gateway.detectors._assessors._chat import CHAT, Said, ask, heard, told
from gateway.detectors._assessors._hazards import GRANITE_GUARDIAN
from gateway.detectors._assessors._inert import inert
from gateway.detectors._assessors._method import Answered, Claim, Unclear

_TOLD = ("template", "system")
_SCORE = re.compile(
    r"\s*(?:<think>(?:(?!</?think>|</?score>).)*</think>\s*)?"
    r"<score>\s*(yes|no)\s*</score>\s*",
    re.IGNORECASE | re.DOTALL,
)
_WORD = re.compile(
    r"\s*(yes|no)\s*(?:<confidence>\s*(?:high|low)\s*</confidence>\s*)?", re.IGNORECASE
)
_TOKENS, _TOKENS_TO_THINK = 32, 2_048


def build(options: Cursor) -> GraniteGuardian:
    """Options: `criteria`, a list; `told`, template or system; `think` and `logprobs`, or not."""
    fields = options.fields(("criteria", "told", "think", "logprobs"))
    logprobs = "logprobs" not in fields or fields["logprobs"].truth()
    criteria = fields["criteria"].choices(GRANITE_GUARDIAN) if "criteria" in fields else ["harm"]
    where = fields["told"].choice(_TOLD) if "told" in fields else "template"
    think = "think" in fields and fields["think"].truth()
    return GraniteGuardian(
        criteria, by_template=where == "template", think=think, logprobs=logprobs
    )


class GraniteGuardian:
    """Follows `Method`."""

    version = "1"
    dialect = CHAT
    of_model = True
    max_chars = 24_000
    batch = 1

    def __init__(
        self, criteria: Sequence[str], *, by_template: bool, think: bool, logprobs: bool
    ) -> None:
        self.categories = frozenset(GRANITE_GUARDIAN[name] for name in criteria)
        self._criteria = criteria
        self._by_template = by_template
        self._think = think
        self._logprobs = logprobs

    def calls(self, submissions: Sequence[Submission], model: str) -> Sequence[Outgoing]:
        """One for each text and criterion."""
        return [
            self._call(submission, criterion, model)
            for submission in submissions
            for criterion in self._criteria
        ]

    def read(self, submissions: Sequence[Submission], bodies: Sequence[bytes]) -> Answered:
        """Raises Unclear unless every answer is one of the two words, where it has to stand."""
        said = [heard(body) for body in bodies]
        answers = iter(said)
        claims = []
        for submission in submissions:
            length = len(submission.text)
            pairs = [(name, next(answers)) for name in self._criteria]
            claims.append([Claim(GRANITE_GUARDIAN[n], 0, length, _score(s)) for n, s in pairs])
        return told(said, claims)

    def _call(self, submission: Submission, criterion: str, model: str) -> Outgoing:
        messages = [{"role": "user", "content": inert(submission.text)}]
        if submission.direction is Direction.RESPONSE:
            messages = [
                {"role": "user", "content": inert(submission.before)},
                {"role": "assistant", "content": inert(submission.text)},
            ]
        more: dict[str, Any] = {"max_tokens": _TOKENS_TO_THINK if self._think else _TOKENS}
        if not self._logprobs:
            more["logprobs"] = None
        if self._by_template:
            # Up to 3.2 a criterion is called a risk's name; a template passes over what is not its.
            config = {"criteria_id": criterion, "risk_name": criterion}
            more["chat_template_kwargs"] = {"guardian_config": config, "think": self._think}
        else:
            messages.insert(0, {"role": "system", "content": criterion})
        return ask(CHAT, model, messages, **more)


def _score(said: Said) -> float:
    match = _SCORE.fullmatch(said.text) or _WORD.fullmatch(said.text)
    if match is None:
        raise Unclear
    if "<think>" in said.text.lower():
        # What was thought may hold both words, with chances of their own.
        return float(match[1].lower() == "yes")
    return said.likelihood("yes", "no", said=match[1].lower())
