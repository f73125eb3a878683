"""The class of a conversation sticks to what was said in it, so that a later turn is of that class.

Nobody has to say which conversation a request belongs to: its history tells. Of a text only a
keyed digest is remembered: the latest in this process, and all in notes that replicas share.
"""

from __future__ import annotations

from asyncio import Future
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256

from gateway.core.classes import Classes
from gateway.core.clearance import LEAST, DataClass
from gateway.core.message import Kind, Part
from gateway.core.ports import ClassNotes

MAX_DIGESTS = 4_096
MAX_TENANTS = 256
# A shorter answer may be anybody's: a refusal, or a word.
SPECIFIC_CHARS = 80
# What an application says in all of its conversations is none of any one's.
_SHARED_ROLES = frozenset({"system", "developer"})
_SHARED_KINDS = frozenset({Kind.TOOL_DEFINITION, Kind.METADATA})


class Sticking:
    """What was said among data of a class, by tenant.

    seal: (tenant, bytes) -> keyed digest. notes: what replicas share; without them this process
    remembers alone. classes: those there are now. asked: whether anything here depends on the
    class of data; if not, nothing is noted and nothing looked up.
    """

    def __init__(
        self,
        seal: Callable[[str, bytes], str],
        notes: ClassNotes | None = None,
        *,
        classes: Callable[[], Classes] = Classes,
        asked: Callable[[], bool] = lambda: True,
    ) -> None:
        self._seal = seal
        self._notes = notes
        self._classes = classes
        self._asked = asked
        self._known: OrderedDict[str, OrderedDict[str, DataClass]] = OrderedDict()

    async def carried(
        self, tenant: str, parts: Sequence[Part], ids: Sequence[str] = ()
    ) -> DataClass:
        """The class that a request with these parts brings with it.

        ids: of what it has an upstream recall. Costs next to nothing for a tenant of whom nothing
        is remembered, and a look at the notes only where there is a history. Raises
        StickingUnavailable.
        """
        notes = self._notes
        if notes is not None and not (notes.concerns(tenant) and self._asked()):
            notes = None
        known = self._known.get(tenant)
        if known is None and notes is None:
            return LEAST
        texts, beginnings = self._digests(tenant, parts)
        digests = {*texts, *beginnings, *(self._digest(tenant, id_) for id_ in ids)}
        found = self._remembered(tenant, digests)
        if notes is not None and (ids or len(beginnings) > 1):
            found |= self._classes().known(await notes.find(tenant, digests))
        return found

    def asked(
        self,
        tenant: str,
        parts: Sequence[Part],
        showing: Iterable[tuple[str, DataClass]],
        data: DataClass,
    ) -> Future[None] | None:
        """A request goes on, and is of this class: a later one that begins so is of it as well.

        showing: those of its texts that are of a class by themselves, wherever they stand.
        Returns when that is known everywhere (`ClassNotes.put`), if anybody is told.
        """
        _, beginnings = self._digests(tenant, parts)
        new = {self._digest(tenant, text): shown for text, shown in showing}
        if beginnings:
            new[beginnings[-1]] = data
        return self._note(tenant, new)

    def answered(self, tenant: str, texts: Iterable[str], data: DataClass) -> Future[None] | None:
        """These were the answer to a request of this class. Returns as `asked`."""
        long = (text for text in texts if len(text) >= SPECIFIC_CHARS)
        return self._note(tenant, {self._digest(tenant, text): data for text in long})

    def kept(self, tenant: str, ids: Iterable[str], data: DataClass) -> Future[None] | None:
        """Under these ids an upstream keeps what is of this class. Returns as `asked`."""
        return self._note(tenant, {self._digest(tenant, id_): data for id_ in ids})

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

    def _remembered(self, tenant: str, digests: Iterable[str]) -> DataClass:
        found = LEAST
        known = self._known.get(tenant)
        if known is None:
            return found
        self._known.move_to_end(tenant)
        for digest in digests:
            data = known.get(digest)
            if data is not None:
                known.move_to_end(digest)
                found |= data
        return found

    def _note(self, tenant: str, new: Mapping[str, DataClass]) -> Future[None] | None:
        if not new:
            return None
        known = self._known.setdefault(tenant, OrderedDict())
        self._known.move_to_end(tenant)
        for digest, data in new.items():
            known[digest] = known.get(digest, data) | data
            known.move_to_end(digest)
        while len(known) > MAX_DIGESTS:
            known.popitem(last=False)
        if len(self._known) > MAX_TENANTS:
            self._known.popitem(last=False)
        if self._notes is None or not self._asked():
            return None
        return self._notes.put(tenant, {digest: data.apart for digest, data in new.items()})
