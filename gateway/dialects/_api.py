"""What dialects with JSON requests do alike: read a body, forward it, list its fields."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from gateway.core.apis import Place
from gateway.core.calls import Call
from gateway.core.errors import Unreadable
from gateway.core.jsontext import parse_object
from gateway.core.judgement import Route
from gateway.core.message import Direction, Edit, Kind, Message, Part
from gateway.core.splice import splice_json
from gateway.dialects._fields import MAX_PARTS, TEXT, Field, Found, read
from gateway.dialects._identifiers import could_be_a_key, is_plain
from gateway.dialects._manifest import names, places
from gateway.dialects._schema import answer_schema, request_schema

_JSON = "application/json"
_EVENTS = "text/event-stream"
_TYPES: Mapping[type, str] = {list: "a list", str: "a string", dict: "an object"}


class JsonApi:
    """One operation whose request is a JSON object. A dialect says what is its own.

    request, answer: what the fields are for. events: the same for a stream's events, which
    may differ. wire: as `Dialect.wire`. needs: members that a request must have, and of which
    types. names_model: whether its body must also name the model. service: as
    `Message.service`. others: content types of its answers that are not JSON. beside, spends: as
    `Dialect` has them.
    """

    name: str
    wire = ""
    operation: str
    paths: Sequence[str]
    media: Sequence[str] = (_JSON,)
    id_header = "x-request-id"
    beside: Collection[str] = ()
    spends = True
    service = ""
    request: Field = TEXT
    answer: Field = TEXT
    events: Field | None = None
    needs: ClassVar[Mapping[str, tuple[type, ...]]] = {}
    names_model = True
    others: Sequence[str] = ()

    def read(self, call: Call) -> Message:
        """A request body. Raises Unreadable."""
        value = self.value_of(call)
        model = self.model_of(value, call)
        for key, kinds in self.needs.items():
            if not isinstance(value.get(key), kinds):
                expected = " or ".join(_TYPES[kind] for kind in kinds)
                raise Unreadable(f"'{key}' must be {expected}.")
        found = Found()
        read(value, self.request, found)
        if len(found.parts) > MAX_PARTS:
            raise Unreadable(f"The body holds more than {MAX_PARTS} separate texts.")
        return Message(
            call.body,
            (*found.parts, *fixed(self.outside(call))),
            tuple(found.opaque),
            model=model,
            stream=self.stream_of(value, call),
            json_output=self.json_of(value),
            path=self.path_of(call) + query_of(call),
            method=call.method,
            states=self.states_of(value, call),
            asks=self.asks_of(value, call),
            service=self.service,
            uncounted=self.uncounted_of(value),
        )

    def forward(self, message: Message, edits: Mapping[str, Sequence[Edit]], route: Route) -> bytes:
        """The body with edits made, under the upstream's model name."""
        named = message.model and "{model}" not in message.path
        if named and route.upstream_model != message.model:
            change = [Edit(0, len(message.model), route.upstream_model)]
            edits = {**edits, "/model": change}
        return splice_json(message.body, edits)

    def names(self) -> frozenset[str]:
        """The names of all declared fields."""
        return names(self.request, self.answer, self.events or TEXT)

    def manifest(self) -> list[Place]:
        """Every place of its requests and answers that is declared, and what becomes of it."""
        found = places(self.request, Direction.REQUEST) + places(self.answer, Direction.RESPONSE)
        if self.events is not None:
            found += places(self.events, Direction.RESPONSE)
        return list(dict.fromkeys(found))

    def bodies(self, direction: Direction) -> Mapping[str, Mapping[str, Any]]:
        """Content types of its requests or answers, and what is true of every such body."""
        if direction is Direction.REQUEST:
            needs = {"model": (str,), **self.needs} if self.names_model else self.needs
            return dict.fromkeys(self.media, request_schema(self.request, needs))
        return {_JSON: answer_schema(self.answer), **{kind: {} for kind in self._others()}}

    def _others(self) -> Sequence[str]:
        return self.others or (() if self.events is None else (_EVENTS,))

    def model_of(self, value: Mapping[str, Any], call: Call) -> str:
        """The model that is asked for. Raises Unreadable if none is."""
        model = value.get("model")
        if not isinstance(model, str) or not model:
            raise Unreadable("'model' must be a string that names a model.")
        return model

    def stream_of(self, value: Mapping[str, Any], call: Call) -> bool:
        """Whether a stream is asked for."""
        return value.get("stream") is True

    def json_of(self, value: Mapping[str, Any]) -> bool:
        """Whether the caller will parse the answer."""
        return False

    def uncounted_of(self, value: Mapping[str, Any]) -> bool:
        """Whether its stream tells no tokens as it is asked for (see `Message`)."""
        return False

    def states_of(self, value: Mapping[str, Any], call: Call) -> tuple[str, ...]:
        """What the upstream is asked to keep or to recall (see `Message`)."""
        return ()

    def asks_of(self, value: Mapping[str, Any], call: Call) -> tuple[str, ...]:
        """The ids of what an upstream keeps that are reached for (see `Message`)."""
        return ()

    def outside(self, call: Call) -> Iterable[str]:
        """The words that go on beside the body, as they are: those of the query."""
        return [word for pair in call.query for word in pair]

    def path_of(self, call: Call) -> str:
        """Where the vendor serves this."""
        return self.paths[0].rpartition(" ")[2]

    def value_of(self, call: Call) -> dict[str, Any]:
        """The request's fields. Raises Unreadable."""
        return parse_object(call.body) if call.body or call.method == "POST" else {}


def query_of(call: Call) -> str:
    """The query as it goes on. Raises Unreadable for what could be more than a switch.

    Queries cannot be edited, so only short words pass; those that could be keys are judged.
    """
    for key, value in call.query:
        if not (is_plain(key.removesuffix("[]")) and is_plain(value)):
            raise Unreadable(
                "The query holds more than short words, and queries are not judged. Send it in "
                "the body."
            )
    return "?" + urlencode(call.query) if call.query else ""


def fixed(words: Iterable[str]) -> list[Part]:
    """What could be a key, of words that stand outside of the body."""
    odd = dict.fromkeys(word for word in words if could_be_a_key(word))
    return [Part(f"?{n}", word, "", Kind.METADATA, fixed=True) for n, word in enumerate(odd)]


def step(call: Call, name: str) -> str:
    """One step of the path as the client spelt it, ready to be put into another.

    Raises Unreadable if it could be more than an identifier, for paths are not judged.
    """
    value = call.params.get(name, "")
    if not value or not is_plain(value):
        raise Unreadable("The path holds more than an identifier, and paths are not judged.")
    return quote(value, safe="")
