"""The fields of an API as a table: which are judged, which are not, and why."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.core.apis import Place
from gateway.core.message import Direction, Kind
from gateway.dialects._fields import Field


def places(spec: Field, direction: Direction, path: str = "") -> list[Place]:
    """Every place below a declaration, and what becomes of it.

    What is not declared is in it too, as a "*" at the end: it is judged.
    """
    return list(dict.fromkeys(_walk(spec, direction, path, spec.kind or Kind.METADATA, ())))


def _walk(
    spec: Field, direction: Direction, path: str, kind: Kind, above: tuple[int, ...]
) -> Iterator[Place]:
    if id(spec) in above:
        # A block that may hold blocks: listed once.
        return
    above = (*above, id(spec))
    kind = spec.kind or kind
    for case in spec.cases.values():
        yield from _walk(case, direction, path, kind, above)
    if spec.numbers:
        yield Place(direction, f"{path}/*", "opaque", spec.numbers)
    if not spec.fields and spec.items is None:
        yield Place(direction, path or "/", *_fate(spec, kind))
        return
    for name, member in spec.fields.items():
        yield from _walk(member, direction, f"{path}/{name}", kind, above)
    if spec.items is not None:
        yield from _walk(spec.items, direction, f"{path}/*", kind, above)
    if spec.fields and spec.plain:
        yield Place(direction, path or "/", *_fate(spec, kind))
    elif spec.fields:
        other = Kind.METADATA if kind is Kind.TEXT else kind
        yield Place(direction, f"{path}/*", "judged", other.value)


def _fate(spec: Field, kind: Kind) -> tuple[str, str]:
    if spec.plain:
        return "not judged", spec.plain if spec.exempt else f"{spec.plain}; judged if it is not"
    if spec.media:
        return "opaque", spec.media
    return "judged", f"{kind.value}, sealed" if spec.sealed else kind.value


def names(*specs: Field) -> frozenset[str]:
    """Every name that these declarations know."""
    found: set[str] = set()
    seen: set[int] = set()
    waiting = list(specs)
    while waiting:
        spec = waiting.pop()
        if id(spec) not in seen:
            seen.add(id(spec))
            found.update(spec.fields)
            waiting += [*spec.fields.values(), *spec.cases.values()]
            waiting += [] if spec.items is None else [spec.items]
    return frozenset(found)
