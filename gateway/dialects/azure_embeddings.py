"""Embeddings at an Azure OpenAI deployment."""

from __future__ import annotations

from gateway.dialects import openai_embeddings
from gateway.dialects._azure import DeploymentApi


class Member(DeploymentApi, openai_embeddings.Member):
    """The dialect."""

    name = "azure_embeddings"
    wire = "openai_embeddings"
    served = "/v1/embeddings"
    paths = ("/openai/deployments/{deployment}/embeddings",)
