"""OpenAI's files: uploading one. What it holds is judged before it leaves.

A file for batches, fine-tuning or evaluations is read line by line as JSON. Any other is
judged as text if it is text, whatever it is called; else it is opaque.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.core.calls import Call
from gateway.core.errors import Unreadable
from gateway.core.judgement import Route
from gateway.core.message import Edit, Kind, Message, Opaque, Part
from gateway.core.nested import nested_parts
from gateway.dialects import _jsonl
from gateway.dialects._fields import MAX_PARTS, TEXT, Field, Found, media_type
from gateway.dialects._files import FILE
from gateway.dialects._form import FormApi, is_form
from gateway.dialects._jsonl import Contents
from gateway.dialects._multipart import MEDIA, Form, Section, parse
from gateway.dialects._openai_fields import WORD
from gateway.dialects._openai_kept import KeptApi, no_listing

# How files of these purposes are read (SDK types, 2026); the others are of any kind.
LINES: Mapping[str, Field] = {
    "batch": _jsonl.REQUESTS,
    "fine-tune": _jsonl.EXAMPLES,
    "evals": _jsonl.ROWS,
}
PURPOSES = (*LINES, "assistants", "user_data", "vision")
_EXPIRY = ("expires_after[anchor]", "expires_after[seconds]")
# Every line of a batch is one of these.
_FILE = Field(items=_jsonl.REQUESTS, fields={"filename": TEXT})


class Member(FormApi, KeptApi):
    """The dialect."""

    name = "openai_files"
    operation = "upload"
    paths = ("/v1/files", "GET /v1/files")
    media = (MEDIA, "application/json")
    request = Field(fields={"purpose": WORD, "file": _FILE, **dict.fromkeys(_EXPIRY, WORD)})
    answer = FILE

    def read(self, call: Call) -> Message:
        """An upload. Raises Unreadable."""
        if call.method == "GET":
            raise no_listing("files")
        if not is_form(call.content_type):
            raise Unreadable("The request must be a form: multipart/form-data.")
        message = super().read(call)
        form = parse(call.body, call.content_type)
        path, section = _file_in(form)
        spec = LINES.get(_purpose(form))
        if spec is not None:
            held = _jsonl.contents(form.text(section), spec, path)
        else:
            held = _any(form, path, section)
        parts = message.parts + tuple(held.found.parts)
        if len(parts) > MAX_PARTS:
            raise Unreadable(f"The file holds more than {MAX_PARTS} separate texts.")
        return replace(
            message,
            parts=parts,
            opaque=message.opaque + tuple(held.found.opaque),
            model=held.model,
            asks=tuple(held.asks),
            states=("file", *held.states),
        )

    def forward(self, message: Message, edits: Mapping[str, Sequence[Edit]], route: Route) -> bytes:
        """The form with edits made, each line under the upstream's model name."""
        form = parse(message.body, message.content_type)
        path, section = _file_in(form)
        if _purpose(form) not in LINES:
            return form.edited(edits)
        within = f"{path}/"
        lines = {k.removeprefix(within): v for k, v in edits.items() if _is_line(k, within)}
        rest = {k: v for k, v in edits.items() if not _is_line(k, within)}
        new = (message.model, route.upstream_model if message.model else "")
        if lines or new[0] != new[1]:
            rest[path] = _jsonl.edited(form.text(section), lines, new)
        return form.edited(rest)

    def content(self, form: Form, path: str, section: Section, found: Found) -> None:
        """Read with its purpose in mind, in `read`."""


def _file_in(form: Form) -> tuple[str, Section]:
    files = [(path, section) for path, section in form.paths() if section.filename is not None]
    if len(files) != 1 or files[0][1].name.text != "file":
        raise Unreadable("The form must hold one file, under the name 'file'.")
    return files[0]


def _purpose(form: Form) -> str:
    purpose: Any = form.values().get("purpose")
    if purpose not in PURPOSES:
        raise Unreadable(f"'purpose' must be one of {', '.join(sorted(PURPOSES))}.")
    return str(purpose)


def _is_line(path: str, within: str) -> bool:
    """Whether this is a place in a line, which is named by its number."""
    return path.startswith(within) and path.removeprefix(within).partition("/")[0].isdigit()


def _any(form: Form, path: str, section: Section) -> Contents:
    """A file of any kind: text, JSON, or what cannot be read."""
    held = Contents()
    named = media_type(section.media_type)
    try:
        text = form.text(section)
    except Unreadable:
        if named.startswith("text/"):
            raise
        held.found.opaque.append(Opaque(path, named, section.end - section.start))
    else:
        held.found.parts += _texts(path, text)
    return held


def _texts(path: str, text: str) -> list[Part]:
    """What a file says: nobody calls a tool with it, so JSON that is too much is as it stands."""
    try:
        return nested_parts(path, text, role="user", kind=Kind.TEXT) if text else []
    except RecursionError:
        return [Part(path, text, "user", Kind.TEXT)]
