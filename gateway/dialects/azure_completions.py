"""Legacy completions at an Azure OpenAI deployment."""

from __future__ import annotations

from collections.abc import Collection

from gateway.core.apis import Reader
from gateway.core.judgement import Refusal
from gateway.core.message import Message
from gateway.dialects import openai_completions
from gateway.dialects._azure import DeploymentApi, filtered, filtered_events
from gateway.dialects._completion_stream import CompletionStream
from gateway.dialects._openai import choice_of, logprobs, usage
from gateway.dialects._whole import WholeReader


class Member(DeploymentApi, openai_completions.Member):
    """The dialect."""

    name = "azure_completions"
    wire = "openai_completions"
    served = "/v1/completions"
    paths = ("/openai/deployments/{deployment}/completions",)

    def reader(self, message: Message, *, status: int, content_type: str) -> Reader:
        """A reader for an event stream or for one JSON body."""
        if "text/event-stream" in content_type.lower():
            return _Stream(openai_completions.CHUNK, unasked=message.uncounted)
        return WholeReader(
            openai_completions.ANSWER,
            usage_of=usage,
            withheld=lambda value, refusal, id_: filtered(
                openai_completions.withheld(value, refusal, id_), refusal
            ),
            drop=logprobs,
            group=choice_of,
        )


class _Stream(CompletionStream):
    """As OpenAI's."""

    def stop(self, refusal: Refusal, exchange_id: str, ended: Collection[int]) -> bytes:
        """Every open choice ends as filtered, and says by what."""
        return filtered_events(super().stop(refusal, exchange_id, ended), refusal)
