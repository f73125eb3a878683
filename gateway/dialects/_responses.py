"""The fields of OpenAI's Responses API, as its reference and SDK types of 2026 describe them.

An item of a conversation says by its `type` what it is; one without a type is a message.
Arguments, inputs, code and commands are read as JSON where they are JSON, in events and in
whole items alike, so that both are edited the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gateway.core.message import Kind
from gateway.dialects._fields import TEXT, Field, cipher, exempt, model_name, plain, tokens

ID = plain("an identifier made by the API")
WORD = plain("one of the API's own words")
NUMBER = plain("a number or a switch")
MODEL = exempt("the model's name, looked up in the catalogue")
ANSWERED = model_name("the name of the model that answered")
CIPHER = cipher("encrypted by the API, for itself")
LOGPROBS = tokens("emptied when the text beside it is changed")
PADDING = plain("characters that hide an event's length")

_METADATA = Field(kind=Kind.METADATA)
_ERROR = Field(kind=Kind.ERROR, fields={"type": WORD, "code": WORD, "param": WORD})
ANNOTATION = Field(
    kind=Kind.METADATA, fields={"type": WORD, "file_id": ID, "container_id": ID, "title": TEXT}
)


def _content(kind: Kind) -> Field:
    """A piece of content whose text is of this kind."""
    return Field(
        kind=Kind.METADATA,
        fields={
            "type": WORD,
            "text": Field(kind=kind),
            "refusal": Field(kind=Kind.REFUSAL),
            "annotations": Field(items=ANNOTATION),
            "logprobs": LOGPROBS,
            "image_url": TEXT,
            "detail": WORD,
            "file_id": ID,
            "file_url": TEXT,
            "file_data": Field(media="application/octet-stream"),
            "filename": TEXT,
            "input_audio": Field(fields={"data": Field(media="audio/*"), "format": WORD}),
            "encrypted_content": CIPHER,
            "prompt_cache_breakpoint": Field(fields={"mode": WORD}),
        },
    )


_THOUGHT = _content(Kind.REASONING)
CONTENT = Field(
    kind=Kind.METADATA,
    fields=_content(Kind.TEXT).fields,
    cases={"reasoning_text": _THOUGHT, "summary_text": _THOUGHT},
)

_ITEM_FIELDS: Mapping[str, Field] = {
    "id": ID,
    "type": WORD,
    "status": WORD,
    "call_id": ID,
    "agent": _METADATA,
    "created_by": ID,
    "caller": Field(fields={"type": WORD, "caller_id": ID}),
}
_MESSAGE = Field(
    role_member="role",
    fields={
        **_ITEM_FIELDS,
        "role": WORD,
        "phase": WORD,
        "content": Field(kind=Kind.TEXT, items=CONTENT),
    },
)
_REASONING = Field(
    kind=Kind.REASONING,
    role="assistant",
    fields={
        **_ITEM_FIELDS,
        "summary": Field(items=_THOUGHT),
        "content": Field(items=_THOUGHT),
        "encrypted_content": CIPHER,
    },
)
_RESULT = Field(
    kind=Kind.TOOL_RESULT,
    fields={
        "type": WORD,
        "file_id": ID,
        "image_url": TEXT,
        "detail": WORD,
        "outcome": Field(fields={"type": WORD}),
        "created_by": ID,
        "file_data": Field(media="application/octet-stream"),
        "prompt_cache_breakpoint": Field(fields={"mode": WORD}),
    },
)
_JSON = Field(json=True)
_DEFINITION = Field(kind=Kind.TOOL_DEFINITION, fields={"type": WORD})
_ACTION = Field(
    fields={
        "type": WORD,
        "button": WORD,
        "commands": Field(items=_JSON),
        "sources": Field(items=Field(kind=Kind.TOOL_RESULT, fields={"type": WORD})),
    }
)
_CALL = Field(
    kind=Kind.TOOL_ARGUMENTS,
    role="assistant",
    fields={
        **_ITEM_FIELDS,
        "arguments": _JSON,
        "input": _JSON,
        "code": _JSON,
        "action": _ACTION,
        "actions": Field(items=_ACTION),
        "operation": Field(fields={"type": WORD}),
        "container_id": ID,
        "environment": Field(fields={"type": WORD, "container_id": ID}),
        "approval_request_id": ID,
        "execution": WORD,
        "pending_safety_checks": Field(items=Field(fields={"id": ID, "code": WORD})),
        "outputs": Field(items=_RESULT),
        "output": _RESULT,
        "results": Field(items=Field(kind=Kind.TOOL_RESULT, fields={"file_id": ID})),
        "result": Field(media="image/*"),
        "size": WORD,
        "quality": WORD,
        "background": WORD,
        "output_format": WORD,
        "tools": Field(items=_DEFINITION),
        "error": _ERROR,
    },
)
_OUTPUT = Field(
    kind=Kind.TOOL_RESULT,
    role="tool",
    fields={
        **_ITEM_FIELDS,
        "output": _RESULT,
        "approval_request_id": ID,
        "acknowledged_safety_checks": Field(items=Field(fields={"id": ID, "code": WORD})),
        "execution": WORD,
        "tools": Field(items=_DEFINITION),
    },
)
_SEALED = Field(fields={**_ITEM_FIELDS, "encrypted_content": CIPHER})
_CALLS = (
    "apply_patch_call", "code_interpreter_call", "computer_call", "custom_tool_call",
    "file_search_call", "function_call", "image_generation_call", "local_shell_call",
    "mcp_approval_request", "mcp_call", "mcp_list_tools", "program", "shell_call",
    "tool_search_call", "web_search_call",
)  # fmt: skip
# Those of tools that have names; others are called what their type is.
_NAMED = ("custom_tool_call", "function_call", "mcp_approval_request", "mcp_call")
_OUTPUTS = (
    "apply_patch_call_output", "computer_call_output", "custom_tool_call_output",
    "function_call_output", "local_shell_call_output", "mcp_approval_response",
    "program_output", "shell_call_output", "tool_search_output",
)  # fmt: skip
ITEM = Field(
    role_member="role",
    fields=_MESSAGE.fields,
    cases={
        "reasoning": _REASONING,
        "compaction": _SEALED,
        "compaction_summary": _SEALED,
        "item_reference": _SEALED,
        **dict.fromkeys(_CALLS, replace(_CALL, tool="type")),
        **dict.fromkeys(_NAMED, replace(_CALL, tool="name")),
        **dict.fromkeys(_OUTPUTS, _OUTPUT),
    },
)
_TOOL = Field(
    kind=Kind.TOOL_DEFINITION,
    fields={
        "type": WORD,
        "vector_store_ids": ID,
        "container": Field(
            plain="an identifier made by the API",
            fields={"type": WORD, "file_ids": ID, "memory_limit": WORD, "network_policy": TEXT},
        ),
        "connector_id": WORD,
        "search_context_size": WORD,
        "size": WORD,
        "quality": WORD,
        "background": WORD,
        "output_format": WORD,
        "moderation": WORD,
        "input_fidelity": WORD,
        "environment": Field(fields={"type": WORD, "container_id": ID}),
        "format": Field(fields={"type": WORD, "syntax": WORD}),
    },
)
_NUMBERS = (
    "background", "created_at", "completed_at", "max_output_tokens", "max_tool_calls",
    "parallel_tool_calls", "store", "stream", "temperature", "top_logprobs", "top_p",
)  # fmt: skip
_SHARED: Mapping[str, Field] = {
    **dict.fromkeys(_NUMBERS, NUMBER),
    "instructions": Field(kind=Kind.TEXT, role="system"),
    "prompt": Field(fields={"id": ID, "version": ID}),
    "tools": Field(items=_TOOL),
    "tool_choice": Field(
        kind=Kind.TOOL_DEFINITION,
        plain="one of the API's own words",
        fields={"type": WORD, "mode": WORD, "name": TEXT, "server_label": TEXT,
                "tools": Field(items=Field(fields={"type": WORD, "name": TEXT}))},
    ),
    "text": Field(
        fields={"format": Field(kind=Kind.TOOL_DEFINITION, fields={"type": WORD}),
                "verbosity": WORD},
    ),
    "reasoning": WORD,
    "previous_response_id": ID,
    "conversation": ID,
    "truncation": WORD,
    "service_tier": WORD,
    "prompt_cache_retention": WORD,
    "prompt_cache_options": WORD,
    "context_management": Field(items=Field(fields={"type": WORD})),
}  # fmt: skip
REQUEST = Field(
    fields={
        **_SHARED,
        "model": MODEL,
        "input": Field(kind=Kind.TEXT, role="user", items=ITEM),
        "include": WORD,
        "stream_options": plain("switches"),
    }
)
ANSWER = Field(
    fields={
        **_SHARED,
        "id": ID,
        "object": WORD,
        "model": ANSWERED,
        "status": WORD,
        "error": _ERROR,
        "incomplete_details": Field(fields={"reason": WORD}),
        "output": Field(kind=Kind.METADATA, role="assistant", items=ITEM),
        "output_text": Field(kind=Kind.TEXT, role="assistant"),
        "usage": plain("token counts"),
        "tool_usage": plain("token counts"),
    }
)
ITEMS = Field(
    fields={"object": WORD, "data": Field(items=ITEM), "first_id": ID, "last_id": ID,
            "error": _ERROR},
)  # fmt: skip
COUNT = Field(fields={"object": WORD, "usage": plain("token counts"), "error": _ERROR})
COMPACTED = Field(
    fields={"id": ID, "object": WORD, "model": ANSWERED, "usage": plain("token counts"),
            "output": Field(kind=Kind.METADATA, role="assistant", items=ITEM), "error": _ERROR},
)  # fmt: skip

# What is streamed: (what its text is for, the member of the `done` event that repeats it).
STREAMED: Mapping[str, tuple[Kind, str]] = {
    "response.output_text": (Kind.TEXT, "text"),
    "response.refusal": (Kind.REFUSAL, "refusal"),
    "response.reasoning_text": (Kind.REASONING, "text"),
    "response.reasoning_summary_text": (Kind.REASONING, "text"),
    # As some servers spell them, after earlier versions of the API.
    "response.reasoning": (Kind.REASONING, "text"),
    "response.reasoning_summary": (Kind.REASONING, "text"),
    "response.function_call_arguments": (Kind.TOOL_ARGUMENTS, "arguments"),
    "response.mcp_call_arguments": (Kind.TOOL_ARGUMENTS, "arguments"),
    "response.custom_tool_call_input": (Kind.TOOL_ARGUMENTS, "input"),
    "response.code_interpreter_call_code": (Kind.TOOL_ARGUMENTS, "code"),
    "response.shell_call_command": (Kind.TOOL_ARGUMENTS, "command"),
    "response.shell_call_output_content": (Kind.TOOL_RESULT, "output"),
    "response.audio.transcript": (Kind.TEXT, "transcript"),
}
_INDEXES = (
    "sequence_number", "output_index", "content_index", "summary_index", "command_index",
    "annotation_index", "partial_image_index",
)  # fmt: skip
_EVENT_FIELDS: Mapping[str, Field] = {
    **dict.fromkeys(_INDEXES, NUMBER),
    "type": WORD,
    "item_id": ID,
    "stream_id": ID,
    "response": ANSWER,
    "item": ITEM,
    "part": CONTENT,
    "annotation": ANNOTATION,
    "logprobs": LOGPROBS,
    "obfuscation": PADDING,
    "partial_image_b64": Field(media="image/*"),
    "size": WORD,
    "quality": WORD,
    "background": WORD,
    "output_format": WORD,
}


def _streamed(kind: Kind, last: str) -> Field:
    text = Field(kind=kind, json=kind is Kind.TOOL_ARGUMENTS)
    if kind is Kind.TOOL_RESULT:
        text = _RESULT
    pieces = Field(kind=kind, streamed=True, fields={"stdout": TEXT, "stderr": TEXT, "text": TEXT})
    return Field(role="assistant", fields={**_EVENT_FIELDS, "delta": pieces, last: text})


_OTHER = Field(role="assistant", fields={**_EVENT_FIELDS, "delta": Field(streamed=True)})
_AUDIO = Field(fields={**_EVENT_FIELDS, "delta": Field(media="audio/*")})
_FAILED = Field(kind=Kind.ERROR, fields={**_EVENT_FIELDS, "code": WORD, "param": WORD})
_EVENTS: Mapping[str, Field] = {
    **{name: _streamed(kind, last) for name, (kind, last) in STREAMED.items()},
    "response.audio": _AUDIO,
    "error": _FAILED,
}
# For the table of fields.
EVENTS = Field(
    role="assistant",
    fields=_OTHER.fields,
    cases={name: spec for name, spec in _EVENTS.items() if spec is not _AUDIO},
)


def event_fields(kind: str) -> Field:
    """What the fields of an event of this type are for; pieces of an unknown one are streamed."""
    return _EVENTS.get(series(kind), _OTHER)


def tool_of(item: Mapping[str, Any]) -> str:
    """The tool that an item is a call of; empty if it is none, or does not say."""
    case = ITEM.cases.get(str(item.get("type")))
    named = item.get(case.tool) if case is not None and case.tool else None
    return named if isinstance(named, str) else ""


def series(kind: str) -> str:
    """The type without its last step: what a delta and its done have in common."""
    head, _, last = kind.rpartition(".")
    return head if last in ("delta", "done", "added") else kind


def usage(value: Mapping[str, Any]) -> dict[str, int]:
    """Token counts of a response, or of a count of tokens, under our own names."""
    told = value.get("usage")
    if not isinstance(told, dict):
        told = value if isinstance(value.get("input_tokens"), int) else {}
    details = told.get("input_tokens_details"), told.get("output_tokens_details")
    cached, reasoning = (d if isinstance(d, dict) else {} for d in details)
    counts = {
        "input": told.get("input_tokens"),
        "output": told.get("output_tokens"),
        "cached": cached.get("cached_tokens"),
        "cache_write": cached.get("cache_write_tokens"),
        "reasoning": reasoning.get("reasoning_tokens"),
    }
    return {k: v for k, v in counts.items() if isinstance(v, int) and 0 <= v < 1 << 62}
