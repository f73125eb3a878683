"""Operations whose body may leave the model out, because something else names it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.core.calls import Call
from gateway.core.errors import Unreadable
from gateway.core.jsontext import parse_object
from gateway.core.judgement import Route
from gateway.core.message import Edit, Message
from gateway.core.splice import insert_member
from gateway.dialects._api import JsonApi


class ImpliedModelApi(JsonApi):
    """A JSON operation with a model of its own where the body names none."""

    names_model = False

    def implied(self, call: Call) -> str:
        """The model of a body without one."""
        raise NotImplementedError

    def model_of(self, value: Mapping[str, Any], call: Call) -> str:
        """The model that is asked for, or the implied one."""
        model = value.get("model")
        if model is None and "model" not in value:
            return self.implied(call)
        if not isinstance(model, str) or not model:
            raise Unreadable("'model' must be a string that names a model.")
        return model

    def forward(self, message: Message, edits: Mapping[str, Sequence[Edit]], route: Route) -> bytes:
        """As any other; a name that the upstream cannot imply is put in."""
        if route.upstream_model == message.model or "model" in parse_object(message.body):
            return super().forward(message, edits, route)
        same = Route(message.model, message.model, route.backend, route.provider)
        return insert_member(super().forward(message, edits, same), "model", route.upstream_model)
