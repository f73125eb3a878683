"""Chat completions at an Azure OpenAI deployment."""

from __future__ import annotations

from collections.abc import Collection

from gateway.core.apis import Reader
from gateway.core.judgement import Refusal
from gateway.core.message import Message
from gateway.dialects import openai_chat
from gateway.dialects._azure import DeploymentApi, filtered, filtered_events
from gateway.dialects._chat_stream import ChatStream
from gateway.dialects._openai import choice_of, logprobs, usage
from gateway.dialects._whole import WholeReader


class Member(DeploymentApi, openai_chat.Member):
    """The dialect."""

    name = "azure_chat"
    wire = "openai_chat"
    served = "/v1/chat/completions"
    paths = ("/openai/deployments/{deployment}/chat/completions",)

    def reader(self, message: Message, *, status: int, content_type: str) -> Reader:
        """A reader for an event stream or for one JSON body."""
        if "text/event-stream" in content_type.lower():
            return _Stream(openai_chat.CHUNK, unasked=message.uncounted)
        return WholeReader(
            openai_chat.ANSWER,
            usage_of=usage,
            withheld=lambda value, refusal, id_: filtered(
                openai_chat.withheld(value, refusal, id_), refusal
            ),
            drop=logprobs,
            group=choice_of,
        )


class _Stream(ChatStream):
    """The first event may have no choices, as Azure's has that tells of the prompt."""

    def stop(self, refusal: Refusal, exchange_id: str, ended: Collection[int]) -> bytes:
        """Every open choice ends as filtered, and says by what."""
        return filtered_events(super().stop(refusal, exchange_id, ended), refusal)
