"""What a request to the Responses API has its upstream keep, or recalls from it.

OpenAI keeps a response for 30 days unless `store` is false, also if it is absent (API
reference, 2026); other servers may not. The record says which of both was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.dialects._reached import anywhere, at

# States under which ids in the answer can be asked for later.
KEPT = frozenset({"store", "store_default", "background"})

# What no operation here could have had made, so that it is nobody's: by state.
_ELSEWHERE: Mapping[str, tuple[str, ...]] = {
    "vector_store": ("tools", "*", "vector_store_ids", "*"),
    "prompt": ("prompt", "id"),
}
_FILES = (
    ("input", "*", "file_id"),
    ("input", "*", "content", "*", "file_id"),
    ("input", "*", "output", "file_id"),
    ("input", "*", "output", "*", "file_id"),
    ("prompt", "variables", "*", "file_id"),
)
_TOOLS = (("tools", "*"), ("input", "*", "tools", "*"))
_CONTAINERS = (("container_id",), ("environment", "container_id"))


def states(value: Mapping[str, Any]) -> tuple[str, ...]:
    """As `Message.states`."""
    found = []
    if value.get("previous_response_id"):
        found.append("previous_response_id")
    if value.get("conversation"):
        found.append("conversation")
    store = value.get("store")
    if store is not False:
        found.append("store_default" if store is None else "store")
    if value.get("background"):
        found.append("background")
    if _references(value):
        found.append("item_reference")
    found += [name for name, path in _ELSEWHERE.items() if any(at(value, *path))]
    return tuple(found)


def asked(value: Mapping[str, Any]) -> tuple[str, ...]:
    """As `Message.asks`: the response or conversation that is gone on with, items referred to."""
    conversation = value.get("conversation")
    if isinstance(conversation, dict):
        conversation = conversation.get("id")
    ids = [value.get("previous_response_id"), conversation, *_references(value)]
    return tuple(dict.fromkeys(name for name in ids if isinstance(name, str) and name))


def things(value: Mapping[str, Any]) -> tuple[str, ...]:
    """As `Message.asks`: the files and the containers that a request gives to its model.

    Not those that earlier answers tell of: an item that stands in a request reaches for nothing.
    """
    tools = [
        path
        for head in _TOOLS
        for path in (
            (*head, "container"),
            (*head, "container", "file_ids", "*"),
            (*head, "environment", "container_id"),
            (*head, "environment", "file_ids", "*"),
            (*head, "input_image_mask", "file_id"),
        )
    ]
    return anywhere(value, *_FILES, *tools)


def containers(response: Any) -> tuple[str, ...]:
    """The containers that an answer's items have used: whoever has such an id can go on in it."""
    return anywhere(response, *(("output", "*", *path) for path in _CONTAINERS))


def containers_of(item: Any) -> tuple[str, ...]:
    """The same for one item."""
    return anywhere(item, *_CONTAINERS)


def _references(value: Mapping[str, Any]) -> list[Any]:
    """The ids of items that stand at the upstream and not in the request."""
    items = value.get("input")
    if not isinstance(items, list):
        return []
    return [item.get("id") for item in items if isinstance(item, dict) and _recalls(item)]


def _recalls(item: Mapping[str, Any]) -> bool:
    """Whether the upstream is to fill this item in from what it has kept."""
    kind = item.get("type")
    if kind == "reasoning":
        return not item.get("encrypted_content")
    if kind == "image_generation_call":
        return not item.get("result")
    return kind == "item_reference" or (not kind and "content" not in item)
