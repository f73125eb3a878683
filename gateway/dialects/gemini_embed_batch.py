"""Gemini's `batchEmbedContents`: the embeddings of several texts."""

from __future__ import annotations

from typing import ClassVar

from gateway.dialects._gemini import GeminiApi, paths_of
from gateway.dialects._gemini_fields import EMBED_BATCH, EMBEDDED


class Member(GeminiApi):
    """The dialect."""

    name = "gemini_embed_batch"
    operation = "embedding"
    verb = "batchEmbedContents"
    paths = paths_of(verb)
    request = EMBED_BATCH
    answer = EMBEDDED
    needs: ClassVar = {"requests": (list,)}
