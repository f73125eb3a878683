"""Where a request goes: from the model it names to backends that can be called."""

from __future__ import annotations

from collections.abc import Iterator

from gateway import backends, catalogue
from gateway.backends._circuit import CircuitBackend, Limits
from gateway.core.apis import Backend, Candidate
from gateway.core.clearance import DataClass
from gateway.core.errors import Refused
from gateway.core.judgement import Principal, Refusal
from gateway.core.message import Message
from gateway.core.ports import Clock, Counters
from gateway.core.targets import Target

NOT_ALLOWED = Refusal(
    "path_not_allowed",
    "The catalogue lets nothing through to this backend at this path. Its operator allows it "
    "by name, under 'pass' of the backend.",
    404,
)
NO_FILES = Refusal(
    "files_not_served",
    "This gateway has no backend for files and batches. Its operator can name one: a backend "
    "of the catalogue that says 'files: true'.",
    404,
)
NO_BATCH_FILE = Refusal(
    "not_a_batch_file",
    "A batch needs a file that was uploaded through this gateway with the purpose 'batch'.",
)
OTHER_MODEL = Refusal(
    "model_not_found",
    "The model of a file is the one that its line 1 and every other line names. This one's is "
    "not in this gateway's catalogue, or not at its backend for files and batches.",
    404,
)
MODEL_OFF = Refusal(
    "model_not_found",
    "This gateway's catalogue has this model, but it is off: its backend has no credential. "
    "'gateway doctor' says which.",
    404,
)


class Router:
    """Implements `House.route` and `House.elsewhere` by the catalogue.

    That may be exchanged for a newer one.
    """

    def __init__(self, known: catalogue.Catalogue, clock: Clock, counters: Counters) -> None:
        self.catalogue = known
        self._clock = clock
        self._counters = counters
        self._backends: dict[str, CircuitBackend] = {}
        # By name, the entry that was asked for last: telling entries apart takes long.
        self._latest: dict[str, tuple[catalogue.Upstream, CircuitBackend]] = {}

    async def aclose(self) -> None:
        """Close all connections."""
        for backend in self._backends.values():
            await backend.aclose()

    def resting(self) -> Iterator[tuple[str, int]]:
        """(name, seconds) of each backend that failed too often and is left alone for so long."""
        for upstream in self.catalogue.upstreams.values():
            backend = self._backends.get(_key(upstream))
            if backend is not None and backend.circuit.open:
                yield upstream.name, backend.circuit.rest_s

    def route(self, message: Message, dialect: str, principal: Principal) -> list[Candidate]:
        """Where a request may go, the first choice first; empty if there is no such model.

        Raises Refused if it cannot go to where it must.
        """
        if message.upstream:
            return [self._pass(message)]
        if message.service:
            return [self._serve(message, dialect)]
        found = self.catalogue.find(message.model)
        if found is None:
            if self.catalogue.lacks(message.model):
                raise Refused(MODEL_OFF)
            return []
        first = self._candidate(found, message.model)
        if not first.backend.speaks(dialect):
            raise Refused(unsupported(found.upstream.kind, dialect))
        return [first, *self._instead(found, message.model, message, dialect)]

    def elsewhere(
        self, message: Message, dialect: str, target: Target, data: DataClass
    ) -> list[Candidate]:
        """Where a rule sends a request, then what stands in for that; empty if there is no place.

        data: of what class it is, as it came.
        """
        if message.upstream or message.service:
            return []
        found = self.catalogue.choose(
            target, data, lambda model: self.backend(model.upstream).speaks(dialect)
        )
        if found is None:
            return []
        name, model = found
        return [self._candidate(model, name), *self._instead(model, name, message, dialect)]

    def _instead(
        self, model: catalogue.Model, asked: str, message: Message, dialect: str
    ) -> list[Candidate]:
        """What can stand in for this entry, in order."""
        # What was made at one upstream is not to be had from another.
        others = () if message.asks else self.catalogue.fallbacks(model, asked)
        able = [self._candidate(other, name) for name, other in others]
        return [other for other in able if other.backend.speaks(dialect)]

    def _candidate(self, model: catalogue.Model, asked: str) -> Candidate:
        upstream = model.upstream
        return Candidate(
            model.route(asked),
            self.backend(upstream),
            retries=upstream.retries,
            total_s=upstream.options.total_s,
        )

    def _serve(self, message: Message, dialect: str) -> Candidate:
        """A request for what only one upstream has. Raises Refused if it cannot go there."""
        upstream = self.catalogue.files
        if upstream is None:
            raise Refused(NO_FILES)
        backend = self.backend(upstream)
        if not backend.speaks(dialect):
            raise Refused(unsupported(upstream.kind, dialect))
        if not message.model:
            if message.service == "batches":
                raise Refused(NO_BATCH_FILE)
            return Candidate(upstream.route(), backend)
        model = self.catalogue.find(message.model)
        if model is None or model.upstream is not upstream:
            raise Refused(OTHER_MODEL)
        # What is made twice may be paid for twice, so each is asked for once.
        return Candidate(model.route(message.model), backend)

    def _pass(self, message: Message) -> Candidate:
        """A request for an upstream by its name. Raises Refused unless the catalogue allows it."""
        upstream = self.catalogue.upstreams.get(message.upstream)
        path = message.path.partition("?")[0]
        if upstream is None or upstream.missing or not upstream.lets_pass(message.method, path):
            raise Refused(NOT_ALLOWED)
        # What such a request does is not known, so it is made once.
        return Candidate(upstream.route(), self.backend(upstream))

    def backend(self, upstream: catalogue.Upstream) -> Backend:
        """The backend of a catalogue entry: made once, for it has connections and a circuit."""
        latest = self._latest.get(upstream.name)
        if latest is not None and latest[0] is upstream:
            return latest[1]
        key = _key(upstream)
        backend = self._backends.get(key)
        if backend is None:
            limits = Limits(upstream.circuit_failures, upstream.circuit_open_s)
            inner = backends.build(upstream.kind, upstream.options)
            backend = CircuitBackend(inner, upstream.name, limits, self._clock, self._counters)
            self._backends[key] = backend
        self._latest[upstream.name] = (upstream, backend)
        return backend


def unsupported(kind: str, dialect: str) -> Refusal:
    """A backend that neither speaks the client's API nor can be asked in translation."""
    words = f"This model's backend, of the kind {kind!r}, does not serve this API."
    if dialect in backends.TOLD and kind in backends.TRANSLATABLE and not backends.translates():
        words += f" It can be translated where the gateway has litellm: {backends.INSTALL}"
    return Refusal("unsupported_endpoint", words, 404)


def _key(upstream: catalogue.Upstream) -> str:
    """What makes a backend another one, with connections and a circuit of its own."""
    secrets = (upstream.options.credential, *sorted(upstream.options.settings.items()))
    return f"{upstream!r} {hash(secrets)}"
