"""The fields of OpenAI's Realtime API, as its reference and SDK types of 2026 describe them.

Events say by their `type` what they are, and so do items. Of both, the names of the preview
of 2024 are known too, which Azure still serves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gateway.core.message import Kind
from gateway.dialects._fields import TEXT, Field, exempt, plain, tokens
from gateway.dialects._openai import media

ID = plain("an identifier made by the API")
WORD = plain("one of the API's own words")
NUMBER = plain("a number")
LOGPROBS = tokens("dropped when the text beside it is changed")
_SOUND = Field(media="audio/*")
_FORMAT = Field(
    plain="a format of sound", form=re.compile(r"(audio/)?[a-z0-9_]{1,20}"), fields={"rate": NUMBER}
)
_FORMATS = Field(fields={"type": _FORMAT, "rate": NUMBER}, plain=_FORMAT.plain, form=_FORMAT.form)
_MODEL = exempt("the model's name, looked up in the catalogue")

_CONTENT = Field(
    kind=Kind.TEXT,
    fields={
        "type": WORD,
        "text": TEXT,
        "transcript": TEXT,
        "audio": _SOUND,
        "format": _FORMATS,
        "image_url": TEXT,
        "detail": WORD,
    },
)
_ITEM: Mapping[str, Field] = {
    "id": ID,
    "object": WORD,
    "type": WORD,
    "status": WORD,
    "call_id": ID,
    "approval_request_id": ID,
}
_ERROR = Field(
    kind=Kind.ERROR,
    fields={"type": WORD, "code": WORD, "param": WORD, "event_id": ID, "message": TEXT},
)
_CALL = Field(
    kind=Kind.TOOL_ARGUMENTS,
    tool="name",
    role="assistant",
    fields={
        **_ITEM,
        "arguments": Field(json=True),
        "output": Field(kind=Kind.TOOL_RESULT),
        "error": _ERROR,
    },
)
_OUTPUT = Field(kind=Kind.TOOL_RESULT, role="tool", fields=_ITEM)
_TOOL = Field(kind=Kind.TOOL_DEFINITION, fields={"type": WORD, "connector_id": WORD})
ITEM = Field(
    role_member="role",
    fields={**_ITEM, "role": WORD, "content": Field(kind=Kind.TEXT, items=_CONTENT)},
    cases={
        "function_call": _CALL,
        "mcp_call": _CALL,
        "mcp_approval_request": _CALL,
        "function_call_output": _OUTPUT,
        "mcp_approval_response": _OUTPUT,
        "mcp_list_tools": Field(fields={**_ITEM, "tools": Field(items=_TOOL)}),
    },
)
_TRANSCRIPTION = Field(
    fields={
        "model": plain("the name of the model that writes down what it hears"),
        "language": WORD,
        "languages": WORD,
        "delay": WORD,
        "prompt": Field(kind=Kind.TEXT, role="system"),
        "keywords": Field(kind=Kind.TEXT, role="system"),
    }
)
_TURNS = Field(fields={"type": WORD, "eagerness": WORD})
_VOICE = Field(plain="the name of a voice", fields={"id": ID})
_AUDIO = Field(
    fields={
        "input": Field(
            fields={
                "format": _FORMATS,
                "transcription": _TRANSCRIPTION,
                "noise_reduction": Field(fields={"type": WORD}),
                "turn_detection": _TURNS,
            }
        ),
        "output": Field(fields={"format": _FORMATS, "voice": _VOICE}),
    }
)
# Declared so that their names are not judged as a caller's words.
_NUMBERS = ("max_output_tokens", "max_response_output_tokens", "parallel_tool_calls",
            "speed", "temperature", "expires_at")  # fmt: skip
_SHARED: Mapping[str, Field] = {
    "id": ID,
    "object": WORD,
    "instructions": Field(kind=Kind.TEXT, role="system"),
    "prompt": Field(fields={"id": ID, "version": ID}),
    "tools": Field(items=_TOOL),
    "tool_choice": Field(
        kind=Kind.TOOL_DEFINITION, plain=WORD.plain, fields={"type": WORD, "name": TEXT,
                                                              "server_label": TEXT},
    ),
    "audio": _AUDIO,
    "output_modalities": WORD,
    "modalities": WORD,
    "voice": _VOICE,
    "output_audio_format": _FORMAT,
    "reasoning": Field(fields={"effort": WORD}),
    **dict.fromkeys(_NUMBERS, plain("numbers and switches")),
}  # fmt: skip
_SESSION = Field(
    fields={
        **_SHARED,
        "type": WORD,
        "model": _MODEL,
        "include": WORD,
        "input_audio_format": _FORMAT,
        "input_audio_transcription": _TRANSCRIPTION,
        "input_audio_noise_reduction": Field(fields={"type": WORD}),
        "turn_detection": _TURNS,
        "tracing": Field(
            plain=WORD.plain,
            fields={"group_id": TEXT, "workflow_name": TEXT, "metadata": TEXT},
        ),
        "truncation": Field(plain=WORD.plain, fields={"type": WORD}),
    }
)
_RESPONSE = Field(
    fields={
        **_SHARED,
        "conversation": WORD,
        "conversation_id": ID,
        "input": Field(items=ITEM),
        "metadata": Field(kind=Kind.METADATA),
        "status": WORD,
        "status_details": Field(fields={"type": WORD, "reason": WORD, "error": _ERROR}),
        "output": Field(role="assistant", items=ITEM),
        "usage": plain("token counts"),
    }
)
_EVENT: Mapping[str, Field] = {
    "type": WORD,
    "event_id": ID,
    "item_id": ID,
    "previous_item_id": ID,
    "response_id": ID,
    "call_id": ID,
    "session": _SESSION,
    "response": _RESPONSE,
    "item": ITEM,
    "part": Field(role="assistant", kind=Kind.TEXT, fields=_CONTENT.fields),
    **dict.fromkeys(("output_index", "content_index", "audio_start_ms", "audio_end_ms"), NUMBER),
}

# What a client says.
CLIENT = Field(
    fields={name: _EVENT[name] for name in ("type", "event_id", "item_id", "previous_item_id",
                                            "response_id", "session", "response", "item")},
    cases={"input_audio_buffer.append": Field(
        fields={"type": WORD, "event_id": ID, "audio": _SOUND}
    )},
)  # fmt: skip

# What is streamed: (what its text is for, the member of the `done` event that repeats it).
STREAMED: Mapping[str, tuple[Kind, str]] = {
    "response.output_text": (Kind.TEXT, "text"),
    "response.text": (Kind.TEXT, "text"),
    "response.output_audio_transcript": (Kind.TEXT, "transcript"),
    "response.audio_transcript": (Kind.TEXT, "transcript"),
    "response.function_call_arguments": (Kind.TOOL_ARGUMENTS, "arguments"),
    "response.mcp_call_arguments": (Kind.TOOL_ARGUMENTS, "arguments"),
}
AUDIBLE = ("response.output_audio", "response.audio")
TRANSCRIPTION = "conversation.item.input_audio_transcription"


def _pieces(kind: Kind) -> Field:
    return Field(
        role="assistant",
        fields={
            **_EVENT,
            "delta": Field(kind=kind, streamed=True),
            "obfuscation": plain("characters that hide an event's length"),
        },
    )


def _whole(kind: Kind, last: str) -> Field:
    text = Field(kind=kind, json=kind is Kind.TOOL_ARGUMENTS)
    return Field(role="assistant", fields={**_EVENT, last: text})


_HEARD = Field(
    role="user",
    fields={
        **_EVENT,
        "id": ID,
        "delta": Field(kind=Kind.TEXT, streamed=True),
        "transcript": Field(kind=Kind.TEXT),
        "text": Field(kind=Kind.TEXT),
        "speaker": Field(kind=Kind.TEXT),
        "languages": Field(plain=WORD.plain, items=Field(fields={"code": WORD})),
        "logprobs": LOGPROBS,
        "usage": plain("token counts"),
        "error": _ERROR,
        "start": NUMBER,
        "end": NUMBER,
    },
)
# What the upstream says. Pieces of what is not known are pieces of a text, too.
SERVER = Field(
    fields={
        **_EVENT,
        "delta": Field(kind=Kind.TEXT, role="assistant", streamed=True),
        "conversation": Field(fields={"id": ID, "object": WORD}),
        "rate_limits": Field(items=Field(fields={"name": WORD})),
        "error": _ERROR,
    },
    cases={
        **{f"{head}.delta": _pieces(kind) for head, (kind, _) in STREAMED.items()},
        **{f"{head}.done": _whole(kind, last) for head, (kind, last) in STREAMED.items()},
        **{f"{head}.delta": Field(fields={**_EVENT, "delta": _SOUND}) for head in AUDIBLE},
        **{
            f"{TRANSCRIPTION}.{step}": _HEARD
            for step in ("delta", "completed", "failed", "segment")
        },
    },
)


def series(kind: str) -> str:
    """The type without its last step: what a delta and its done have in common."""
    return kind.rpartition(".")[0] if kind.endswith((".delta", ".done")) else kind


def kind_of(value: Mapping[str, Any]) -> str:
    """The type of an event or an item; empty if it has none."""
    kind = value.get("type")
    return kind if isinstance(kind, str) else ""


def usage(value: Mapping[str, Any]) -> dict[str, int]:
    """Token counts of a response under our own names."""
    told = value.get("usage")
    if not isinstance(told, dict):
        return {}
    details = told.get("input_token_details"), told.get("output_token_details")
    sent, said = (d if isinstance(d, dict) else {} for d in details)
    counts = {
        "input": told.get("input_tokens"),
        "output": told.get("output_tokens"),
        "cached": sent.get("cached_tokens"),
        "media": media(sent) + media(said) or None,
    }
    return {k: v for k, v in counts.items() if isinstance(v, int) and 0 <= v < 1 << 62}
