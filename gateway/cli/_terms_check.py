"""What `gateway terms check` finds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
from rich.markup import escape

from gateway import actions, documents, taxonomy
from gateway.cli._output import say
from gateway.core.errors import ConfigError
from gateway.policy import examples
from gateway.policy.bundle import compile_documents
from gateway.policy.language import Vocabulary
from gateway.settings import Settings
from gateway.terms import rules, trying
from gateway.terms.documents import CHANGED, SAME, Compared, compare
from gateway.terms.profile import Profile
from gateway.terms.standing import InForce
from gateway.terms_in_use import read_terms

_FETCH_S = 30
_COLOURS = {SAME: "green", CHANGED: "red"}


def checked(
    found: Settings, ids: Sequence[str], document: Path | None, *, fetch: bool
) -> dict[str, Any]:
    """All of it, JSON-ready. Raises ConfigError for what cannot be read."""
    known = read_terms(found)
    for id_ in ids:
        if id_ not in known:
            raise ConfigError(
                f"There is no terms profile {id_[:80]!r}.{documents.unknown(id_, known)}"
            )
    profiles = [known[id_] for id_ in ids] if ids else list(known.values())
    compared = [
        *(_given(profiles, document) if document else ()),
        *(_fetched(profiles) if fetch else ()),
    ]
    failed = [*_states(profiles), *_rules(profiles)]
    changed = any(each.state == CHANGED for each in compared)
    return {
        "ok": not failed and not changed,
        "profiles": [profile.name for profile in profiles],
        "examples": sum(len(profile.examples) for profile in profiles),
        "failed": failed,
        "documents": [asdict(each) for each in compared],
    }


def tell_checked(found: dict[str, Any]) -> None:
    """The same for people."""
    for each in found["failed"]:
        say(f"[bold red]FAIL[/] {escape(each['profile'])}: {escape(each['example'])}")
        say(f"     [dim]{escape(each['at'])}[/] {escape(each['differs'])}")
    for each in found["documents"]:
        colour = _COLOURS.get(each["state"], "yellow")
        say(
            f"[{colour}]{each['state']:7}[/] {escape(each['profile'])}: {escape(each['title'])} "
            f"[dim]{each['sha256']}[/]"
        )
    count, read = found["examples"], len(found["profiles"])
    say(f"{read} profiles can be read; {count - len(found['failed'])} of {count} examples hold.")


def _states(profiles: Sequence[Profile]) -> Iterator[dict[str, Any]]:
    return (asdict(tried) for tried in trying.run(profiles) if tried.differs)


def _rules(profiles: Sequence[Profile]) -> Iterator[dict[str, Any]]:
    categories = taxonomy.load().categories()
    made = [doc for each in profiles if (doc := rules.policy(InForce(each, 1), categories))]
    known = actions.load()
    bundle = compile_documents([], Vocabulary(known), made)
    for outcome in examples.run(bundle, lambda _text: [], known):
        if not outcome.passed:
            yield {
                "profile": outcome.policy,
                "example": outcome.example,
                "at": outcome.at,
                "differs": "; ".join(outcome.differs),
            }


def _given(profiles: Sequence[Profile], document: Path) -> Iterator[Compared]:
    if len(profiles) != 1:
        raise ConfigError("Say of which profile the document is: gateway terms check PROFILE ...")
    try:
        yield compare(profiles[0], document.read_bytes())
    except OSError as err:
        raise ConfigError(f"{document}: cannot be read: {err.strerror}.") from err


def _fetched(profiles: Sequence[Profile]) -> Iterator[Compared]:
    with httpx.Client(timeout=_FETCH_S, follow_redirects=False) as client:
        for profile in profiles:
            for source in profile.sources:
                if source.url:
                    yield _fetch(client, profile, source.url)


def _fetch(client: httpx.Client, profile: Profile, url: str) -> Compared:
    source = next(each for each in profile.sources if each.url == url)
    try:
        answer = client.get(url)
        answer.raise_for_status()
    except httpx.HTTPError as err:
        # Also a redirect: only the address that stands in the profile is asked.
        return Compared(profile.id, source.title, url, f"not fetched ({type(err).__name__})", "")
    return compare(profile, answer.content, (source,))
