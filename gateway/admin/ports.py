"""What the admin app asks of the house. The roof fills it in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine

from gateway import pricing
from gateway.audit.reading import Leave
from gateway.catalogue import Catalogue
from gateway.core.apis import Reply
from gateway.core.ports import Clock, Counters, Sink, TenantKeys
from gateway.identity.keys import KeyStore
from gateway.lifecycle.desk import PolicyDesk
from gateway.quieting.store import Store as Quieting
from gateway.review.desk import Desk
from gateway.terms.acts import Desk as TermsDesk


@dataclass(frozen=True, slots=True)
class PolicySummary:
    """One policy of the bundle in force."""

    name: str
    version: str
    rules: int
    description: str


@dataclass(frozen=True, slots=True)
class BundleSummary:
    """The bundle in force."""

    digest: str
    revision: str
    policies: tuple[PolicySummary, ...]


@dataclass(frozen=True, slots=True)
class DetectorSummary:
    """One detector that runs."""

    name: str
    version: str
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """One catalogue entry. missing: why it cannot be used now; empty if it can.

    classes: of data that it may see. trains, retention_days: what becomes of data there; -1 if
    nobody said. prices: in the order in which they come to hold, as they stand in the catalogue.
    """

    name: str
    backend: str
    kind: str
    provider: str
    hosting: str
    region: str
    upstream_model: str
    terms: tuple[str, ...]
    restore: bool
    description: str
    missing: str
    fallbacks: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    trains: bool = False
    retention_days: int = -1
    prices: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class AdminPorts:
    """Everything the admin app may know and use.

    sink: reads of the log are recorded there. reviews: where reviewers decide. desk: where
    policies are changed. quiet: where false hits are marked. session_key: 32 secret bytes that
    sign sessions; equal in all replicas. payload_keys, payload_leave: how kept texts are opened,
    and who may. probe: the answer to /livez and /readyz.
    """

    version: str
    engine: Engine
    keys: KeyStore
    sink: Sink
    clock: Clock
    counters: Counters
    terms: TermsDesk
    quiet: Quieting
    reviews: Desk
    session_key: bytes = field(repr=False)
    probe: Callable[[str], Reply]
    problems: Callable[[], Mapping[str, str]]
    warnings: Callable[[], Mapping[str, str]]
    bundle: Callable[[], BundleSummary]
    models: Callable[[], Sequence[ModelSummary]]
    detectors: Sequence[DetectorSummary]
    desk: PolicyDesk
    payload_keys: TenantKeys
    payload_leave: Leave


def model_summaries(catalogue: Catalogue) -> list[ModelSummary]:
    """All entries of a catalogue, those that can be used first."""
    return [
        ModelSummary(
            name=model.name,
            backend=model.upstream.name,
            kind=model.upstream.kind,
            provider=model.upstream.provider,
            hosting=model.upstream.hosting,
            region=model.upstream.region,
            upstream_model=model.upstream_model,
            terms=model.terms,
            restore=model.restore,
            description=model.description,
            missing=model.upstream.missing,
            fallbacks=model.fallbacks,
            classes=model.handling.clearance.names,
            trains=model.handling.trains,
            retention_days=model.handling.retention_days,
            prices=tuple(pricing.told(model.prices)),
        )
        for model in (*catalogue.models, *catalogue.unavailable)
    ]
