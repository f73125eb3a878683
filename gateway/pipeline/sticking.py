"""The class of a conversation sticks to what was said in it, so that a later turn is of that class.

Nobody has to say which conversation a request belongs to: its history tells. Of a text only a
keyed digest is remembered, in this process alone, and the oldest goes when there are many.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256

from gateway.core.clearance import DataClass
from gateway.core.message import Kind, Part
from gateway.core.splice import apply
from gateway.pipeline.passage import Passage

MAX_DIGESTS = 4_096
MAX_TENANTS = 256
MAX_ANSWER_CHARS = 1024 * 1024
# A shorter answer may be anybody's: a refusal, or a word.
SPECIFIC_CHARS = 80
# What an application says in all of its conversations is none of any one's.
_SHARED_ROLES = frozenset({"system", "developer"})
_SHARED_KINDS = frozenset({Kind.TOOL_DEFINITION, Kind.METADATA})


class Sticking:
    """What was said among data of a class, by tenant.

    seal: (tenant, bytes) -> keyed digest.
    """

    def __init__(self, seal: Callable[[str, bytes], str]) -> None:
        self._seal = seal
        self._known: OrderedDict[str, OrderedDict[str, DataClass]] = OrderedDict()

    def carried(self, tenant: str, parts: Sequence[Part], ids: Sequence[str] = ()) -> DataClass:
        """The class that a request with these parts brings with it.

        ids: of what it has an upstream recall. Costs next to nothing for a tenant of whom nothing
        is remembered.
        """
        found = DataClass()
        known = self._known.get(tenant)
        if known is None:
            return found
        self._known.move_to_end(tenant)
        texts, beginnings = self._digests(tenant, parts)
        for digest in (*texts, *beginnings, *(self._digest(tenant, id_) for id_ in ids)):
            data = known.get(digest)
            if data is not None:
                known.move_to_end(digest)
                found |= data
        return found

    def asked(
        self,
        tenant: str,
        parts: Sequence[Part],
        showing: Iterable[tuple[str, DataClass]],
        data: DataClass,
    ) -> None:
        """A request went on, and is of this class: a later one that begins so is of it as well.

        showing: those of its texts that are of a class by themselves, wherever they stand.
        """
        _, beginnings = self._digests(tenant, parts)
        if beginnings:
            self._note(tenant, beginnings[-1], data)
        for text, shown in showing:
            self._note(tenant, self._digest(tenant, text), shown)

    def answered(self, tenant: str, texts: Iterable[str], data: DataClass) -> None:
        """These were the answer to a request of this class."""
        for text in texts:
            if len(text) >= SPECIFIC_CHARS:
                self._note(tenant, self._digest(tenant, text), data)

    def kept(self, tenant: str, ids: Iterable[str], data: DataClass) -> None:
        """Under these ids an upstream keeps what is of this class."""
        for id_ in ids:
            self._note(tenant, self._digest(tenant, id_), data)

    def _digests(self, tenant: str, parts: Sequence[Part]) -> tuple[list[str], list[str]]:
        """(of each text, of the conversation up to each of its own texts)."""
        texts: list[str] = []
        beginnings: list[str] = []
        so_far = b""
        for part in parts:
            texts.append(self._digest(tenant, part.text))
            if part.role not in _SHARED_ROLES and part.kind not in _SHARED_KINDS:
                so_far = sha256(so_far + texts[-1].encode()).digest()
                beginnings.append(so_far.hex())
        return texts, beginnings

    def _digest(self, tenant: str, text: str) -> str:
        return self._seal(tenant, b"class:" + text.strip().encode(errors="surrogatepass"))

    def _note(self, tenant: str, digest: str, data: DataClass) -> None:
        known = self._known.setdefault(tenant, OrderedDict())
        self._known.move_to_end(tenant)
        known[digest] = known.get(digest, data) | data
        known.move_to_end(digest)
        if len(known) > MAX_DIGESTS:
            known.popitem(last=False)
        if len(self._known) > MAX_TENANTS:
            self._known.popitem(last=False)


class Answered:
    """The texts of an answer as its client gets them, while they leave."""

    def __init__(self) -> None:
        self._room = MAX_ANSWER_CHARS
        self._texts: dict[Passage, list[str]] = {}

    def keep(self, new: str, passage: Passage) -> None:
        """The next characters of a text as it came; of a very long answer only the first."""
        if len(new) <= self._room:
            self._room -= len(new)
            self._texts.setdefault(passage, []).append(new)

    def texts(self, notices: Sequence[str]) -> Iterator[str]:
        """What a client may send back: each text, without and with what was put under it."""
        under = "".join("\n\n" + words for words in notices)
        for passage, pieces in self._texts.items():
            came = "".join(pieces)
            text = apply(came, [edit for edit in passage.edits if edit.end <= len(came)])
            yield text
            if under:
                yield text + under
