"""The roof: puts the house together from settings, and keeps it running."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from gateway import actions, backends, catalogue, configured, db, dialects, taxonomy, terms_in_use
from gateway.actions._vault import KeyedVault
from gateway.audit.heartbeat import beat_forever
from gateway.audit.log import AuditLog, Limits
from gateway.audit.month_watch import MonthWatch
from gateway.audit.payloads import Payloads
from gateway.audit.sequencer import signer
from gateway.audit.sequencing import Sequencing
from gateway.audit.spool import Spool
from gateway.audit.store import ANSWER_S
from gateway.clock import SystemClock
from gateway.core.errors import ConfigError, Refused
from gateway.core.exchange import Exchange
from gateway.core.judgement import Principal
from gateway.core.ports import Counters, Surroundings
from gateway.detectors import _assessors as assessors
from gateway.detectors._channel import Launched
from gateway.detectors._verbatim.registry import Registry
from gateway.documents import Document
from gateway.governing import Governing
from gateway.identity.classnotes import SqlClassNotes
from gateway.identity.keyring import Keyring
from gateway.identity.keys import KeyStore
from gateway.identity.shelf import SqlShelf
from gateway.identity.tenantkeys import open_keys
from gateway.labels import headers as labels
from gateway.lifecycle.bundles import signer as signer_of_policies
from gateway.own import OwnReads
from gateway.pipeline.admission import NO_MODEL
from gateway.pipeline.assessing import Panel
from gateway.pipeline.house import House
from gateway.pipeline.later import Later
from gateway.pipeline.sticking import Sticking
from gateway.policy.bundle import PolicyBundle
from gateway.quieting.registry import Registry as QuietRegistry
from gateway.quieting.store import Store as QuietStore
from gateway.review.desk import Desk
from gateway.review.queue import Limits as ReviewLimits
from gateway.review.queue import ReviewQueue
from gateway.review.sealed import Seals
from gateway.review.store import Store as ReviewStore
from gateway.routing import Router
from gateway.server import openapi
from gateway.server.door import Door
from gateway.server.owned import Owned
from gateway.server.paths import Table
from gateway.settings import BEFORE_RELEASE, Settings
from gateway.terms.acts import Desk as TermsDesk
from gateway.terms.ledger import Ledger
from gateway.terms.telling import notices

log = logging.getLogger(__name__)

NO_CREDENTIAL = "off, and its models: it has no credential, 'gateway doctor' says which"
# The database may take so long for a batch before it goes to the spool.
SPOOL_AFTER_S = 1.0
NO_PLACE = "off: what it asks is not in the catalogue now, or has no credential"


class Gateway:
    """One gateway process: everything but the sockets."""

    def __init__(self, settings: Settings, *, launched: Launched | None = None) -> None:
        """launched: a detection worker that is on its way already."""
        self.settings = settings
        self.clock = SystemClock()
        self.counters = Counters()
        self.keyring = Keyring.open(settings.keyring_path)
        self.engine = db.open_engine(settings.database)
        self.payload_keys = open_keys(settings.audit_payload_keys, self.keyring)
        self.actions = actions.load()
        asked = configured.read_assessors(settings)
        self.inspector = configured.inspector(settings, launched, asked)
        self.audit = AuditLog(
            self.engine,
            key=self.keyring.audit_key,
            replica=settings.replica_name,
            clock=self.clock,
            counters=self.counters,
            limits=Limits(
                max_queue=settings.audit_queue,
                answer_s=SPOOL_AFTER_S if settings.audit_spool_mb else ANSWER_S,
            ),
            spool=self._spool(),
            heartbeat_s=settings.audit_heartbeat_s,
            payloads=Payloads(self.engine, self.payload_keys),
        )
        self.sequencing = self._sequencing()
        self.months = MonthWatch(self.engine, clock=self.clock)
        self.keys = KeyStore(self.engine, clock=self.clock)
        self.shelf = SqlShelf(
            self.engine, seal=self._seal, clock=self.clock, days=settings.kept_days
        )
        seals = Seals(self.keyring.review_key)
        self._reviews = ReviewStore(self.engine, seals, self.clock)
        self.reviews = ReviewQueue(
            self._reviews,
            self.audit,
            self.clock,
            self.counters,
            ReviewLimits(
                settings.reviews_waiting,
                settings.reviews_waiting_tenant,
                settings.reviews_open_tenant,
            ),
        )
        self.works = Registry(self.engine, self.keyring.works_key, clock=self.clock)
        self.quiet_values = QuietStore(self.engine, self.keyring.quiet_key, self.clock)
        self._quiet = QuietRegistry(self.quiet_values, self.keyring.quiet_key, clock=self.clock)
        self.following = configured.following(settings, lambda: self.works.works)
        self.classes = configured.read_classes(settings)
        drafts = terms_in_use.read_terms(settings)
        self.terms = terms_in_use.registry(settings, drafts, self.engine, self.clock)
        known = configured.read_catalogue(settings, drafts)
        self.router = Router(known, self.clock, self.counters)
        self.terms.changed = self.reload
        self._files = self._bundle()
        self.governing = Governing(
            settings,
            self.engine,
            signer_of_policies(self.keyring.tenant_root),
            files=lambda: self._files,
            compile_=configured.compiler(settings, self._made, lambda: self.catalogue),
            seal=self._seal,
            sink=self.audit,
            clock=self.clock,
            counters=self.counters,
        )
        configured.check_assessors(settings, asked, self.catalogue)
        self.assessors = assessors.build(
            asked,
            lambda said: configured.place(said, lambda: self.catalogue, self.router.backend),
            clock=self.clock,
            counters=self.counters,
        )
        self.later = Later()
        self.class_notes = SqlClassNotes(self.engine, clock=self.clock, days=settings.classes_days)
        self._sticking = Sticking(
            self._seal, self.class_notes, classes=lambda: self.classes, asked=self._weighs
        )
        self.warnings: dict[str, str] = {}
        self._keys_by_tenant: dict[str, tuple[bytes, hmac.HMAC]] = {}
        self._loaded = configured.stamp(settings)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def bundle(self) -> PolicyBundle:
        """The bundle in force now."""
        bundle = self.governing.watch.bundle
        assert isinstance(bundle, PolicyBundle)  # noqa: S101 - what `compiled` gives
        return bundle

    @property
    def catalogue(self) -> catalogue.Catalogue:
        """The catalogue in force now."""
        return self.router.catalogue

    async def start(self) -> None:
        """Warm and open everything. Raises ConfigError or RecordUnavailable; then `aclose` it."""
        configured.check_schema(self.settings)
        await asyncio.gather(
            self.inspector.start(),
            self.audit.start(),
            self.keys.start(),
            self.class_notes.start(),
            self.works.start(),
            self._quiet.start(),
            self.reviews.start(),
            self.governing.start(),
            self.terms.start(),
            self._translation(),
        )
        if self.settings.reload_s:
            task = asyncio.create_task(self._reload_forever(), name="gateway-reload")
            self._tasks.append(task)
        if self.settings.audit_heartbeat_s:
            beats = beat_forever(self.audit, self.counters, self.settings.audit_heartbeat_s)
            self._tasks.append(asyncio.create_task(beats, name="gateway-heartbeat"))
        self.months.start()
        if self.sequencing is not None:
            self.sequencing.start()

    async def aclose(self) -> None:
        """Close everything, the audit log last; then what it holds gets its last checkpoint."""
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self.later.aclose()
        await self.governing.aclose()
        await self.router.aclose()
        await self.months.aclose()
        await self.keys.aclose()
        await self.works.aclose()
        await self._quiet.aclose()
        await self.reviews.aclose()
        await self.terms.aclose()
        await self.shelf.aclose()
        await self.class_notes.aclose()
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
        found = {**self.warnings, **self.governing.cautions()}
        if self.sequencing is not None and self.sequencing.trouble:
            found["audit tree"] = self.sequencing.trouble
        if self.audit.caution:
            found["audit spool"] = self.audit.caution
        if self.months.caution:
            found["audit partitions"] = self.months.caution
        if self.works.caution:
            found["works"] = self.works.caution
        if self.terms.caution:
            found["terms"] = self.terms.caution
        for name, rest_s in self.router.resting():
            found[f"backend {name}"] = f"failed too often; rests for {rest_s} s"
        for assessor in self.assessors:
            if assessor.trouble:
                found[f"assessor {assessor.name}"] = f"did not judge lately: {assessor.trouble}"
        return found

    def notices(self) -> dict[str, str]:
        """All that /readyz warns of: also backends that are off, which may be meant so."""
        off = (name for name, upstream in self.catalogue.upstreams.items() if upstream.missing)
        lost = (each.name for each in self.assessors if each.route() is None)
        profiles = {id_: each.profile for id_, each in self.terms.profiles.items()}
        unfit = "; ".join(
            (
                *terms_in_use.not_under(self.catalogue, profiles),
                *terms_in_use.contradicted(self.catalogue, profiles),
            )
        )
        return {
            **({"terms profiles": unfit} if unfit else {}),
            **{f"backend {name}": NO_CREDENTIAL for name in off},
            **{f"assessor {name}": NO_PLACE for name in lost},
            **self.governing.notices(),
            **self.cautions(),
        }

    def door(self) -> Door:
        """The ASGI application for clients."""
        table = Table(dialects.load().values())
        key = signer(self.keyring.audit_key, self.settings.audit_origin).key
        own = OwnReads(self.engine, self.audit, key, self.reviews.own)
        return Door(
            house=self.house(),
            keys=self.keys,
            paths=table,
            models=self.models,
            ready=self.problems,
            warnings=self.notices,
            max_body_bytes=self.settings.max_body_bytes,
            owned=Owned(own.explain, own.prove, own.review, self._notices),
            openapi=openapi.page(table),
        )

    def house(self) -> House:
        """The ports for the pipeline."""
        return House(
            sink=self.audit,
            shelf=self.shelf,
            bundle=self.governing.watch.choose,
            inspector=self.inspector,
            following=self.following,
            actions=self.actions,
            route=self.router.route,
            vault=self._vault,
            labels=self._labels,
            seal=self._seal,
            counters=self.counters,
            clock=self.clock,
            ends_recorded=self.settings.audit_durable == BEFORE_RELEASE,
            classes=lambda: self.classes,
            panel=Panel(self.assessors) if self.assessors else None,
            later=self.later,
            reviews=self.reviews,
            terms=self.terms.standing,
            elsewhere=self.router.elsewhere,
            sticking=self._sticking,
            quiet=self._quiet.quiet,
        )

    def desk(self, via: str) -> Desk:
        """Where reviewers decide. via: how they come, for the record."""
        return Desk(self._reviews, self.audit, self.counters, via=via)

    def terms_desk(self) -> TermsDesk:
        """Where terms are approved, accepted, attested and withdrawn."""
        hazards = taxonomy.load().categories()
        return TermsDesk(Ledger(self.engine), lambda: self.terms.drafts, hazards, self.clock)

    def models(self) -> list[dict[str, Any]]:
        """The models clients may ask for by name, in OpenAI's shape."""
        return [
            {"id": m.name, "object": "model", "created": 0, "owned_by": m.upstream.provider}
            for m in self.catalogue.models
            if not m.is_pattern
        ]

    def reload(self) -> None:
        """Read all that files say again. A bad one changes nothing but `warnings`."""
        loads = (
            ("terms", self._load_terms),
            ("classes", self._load_classes),
            ("catalogue", self._load_catalogue),
            ("policy", self._load_bundle),
            # A model may go together with the last rule that sends requests there.
            ("catalogue", self._load_catalogue),
        )
        failed: dict[str, str] = {}
        for name, load in loads:
            try:
                load()
                failed.pop(name, None)
            except ConfigError as err:
                failed[name] = f"not reloaded, the one before stays in force: {err}"
        for name, _ in loads:
            self.warnings.pop(name, None)
        self.warnings |= failed
        for name, words in failed.items():
            log.error("%s: %s", name, words)

    def _spool(self) -> Spool | None:
        found = self.settings
        if not found.audit_spool_mb:
            return None
        max_bytes = found.audit_spool_mb * 1024 * 1024
        return Spool(found.spool_path, self.keyring.audit_key, max_bytes=max_bytes)

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
            abandoned_s=found.audit_abandoned_s,
            replica=found.replica_name,
        )

    def _bundle(self) -> PolicyBundle:
        return configured.bundle(self.settings, made=self._made())

    def _weighs(self) -> bool:
        """Whether anything here depends on the class of data."""
        return self.catalogue.limits or any(
            isinstance(each, PolicyBundle) and each.weighs for each in self.governing.watch.asked
        )

    def _made(self) -> list[Document]:
        """The policies that the terms of what is in the catalogue come to."""
        return terms_in_use.made(terms_in_use.named(self.catalogue, self.terms.profiles))

    def _load_terms(self) -> None:
        self.terms.replace(terms_in_use.read_terms(self.settings))

    def _load_bundle(self) -> None:
        new = self._bundle()
        if new.whole != self._files.whole:
            log.info("policy reloaded: %s, digest %s", new.revision, new.digest[:12])
            self._files = new
            self.governing.watch.recompile()

    def _load_classes(self) -> None:
        self.classes = configured.read_classes(self.settings)

    def _load_catalogue(self) -> None:
        new = configured.read_catalogue(self.settings, self.terms.drafts)
        configured.check_targets(self.bundle, lambda: new)
        self.router.catalogue = new

    async def _reload_forever(self) -> None:
        while True:
            await asyncio.sleep(self.settings.reload_s)
            stamp = await asyncio.to_thread(configured.stamp, self.settings)
            if stamp != self._loaded:
                self._loaded = stamp
                self.reload()

    async def _translation(self) -> None:
        """Import what always translates, so that no request waits for it."""
        if configured.always_translated(self.catalogue):
            await asyncio.to_thread(backends.load_translation)

    async def _notices(self, _who: Principal, name: str) -> dict[str, Any]:
        """What users of a model must be shown. Raises Refused if there is no such model."""
        model = self.catalogue.find(name)
        if model is None:
            raise Refused(NO_MODEL)
        return notices(name, self.terms.under(model.route(name)))

    def _vault(self, tenant: str, around: Surroundings) -> KeyedVault:
        return KeyedVault(self._tenant_keys(tenant)[0], around)

    def _seal(self, tenant: str, data: bytes) -> str:
        mac = self._tenant_keys(tenant)[1].copy()
        mac.update(data)
        return mac.hexdigest()

    def _tenant_keys(self, tenant: str) -> tuple[bytes, hmac.HMAC]:
        """(for placeholders, for seals): kept, for they are asked for in every exchange."""
        keys = self._keys_by_tenant.get(tenant)
        if keys is None:
            root = self.keyring.tenant_key(tenant)
            seals = hmac.new(self.keyring.seal_key(tenant), digestmod="sha256")
            keys = self._keys_by_tenant[tenant] = (root, seals)
        return keys

    def _labels(self, exchange: Exchange) -> Mapping[str, str]:
        revision = exchange.bundle_revision or self.governing.watch.bundle.revision
        names, versions = _named(revision)
        now_s = self.clock.now_ms() // 1000
        return labels.headers(exchange, now_s=now_s, policy=names, revision=versions)


@lru_cache(maxsize=64)
def _named(revision: str) -> tuple[str, str]:
    """The names of a bundle's policies, and their versions."""
    named = [each.partition("@") for each in revision.split()]
    return ",".join(name for name, _, _ in named), ",".join(version for _, _, version in named)
