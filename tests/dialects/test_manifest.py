"""The table of fields says what reading really does."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway import dialects
from gateway.cli import app
from gateway.core.apis import Place
from gateway.core.message import Direction
from gateway.dialects._fields import Field, Found, read

ALL = dialects.load()
PLAIN = ["word", "/v1/chat/completions"]
TEXT = "a text, of words, longer than any token"


def specs(dialect: Any, place: Place) -> list[Field]:
    """The declarations a row may come from."""
    if place.direction is Direction.REQUEST:
        found = [getattr(dialect, "request", None)]
    else:
        found = [getattr(dialect, name, None) for name in ("answer", "events")]
    return [spec for spec in found if spec is not None and known(spec, place.path.split("/")[1:])]


def known(spec: Field, steps: list[str]) -> bool:
    """Whether this declaration has such a place."""
    if steps in ([], [""]) or any(known(case, steps) for case in spec.cases.values()):
        return True
    step, rest = steps[0], steps[1:]
    if step in spec.fields:
        return known(spec.fields[step], rest)
    if step == "*" and spec.items is not None:
        return known(spec.items, rest)
    return step == "*" and not rest and bool(spec.fields or spec.numbers)


def values(spec: Field, steps: list[str], leaf: str) -> Iterator[Any]:
    """JSON values with `leaf` at a place, in lists or under a name of ours for each "*"."""
    if not steps or steps == [""]:
        yield leaf
    elif steps[0] in spec.fields:
        for value in values(spec.fields[steps[0]], steps[1:], leaf):
            yield {steps[0]: value}
    elif spec.items is not None:
        for value in values(spec.items, steps[1:], leaf):
            yield [value]
    for named, case in spec.cases.items():
        for value in values(case, steps, leaf):
            if isinstance(value, dict):
                yield {"type": named, **value}
    if steps == ["*"]:
        yield {"anything_else": leaf}
        if spec.numbers:
            yield [7]


def fates(spec: Field, path: str, leaf: str) -> set[str]:
    """What reading makes of this leaf, wherever the place may be."""
    out = set()
    for value in values(spec, path.split("/")[1:], leaf):
        found = Found()
        read(value, spec, found)
        texts = [part.text for part in (*found.parts, *found.pieces)]
        out.add("judged" if leaf in texts else "opaque" if found.opaque else "not judged")
    return out


# The lines of a downloaded file are read by the dialects that they are of.
@pytest.mark.parametrize("name", [name for name in ALL if name != "openai_files_content"])
def test_each_field_is_treated_as_the_table_says(name: str) -> None:
    for place in ALL[name].manifest():
        if place.path.startswith("/file/*"):
            continue  # a line of a file is read by the dialect that it is for
        for spec in specs(ALL[name], place):
            leaves = (
                ["AAAA"] if place.fate == "opaque" else ["word", "POST", "/v1/chat/completions"]
            )
            found = {fate for leaf in leaves for fate in fates(spec, place.path, leaf)}
            assert place.fate in found, place
            if place.fate == "judged" or place.why.endswith("judged if it is not"):
                assert "judged" in fates(spec, place.path, TEXT), place


def test_the_command_prints_the_table() -> None:
    result = CliRunner().invoke(app, ["coverage", "openai_chat", "--json"])
    found = json.loads(result.stdout)
    assert {"judged", "opaque", "not judged"} == {row["fate"] for row in found}
    assert len(found) == len(ALL["openai_chat"].manifest())
    text = CliRunner().invoke(app, ["coverage", "openai_chat"]).stdout
    assert "/messages/*/content/*/text" in text
    counted = Counter(row["fate"] for row in found)
    (line,) = [
        line for line in CliRunner().invoke(app, ["coverage"]).stdout.splitlines()
        if line.startswith("openai_chat ")
    ]  # fmt: skip
    assert line.split()[1:4] == [str(counted[f]) for f in ("judged", "opaque", "not judged")]


def test_an_unknown_dialect_is_named_with_those_that_are_known() -> None:
    result = CliRunner().invoke(app, ["coverage", "nope"])
    assert result.exit_code != 0
