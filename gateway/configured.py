"""What the settings ask for, read and put together: policies, catalogue, detectors, assessors."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from gateway import actions, backends, catalogue, classes, db, detectors, taxonomy
from gateway.clock import SystemClock
from gateway.core.apis import Backend, Candidate
from gateway.core.classes import Classes
from gateway.core.errors import ConfigError
from gateway.core.family import discover
from gateway.core.judgement import Subject
from gateway.core.message import Direction, Kind
from gateway.core.ports import Counters, Submission
from gateway.detectors import _assessors as assessors
from gateway.detectors import _lists as lists
from gateway.detectors._channel import Launched
from gateway.detectors._inspector import PooledInspector, build_inspector
from gateway.detectors._sieve import Sieve
from gateway.detectors._verbatim.following import DETECTORS, Following
from gateway.detectors._verbatim.works import Works
from gateway.documents import Document
from gateway.pipeline.classing import CONVERSATION
from gateway.policy import groups
from gateway.policy.bundle import PolicyBundle, load_texts
from gateway.policy.bundle import load_all as load_policies
from gateway.policy.checking import Installation
from gateway.policy.language import Vocabulary
from gateway.settings import Settings, policy_paths, shipped
from gateway.terms.profile import Profile
from gateway.terms_in_use import read_terms

# How long `gateway doctor` waits for an assessor.
TRIED_S = 20.0


def inspector(
    settings: Settings,
    launched: Launched | None = None,
    asked_if_unsure: Sequence[assessors.Configured] = (),
) -> PooledInspector:
    """All enabled detectors; not started yet."""
    return build_inspector(
        enabled(settings),
        sieve=sieve(settings),
        unsure=assessors.unsure(asked_if_unsure, settings.detector_names),
        processes=settings.detector_processes,
        deadline_s=settings.detector_deadline_s,
        cache_dir=settings.cache_dir,
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
    denied = read_lists(settings).denied
    if denied:
        options["listed"] = {"lists": [each.option for each in denied]}
    return options


def sieve(settings: Settings) -> Sieve:
    """What sifts the findings of all detectors. Raises ConfigError with file and line."""
    found = read_lists(settings)
    if settings.lists_path is not None:
        found.check(_words(settings).categories, settings.lists_path)
    return found.sieve


def read_lists(settings: Settings) -> lists.Lists:
    """The operator's lists. Raises ConfigError with file and line."""
    path = settings.lists_path
    known = partial(groups.members, groups={**groups.GROUPS, **taxonomy.load().groups()})
    return lists.read(path, known) if path is not None else lists.Lists()


def read_classes(settings: Settings) -> Classes:
    """The classes of data. Raises ConfigError with file and line."""
    return _classes(settings, _words(settings))


def bundle(settings: Settings, listed: str = "", *, made: Sequence[Document] = ()) -> PolicyBundle:
    """The policies that are listed, or those in force, compiled.

    made: others, from terms profiles, to stand behind them. Raises ConfigError with file and line.
    """
    paths = policy_paths(listed) if listed else settings.policy_paths
    found = load_policies(paths, vocabulary(settings), made)
    check_targets(found, lambda: catalogue.read(settings.catalogue_path, backends.kinds()))
    return found


def check_targets(found: PolicyBundle, known: Callable[[], catalogue.Catalogue]) -> None:
    """Raises ConfigError for a rule that sends requests to what the catalogue does not have.

    known: asked for it if there is such a rule at all.
    """
    rules = [(p, rule) for p in found.policies for rule in p.rules if rule.target is not None]
    here = known() if rules else None
    for policy, rule in rules:
        if here is not None and rule.target is not None and not here.knows(rule.target):
            names = ", ".join(model.name for model in (*here.models, *here.unavailable)[:20])
            raise ConfigError(
                f"{rule.at}: {policy.name}/{rule.id}: sends requests to a model that is such: "
                f"{rule.target}. The catalogue has none. It has: {names}."
            )


def compiler(
    settings: Settings,
    made: Callable[[], Sequence[Document]] = tuple,
    known: Callable[[], catalogue.Catalogue] | None = None,
) -> Callable[[Sequence[tuple[str, str]]], PolicyBundle]:
    """Makes bundles of policies that do not stand in files: (name, YAML text) of each.

    made: those that stand behind any, from terms profiles. known: the catalogue in force, if not
    that of the file.

    What it returns raises ConfigError with name and line.
    """
    words: list[Vocabulary] = []
    here = known or (lambda: catalogue.read(settings.catalogue_path, backends.kinds()))

    def compile_(texts: Sequence[tuple[str, str]]) -> PolicyBundle:
        words[:] = words or [vocabulary(settings)]
        found = load_texts(texts, words[0], made())
        check_targets(found, here)
        return found

    return compile_


def vocabulary(settings: Settings) -> Vocabulary:
    """The names a policy may use: every detector's, whether it is switched on or not."""
    words = _words(settings)
    return replace(
        words,
        classes=frozenset(_classes(settings, words).names),
        retentions=frozenset(settings.retention_days),
    )


def _words(settings: Settings) -> Vocabulary:
    # Not `detectors.names`: that is a detector, once it has been imported.
    members = discover(detectors.__name__, detectors.GROUP)
    everything: dict[str, dict[str, Any]] = {name: {} for name in members}
    everything |= enabled(settings)
    categories = {d.name: d.categories for d in detectors.create(everything)}
    others = {each.name: each.method.categories for each in read_assessors(settings)}
    # What cannot be looked up of a conversation fails as a detector does, and finds nothing.
    found = {**categories, **DETECTORS, CONVERSATION: frozenset[str]()}
    return Vocabulary.of(actions.load(), found, others)


def installation(settings: Settings) -> Installation:
    """What there is for policies to be about: detectors that run, places of the catalogue."""
    running = {d.name: d.categories for d in detectors.create(enabled(settings))}
    others = {each.name: each.method.categories for each in read_assessors(settings)}
    known = catalogue.read(settings.catalogue_path, backends.kinds())
    models = (*known.models, *known.unavailable)
    upstreams = known.upstreams.values()
    places = {
        "models": {n for m in models for n in (m.name, m.upstream_model) if n},
        "providers": {upstream.provider for upstream in upstreams},
        "hosting": {upstream.hosting for upstream in upstreams},
        "regions": {upstream.region for upstream in upstreams},
    }
    words, on = _words(settings), {**running, **DETECTORS, **others}
    return Installation(
        on,
        {field: frozenset(names) for field, names in places.items()},
        off={name: each for name, each in words.detectors.items() if name not in on},
        known=words.categories,
    )


def _classes(settings: Settings, words: Vocabulary) -> Classes:
    members = partial(groups.members, groups=words.groups)
    return classes.read(settings.classes_path, members, words.categories)


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


def read_catalogue(
    settings: Settings, profiles: Mapping[str, Profile] | None = None
) -> catalogue.Catalogue:
    """The catalogue. Raises ConfigError also if it needs what is not installed.

    profiles: the terms profiles there are; read if not given.
    """
    profiles = read_terms(settings) if profiles is None else profiles
    special = classes.read(settings.classes_path).special
    found = catalogue.read(
        settings.catalogue_path, backends.kinds(), special=special, profiles=profiles
    )
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


def stamp(settings: Settings) -> tuple[tuple[str, int, int], ...]:
    """What changes when a policy, a terms profile or the catalogue does."""
    files: list[Path] = [settings.catalogue_path, settings.classes_path]
    for path in (*settings.policy_paths, settings.terms_path):
        files += sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    stamps = []
    for file in files:
        with contextlib.suppress(OSError):
            stat = file.stat()
            stamps.append((str(file), stat.st_mtime_ns, stat.st_size))
    return tuple(stamps)
