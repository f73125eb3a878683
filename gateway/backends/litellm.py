"""Any vendor that litellm knows, for every dialect that can be translated.

settings: `provider`, litellm's name of it (bedrock, vertex_ai, cohere, mistral, ...), and what
that provider needs besides a credential (aws_region_name, vertex_project, ...).
"""

from __future__ import annotations

from gateway.backends._litellm import Vendor
from gateway.backends._translated import Translated
from gateway.core.apis import BackendOptions
from gateway.core.errors import ConfigError


class Member(Translated):
    """One such vendor. It speaks nothing itself."""

    def __init__(self, options: BackendOptions) -> None:
        provider = options.settings.get("provider", "")
        if not provider:
            raise ConfigError("backends: kind 'litellm' needs `settings: {provider: ...}`.")
        super().__init__(Vendor(provider, options), options)
