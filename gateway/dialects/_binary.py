"""Answers that are not JSON: sounds and files pass unread, plain text is judged as one text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from gateway.core.apis import Reply
from gateway.core.judgement import Refusal
from gateway.core.message import ALL, Edit, Fragment, Frame, Kind, Opaque, Part
from gateway.dialects._fields import TEXT, media_type
from gateway.dialects._whole import WholeReader, text_frame


class BinaryReader:
    """Passes bytes on as they come; says before the first what they are.

    Of their number nothing is known then, so the opaque content has no size. A stream of
    bytes has no last words: it is cut off.
    """

    streamed = True
    ping = b""

    def __init__(self, content_type: str, withheld: Callable[[Refusal, str], Reply]) -> None:
        self.model = ""
        self.usage: Mapping[str, int] = {}
        self.failed = False
        self.kept: list[str] = []
        self._opaque: tuple[Opaque, ...] = (Opaque("", media_type(_named(content_type)), 0),)
        self._withheld = withheld

    def feed(self, data: bytes) -> list[Frame]:
        """These bytes, as they are."""
        opaque, self._opaque = self._opaque, ()
        return [Frame(data, opaque=opaque)]

    def flush(self) -> list[Frame]:
        """Nothing is held back."""
        return []

    def rewrite(self, frame: Frame, edits: Mapping[str, Sequence[Edit]]) -> bytes:
        """Never asked: there is no text."""
        return frame.raw

    def group(self, path: str) -> str:
        """There are no texts to group."""
        return path

    def add(self, frame: Frame, fragment: Fragment, text: str) -> bytes:
        """Nothing can be added to what is not text."""
        return b""

    def sent(self, frame: Frame) -> None:
        """Nothing to remember."""

    def stop(self, refusal: Refusal, exchange_id: str, ended: Collection[int]) -> bytes:
        """Whatever could stop it has stopped it before its first byte."""
        return b""

    def broken(self, error: str, exchange_id: str) -> bytes:
        """There is no way to say so in these bytes."""
        return b""

    def withhold(self, refusal: Refusal, exchange_id: str) -> Reply:
        """What is given instead of the bytes."""
        return self._withheld(refusal, exchange_id)


class TextReader(WholeReader):
    """A whole answer of plain text, judged as one text whatever it looks like."""

    def __init__(self, withheld: Callable[[Refusal, str], Reply], kind: Kind = Kind.TEXT) -> None:
        super().__init__(
            TEXT,
            usage_of=lambda _: {},
            withheld=lambda _, refusal, exchange_id: withheld(refusal, exchange_id),
        )
        self._kind = kind

    def flush(self) -> list[Frame]:
        """The text as one frame. Raises UpstreamError if it is not UTF-8."""
        body = self.taken()
        frame = text_frame(body, (0, len(body)))
        parts = tuple(Part("", part.text, "assistant", self._kind) for part in frame.parts)
        return [frame._replace(parts=parts, closes=(ALL,))]


def is_json(content_type: str) -> bool:
    """Whether this is some kind of JSON, or says nothing."""
    named = _named(content_type)
    return named in ("", "application/json") or named.endswith("+json")


def is_text(content_type: str) -> bool:
    """Whether this is text that people write."""
    return _named(content_type).startswith("text/")


def _named(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
