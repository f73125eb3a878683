"""What stands beside an edited text and depends on it: offsets into it, and its raw tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gateway.core.message import Edit

_STARTS = ("start_index", "index")
_ENDS = ("end_index",)


def beside(value: Any, edits: Mapping[str, Sequence[Edit]]) -> dict[str, str]:
    """What is to be put in place of other values when these edits are made, as JSON by path.

    Annotations beside a `text` point to the same words afterwards, or to what stands there in
    their place. Raw tokens would tell what was taken out.
    """
    out: dict[str, str] = {}
    for path, changes in edits.items():
        parent, _, name = path.partition("!")[0].rpartition("/")
        holder = _at(value, parent)
        if not isinstance(holder, dict):
            continue
        if isinstance(holder.get("logprobs"), list) and holder["logprobs"]:
            out[f"{parent}/logprobs"] = "[]"
        if name == "text" and isinstance(holder.get("annotations"), list):
            for i, annotation in enumerate(holder["annotations"]):
                out |= moved(annotation, changes, f"{parent}/annotations/{i}")
    return out


def moved(annotation: Any, edits: Sequence[Edit], path: str) -> dict[str, str]:
    """The offsets of one annotation as they are after edits of its text, by path."""
    if not isinstance(annotation, dict):
        return {}
    out = {}
    for names, ends in ((_STARTS, False), (_ENDS, True)):
        for name in names:
            old = annotation.get(name)
            if isinstance(old, int) and not isinstance(old, bool):
                new = _place(old, edits, end=ends)
                if new != old:
                    out[f"{path}/{name}"] = str(new)
    return out


def _place(at: int, edits: Iterable[Edit], *, end: bool) -> int:
    """Where a position is after edits; inside of one, its replacement's start or end."""
    shift = 0
    for edit in sorted(edits, key=lambda e: (e.start, e.end)):
        grown = len(edit.replacement) - (edit.end - edit.start)
        if edit.end <= at and (edit.start < at or not end):
            shift += grown
        elif edit.start < at:
            return edit.start + shift + (len(edit.replacement) if end else 0)
        else:
            break
    return at + shift


def _at(value: Any, path: str) -> Any:
    """What stands at a JSON Pointer; None if nothing does."""
    for step in path.split("/")[1:]:
        if isinstance(value, list):
            value = value[int(step)] if step.isdigit() and int(step) < len(value) else None
        elif isinstance(value, dict):
            value = value.get(step.replace("~1", "/").replace("~2", "!").replace("~0", "~"))
        else:
            return None
    return value
