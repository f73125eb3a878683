"""The roof: puts the house together from settings, and keeps it running."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway import actions, backends, catalogue, db, detectors, dialects
from gateway.actions._vault import KeyedVault
from gateway.audit.heartbeat import beat_forever
from gateway.audit.log import AuditLog, Limits
from gateway.audit.note import NoteError
from gateway.audit.own import explained
from gateway.audit.prove import Unplaced, prove_own
from gateway.audit.query import READ
from gateway.audit.sequencer import signer
from gateway.audit.sequencing import Sequencing
from gateway.audit.tiles import MissingTile
from gateway.backends._circuit import CircuitBackend
from gateway.backends._circuit import Limits as CircuitLimits
from gateway.core.apis import Backend, Candidate
from gateway.core.errors import ConfigError, RecordUnavailable, Refused
from gateway.core.exchange import Exchange
from gateway.core.family import discover
from gateway.core.judgement import Principal, Refusal, Subject
from gateway.core.message import Direction, Kind, Message
from gateway.core.ports import Counters, Entry, Submission
from gateway.detectors import _assessors as assessors
from gateway.detectors._channel import Launched
from gateway.detectors._inspector import PooledInspector, build_inspector
from gateway.detectors._verbatim.following import DETECTORS, Following
from gateway.detectors._verbatim.registry import Registry
from gateway.detectors._verbatim.works import Works
from gateway.identity.keyring import Keyring
from gateway.identity.keys import KeyStore
from gateway.identity.shelf import SqlShelf
from gateway.labels import headers as labels
from gateway.pipeline.assessing import Panel
from gateway.pipeline.house import House
from gateway.pipeline.later import Later
from gateway.policy.bundle import PolicyBundle
from gateway.policy.bundle import load as load_policy
from gateway.policy.language import Vocabulary
from gateway.server import openapi
from gateway.server.door import Door
from gateway.server.paths import Table
from gateway.settings import Settings, shipped

log = logging.getLogger(__name__)

NO_LOG = Refusal(
    "log_unavailable", "The log cannot be read now. Try again shortly.", 503, retry_after_s=5
)

NO_PROOF_YET = Refusal(
    "proof_not_ready",
    "This exchange has no place in the signed log yet. It gets one within seconds of its end.",
    503,
    retry_after_s=2,
)


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


NO_CREDENTIAL = "off, and its models: it has no credential, 'gateway doctor' says which"
# How long `gateway doctor` waits for an assessor.
TRIED_S = 20.0
NO_PLACE = "off: what it asks is not in the catalogue now, or has no credential"
MODEL_OFF = Refusal(
    "model_not_found",
    "This gateway's catalogue has this model, but it is off: its backend has no credential. "
    "'gateway doctor' says which.",
    404,
)


class SystemClock:
    """The real time."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> float:
        """Milliseconds on a clock that only goes forward."""
        return time.perf_counter() * 1000


class Gateway:
    """One gateway process: everything but the sockets."""

    def __init__(self, settings: Settings, *, launched: Launched | None = None) -> None:
        """launched: a detection worker that is on its way already."""
        self.settings = settings
        self.clock = SystemClock()
        self.counters = Counters()
        self.keyring = Keyring.open(settings.keyring_path)
        self.engine = db.open_engine(settings.database)
        self.actions = actions.load()
        configured = read_assessors(settings)
        self.inspector = inspector(settings, launched, configured)
        self.audit = AuditLog(
            self.engine,
            key=self.keyring.audit_key,
            replica=settings.replica_name,
            clock=self.clock,
            counters=self.counters,
            limits=Limits(max_queue=settings.audit_queue),
        )
        self.sequencing = self._sequencing()
        self.keys = KeyStore(self.engine, clock=self.clock)
        self.shelf = SqlShelf(
            self.engine, seal=self._seal, clock=self.clock, days=settings.kept_days
        )
        self.works = Registry(self.engine, self.keyring.works_key, clock=self.clock)
        self.following = following(settings, lambda: self.works.works)
        self.bundle = bundle(settings)
        self.catalogue = read_catalogue(settings)
        check_assessors(settings, configured, self.catalogue)
        self.assessors = assessors.build(
            configured,
            lambda said: place(said, lambda: self.catalogue, self._backend),
            clock=self.clock,
            counters=self.counters,
        )
        self.later = Later()
        self.warnings: dict[str, str] = {}
        self._backends: dict[str, CircuitBackend] = {}
        self._keys_by_tenant: dict[str, tuple[bytes, bytes]] = {}
        self._loaded = _stamp(settings)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Warm and open everything. Raises ConfigError or RecordUnavailable; then `aclose` it."""
        check_schema(self.settings)
        await asyncio.gather(
            self.inspector.start(),
            self.audit.start(),
            self.keys.start(),
            self.works.start(),
            self._translation(),
        )
        if self.settings.reload_s:
            task = asyncio.create_task(self._reload_forever(), name="gateway-reload")
            self._tasks.append(task)
        if self.settings.audit_heartbeat_s:
            beats = beat_forever(self.audit, self.counters, self.settings.audit_heartbeat_s)
            self._tasks.append(asyncio.create_task(beats, name="gateway-heartbeat"))
        if self.sequencing is not None:
            self.sequencing.start()

    async def aclose(self) -> None:
        """Close everything, the audit log last; then what it holds gets its last checkpoint."""
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self.later.aclose()
        for backend in self._backends.values():
            await backend.aclose()
        await self.keys.aclose()
        await self.works.aclose()
        await self.shelf.aclose()
        await self.inspector.aclose()
        await self.audit.aclose()
        if self.sequencing is not None:
            await self.sequencing.aclose()
        self.engine.dispose()

    def problems(self) -> dict[str, str]:
        """What keeps this process from serving, by part; empty if nothing does."""
        found: dict[str, str] = {}
        if not self.inspector.ready:
            found["detectors"] = self.inspector.problem
        if not self.audit.ready:
            found["audit"] = self.audit.trouble
        if not self.keys.ready:
            found["keys"] = "the gateway keys could not be loaded from the database lately"
        return found

    def cautions(self) -> dict[str, str]:
        """What is wrong but does not keep this process from serving, by part."""
        found = dict(self.warnings)
        if self.sequencing is not None and self.sequencing.trouble:
            found["audit tree"] = self.sequencing.trouble
        if self.works.caution:
            found["works"] = self.works.caution
        for upstream in self.catalogue.upstreams.values():
            backend = self._backends.get(_key(upstream))
            if backend is not None and backend.circuit.open:
                rest_s = backend.circuit.rest_s
                found[f"backend {upstream.name}"] = f"failed too often; rests for {rest_s} s"
        for assessor in self.assessors:
            if assessor.trouble:
                found[f"assessor {assessor.name}"] = f"did not judge lately: {assessor.trouble}"
        return found

    def notices(self) -> dict[str, str]:
        """All that /readyz warns of: also backends that are off, which may be meant so."""
        off = (name for name, upstream in self.catalogue.upstreams.items() if upstream.missing)
        lost = (each.name for each in self.assessors if each.route() is None)
        return {
            **{f"backend {name}": NO_CREDENTIAL for name in off},
            **{f"assessor {name}": NO_PLACE for name in lost},
            **self.cautions(),
        }

    def door(self) -> Door:
        """The ASGI application for clients."""
        table = Table(dialects.load().values())
        return Door(
            house=self.house(),
            keys=self.keys,
            paths=table,
            models=self.models,
            ready=self.problems,
            warnings=self.notices,
            max_body_bytes=self.settings.max_body_bytes,
            explain=self.explain,
            prove=self.prove,
            openapi=openapi.page(table),
        )

    async def explain(self, who: Principal, exchange_id: str) -> dict[str, Any] | None:
        """What was decided about an exchange made with this key; None if none was.

        The read is on record itself. Raises Refused if the log cannot be asked.
        """
        return await self._own(who, "explain", explained, exchange_id, who.key_id)

    async def prove(self, who: Principal, exchange_id: str) -> dict[str, Any] | None:
        """The proof that the log has an exchange made with this key; None if none was.

        The read is on record itself. Raises Refused, also if it is too early for a proof.
        """
        key = signer(self.keyring.audit_key, self.settings.audit_origin).key
        try:
            return await self._own(who, "proof", prove_own, exchange_id, who.key_id, key)
        except Unplaced as err:
            raise Refused(NO_PROOF_YET) from err

    async def _own(
        self, who: Principal, via: str, read: Callable[..., dict[str, Any] | None], *given: Any
    ) -> dict[str, Any] | None:
        try:
            found = await asyncio.to_thread(read, self.engine, *given)
            if found is not None:
                await self.audit.append(_read_by(who, given[0], via))
        except (RecordUnavailable, NoteError, MissingTile) as err:
            raise Refused(NO_LOG) from err
        except db.failures(self.engine) as err:
            raise Refused(NO_LOG) from err
        return found

    def house(self) -> House:
        """The ports for the pipeline."""
        return House(
            sink=self.audit,
            shelf=self.shelf,
            bundle=lambda: self.bundle,
            inspector=self.inspector,
            following=self.following,
            actions=self.actions,
            route=self._route,
            vault=self._vault,
            labels=self._labels,
            seal=self._seal,
            counters=self.counters,
            clock=self.clock,
            panel=Panel(self.assessors) if self.assessors else None,
            later=self.later,
        )

    def models(self) -> list[dict[str, Any]]:
        """The models clients may ask for by name, in OpenAI's shape."""
        return [
            {"id": m.name, "object": "model", "created": 0, "owned_by": m.upstream.provider}
            for m in self.catalogue.models
            if not m.is_pattern
        ]

    def reload(self) -> None:
        """Read policy and catalogue again. One that is bad changes nothing but `warnings`."""
        for name, load in (("policy", self._load_bundle), ("catalogue", self._load_catalogue)):
            try:
                load()
                self.warnings.pop(name, None)
            except ConfigError as err:
                self.warnings[name] = f"not reloaded, the one before stays in force: {err}"
                log.error("%s: %s", name, self.warnings[name])

    def _sequencing(self) -> Sequencing | None:
        found = self.settings
        if not found.audit_sequence_s:
            return None
        return Sequencing.open(
            found.database,
            key=self.keyring.audit_key,
            origin=found.audit_origin,
            clock=self.clock,
            counters=self.counters,
            every_s=found.audit_sequence_s,
        )

    def _load_bundle(self) -> None:
        new = bundle(self.settings)
        if new.digest != self.bundle.digest:
            log.info("policy reloaded: %s, digest %s", new.revision, new.digest[:12])
            self.bundle = new

    def _load_catalogue(self) -> None:
        self.catalogue = read_catalogue(self.settings)

    async def _reload_forever(self) -> None:
        while True:
            await asyncio.sleep(self.settings.reload_s)
            stamp = await asyncio.to_thread(_stamp, self.settings)
            if stamp != self._loaded:
                self._loaded = stamp
                self.reload()

    def _route(self, message: Message, dialect: str, principal: Principal) -> list[Candidate]:
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
        # What was made at one upstream is not to be had from another.
        others = () if message.asks else self.catalogue.fallbacks(found, message.model)
        able = [self._candidate(model, name) for name, model in others]
        return [first, *(other for other in able if other.backend.speaks(dialect))]

    def _candidate(self, model: catalogue.Model, asked: str) -> Candidate:
        upstream = model.upstream
        return Candidate(
            model.route(asked),
            self._backend(upstream),
            retries=upstream.retries,
            total_s=upstream.options.total_s,
        )

    def _serve(self, message: Message, dialect: str) -> Candidate:
        """A request for what only one upstream has. Raises Refused if it cannot go there."""
        upstream = self.catalogue.files
        if upstream is None:
            raise Refused(NO_FILES)
        backend = self._backend(upstream)
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
        return Candidate(upstream.route(), self._backend(upstream))

    def _backend(self, upstream: catalogue.Upstream) -> Backend:
        key = _key(upstream)
        backend = self._backends.get(key)
        if backend is None:
            limits = CircuitLimits(upstream.circuit_failures, upstream.circuit_open_s)
            inner = backends.build(upstream.kind, upstream.options)
            backend = CircuitBackend(inner, upstream.name, limits, self.clock, self.counters)
            self._backends[key] = backend
        return backend

    async def _translation(self) -> None:
        """Import what always translates, so that no request waits for it."""
        if always_translated(self.catalogue):
            await asyncio.to_thread(backends.load_translation)

    def _vault(self, tenant: str, taken: Callable[[str], bool]) -> KeyedVault:
        return KeyedVault(self._tenant_keys(tenant)[0], taken)

    def _seal(self, tenant: str, data: bytes) -> str:
        return hmac.digest(self._tenant_keys(tenant)[1], data, "sha256").hex()

    def _tenant_keys(self, tenant: str) -> tuple[bytes, bytes]:
        """(for placeholders, for seals): kept, for they are asked for in every exchange."""
        keys = self._keys_by_tenant.get(tenant)
        if keys is None:
            root = self.keyring.tenant_key(tenant)
            keys = self._keys_by_tenant[tenant] = (root, hmac.digest(root, b"seal", "sha256"))
        return keys

    def _labels(self, exchange: Exchange) -> Mapping[str, str]:
        names = ",".join(p.name for p in self.bundle.policies)
        versions = ",".join(p.version for p in self.bundle.policies)
        now_s = self.clock.now_ms() // 1000
        return labels.headers(exchange, now_s=now_s, policy=names, revision=versions)


def inspector(
    settings: Settings,
    launched: Launched | None = None,
    asked_if_unsure: Sequence[assessors.Configured] = (),
) -> PooledInspector:
    """All enabled detectors; not started yet."""
    return build_inspector(
        enabled(settings),
        unsure=assessors.unsure(asked_if_unsure, settings.detector_names),
        processes=settings.detector_processes,
        deadline_s=settings.detector_deadline_s,
        cache_dir=settings.data_dir / "cache",
        rss_limit_mb=settings.detector_memory_mb,
        launched=launched,
    )


def following(settings: Settings, works: Callable[[], Works]) -> Following:
    """What follows texts as a whole. works: those registered now."""
    return Following(works, run_words=settings.works_run_words, leak_words=settings.leak_run_words)


def enabled(settings: Settings) -> dict[str, dict[str, Any]]:
    """Options by name of the detectors that are switched on."""
    options: dict[str, dict[str, Any]] = {name: {} for name in settings.detector_names}
    if "patterns" in options:
        options["patterns"] = {"packs": [str(settings.patterns_path)]}
    return options


def bundle(settings: Settings) -> PolicyBundle:
    """The policies in force, compiled. Raises ConfigError with file and line."""
    return load_policy(settings.policy_path, vocabulary(settings))


def vocabulary(settings: Settings) -> Vocabulary:
    """The names a policy may use: every detector's, whether it is switched on or not."""
    # Not `detectors.names`: that is a detector, once it has been imported.
    members = discover(detectors.__name__, detectors.GROUP)
    everything: dict[str, dict[str, Any]] = {name: {} for name in members}
    everything |= enabled(settings)
    categories = {d.name: d.categories for d in detectors.create(everything)}
    others = {each.name: each.method.categories for each in read_assessors(settings)}
    return Vocabulary.of(actions.load(), {**categories, **DETECTORS}, others)


def read_assessors(settings: Settings) -> list[assessors.Configured]:
    """The assessors there are. Raises ConfigError with file and line."""
    path = settings.assessors_path
    if path is None:
        return []
    return assessors.read(path, discover(detectors.__name__, detectors.GROUP))


def place(
    said: assessors.Configured,
    known: Callable[[], catalogue.Catalogue],
    backend: Callable[[catalogue.Upstream], Backend],
) -> Callable[[], Candidate | None]:
    """What tells where an assessor is, by the catalogue in force then."""

    def find() -> Candidate | None:
        model = known().find(said.place) if said.method.of_model else None
        upstream = model.upstream if model else known().upstreams.get(said.place)
        if upstream is None or upstream.missing or (said.method.of_model and model is None):
            return None
        route = model.route(said.place) if model else upstream.route()
        return Candidate(route, backend(upstream), retries=upstream.retries)

    return find


async def try_assessors(settings: Settings, text: str) -> dict[str, str]:
    """Puts a text before each assessor: why it could not be judged, as a code; empty if it was.

    Raises ConfigError.
    """
    configured, known = read_assessors(settings), read_catalogue(settings)
    check_assessors(settings, configured, known)
    opened: list[Backend] = []

    def backend(upstream: catalogue.Upstream) -> Backend:
        opened.append(backends.build(upstream.kind, upstream.options))
        return opened[-1]

    made = assessors.build(
        configured,
        lambda said: place(said, lambda: known, backend),
        clock=SystemClock(),
        counters=Counters(),
    )
    asked = Submission(Direction.REQUEST, Subject("user", Kind.TEXT), text)
    try:
        return {each.name: await _tried(each, asked) for each in made}
    finally:
        for each in opened:
            await each.aclose()


async def _tried(assessor: assessors.RemoteAssessor, asked: Submission) -> str:
    route = assessor.route()
    if route is None:
        return "off"
    await assessor.assess([asked], route=route, deadline_s=TRIED_S)
    return assessor.trouble


def check_assessors(
    settings: Settings, found: Sequence[assessors.Configured], known: catalogue.Catalogue
) -> None:
    """Raises ConfigError for one that asks what the catalogue does not have, on or off."""
    for each in found:
        if each.method.of_model:
            there = known.find(each.place) is not None or known.lacks(each.place)
        else:
            there = each.place in known.upstreams
        if not there:
            what = "model" if each.method.of_model else "backend"
            raise ConfigError(
                f"{settings.assessors_path}: assessor {each.name!r} asks the {what} "
                f"{each.place!r}, and {settings.catalogue_path} has none of this name."
            )


def always_translated(known: catalogue.Catalogue) -> list[str]:
    """Names of the models that nobody can ask without litellm."""
    return [m.name for m in known.models if m.upstream.kind in backends.ALWAYS_TRANSLATED]


def read_catalogue(settings: Settings) -> catalogue.Catalogue:
    """The catalogue. Raises ConfigError also if it needs what is not installed."""
    found = catalogue.read(settings.catalogue_path, backends.kinds())
    needing = always_translated(found)
    if needing and not backends.translates():
        raise ConfigError(
            f"{settings.catalogue_path}: {', '.join(needing)} have a backend of the kind "
            f"'litellm', and litellm is not installed. Run: {backends.INSTALL}"
        )
    return found


def check_schema(settings: Settings) -> None:
    """Raises ConfigError if the database is not at the revision this gateway needs."""
    at, needed = db.current(settings.database), db.head(shipped("migrations"))
    if at != needed:
        raise ConfigError(
            f"The database is at revision {at or 'none'}, this gateway needs {needed}. "
            "Run: gateway db upgrade"
        )


def _read_by(who: Principal, exchange_id: str, via: str) -> Entry:
    return Entry(
        exchange_id=exchange_id,
        kind=READ,
        core={"via": via, "filters": ["exchange_id"], "count": 1},
        tenant=who.tenant,
        application=who.application,
        key_id=who.key_id,
    )


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


def _stamp(settings: Settings) -> tuple[tuple[str, int, int], ...]:
    """What changes when the policy or the catalogue does."""
    files: list[Path] = [settings.catalogue_path]
    path = settings.policy_path
    files += sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    stamps = []
    for file in files:
        with contextlib.suppress(OSError):
            stat = file.stat()
            stamps.append((str(file), stat.st_mtime_ns, stat.st_size))
    return tuple(stamps)
