"""What the catalogue tells clients who ask which models there are, in each vendor's own shape.

A shape is one function and one line of `LISTINGS`. What a catalogue does not know (sizes,
dates, abilities) is left out, or empty where clients insist on it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Model = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about models.

    name: the model it names in its path, in lower case; empty if it asks for all.
    """

    models: Sequence[Model]
    name: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Listing:
    """One path where models are asked for.

    answer: what to say, None if there is no such model. single: names may follow in the path.
    """

    answer: Callable[[Asked], Any]
    method: str = "GET"
    single: bool = False


def find(path: str) -> tuple[Listing, str] | None:
    """Who answers at this path, and the model that the path names in lower case."""
    lower = path.lower()
    if lower in LISTINGS:
        return LISTINGS[lower], ""
    for known, listing in LISTINGS.items():
        if listing.single and lower.startswith(known + "/"):
            return listing, lower[len(known) + 1 :]
    return None


def _models(asked: Asked) -> Any:
    """Three vendors ask at one path; the clients of two give themselves away by a header.

    Anthropic's always say for which version; Google's, which ask at /v1 since their
    version 3, show their key in a header of their own.
    """
    if "anthropic-version" in asked.headers:
        return _anthropic(asked)
    return (_gemini if "x-goog-api-key" in asked.headers else _openai)(asked)


def _anthropic(asked: Asked) -> Any:
    if asked.name:
        found = _named(asked.models, asked.name)
        return found and _anthropic_model(found)
    data = [_anthropic_model(model) for model in asked.models]
    first, last = (data[i]["id"] if data else None for i in (0, -1))
    return {"data": data, "has_more": False, "first_id": first, "last_id": last}


def _anthropic_model(model: Model) -> dict[str, Any]:
    name = model["id"]
    return {"type": "model", "id": name, "display_name": name, "created_at": _NEVER}


def _openai(asked: Asked) -> Any:
    if asked.name:
        return _named(asked.models, asked.name)
    return {"object": "list", "data": list(asked.models)}


def _gemini(asked: Asked) -> Any:
    if asked.name:
        found = _named(asked.models, asked.name)
        return found and _gemini_model(found)
    return {"models": [_gemini_model(model) for model in asked.models]}


def _gemini_model(model: Model) -> dict[str, Any]:
    name = model["id"]
    return {"name": f"models/{name}", "baseModelId": name, "displayName": name}


def _tags(asked: Asked) -> Any:
    return {"models": [_tag(model) for model in asked.models]}


def _tag(model: Model) -> dict[str, Any]:
    return {
        "name": model["id"],
        "model": model["id"],
        "modified_at": _NEVER,
        "size": 0,
        "digest": "",
        "details": _NO_DETAILS,
    }


def _show(asked: Asked) -> Any:
    try:
        value = json.loads(asked.body)
    except (ValueError, RecursionError):
        return None
    name = (value.get("model") or value.get("name")) if isinstance(value, dict) else None
    if not isinstance(name, str) or _named(asked.models, name.lower()) is None:
        return None
    return {"modified_at": _NEVER, "details": _NO_DETAILS, "model_info": {}}


def _version(asked: Asked) -> Any:
    return {"version": _OLLAMA_VERSION}


def _named(models: Sequence[Model], name: str) -> Model | None:
    return next((m for m in models if m["id"].lower() == name), None)


# Some clients read a date of every model, Ollama's also details, whether they use them or not.
_NEVER = "1970-01-01T00:00:00Z"
_NO_DETAILS: Mapping[str, Any] = {
    "parent_model": "",
    "format": "",
    "family": "",
    "families": [],
    "parameter_size": "",
    "quantization_level": "",
}
# The server whose endpoints are served here; some clients refuse an older one.
_OLLAMA_VERSION = "0.12.0"

LISTINGS: Mapping[str, Listing] = {
    "/v1/models": Listing(_models, single=True),
    "/v1beta/models": Listing(_gemini, single=True),
    "/api/tags": Listing(_tags),
    "/api/show": Listing(_show, "POST"),
    "/api/version": Listing(_version),
}
