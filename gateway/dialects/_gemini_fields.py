"""What the fields of Gemini's API are for, as its reference and SDK types of 2026 name them.

Declared in camelCase. Requests may also spell each name in snake_case, as protocol buffers'
JSON mapping allows; both come from the one declaration.
"""

from __future__ import annotations

import re
from dataclasses import replace

from gateway.core.message import Kind
from gateway.dialects._fields import TEXT, Field, cipher, exempt, model_name, plain, tokens

_CAPITAL = re.compile(r"(?<!^)([A-Z])")

WORD = plain("one of the API's own words")
ID = plain("an identifier made by the API")
SETTING = plain("a number or a switch")
MODEL = exempt("the model's name, held to be the one in the path")
VECTOR = plain("a vector: numbers")
COUNTS = plain("token counts")


def spelt(spec: Field) -> Field:
    """A declaration whose members may be spelt in either way."""
    fields: dict[str, Field] = {}
    for name, member in spec.fields.items():
        fields[name] = spelt(member)
        fields.setdefault(_snake(name), _snakes(fields[name]))
    return replace(
        spec,
        fields=fields,
        items=spelt(spec.items) if spec.items else None,
        cases={word: spelt(case) for word, case in spec.cases.items()},
    )


def _snakes(spec: Field) -> Field:
    """What stands under a name in snake_case names its media so as well."""
    return replace(spec, media_member=_snake(spec.media_member)) if spec.media_member else spec


def _snake(name: str) -> str:
    return _CAPITAL.sub(r"_\1", name).lower()


_NAMED = Field(kind=Kind.METADATA)
_INLINE = Field(
    media_member="mimeType",
    fields={
        "mimeType": _NAMED,
        "data": Field(media="application/octet-stream"),
        "displayName": TEXT,
    },
)
_FILE = Field(fields={"mimeType": _NAMED, "fileUri": TEXT, "displayName": TEXT})
_MEDIA = {"inlineData": _INLINE, "fileData": _FILE}


def _pieces(*, streamed: bool) -> Field:
    """Arguments that come piece by piece, as Vertex AI sends them if asked to."""
    members = {
        "jsonPath": TEXT,
        "stringValue": Field(streamed=streamed),
        "numberValue": SETTING,
        "boolValue": SETTING,
        "nullValue": WORD,
        "willContinue": SETTING,
    }
    return Field(items=Field(fields=members))


def _part(*, streamed: bool) -> Field:
    """streamed: its text comes in pieces. Anything else comes as a whole."""
    call = Field(
        kind=Kind.TOOL_ARGUMENTS,
        role="assistant",
        streamed=False,
        tool="name",
        fields={
            "id": ID,
            "name": TEXT,
            "args": TEXT,
            "toolType": WORD,
            "language": WORD,
            "code": TEXT,
            "partialArgs": _pieces(streamed=streamed),
            "willContinue": SETTING,
        },
    )
    result = Field(
        kind=Kind.TOOL_RESULT,
        role="tool",
        streamed=False,
        fields={
            "id": ID,
            "name": TEXT,
            "response": TEXT,
            "parts": Field(items=Field(fields=_MEDIA)),
            "toolType": WORD,
            "scheduling": WORD,
            "willContinue": SETTING,
            "outcome": WORD,
            "output": TEXT,
        },
    )
    fields = {
        "text": TEXT,
        "thought": SETTING,
        "thoughtSignature": cipher("the model's thoughts, encrypted; it wants them back"),
        **{name: replace(medium, streamed=False) for name, medium in _MEDIA.items()},
        "functionCall": call,
        "executableCode": call,
        "toolCall": call,
        "functionResponse": result,
        "codeExecutionResult": result,
        "toolResponse": result,
        "videoMetadata": plain("offsets in a video"),
        "mediaResolution": WORD,
    }
    thought = Field(kind=Kind.REASONING, fields=fields)
    return Field(fields=fields, cases={"true": thought}, case_member="thought")


def content(*, role: str, streamed: bool = False) -> Field:
    """Parts, and whose they are: as they say themselves, or else this role's."""
    return Field(
        kind=Kind.TEXT,
        role=role,
        role_member="role",
        streamed=streamed,
        fields={"role": WORD, "parts": Field(items=_part(streamed=streamed))},
    )


_SYSTEM = replace(content(role="system"), role_member="")
_SCHEMA = Field(kind=Kind.TOOL_DEFINITION)
_NUMBERS = (
    "temperature", "topP", "topK", "candidateCount", "maxOutputTokens", "seed", "presencePenalty",
    "frequencyPenalty", "responseLogprobs", "logprobs", "enableAffectiveDialog",
)  # fmt: skip
_GENERATION = Field(
    fields={
        **dict.fromkeys(_NUMBERS, SETTING),
        "stopSequences": Field(items=TEXT),
        "responseMimeType": _NAMED,
        "responseSchema": _SCHEMA,
        "responseJsonSchema": _SCHEMA,
        "responseModalities": WORD,
        "mediaResolution": WORD,
        "thinkingConfig": Field(plain="settings of the model's thoughts"),
        "speechConfig": Field(plain="voices and languages"),
    }
)
_TOOL_CONFIG = Field(
    plain="settings of the tools",
    fields={
        "functionCallingConfig": Field(
            kind=Kind.TOOL_DEFINITION,
            fields={"mode": WORD, "allowedFunctionNames": Field(items=TEXT)},
        )
    },
)
_ASKED = {
    "model": MODEL,
    "contents": Field(items=content(role="user")),
    "systemInstruction": _SYSTEM,
    "tools": Field(kind=Kind.TOOL_DEFINITION, items=TEXT),
    "toolConfig": _TOOL_CONFIG,
    "safetySettings": Field(plain="settings of the vendor's own filters"),
    "generationConfig": _GENERATION,
    "cachedContent": _NAMED,
}
GENERATE = spelt(Field(fields=_ASKED))
COUNT = spelt(Field(fields={**_ASKED, "generateContentRequest": Field(fields=_ASKED)}))
_EMBED = {
    "model": MODEL,
    "content": content(role="user"),
    "taskType": WORD,
    "title": Field(kind=Kind.TEXT, role="user"),
    "outputDimensionality": SETTING,
}
EMBED = spelt(Field(fields=_EMBED))
EMBED_BATCH = spelt(Field(fields={"requests": Field(items=Field(fields=_EMBED))}))

ERROR = Field(
    kind=Kind.ERROR,
    fields={
        "code": SETTING,
        "message": TEXT,
        "status": WORD,
        "details": Field(items=Field(fields={"@type": _NAMED})),
    },
)


def _generated(*, streamed: bool) -> Field:
    candidate = Field(
        fields={
            "index": SETTING,
            "content": content(role="assistant", streamed=streamed),
            "finishReason": WORD,
            "tokenCount": SETTING,
            "avgLogprobs": SETTING,
            "logprobsResult": tokens("dropped when the text beside them is changed"),
            "safetyRatings": Field(plain="what the vendor's own filters say"),
        }
    )
    return Field(
        role="assistant",
        fields={
            "candidates": Field(items=candidate),
            "promptFeedback": Field(
                fields={
                    "blockReason": WORD,
                    "safetyRatings": Field(plain="what the vendor's own filters say"),
                }
            ),
            "modelVersion": model_name("the name of the model that answered"),
            "responseId": ID,
            "createTime": plain("a time"),
            "usageMetadata": COUNTS,
            "error": ERROR,
        },
    )


GENERATED = _generated(streamed=False)
CHUNK = _generated(streamed=True)
COUNTED = Field(
    fields={
        "totalTokens": SETTING,
        "totalBillableCharacters": SETTING,
        "cachedContentTokenCount": SETTING,
        "promptTokensDetails": COUNTS,
        "cacheTokensDetails": COUNTS,
        "error": ERROR,
    }
)
EMBEDDED = Field(
    fields={
        "embedding": VECTOR,
        "embeddings": VECTOR,
        "usageMetadata": COUNTS,
        "truncated": SETTING,
        "error": ERROR,
    }
)
