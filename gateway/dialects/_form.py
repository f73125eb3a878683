"""Operations whose request is a form with files, or a JSON object with the same fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.core.calls import Call
from gateway.core.errors import Unreadable
from gateway.core.judgement import Route
from gateway.core.message import Direction, Edit, Message, Opaque, Part
from gateway.core.splice import escape
from gateway.dialects._api import JsonApi
from gateway.dialects._fields import TEXT, Field, Found, media_type, read
from gateway.dialects._multipart import FILENAME, MEDIA, Form, Section, parse
from gateway.dialects._schema import form_schema

_FILE = Field(fields={FILENAME: TEXT})


class FormApi(JsonApi):
    """As `JsonApi`; the fields of a form are read by the same declaration.

    Every value of a form is text, so switches and numbers come as words.
    """

    media: Sequence[str] = (MEDIA,)

    def read(self, call: Call) -> Message:
        """A request. Raises Unreadable."""
        if not is_form(call.content_type):
            if "application/json" not in self.media:
                raise Unreadable("The request must be a form: multipart/form-data.")
            return super().read(call)
        message = super().read(call)
        form = parse(call.body, call.content_type)
        found = Found()
        for path, section in form.paths():
            if section.filename is not None:
                self._file(form, path, section, found)
        return replace(
            message,
            parts=message.parts + tuple(dict.fromkeys(found.parts)),
            opaque=message.opaque + tuple(found.opaque),
            content_type=f'{MEDIA}; boundary="{form.boundary}"',
        )

    def forward(self, message: Message, edits: Mapping[str, Sequence[Edit]], route: Route) -> bytes:
        """The form with edits made, under the upstream's model name."""
        if not is_form(message.content_type):
            return super().forward(message, edits, route)
        if message.model and route.upstream_model != message.model:
            change = [Edit(0, len(message.model), route.upstream_model)]
            edits = {**edits, "/model": change}
        return parse(message.body, message.content_type).edited(edits)

    def outside(self, call: Call) -> Iterable[str]:
        """Also the boundary."""
        words = [*super().outside(call)]
        if is_form(call.content_type):
            words.append(parse(call.body, call.content_type).boundary)
        return words

    def value_of(self, call: Call) -> dict[str, Any]:
        """The fields that are not files."""
        if not is_form(call.content_type):
            return super().value_of(call)
        return parse(call.body, call.content_type).values()

    def bodies(self, direction: Direction) -> Mapping[str, Mapping[str, Any]]:
        """As of JSON; a form's members are texts or files."""
        found = dict(super().bodies(direction))
        if MEDIA in found:
            files = [name for name, field in self.request.fields.items() if _is_file(name, field)]
            found[MEDIA] = form_schema(found[MEDIA], files)
        return found

    def stream_of(self, value: Mapping[str, Any], call: Call) -> bool:
        """Whether a stream is asked for."""
        return value.get("stream") in (True, "true")

    def content(self, form: Form, path: str, section: Section, found: Found) -> None:
        """Collect what a file holds: nothing that could be judged, unless a dialect says so."""
        kind = media_type(section.media_type)
        found.opaque.append(Opaque(path, kind, section.end - section.start))

    def _file(self, form: Form, path: str, section: Section, found: Found) -> None:
        name = section.name.text
        if name.removesuffix("[]") not in self.request.fields and name:
            found.parts.append(Part(f"/{escape(name)}~", name, ""))
        if section.filename is not None and section.filename.text:
            read({FILENAME: section.filename.text}, _FILE, found, path=path)
        self.content(form, path, section, found)


def _is_file(name: str, spec: Field) -> bool:
    return bool(spec.media or (spec.items and spec.items.media)) or name == "file"


def is_form(content_type: str) -> bool:
    """Whether this is the content type of a form."""
    return content_type.partition(";")[0].strip().lower() == MEDIA
