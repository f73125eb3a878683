"""Every string the SDK knows of OpenAI's smaller operations is judged, or listed with a reason."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from openai.types import (
    Completion,
    CompletionCreateParams,
    CreateEmbeddingResponse,
    EmbeddingCreateParams,
    ImageGenerateParams,
    ImageGenStreamEvent,
    ImagesResponse,
    ModerationCreateParams,
    ModerationCreateResponse,
)
from openai.types.audio import (
    SpeechCreateParams,
    Transcription,
    TranscriptionDiarized,
    TranscriptionStreamEvent,
    TranscriptionVerbose,
    Translation,
)

from gateway.core.calls import Call
from tests.dialects.samples import ALL
from tests.dialects.walk import answered, heard, strings

ID = "an identifier made by the API"
WORD = "one of the API's own words"
ANSWERED = "the name of the model that answered"
LOOKED_UP = "looked up in the catalogue"
SWITCH = "a switch"
CATEGORY = "the API's own word for an input's type"
COUNTS = "token counts"
SSE = "text/event-stream"
LOGPROBS = "dropped when the text beside it is changed"


@dataclass(frozen=True)
class Side:
    """One type of the SDK. plain: places of it that are not judged, and why."""

    dialect: str
    kind: Any
    plain: dict[str, str]
    base: dict[str, Any] = field(default_factory=dict)
    media: str = "application/json"


REQUESTS = [
    Side(
        "openai_completions",
        CompletionCreateParams,
        {"/model": LOOKED_UP, "/stream": SWITCH},
        {"prompt": "x"},
    ),
    Side(
        "openai_embeddings",
        EmbeddingCreateParams,
        {"/model": LOOKED_UP, "/encoding_format": WORD},
        {"input": "x"},
    ),
    Side(
        "openai_moderations",
        ModerationCreateParams,
        {"/model": LOOKED_UP, "/input/0/type": WORD},
        {"input": "x"},
    ),
    Side(
        "openai_images",
        ImageGenerateParams,
        {"/model": LOOKED_UP}
        | dict.fromkeys(
            [
                "/background",
                "/complexity",
                "/moderation",
                "/output_format",
                "/quality",
                "/response_format",
                "/size",
                "/stream",
                "/style",
            ],
            WORD,
        ),
    ),
    Side(
        "openai_speech",
        SpeechCreateParams,
        {"/model": LOOKED_UP, "/voice/id": ID}
        | dict.fromkeys(["/voice", "/response_format", "/stream_format"], WORD),
        {"input": "x"},
    ),
]
_COMPLETION = {
    "/id": ID,
    "/object": WORD,
    "/model": ANSWERED,
    "/system_fingerprint": ID,
    "/choices/0/finish_reason": WORD,
    "/choices/0/logprobs/tokens/0": LOGPROBS,
}
_LOOKS = dict.fromkeys(["/background", "/output_format", "/quality", "/size"], WORD)
_SOUND = {"/logprobs/0/token": LOGPROBS, "/usage/type": COUNTS}
ANSWERS = [
    Side("openai_completions", Completion, _COMPLETION),
    Side("openai_completions", Completion, _COMPLETION, media=SSE),
    Side(
        "openai_embeddings",
        CreateEmbeddingResponse,
        {"/object": WORD, "/model": ANSWERED, "/data/0/object": WORD},
    ),
    Side(
        "openai_moderations",
        ModerationCreateResponse,
        {"/id": ID, "/model": ANSWERED}
        | dict.fromkeys(
            (p for p, _ in strings(ModerationCreateResponse) if "_applied_input_types/" in p),
            CATEGORY,
        ),
    ),
    Side("openai_images", ImagesResponse, _LOOKS),
    Side("openai_images", ImageGenStreamEvent, _LOOKS | {"/type": WORD}, media=SSE),
    Side("openai_transcriptions", Transcription, _SOUND),
    Side("openai_transcriptions", TranscriptionVerbose, {"/usage/type": COUNTS}),
    Side("openai_transcriptions", Translation, {}),
    Side(
        "openai_transcriptions",
        TranscriptionDiarized,
        {"/segments/0/id": ID, "/segments/0/type": WORD, "/task": WORD, "/usage/type": COUNTS},
    ),
    Side(
        "openai_transcriptions",
        TranscriptionStreamEvent,
        _SOUND | {"/type": WORD, "/segment_id": ID, "/id": ID},
        media=SSE,
    ),
]
IN = [(side, path, value) for side in REQUESTS for path, value in strings(side.kind)]
OUT = [(side, path, value) for side in ANSWERS for path, value in strings(side.kind)]


def name(value: Any) -> str:
    return value.dialect if isinstance(value, Side) else value if isinstance(value, str) else ""


@pytest.mark.parametrize(("side", "path", "value"), IN, ids=name)
def test_every_string_of_a_request_is_judged_or_declared(side: Side, path: str, value: Any) -> None:
    if path == "/model":
        return
    body = {"model": "m", **side.base, **value}
    message = ALL[side.dialect].read(Call(json.dumps(body).encode()))
    assert heard(message) == (path not in side.plain)


@pytest.mark.parametrize(("side", "path", "value"), OUT, ids=name)
def test_every_string_of_an_answer_is_judged_or_declared(side: Side, path: str, value: Any) -> None:
    data = json.dumps(value).encode()
    if "event" in side.media:
        data = b"data: " + data + b"\n\n"
    frames = answered(ALL[side.dialect], data, side.media)
    assert heard(frames) == (path not in side.plain)


@pytest.mark.parametrize("side", [*REQUESTS, *ANSWERS], ids=name)
def test_the_lists_name_nothing_that_is_not_there(side: Side) -> None:
    assert side.plain.keys() <= dict(strings(side.kind)).keys()
