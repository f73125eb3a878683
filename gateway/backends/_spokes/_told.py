"""What an answer in chat completions says, collected from one body or from many chunks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Delta(NamedTuple):
    """What one chunk adds to the text and to the reasoning.

    refusal: the end of `text`, where the model says that it does not want to.
    """

    text: str = ""
    reasoning: str = ""
    refusal: str = ""

    @property
    def said(self) -> str:
        """The text without the refusal."""
        return self.text.removesuffix(self.refusal)


@dataclass(slots=True)
class ToolCall:
    """One call of a tool. arguments: a JSON text, as the model wrote it."""

    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(slots=True)
class Told:
    """An answer so far. Tool calls are whole only at the end.

    They are not streamed on: two calls may arrive mixed, which most dialects cannot tell, and
    arguments are judged whole anyway.
    """

    id: str = ""
    model: str = ""
    created: int = 0
    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    tools: list[ToolCall] = field(default_factory=list)
    finish: str = ""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    counted: bool = False

    def whole(self, answer: Mapping[str, Any]) -> Told:
        """Read a chat completion. Returns itself."""
        self._head(answer)
        for choice in answer.get("choices") or ():
            self._piece(choice.get("message") or {})
            self.finish = choice.get("finish_reason") or self.finish
        return self

    def add(self, chunk: Mapping[str, Any]) -> Delta:
        """Read a chunk; what it adds to what a client sees at once."""
        self._head(chunk)
        delta = Delta()
        for choice in chunk.get("choices") or ():
            # There is one at most: `n` is refused.
            delta = self._piece(choice.get("delta") or {})
            self.finish = choice.get("finish_reason") or self.finish
        return delta

    @property
    def reason(self) -> str:
        """Why it ended: stop, length, tool_calls or content_filter."""
        if self.finish == "function_call" or (self.tools and self.finish in ("", "stop")):
            return "tool_calls"
        return self.finish or "stop"

    def _head(self, value: Mapping[str, Any]) -> None:
        self.id = self.id or str(value.get("id") or "")
        self.model = self.model or str(value.get("model") or "")
        self.created = self.created or int(value.get("created") or 0)
        usage = value.get("usage")
        if usage:
            self.counted = True
            self.prompt_tokens = int(usage.get("prompt_tokens") or 0)
            self.completion_tokens = int(usage.get("completion_tokens") or 0)
            details = usage.get("prompt_tokens_details") or {}
            self.cached_tokens = int(details.get("cached_tokens") or 0)
            details = usage.get("completion_tokens_details") or {}
            self.reasoning_tokens = int(details.get("reasoning_tokens") or 0)

    def _piece(self, value: Mapping[str, Any]) -> Delta:
        refusal = value.get("refusal") or ""
        text, reasoning = value.get("content") or "", value.get("reasoning_content") or ""
        delta = Delta(text + refusal, reasoning, refusal)
        self.text += delta.text
        self.reasoning += delta.reasoning
        self.refusal += refusal
        for position, call in enumerate(value.get("tool_calls") or ()):
            self._call(call, position)
        return delta

    def _call(self, call: Mapping[str, Any], position: int) -> None:
        index = call.get("index")
        known = self._numbers.setdefault(position if index is None else index, len(self.tools))
        if known == len(self.tools):
            self.tools.append(ToolCall())
        tool, function = self.tools[known], call.get("function") or {}
        tool.id = tool.id or str(call.get("id") or "")
        tool.name = tool.name or str(function.get("name") or "")
        tool.arguments += function.get("arguments") or ""

    _numbers: dict[int, int] = field(default_factory=dict)
