"""The catalogue: which models clients may ask for, and where each request goes on to.

Credentials stand in it as references (`env:NAME`, `file:/path`), never as values.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway import handling, pricing
from gateway.core.apis import BackendOptions
from gateway.core.clearance import Clearance, DataClass
from gateway.core.errors import ConfigError
from gateway.core.judgement import Route
from gateway.core.prices import Price
from gateway.core.standing import NO_TERMS
from gateway.core.targets import FIELDS, Target
from gateway.cursor import Cursor
from gateway.documents import load, unknown
from gateway.handling import HOSTED, SELF_HOSTED, Handling

_NAME = r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}"
# A name that only fits a pattern is the client's own words, so it may say little.
_ASKED = r"(?!.*\d{9})[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}"
_PATTERN = r"[A-Za-z0-9*?][A-Za-z0-9._:/@+*?-]{0,127}"
# These know, or are told in their settings, where to go.
_WITHOUT_URL = ("echo", "litellm")
_TIMES = ("connect_s", "first_byte_s", "between_bytes_s", "total_s")
_MAX_RETRIES = 5
_MAX_FALLBACKS = 8


@dataclass(frozen=True, slots=True)
class Upstream:
    """One backend of the catalogue.

    passes: what `/pass/...` lets through to it: "METHOD /path" with * and ?. missing: why it
    cannot be used now; empty if it can. retries: how often a call that failed is made again.
    circuit_failures: so many in a row open its circuit, for `circuit_open_s`; 0: it never opens.
    files: whether files and batches are kept by it. handling: what becomes of data there.
    terms: ids of the terms profiles that all of it is under whose entry names no others. tier:
    what it was booked as, such as free. counts: whether streams are asked for their tokens if
    their clients do not ask.
    """

    name: str
    kind: str
    options: BackendOptions
    provider: str
    hosting: str
    region: str
    passes: tuple[str, ...] = ()
    missing: str = ""
    retries: int = 1
    circuit_failures: int = 5
    circuit_open_s: float = 30.0
    files: bool = False
    handling: Handling = SELF_HOSTED
    terms: tuple[str, ...] = ()
    tier: str = ""
    counts: bool = False

    def lets_pass(self, method: str, path: str) -> bool:
        """Whether this request may go to it without a dialect that knows its API."""
        return any(fnmatch.fnmatchcase(f"{method} {path}", known) for known in self.passes)

    def route(self) -> Route:
        """Where a request goes that names no model."""
        return Route(
            "",
            "",
            self.name,
            self.provider,
            hosting=self.hosting,
            region=self.region,
            **self.handling.facts(),
            terms=self.terms,
            tier=self.tier,
        )


@dataclass(frozen=True, slots=True)
class Model:
    """One name, or pattern of names, that clients may ask for.

    fallbacks: names of models that stand in for it, in order; theirs are not followed, so
    there is no loop. handling: what becomes of data there; its backend's, but for what it says.
    prices: by the day from which they hold; empty if they are not known.
    """

    name: str
    upstream: Upstream
    upstream_model: str
    terms: tuple[str, ...]
    restore: bool
    description: str
    fallbacks: tuple[str, ...] = ()
    handling: Handling = SELF_HOSTED
    prices: tuple[Price, ...] = ()

    @property
    def is_pattern(self) -> bool:
        """Whether it stands for many names."""
        return "*" in self.name or "?" in self.name

    def route(self, asked: str) -> Route:
        """Where a request for the model `asked` goes."""
        return Route(
            model=asked,
            upstream_model=self.upstream_model or asked,
            backend=self.upstream.name,
            provider=self.upstream.provider,
            hosting=self.upstream.hosting,
            region=self.upstream.region,
            terms=self.terms,
            restore=self.restore,
            **self.handling.facts(),
            tier=self.upstream.tier,
            prices=self.prices,
            counts=self.upstream.counts,
        )


class Catalogue:
    """All models in the order of the file; the first that fits a name serves it."""

    def __init__(self, upstreams: Mapping[str, Upstream], models: Collection[Model]) -> None:
        self.upstreams = upstreams
        self.models = tuple(m for m in models if not m.upstream.missing)
        self.unavailable = tuple(m for m in models if m.upstream.missing)
        self._on, self._off = _Names(self.models), _Names(self.unavailable)

    @property
    def limits(self) -> bool:
        """Whether there is data that some entry may not see."""
        found = [upstream.handling for upstream in self.upstreams.values()]
        found += [model.handling for model in (*self.models, *self.unavailable)]
        return any(each.clearance != Clearance() for each in found)

    @property
    def files(self) -> Upstream | None:
        """Who keeps files and batches; None if nobody does, or cannot now."""
        able = (u for u in self.upstreams.values() if u.files and not u.missing)
        return next(able, None)

    def find(self, name: str) -> Model | None:
        """The entry that serves this model name. Exact names come before patterns."""
        return self._on.find(name)

    def lacks(self, name: str) -> bool:
        """Whether an entry would serve this model name if only its backend could be used."""
        return self._on.find(name) is None and self._off.find(name) is not None

    def choose(
        self, target: Target, data: DataClass, able: Callable[[Model], bool]
    ) -> tuple[str, Model] | None:
        """Where a rule sends requests, as (name, entry); None if no entry is such and able.

        That is the first of the file that may see this data, else the first.
        """
        found = [each for each in _such(target, self.models, self.find) if able(each[1])]
        cleared = (each for each in found if not each[1].handling.clearance.lacks(data))
        return next(cleared, found[0] if found else None)

    def knows(self, target: Target) -> bool:
        """Whether an entry is such, also one whose backend cannot be used now."""
        off = _such(target, self.unavailable, self._off.find)
        on = _such(target, self.models, self.find)
        return next(on, None) is not None or next(off, None) is not None

    def fallbacks(self, model: Model, asked: str) -> Iterator[tuple[str, Model]]:
        """What can stand in for this entry when `asked` was asked for, by name, in order."""
        for name in model.fallbacks:
            found = self.find(name)
            if found is not None and name != asked:
                yield name, found


def _such(
    target: Target, models: Collection[Model], find: Callable[[str], Model | None]
) -> Iterator[tuple[str, Model]]:
    """A pattern is nothing to choose from: it serves what is asked for by name."""
    found = find(target.model) if target.model else None
    named = [(target.model, found)] if found else [(m.name, m) for m in models if not m.is_pattern]
    for name, model in named:
        route = model.route(name)
        if target.met({field: getattr(route, field) for field in FIELDS}):
            yield name, model


class _Names:
    """Entries by the names that they serve."""

    def __init__(self, models: Collection[Model]) -> None:
        self._exact = {m.name: m for m in reversed([*models]) if not m.is_pattern}
        self._patterns = [m for m in models if m.is_pattern]
        self._spellings = {_plain(name) for name in self._exact}

    def find(self, name: str) -> Model | None:
        model = self._exact.get(name)
        # What stands by name in the catalogue is not had through a pattern by another spelling.
        if model is None and re.fullmatch(_ASKED, name) and _plain(name) not in self._spellings:
            model = next((m for m in self._patterns if fnmatch.fnmatchcase(name, m.name)), None)
        return model


def _plain(name: str) -> str:
    """One spelling of a model's name of those that upstreams take for the same.

    Ollama does not tell case apart and takes a name without a tag for `latest` (its docs of the
    API, model names); Gemini's API calls a model `models/NAME` as well (its reference, models).
    """
    return name.casefold().removeprefix("models/").removesuffix(":latest")


def read(
    path: Path,
    kinds: Collection[str],
    environ: Mapping[str, str] = os.environ,
    *,
    special: Collection[str] | None = None,
    profiles: Collection[str] | None = None,
) -> Catalogue:
    """The catalogue in a file. Raises ConfigError with file and line.

    special: the special classes of data; without them their names are not checked.
    kinds: backend kinds that exist. A backend that says `optional: true` may lack its
    credential: then it and its models are left out. Any other must have it. profiles: what its
    `terms` may name; not checked if None.
    """
    documents = load(path)
    if len(documents) != 1:
        raise ConfigError(f"{path}:1: expected one YAML document, found {len(documents)}.")
    top = Cursor.top(documents[0]).fields(
        ("apiVersion", "kind", "backends", "models"),
        required=("apiVersion", "kind", "backends", "models"),
    )
    top["apiVersion"].choice(["gateway/v1"])
    top["kind"].choice(["Catalogue"])
    upstreams = {u.name: u for u in _upstreams(top["backends"], kinds, environ, special)}
    models = list(_models(top["models"], upstreams, special))
    _check_fallbacks(top["models"], [model.name for model in models])
    if profiles is not None:
        for entry in (*top["backends"].items(), *top["models"].items()):
            _check_terms(entry, profiles)
    return Catalogue(upstreams, models)


def _upstreams(
    cursor: Cursor,
    kinds: Collection[str],
    environ: Mapping[str, str],
    special: Collection[str] | None,
) -> Iterator[Upstream]:
    seen: set[str] = set()
    keeper = ""
    for item in cursor.items():
        fields = item.fields(
            ("name", "kind", "url", "credential", "provider", "hosting", "region", "optional",
             "timeouts", "settings", "pass", "retries", "circuit", "files", "terms", "tier",
             "count_streams", *handling.KEYS),
            required=("name", "kind"),
        )  # fmt: skip
        name = fields["name"].text(_NAME, "a name of letters, digits and . _ : / @ + -")
        if name in seen:
            raise fields["name"].error(f"backend {name!r} is given twice.")
        seen.add(name)
        kind = fields["kind"].choice(kinds)
        url = _url(fields["url"]) if "url" in fields else ""
        if not url and kind not in _WITHOUT_URL:
            raise item.error("'url' is missing: where this backend listens.")
        optional = "optional" in fields and fields["optional"].truth()
        credential, missing = "", ""
        if "credential" in fields:
            credential, missing = _credential(fields["credential"], environ)
            if missing and not optional:
                raise fields["credential"].error(missing)
        settings, unset = _settings(fields, environ)
        if unset and not optional:
            raise fields["settings"].error(unset)
        files = "files" in fields and fields["files"].truth()
        if files and keeper:
            raise fields["files"].error(f"backend {keeper!r} keeps files already; one can.")
        keeper = name if files else keeper
        hosting = (
            fields["hosting"].choice(["hosted", "self_hosted"]) if "hosting" in fields else "hosted"
        )
        yield Upstream(
            name=name,
            kind=kind,
            options=BackendOptions(
                url=url, credential=credential, settings=settings, **_times(fields)
            ),
            provider=fields["provider"].text() if "provider" in fields else name,
            hosting=hosting,
            region=fields["region"].text() if "region" in fields else "",
            passes=_passes(fields["pass"]) if "pass" in fields else (),
            missing=missing or unset,
            retries=_retries(fields),
            files=files,
            handling=handling.read(
                fields, SELF_HOSTED if hosting == "self_hosted" else HOSTED, special
            ),
            terms=_terms(fields, ()),
            tier=fields["tier"].text() if "tier" in fields else "",
            counts="count_streams" in fields and fields["count_streams"].truth(),
            **_circuit(fields),
        )


def _models(
    cursor: Cursor, upstreams: Mapping[str, Upstream], special: Collection[str] | None
) -> Iterator[Model]:
    seen: set[str] = set()
    for item in cursor.items():
        fields = item.fields(
            ("name", "backend", "upstream_model", "terms", "restore", "description", "fallbacks",
             "price", *handling.KEYS),
            required=("name", "backend"),
        )  # fmt: skip
        name = fields["name"].text(_PATTERN, "a model name, or a pattern with * or ?")
        if name in seen:
            raise fields["name"].error(f"model {name!r} is given twice.")
        seen.add(name)
        upstream = upstreams[fields["backend"].choice(upstreams)]
        yield Model(
            name=name,
            upstream=upstream,
            upstream_model=fields["upstream_model"].text() if "upstream_model" in fields else "",
            terms=_terms(fields, upstream.terms),
            restore=fields["restore"].truth() if "restore" in fields else True,
            description=fields["description"].text() if "description" in fields else "",
            fallbacks=tuple(fields["fallbacks"].texts()) if "fallbacks" in fields else (),
            handling=handling.read(fields, upstream.handling, special),
            prices=pricing.read(fields["price"]) if "price" in fields else (),
        )


def _terms(fields: Mapping[str, Cursor], inherited: tuple[str, ...]) -> tuple[str, ...]:
    """One id of a terms profile, or several."""
    if "terms" not in fields:
        return inherited
    cursor = fields["terms"]
    return tuple(cursor.texts()) if isinstance(cursor.value, list) else (cursor.text(),)


def _check_terms(entry: Cursor, profiles: Collection[str]) -> None:
    """Every id is that of a profile; `none` stands alone, for it says that there are no terms."""
    if "terms" not in entry.value:
        return
    cursor = entry.fields(entry.value)["terms"]
    items = [*cursor.items()] if isinstance(cursor.value, list) else [cursor]
    for item in items:
        if item.value == NO_TERMS and len(items) == 1:
            continue
        if item.value not in profiles:
            known = unknown(item.value, profiles)
            raise item.error(f"unknown terms profile {item.value[:80]!r}.{known}")


def _passes(cursor: Cursor) -> tuple[str, ...]:
    """Paths as clients write them behind the upstream's name; POST unless they say otherwise."""
    found = []
    for item in cursor.items():
        text = item.text(r"([A-Z]{3,6} )?/\S*", "a path, with a method before it if not POST")
        found.append(text if text[0] != "/" else f"POST {text}")
    return tuple(found)


def _check_fallbacks(cursor: Cursor, names: Collection[str]) -> None:
    """Every fallback is another model that there is, on or off."""
    for item in cursor.items():
        entry: dict[str, Any] = item.value
        if "fallbacks" not in entry:
            continue
        fallbacks = item.fields(entry)["fallbacks"]
        seen = {entry["name"]}
        for fallback in fallbacks.items():
            name = fallback.text(_NAME, "the name of one model, without * or ?")
            if name in seen:
                raise fallback.error(f"{name!r} is this model itself, or is given twice.")
            seen.add(name)
            if not any(fnmatch.fnmatchcase(name, known) for known in names):
                raise fallback.error(f"unknown model {name!r}.{unknown(name, names)}")
        if len(seen) > 1 + _MAX_FALLBACKS:
            raise fallbacks.error(f"more than {_MAX_FALLBACKS} fallbacks.")


def _retries(fields: Mapping[str, Cursor]) -> int:
    retries = fields["retries"].count() if "retries" in fields else 1
    if retries > _MAX_RETRIES:
        raise fields["retries"].error(f"expected 0 to {_MAX_RETRIES}.")
    return retries


def _circuit(fields: Mapping[str, Cursor]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "circuit" in fields:
        circuit = fields["circuit"].fields(("failures", "open_s"))
        if "failures" in circuit:
            found["circuit_failures"] = circuit["failures"].count()
        if "open_s" in circuit:
            found["circuit_open_s"] = _seconds(circuit["open_s"])
    return found


def _settings(
    fields: Mapping[str, Cursor], environ: Mapping[str, str]
) -> tuple[dict[str, str], str]:
    """(the settings, why one cannot be had). References are followed, as for a credential."""
    if "settings" not in fields:
        return {}, ""
    cursor = fields["settings"]
    known = cursor.value if isinstance(cursor.value, dict) else ()
    found, missing = {}, ""
    for key, value in cursor.fields(known).items():
        found[key] = value.text()
        if found[key].startswith(("env:", "file:")):
            found[key], lacking = _credential(value, environ)
            missing = missing or lacking
    return found, missing


def _times(fields: Mapping[str, Cursor]) -> Any:
    if "timeouts" not in fields:
        return {}
    return {key: _seconds(c) for key, c in fields["timeouts"].fields(_TIMES).items()}


def _seconds(cursor: Cursor) -> float:
    value = cursor.value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 86_400:
        raise cursor.error("expected seconds, more than 0 and at most 86400.")
    return float(value)


def _url(cursor: Cursor) -> str:
    url = cursor.text()
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise cursor.error("expected a URL that starts with http:// or https://.")
    if parts.username or parts.password or parts.query:
        raise cursor.error("a URL holds no credential and no query here; use 'credential'.")
    return url.rstrip("/")


def _credential(cursor: Cursor, environ: Mapping[str, str]) -> tuple[str, str]:
    """(the secret, "") or ("", why there is none). Secrets never stand in the file itself."""
    scheme, _, name = cursor.text().partition(":")
    if scheme == "env" and name:
        value = environ.get(name, "").strip()
        return (value, "") if value else ("", f"the environment has no {name}.")
    if scheme == "file" and name:
        try:
            value = Path(name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return "", f"the file {name} cannot be read."
        return (value, "") if value else ("", f"the file {name} is empty.")
    raise cursor.error("expected a reference: env:NAME or file:/path. Never the secret itself.")
