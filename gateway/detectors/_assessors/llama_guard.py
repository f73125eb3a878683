"""Llama Guard 3 and 4: "safe", or "unsafe" and the codes of what is violated.

Prompt and answer: llama.com, "Model cards and prompt formats", Llama Guard 3 and Llama Guard 4
(2024, 2025). Over chat the server's own template writes the prompt around the conversation;
over completions it is written here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from gateway.core.calls import Outgoing
from gateway.core.message import Direction
from gateway.core.ports import Submission
from gateway.cursor import Cursor
from gateway.detectors._assessors._chat import APIS, CHAT, Said, ask, heard, told
from gateway.detectors._assessors._hazards import LLAMA_GUARD
from gateway.detectors._assessors._inert import inert
from gateway.detectors._assessors._method import Answered, Claim, Unclear

_NAMES = (
    "Violent Crimes",
    "Non-Violent Crimes",
    "Sex Crimes",
    "Child Exploitation",
    "Defamation",
    "Specialized Advice",
    "Privacy",
    "Intellectual Property",
    "Indiscriminate Weapons",
    "Hate",
    "Self-Harm",
    "Sexual Content",
    "Elections",
    "Code Interpreter Abuse",
)
# Before the user's turn, before the assistant's.
_FRAMES = {
    "3": (
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n",
        "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    ),
    "4": (
        "<|begin_of_text|><|header_start|>user<|header_end|>\n\n",
        "<|eot|><|header_start|>assistant<|header_end|>\n\n",
    ),
}
_ANSWER = re.compile(r"(safe|unsafe)(?:\s{1,8}(S\d{1,2}(?:\s{0,4},\s{0,4}S\d{1,2}){0,31}))?")
_ANSWER_TOKENS = 64


def build(options: Cursor) -> LlamaGuard:
    """Options: `version`, 3 or 4; `api`, chat or completions; `logprobs`, or not."""
    fields = options.fields(("version", "api", "logprobs"))
    logprobs = "logprobs" not in fields or fields["logprobs"].truth()
    api = fields["api"].choice(APIS) if "api" in fields else "chat"
    version = fields["version"].choice(_FRAMES) if "version" in fields else "3"
    return LlamaGuard(APIS[api], version, logprobs=logprobs)


class LlamaGuard:
    """Follows `Method`."""

    version = "1"
    categories = frozenset(LLAMA_GUARD.values())
    of_model = True
    max_chars = 24_000
    batch = 1

    def __init__(self, dialect: str, version: str, *, logprobs: bool) -> None:
        self.dialect = dialect
        self._more: dict[str, Any] = {"max_tokens": _ANSWER_TOKENS}
        if not logprobs:
            self._more["logprobs"] = None
        self._version = version

    def calls(self, submissions: Sequence[Submission], model: str) -> Sequence[Outgoing]:
        """One for each text."""
        return [self._call(submission, model) for submission in submissions]

    def read(self, submissions: Sequence[Submission], bodies: Sequence[bytes]) -> Answered:
        """Raises Unclear unless it is one of the two words, with codes if and only if unsafe."""
        said = [heard(body) for body in bodies]
        pairs = zip(submissions, said, strict=True)
        claims = [_claims(len(submission.text), each) for submission, each in pairs]
        return told(said, claims)

    def _call(self, submission: Submission, model: str) -> Outgoing:
        turns = _turns(submission)
        if self.dialect == CHAT:
            names = {"User": "user", "Agent": "assistant"}
            messages = [{"role": names[who], "content": text} for who, text in turns]
            return ask(CHAT, model, messages, **self._more)
        prompt = _prompt(turns, self._version)
        return ask(self.dialect, model, prompt, **self._more)


def _turns(submission: Submission) -> list[tuple[str, str]]:
    """Who says what; the last is judged. An answer is judged as one to what was asked."""
    text = inert(submission.text)
    if submission.direction is Direction.REQUEST:
        return [("User", text)]
    return [("User", inert(submission.before)), ("Agent", text)]


def _prompt(turns: Sequence[tuple[str, str]], version: str) -> str:
    who = turns[-1][0]
    before, after = _FRAMES[version]
    hazards = "\n".join(f"S{n}: {name}." for n, name in enumerate(_NAMES, 1))
    conversation = "\n\n".join(f"{name}: {text}" for name, text in turns)
    return (
        f"{before}Task: Check if there is unsafe content in '{who}' messages in conversations "
        "according our safety policy with the below categories.\n\n"
        f"<BEGIN UNSAFE CONTENT CATEGORIES>\n{hazards}\n<END UNSAFE CONTENT CATEGORIES>\n\n"
        f"<BEGIN CONVERSATION>\n\n{conversation}\n\n<END CONVERSATION>\n\n"
        f"Provide your safety assessment for ONLY THE LAST {who} message in the above "
        "conversation:\n - First line must read 'safe' or 'unsafe'.\n - If unsafe, a second line "
        f"must include a comma-separated list of violated categories.{after}"
    )


def _claims(length: int, said: Said) -> list[Claim]:
    match = _ANSWER.fullmatch(said.text.strip())
    if match is None:
        raise Unclear
    word, codes = match.groups()
    if (word == "unsafe") != bool(codes):
        raise Unclear("contradiction")
    if word == "safe":
        return []
    named = [code.strip() for code in codes.split(",")]
    if not all(code in LLAMA_GUARD for code in named):
        raise Unclear("unknown_category")
    score = said.likelihood("unsafe", "safe", said=word)
    return [
        Claim(category, 0, length, score) for category in sorted({LLAMA_GUARD[c] for c in named})
    ]
