"""Terms profiles as the settings name them, and what the catalogue makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import Engine

from gateway import backends, catalogue, taxonomy
from gateway.core.clearance import DataClass
from gateway.core.ports import Clock
from gateway.documents import Document
from gateway.settings import Settings
from gateway.terms import reading, rules
from gateway.terms.inforce import in_force
from gateway.terms.ledger import Approval
from gateway.terms.profile import Profile
from gateway.terms.registry import Registry
from gateway.terms.standing import Asked, InForce, Ways, contradictions

CONFIDENTIAL = DataClass.of("confidential")


def read_terms(settings: Settings) -> dict[str, Profile]:
    """The terms profiles of files, by id. Raises ConfigError with file and line."""
    return reading.load(settings.terms_path, taxonomy.load().categories())


def registry(
    settings: Settings, drafts: Mapping[str, Profile], engine: Engine, clock: Clock
) -> Registry:
    """What counts of all terms; not started yet, so that nothing is approved."""
    ways = Ways(settings.terms_url, settings.terms_grace_days)
    hazards = taxonomy.load().categories()
    return Registry(engine, drafts, hazards, ways=ways, clock=clock)


def named(known: catalogue.Catalogue, profiles: Mapping[str, InForce]) -> list[InForce]:
    """Those profiles that something of the catalogue is under, in the order of their ids."""
    ids = {id_ for upstream in known.upstreams.values() for id_ in upstream.terms}
    ids |= {id_ for model in (*known.models, *known.unavailable) for id_ in model.terms}
    return [each for id_, each in profiles.items() if id_ in ids]


def not_under(known: catalogue.Catalogue, profiles: Mapping[str, Profile]) -> Iterator[str]:
    """What is wrong with models whose terms profiles are for others, so that none counts.

    A pattern of names is left out: what it stands for is not known before somebody asks.
    """
    for model in known.models:
        named = [profiles[id_] for id_ in model.terms if id_ in profiles]
        if not named or model.is_pattern:
            continue
        route = model.route(model.name)
        names = (route.model, route.upstream_model)
        if not any(each.applies(route.provider, *names) for each in named):
            ids = " or ".join(each.id for each in named)
            yield f"{model.name} of {route.provider} is not what {ids} is for: see its applies_to"


def contradicted(known: catalogue.Catalogue, profiles: Mapping[str, Profile]) -> Iterator[str]:
    """Where what the catalogue says of data at a model is not what its terms profiles say."""
    for model in known.models:
        route = model.route(model.name)
        names = (route.model, route.upstream_model)
        asked = Asked(route.tier, (), {}, None, route.trains, route.retention_days)
        for profile in (profiles[id_] for id_ in model.terms if id_ in profiles):
            if not profile.applies(route.provider, *names):
                continue
            for words in contradictions(profile, asked):
                yield f"{model.name}: the terms of {profile.id} {words}"
            trains = profile.handling(route.tier).get("trains") == "yes"
            if trains and not route.clearance.lacks(CONFIDENTIAL):
                yield (
                    f"{model.name} may see {', '.join(route.clearance.names)} data, and by the "
                    f"terms of {profile.id} models are trained on it"
                )


def made(terms: Iterable[InForce]) -> list[Document]:
    """The policies that these terms profiles come to, by what they ask about texts."""
    categories = taxonomy.load().categories()
    return [document for each in terms if (document := rules.policy(each, categories))]


def from_terms(settings: Settings, approvals: Sequence[Approval]) -> list[Document]:
    """The same of a gateway that does not run. approvals: oldest first. Raises ConfigError."""
    drafts = read_terms(settings)
    profiles = in_force(drafts, approvals, taxonomy.load().categories())
    known = catalogue.read(settings.catalogue_path, backends.kinds(), profiles=drafts)
    return made(named(known, profiles))
