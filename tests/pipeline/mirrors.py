"""Upstreams that say back what they were sent, in text and to a tool, each in its own dialect."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.core.apis import Answer
from gateway.core.calls import Call, Outgoing
from tests.pipeline.fakes import SSE, Backend


@dataclass(frozen=True)
class Said:
    """What a user says, what a tool was called with before, and what it answered."""

    text: str
    argument: str
    result: str


def as_json(said: Said) -> str:
    """Arguments of a call that tells what was said."""
    return json.dumps({"to": said.argument, "why": said.result})


@dataclass(frozen=True)
class Mirror:
    """One dialect: a request, what an upstream reads in it, its answer, what a client reads.

    written: the arguments of the answer's call.
    """

    dialect: str
    kind: str
    request: Callable[[Said], Any]
    read: Callable[[Any], Said]
    answer: Callable[[Said, Sequence[str], Sequence[str]], bytes]
    heard: Callable[[bytes], tuple[str, dict[str, str]]]
    params: tuple[tuple[str, str], ...] = ()
    written: Callable[[Said], str] = as_json

    def call(self, said: Said) -> Call:
        return Call(json.dumps(self.request(said)).encode(), params=dict(self.params))


class Mirrored(Backend):
    """Answers in pieces of so many bytes; its texts in pieces of so many characters.

    say: what it makes of what it has read, if it does not say it back as it is.
    """

    def __init__(
        self,
        mirror: Mirror,
        *,
        chars: int,
        cut: int,
        say: Callable[[Said], Said] = lambda read: read,
    ) -> None:
        super().__init__(kind=mirror.kind)
        self._mirror, self._chars, self._cut, self._say = mirror, chars, cut, say
        self.read = Said("", "", "")

    async def send(self, call: Outgoing) -> Answer:
        self.read = self._mirror.read(json.loads(call.body))
        said = self._say(self.read)
        arguments = self._mirror.written(said)
        answer = self._mirror.answer(said, pieces(said.text, self._chars), pieces(arguments, 7))
        self.pieces = tuple(answer[i : i + self._cut] for i in range(0, len(answer), self._cut))
        return await super().send(call)


def pieces(text: str, size: int) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


def _sse(*events: Any, named: bool = False) -> bytes:
    head = "event: {}\ndata: " if named else "data: "
    told = [head.format(e["type"]) if named else head for e in events]
    return "".join(h + json.dumps(e) + "\n\n" for h, e in zip(told, events, strict=True)).encode()


def _events(body: bytes) -> Iterator[Any]:
    for line in body.decode().splitlines():
        if line.startswith("data: ") and line != "data: [DONE]":
            yield json.loads(line[6:])


# --- chat completions ------------------------------------------------------------------


def _chat_request(said: Said) -> Any:
    function = {"name": "mail", "arguments": json.dumps({"to": said.argument})}
    return {
        "model": "m",
        "stream": True,
        "messages": [
            {"role": "assistant", "tool_calls": [{"id": "c1", "function": function}]},
            {"role": "tool", "tool_call_id": "c1", "content": said.result},
            {"role": "user", "content": said.text},
        ],
    }


def _chat_read(body: Any) -> Said:
    called, result, user = body["messages"]
    arguments = json.loads(called["tool_calls"][0]["function"]["arguments"])
    return Said(user["content"], arguments["to"], result["content"])


def _chat_answer(said: Said, texts: Sequence[str], arguments: Sequence[str]) -> bytes:
    first = {"index": 0, "id": "c2", "function": {"name": "mail", "arguments": ""}}
    deltas: list[dict[str, Any]] = [{"content": text} for text in texts]
    deltas.append({"tool_calls": [first]})
    deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": a}}]} for a in arguments]
    chunks = [{"choices": [{"index": 0, "delta": d, "finish_reason": None}]} for d in deltas]
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
    return _sse(*chunks, end) + b"data: [DONE]\n\n"


def _chat_heard(body: bytes) -> tuple[str, dict[str, str]]:
    deltas = [event["choices"][0]["delta"] for event in _events(body)]
    text = "".join(delta.get("content") or "" for delta in deltas)
    calls = [call for delta in deltas for call in delta.get("tool_calls", ())]
    return text, json.loads("".join(call["function"]["arguments"] for call in calls))


def _whole_chat(said: Said, texts: Sequence[str], arguments: Sequence[str]) -> bytes:
    function = {"name": "mail", "arguments": "".join(arguments)}
    calls = [{"id": "c2", "type": "function", "function": function}]
    message = {"role": "assistant", "content": "".join(texts), "tool_calls": calls}
    return json.dumps({"choices": [{"index": 0, "message": message}]}).encode()


def _whole_chat_heard(body: bytes) -> tuple[str, dict[str, str]]:
    message = json.loads(body)["choices"][0]["message"]
    return message["content"], json.loads(message["tool_calls"][0]["function"]["arguments"])


# --- messages --------------------------------------------------------------------------


def _messages_request(said: Said) -> Any:
    use = {"type": "tool_use", "id": "t1", "name": "mail", "input": {"to": said.argument}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": said.result}
    return {
        "model": "m",
        "max_tokens": 9,
        "stream": True,
        "messages": [
            {"role": "assistant", "content": [use]},
            {"role": "user", "content": [result, {"type": "text", "text": said.text}]},
        ],
    }


def _messages_read(body: Any) -> Said:
    called, user = body["messages"]
    result, text = user["content"]
    return Said(text["text"], called["content"][0]["input"]["to"], result["content"])


def _messages_answer(said: Said, texts: Sequence[str], arguments: Sequence[str]) -> bytes:
    def delta(index: int, kind: str, **more: str) -> Any:
        what = {"type": kind, **more}
        return {"type": "content_block_delta", "index": index, "delta": what}

    message = {"id": "m1", "type": "message", "role": "assistant", "content": [], "model": "m"}
    use = {"type": "tool_use", "id": "t2", "name": "mail", "input": {}}
    return _sse(
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(delta(0, "text_delta", text=text) for text in texts),
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": use},
        *(delta(1, "input_json_delta", partial_json=a) for a in arguments),
        {"type": "content_block_stop", "index": 1},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {}},
        {"type": "message_stop"},
        named=True,
    )


def _messages_heard(body: bytes) -> tuple[str, dict[str, str]]:
    deltas = [event["delta"] for event in _events(body) if event["type"] == "content_block_delta"]
    text = "".join(delta.get("text", "") for delta in deltas)
    return text, json.loads("".join(delta.get("partial_json", "") for delta in deltas))


# --- Responses -------------------------------------------------------------------------


@dataclass(frozen=True)
class _Call:
    """A kind of call in the Responses API: its items, what they say, its series of events.

    answered: the items that answer it; without one, it holds its answer itself. free: what it
    says is any text.
    """

    kind: str
    member: str
    head: str
    answered: str = ""
    free: bool = False

    def item(self, ident: str, said: str) -> dict[str, Any]:
        more = {"call_id": f"c_{ident}"} if self.answered else {"server_label": "post"}
        return {"id": ident, "type": self.kind, "name": "mail", self.member: said, **more}

    def request(self, said: Said) -> Any:
        told = said.argument if self.free else json.dumps({"to": said.argument})
        call = self.item("i0", told)
        items = [call, {"role": "user", "content": [{"type": "input_text", "text": said.text}]}]
        if self.answered:
            output = {"type": self.answered, "call_id": call["call_id"], "output": said.result}
            items.insert(1, output)
        else:
            call["output"] = said.result
        return {"model": "m", "stream": True, "store": False, "input": items}

    def read(self, body: Any) -> Said:
        call, *told, user = body["input"]
        result = (told or [call])[0]["output"]
        argument = call[self.member] if self.free else json.loads(call[self.member])["to"]
        return Said(user["content"][0]["text"], argument, result)

    def answer(self, said: Said, texts: Sequence[str], arguments: Sequence[str]) -> bytes:
        text, argument = "".join(texts), "".join(arguments)
        part = {"type": "output_text", "annotations": [], "text": ""}
        item: dict[str, Any] = {"id": "i1", "type": "message", "role": "assistant", "content": []}
        items = [{**item, "content": [{**part, "text": text}]}, self.item("i2", argument)]
        response = {"id": "r1", "object": "response", "model": "m", "output": []}
        at = {"item_id": "i1", "output_index": 0, "content_index": 0}
        here = {"item_id": "i2", "output_index": 1}
        begun = self.item("i2", "")
        events: list[dict[str, Any]] = [
            {"type": "response.created", "response": response},
            {"type": "response.output_item.added", "output_index": 0, "item": item},
            {"type": "response.content_part.added", **at, "part": part},
            *({"type": "response.output_text.delta", **at, "delta": piece} for piece in texts),
            {"type": "response.output_text.done", **at, "text": text},
            {"type": "response.content_part.done", **at, "part": {**part, "text": text}},
            {"type": "response.output_item.done", "output_index": 0, "item": items[0]},
            {"type": "response.output_item.added", "output_index": 1, "item": begun},
            *({"type": f"{self.head}.delta", **here, "delta": piece} for piece in arguments),
            {"type": f"{self.head}.done", **here, self.member: argument},
            {"type": "response.output_item.done", "output_index": 1, "item": items[1]},
            {"type": "response.completed", "response": {**response, "output": items}},
        ]
        numbered = ({**event, "sequence_number": n} for n, event in enumerate(events))
        return _sse(*numbered, named=True)

    def heard(self, body: bytes) -> tuple[str, dict[str, str]]:
        """The final object's, once it is seen to be what the pieces and each end said."""
        events = [*_events(body)]

        def told(kind: str, member: str) -> str:
            return "".join(event[member] for event in events if event["type"] == kind)

        message, call = events[-1]["response"]["output"]
        text, arguments = message["content"][0]["text"], call[self.member]
        head = "response.output_text"
        assert told(f"{head}.delta", "delta") == told(f"{head}.done", "text") == text
        said = told(f"{self.head}.delta", "delta")
        assert said == told(f"{self.head}.done", self.member) == arguments
        done = [e["item"] for e in events if e["type"] == "response.output_item.done"]
        assert done == [message, call]
        return text, _both(arguments) if self.free else json.loads(arguments)

    def mirror(self) -> Mirror:
        return Mirror(
            "openai_responses",
            SSE,
            self.request,
            self.read,
            self.answer,
            self.heard,
            written=_freely if self.free else as_json,
        )


_BETWEEN = "\n--\n"


def _freely(said: Said) -> str:
    return f"{said.argument}{_BETWEEN}{said.result}"


def _both(arguments: str) -> dict[str, str]:
    to, _, why = arguments.partition(_BETWEEN)
    return {"to": to, "why": why}


_FUNCTION = _Call(
    "function_call", "arguments", "response.function_call_arguments", "function_call_output"
)
_CUSTOM = _Call(
    "custom_tool_call",
    "input",
    "response.custom_tool_call_input",
    "custom_tool_call_output",
    free=True,
)
_MCP = _Call("mcp_call", "arguments", "response.mcp_call_arguments")


# --- Gemini ----------------------------------------------------------------------------


def _gemini_request(said: Said) -> Any:
    call = {"functionCall": {"name": "mail", "args": {"to": said.argument}}}
    response = {"functionResponse": {"name": "mail", "response": {"result": said.result}}}
    return {
        "contents": [
            {"role": "model", "parts": [call]},
            {"role": "user", "parts": [response, {"text": said.text}]},
        ]
    }


def _gemini_read(body: Any) -> Said:
    called, user = body["contents"]
    response, text = user["parts"]
    argument = called["parts"][0]["functionCall"]["args"]["to"]
    return Said(text["text"], argument, response["functionResponse"]["response"]["result"])


def _gemini_answer(said: Said, texts: Sequence[str], arguments: Sequence[str]) -> bytes:
    call = {"functionCall": {"name": "mail", "args": json.loads("".join(arguments))}}
    parts: list[Any] = [*({"text": text} for text in texts), call]
    events: list[Any] = [
        {"candidates": [{"index": 0, "content": {"role": "model", "parts": [part]}}]}
        for part in parts
    ]
    events[-1]["candidates"][0]["finishReason"] = "STOP"
    return _sse(*events)


def _gemini_heard(body: bytes) -> tuple[str, dict[str, str]]:
    contents = [event["candidates"][0].get("content", {}) for event in _events(body)]
    parts = [part for content in contents for part in content.get("parts", ())]
    (call,) = [part["functionCall"] for part in parts if "functionCall" in part]
    return "".join(part.get("text", "") for part in parts), call["args"]


def _gemini_pieces(said: Said, texts: Sequence[str], arguments: Sequence[str]) -> bytes:
    """The call in pieces, as Vertex AI streams it if asked to."""

    def piece(path: str, text: str, *, more: bool) -> dict[str, Any]:
        value = {"jsonPath": f"$.{path}", "stringValue": text, "willContinue": more}
        return {"functionCall": {"partialArgs": [value], "willContinue": True}}

    args: dict[str, str] = json.loads("".join(arguments))
    parts: list[Any] = [*({"text": text} for text in texts)]
    parts.append({"functionCall": {"name": "mail", "willContinue": True}})
    for path, text in args.items():
        parts += [
            piece(path, part, more=True) for part in pieces(text, len(texts[0]) if texts else 1)
        ]
        parts.append(piece(path, "", more=False))
    parts.append({"functionCall": {}})
    return _sse(
        *({"candidates": [{"index": 0, "content": {"role": "model", "parts": [part]}}]}
          for part in parts),
        {"candidates": [{"index": 0, "finishReason": "STOP"}]},
    )  # fmt: skip


def _gemini_pieces_heard(body: bytes) -> tuple[str, dict[str, str]]:
    contents = [event["candidates"][0].get("content", {}) for event in _events(body)]
    parts = [part for content in contents for part in content.get("parts", ())]
    args = {"to": "", "why": ""}
    for part in parts:
        for piece in part.get("functionCall", {}).get("partialArgs", ()):
            args[piece["jsonPath"].removeprefix("$.")] += piece.get("stringValue", "")
    return "".join(part.get("text", "") for part in parts), args


# --- Ollama ----------------------------------------------------------------------------


def _ollama_request(said: Said) -> Any:
    call = {"function": {"name": "mail", "arguments": {"to": said.argument}}}
    return {
        "model": "m",
        "messages": [
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "content": said.result},
            {"role": "user", "content": said.text},
        ],
    }


def _ollama_read(body: Any) -> Said:
    called, result, user = body["messages"]
    arguments = called["tool_calls"][0]["function"]["arguments"]
    return Said(user["content"], arguments["to"], result["content"])


def _ollama_answer(said: Said, texts: Sequence[str], arguments: Sequence[str]) -> bytes:
    call = {"function": {"name": "mail", "arguments": json.loads("".join(arguments))}}
    messages: list[dict[str, Any]] = [{"content": text} for text in texts]
    messages.append({"content": "", "tool_calls": [call]})
    lines = [{"message": {"role": "assistant", **m}, "done": False} for m in messages]
    lines.append({"message": {"role": "assistant", "content": ""}, "done": True})
    return b"".join(json.dumps({"model": "m", **line}).encode() + b"\n" for line in lines)


def _ollama_heard(body: bytes) -> tuple[str, dict[str, str]]:
    messages = [json.loads(line)["message"] for line in body.splitlines() if line]
    (call,) = [call for message in messages for call in message.get("tool_calls", ())]
    return "".join(m.get("content", "") for m in messages), call["function"]["arguments"]


MIRRORS = {
    "chat stream": Mirror("openai_chat", SSE, _chat_request, _chat_read, _chat_answer, _chat_heard),
    "chat": Mirror(
        "openai_chat",
        "application/json",
        _chat_request,
        _chat_read,
        _whole_chat,
        _whole_chat_heard,
    ),
    "messages": Mirror(
        "anthropic_messages",
        SSE,
        _messages_request,
        _messages_read,
        _messages_answer,
        _messages_heard,
    ),
    "responses": _FUNCTION.mirror(),
    "responses custom": _CUSTOM.mirror(),
    "responses mcp": _MCP.mirror(),
    "gemini": Mirror(
        "gemini_stream",
        SSE,
        _gemini_request,
        _gemini_read,
        _gemini_answer,
        _gemini_heard,
        (("model", "m"),),
    ),
    "gemini pieces": Mirror(
        "gemini_stream",
        SSE,
        _gemini_request,
        _gemini_read,
        _gemini_pieces,
        _gemini_pieces_heard,
        (("model", "m"),),
    ),
    "ollama": Mirror(
        "ollama_chat",
        "application/x-ndjson",
        _ollama_request,
        _ollama_read,
        _ollama_answer,
        _ollama_heard,
    ),
}
