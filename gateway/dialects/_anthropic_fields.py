"""What the fields of Anthropic's messages are for, as the SDK's types of 2026 name them."""

from __future__ import annotations

from dataclasses import replace

from gateway.core.message import Kind
from gateway.dialects._fields import TEXT, Field, cipher, exempt, model_name, plain

_ID = plain("an identifier made by the API")
_ENUM = plain("one of the API's own words")
_SWITCH = plain("switches and numbers")
_COUNTS = plain("token counts")
_SIGNED = cipher("a signature, or encrypted: nobody but the API can read it")
_SUMMARY = Field(kind=Kind.REASONING, sealed=True)

# A block may hold blocks (the content of a tool result), so these tables refer to themselves.
_block: dict[str, Field] = {}
_cases: dict[str, Field] = {}
BLOCK = Field(fields=_block, cases=_cases)
CONTENT = Field(items=BLOCK, fields=_block, cases=_cases)

# What a citation quotes is the text of a document, word for word.
_CITATION = Field(
    kind=Kind.METADATA, fields={"type": _ENUM, "file_id": _ID, "encrypted_index": _SIGNED}
)
_SOURCE = Field(
    fields={"type": _ENUM, "data": TEXT, "url": TEXT, "file_id": _ID, "content": CONTENT},
    cases={
        "base64": Field(
            fields={"type": _ENUM, "data": Field(media="application/octet-stream")},
            media_member="media_type",
        )
    },
)
_block |= {
    "type": _ENUM,
    "text": TEXT,
    "title": TEXT,
    "context": TEXT,
    "content": CONTENT,
    "source": _SOURCE,
    "citations": Field(items=_CITATION),
    "id": _ID,
    "tool_use_id": _ID,
    "file_id": _ID,
    "caller": Field(fields={"type": _ENUM, "tool_id": _ID}),
    "cache_control": _SWITCH,
    "error_code": _ENUM,
    "stop_reason": _ENUM,
    "encrypted_content": _SIGNED,
    "encrypted_stdout": _SIGNED,
}
_TOOL_USE = Field(
    kind=Kind.TOOL_ARGUMENTS,
    tool="name",
    fields={
        "type": _ENUM,
        "id": _ID,
        "name": TEXT,
        "input": TEXT,
        "caller": _block["caller"],
        "cache_control": _SWITCH,
    },
)
_TOOL_RESULT = Field(kind=Kind.TOOL_RESULT, fields=_block)
_THINKING = {"type": _ENUM, "signature": _SIGNED, "cache_control": _SWITCH}
_COMPACTION = {**_THINKING, "encrypted_content": _SIGNED}
_cases |= {
    "thinking": Field(fields={**_THINKING, "thinking": Field(kind=Kind.REASONING, sealed=True)}),
    "redacted_thinking": Field(fields={"type": _ENUM, "data": _SIGNED}),
    "compaction": Field(fields={**_COMPACTION, "content": _SUMMARY}),
    "tool_use": _TOOL_USE,
    "server_tool_use": _TOOL_USE,
    "mcp_tool_use": _TOOL_USE,
    "tool_result": _TOOL_RESULT,
    "mcp_tool_result": _TOOL_RESULT,
    "web_search_tool_result": _TOOL_RESULT,
    "web_fetch_tool_result": _TOOL_RESULT,
    "code_execution_tool_result": _TOOL_RESULT,
    "bash_code_execution_tool_result": _TOOL_RESULT,
    "text_editor_code_execution_tool_result": _TOOL_RESULT,
    "tool_search_tool_result": _TOOL_RESULT,
    "advisor_tool_result": _TOOL_RESULT,
}
REQUEST = Field(
    fields={
        "model": exempt("the model's name, looked up in the catalogue"),
        "messages": Field(
            items=Field(
                kind=Kind.TEXT, role_member="role", fields={"role": _ENUM, "content": CONTENT}
            )
        ),
        "system": Field(kind=Kind.TEXT, role="system", items=BLOCK),
        "tools": Field(
            items=Field(kind=Kind.TOOL_DEFINITION, fields={"type": _ENUM, "cache_control": _SWITCH})
        ),
        "tool_choice": Field(kind=Kind.TOOL_DEFINITION, fields={"type": _ENUM}),
        "output_config": Field(
            kind=Kind.TOOL_DEFINITION,
            fields={"effort": _ENUM, "format": Field(fields={"type": _ENUM})},
        ),
        "output_format": Field(kind=Kind.TOOL_DEFINITION, fields={"type": _ENUM}),
        "stop_sequences": TEXT,
        **dict.fromkeys(("max_tokens", "stream", "temperature", "top_k", "top_p"), _SWITCH),
        "metadata": TEXT,
        "thinking": _SWITCH,
        "cache_control": _SWITCH,
        "service_tier": _ENUM,
        "container": _ID,
        "betas": _ENUM,
    }
)
_STOP = {
    "stop_reason": _ENUM,
    "stop_sequence": Field(kind=Kind.METADATA),
    "stop_details": Field(
        kind=Kind.REFUSAL,
        fields={"type": _ENUM, "category": _ENUM, "fallback_credit_token": _SIGNED},
    ),
    "container": _ID,
}
_MESSAGE = {
    "id": _ID,
    "type": _ENUM,
    "role": _ENUM,
    "model": model_name("the name of the model that answered"),
    "usage": _COUNTS,
    **_STOP,
}
_ERROR = {"error": Field(kind=Kind.ERROR, fields={"type": _ENUM}), "request_id": _ID}
ANSWER = Field(
    kind=Kind.TEXT, role_member="role", fields={**_MESSAGE, **_ERROR, "content": CONTENT}
)

# --- the same in pieces ----------------------------------------------------------------

_PIECE = Field(kind=Kind.TEXT, streamed=True)
_THOUGHT = Field(kind=Kind.REASONING, streamed=True, sealed=True)
# Of a block that is not known it is not known either which of its texts go on in pieces.
_START = Field(
    kind=Kind.METADATA,
    streamed=True,
    fields=_block,
    cases={
        **{name: replace(case, streamed=False) for name, case in _cases.items()},
        "text": Field(streamed=False, fields={**_block, "text": _PIECE}),
        "thinking": Field(streamed=False, fields={**_THINKING, "thinking": _THOUGHT}),
        "compaction": Field(streamed=False, fields={**_COMPACTION, "content": _THOUGHT}),
    },
)
_DELTA = Field(
    kind=Kind.METADATA,
    streamed=True,
    fields={"type": _ENUM},
    cases={
        "text_delta": Field(fields={"type": _ENUM, "text": _PIECE}),
        "thinking_delta": Field(fields={"type": _ENUM, "thinking": _THOUGHT}),
        "input_json_delta": Field(
            fields={"type": _ENUM, "partial_json": Field(kind=Kind.TOOL_ARGUMENTS)}
        ),
        "signature_delta": Field(fields=_THINKING),
        "citations_delta": Field(streamed=False, fields={"type": _ENUM, "citation": _CITATION}),
        "compaction_delta": Field(fields={**_COMPACTION, "content": _THOUGHT}),
    },
)
_EVENT = {"type": _ENUM, "index": _SWITCH}
_BEGUN = replace(ANSWER, fields={**ANSWER.fields, "content": Field(items=_START, fields=_block)})
EVENT = Field(
    role="assistant",
    fields={**_EVENT, "message": _BEGUN, "content_block": _START, **_ERROR},
    cases={
        "content_block_delta": Field(fields={**_EVENT, "delta": _DELTA}),
        "message_delta": Field(
            fields={"type": _ENUM, "delta": Field(fields=_STOP), "usage": _COUNTS}
        ),
    },
)
