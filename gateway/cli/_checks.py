"""The single checks of `gateway doctor`. None of them changes anything."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from gateway import __version__, backends, catalogue, db, settings
from gateway.audit import partitions
from gateway.audit.spool_file import found as spooled
from gateway.cli._open import address, database
from gateway.cli._ports import at_port
from gateway.cli._scanning import load_scanner
from gateway.clock import SystemClock
from gateway.configured import (
    always_translated,
    bundle,
    try_assessors,
)
from gateway.core.errors import ConfigError
from gateway.identity.keyring import Keyring
from gateway.identity.keytable import KeyTable
from gateway.settings import Settings
from gateway.terms_in_use import contradicted, from_terms, not_under, read_terms

_SAMPLE = "mail jane.roe@example.com"
_LOW_DISK_BYTES = 500 * 1024 * 1024
_QUICKSTART = "gateway serve --quickstart"


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. mend: the command or step that mends it."""

    name: str
    state: State
    text: str
    mend: str = ""


def checks() -> Iterator[Check]:
    """All checks, each as soon as it is done."""
    yield _program()
    try:
        found = settings.read()
    except ConfigError as err:
        yield Check("settings", State.FAIL, str(err), "correct the variable or file it names")
        return
    yield Check("settings", State.OK, "All can be read.")
    each: list[Callable[[Settings], Iterator[Check]]] = [
        _data, _keyring, _database, _spool, _catalogue, _policy, _detectors, _assessors, _ports,
    ]  # fmt: skip
    for check in each:
        yield from check(found)


def _program() -> Check:
    text = f"gateway {__version__}, Python {platform.python_version()} on {platform.system()}."
    return Check("program", State.OK, text)


def _data(found: Settings) -> Iterator[Check]:
    path = found.data_dir
    if not path.exists():
        yield Check("data", State.WARN, f"{path} is not there yet.", _QUICKSTART)
        return
    mode = path.stat().st_mode & 0o777
    if not os.access(path, os.W_OK | os.X_OK):
        yield Check("data", State.FAIL, f"{path} cannot be written to.", f"chmod u+rwx {path}")
    elif os.name == "posix" and mode & 0o077:
        text = f"{path} has mode {mode:04o}, so others may look into it."
        yield Check("data", State.WARN, text, f"chmod 700 {path}")
    elif shutil.disk_usage(path).free < _LOW_DISK_BYTES:
        yield Check("data", State.WARN, f"{path}: the disk is nearly full.", "make room")
    else:
        yield Check("data", State.OK, f"{path} is private and can be written to.")


def _keyring(found: Settings) -> Iterator[Check]:
    path = found.keyring_path
    if not path.exists():
        text = f"{path} is not there yet; the first start makes it."
        yield Check("keyring", State.WARN, text, _QUICKSTART)
        return
    try:
        Keyring.open(path, create=False)
    except ConfigError as err:
        mend = f"chmod 600 {path}" if "chmod" in str(err) else f"restore {path} from a backup"
        yield Check("keyring", State.FAIL, str(err), mend)
        return
    text = f"{path} can be read. Keep a copy: without it the log cannot be verified."
    yield Check("keyring", State.OK, text)


def _database(found: Settings) -> Iterator[Check]:
    clock = SystemClock()
    try:
        with database(found) as engine:
            infos = KeyTable(engine, clock).list()
            months = partitions.caution(engine, clock.now_ms())
        at = db.current(found.database)
    except ConfigError as err:
        new = not found.database_url and not found.data_dir.exists()
        state = State.WARN if new else State.FAIL
        mend = "gateway db upgrade" if "db upgrade" in str(err) else "check GATEWAY_DATABASE_URL"
        yield Check("database", state, str(err), _QUICKSTART if new else mend)
        return
    yield Check("database", State.OK, f"{address(found)} answers, at revision {at}.")
    if months:
        text = f"{months[0].upper()}{months[1:]}."
        yield Check("partitions", State.WARN, text, "gateway audit partitions --ahead 3")
    valid = sum(info.valid(clock.now_ms()) for info in infos)
    if not valid:
        yield Check("keys", State.WARN, "No key is valid: nobody can ask.", "gateway keys new NAME")
        return
    yield Check("keys", State.OK, f"{valid} of {len(infos)} keys are valid.")


def _spool(found: Settings) -> Iterator[Check]:
    """Audit entries that wait in files: for the database, or for a gateway that takes them."""
    for file in spooled(found.spool_path):
        text = f"{file.path} holds {file.entries} audit entries of {file.replica}"
        if file.held:
            text += ": its gateway waits for the database."
            yield Check("spool", State.WARN, text, "bring the database back")
        else:
            text += ", whose process has ended."
            mend = "start a gateway with GATEWAY_AUDIT_SPOOL_MB and this folder"
            yield Check("spool", State.WARN, text, mend)


def _catalogue(found: Settings) -> Iterator[Check]:
    try:
        known = catalogue.read(found.catalogue_path, backends.kinds())
    except ConfigError as err:
        yield Check("catalogue", State.FAIL, str(err), f"correct {found.catalogue_path}")
        return
    names = ", ".join(m.name for m in known.models) or "none"
    state = State.OK if known.models else State.FAIL
    yield Check("catalogue", state, f"Models: {names}.{_unpriced(known)}")
    for upstream in known.upstreams.values():
        if upstream.missing:
            text = f"Backend {upstream.name} is off: {upstream.missing}"
            yield Check("credential", State.WARN, text, "set it if you want these models")
    for model in known.models:
        if model.fallbacks:
            yield _fallbacks(known, model)
    yield _translation(known)
    yield from _unfit(found, known)


def _unpriced(known: catalogue.Catalogue) -> str:
    """Whose cost is not on record, where that of others is."""
    without = [model.name for model in known.models if not model.prices]
    return f" Without a price: {', '.join(without)}." if len(without) < len(known.models) else ""


def _unfit(found: Settings, known: catalogue.Catalogue) -> Iterator[Check]:
    try:
        profiles = read_terms(found)
    except ConfigError as err:
        yield Check("terms", State.FAIL, str(err), "correct the file it names")
        return
    for text in not_under(known, profiles):
        mend = f"name a profile that fits in {found.catalogue_path}: gateway terms list"
        yield Check("terms", State.WARN, f"{text}.", mend)
    for text in contradicted(known, profiles):
        mend = f"correct trains, retention_days, classes or tier in {found.catalogue_path}"
        yield Check("terms", State.WARN, f"{text}.", mend)


def _fallbacks(known: catalogue.Catalogue, model: catalogue.Model) -> Check:
    text = f"{model.name} falls back to {', '.join(model.fallbacks)}."
    off = [name for name in model.fallbacks if known.find(name) is None]
    if not off:
        return Check("fallbacks", State.OK, text)
    text = f"{text} Off: {', '.join(off)}."
    return Check("fallbacks", State.WARN, text, "set the credentials of their backends")


def _translation(known: catalogue.Catalogue) -> Check:
    needed = always_translated(known)
    if backends.translates():
        return Check("translation", State.OK, "litellm is installed: APIs can be translated.")
    if needed:
        text = f"litellm is not installed, and these models need it: {', '.join(needed)}."
        return Check("translation", State.FAIL, text, backends.INSTALL)
    kinds = ", ".join(backends.HUB_SPEAKING)
    text = f"litellm is not installed: APIs are translated for backends of {kinds} only."
    return Check("translation", State.OK, text)


def _policy(found: Settings) -> Iterator[Check]:
    try:
        compiled = bundle(found, made=from_terms(found, []))
    except ConfigError as err:
        yield Check("policy", State.FAIL, str(err), "correct the file it names")
        return
    text = f"{compiled.revision} compiles, digest {compiled.digest[:12]}."
    yield Check("policy", State.OK, text)


def _detectors(found: Settings) -> Iterator[Check]:
    try:
        scanner = load_scanner(found)
        findings = scanner.scan(_SAMPLE)
    except (ConfigError, ImportError, OSError, ValueError) as err:
        mend = "install the gateway's packages again: scripts/run"
        text = f"{type(err).__name__}: {err}"
        yield Check("detectors", State.FAIL, text, mend)
        return
    names = ", ".join(scanner.detectors)
    if "pii" in scanner.detectors and not findings:
        text = f"{names} load, but do not find an e-mail address."
        yield Check("detectors", State.FAIL, text, "gateway list, then GATEWAY_DETECTORS")
        return
    off = [name for name in ("pii", "patterns") if name not in scanner.detectors]
    if off:
        text = f"{names} work; {', '.join(off)} is switched off."
        yield Check("detectors", State.WARN, text, "unset GATEWAY_DETECTORS")
    else:
        yield Check("detectors", State.OK, f"{names} load and find what they should.")


def _assessors(found: Settings) -> Iterator[Check]:
    """A harmless text is put before each."""
    if found.assessors_path is None:
        return
    try:
        tried = asyncio.run(try_assessors(found, "Hello."))
    except ConfigError as err:
        yield Check("assessors", State.FAIL, str(err), f"correct {found.assessors_path}")
        return
    for name, reason in tried.items():
        if not reason:
            yield Check("assessor", State.OK, f"{name} judges texts.")
        else:
            text = f"{name} does not judge: {reason}. What it fails on, policy decides."
            mend = "docs/assessors.md says what the reasons mean"
            yield Check("assessor", State.FAIL, text, mend)


def _ports(found: Settings) -> Iterator[Check]:
    sides = (
        ("port", found.host, found.port, "GATEWAY_PORT"),
        ("admin port", found.admin_host, found.admin_port, "GATEWAY_ADMIN_PORT"),
    )
    for name, host, port, variable in sides:
        held = at_port(host, port)
        if held.free:
            yield Check(name, State.OK, f"{host}:{port} is free.")
        elif held.ready:
            yield Check(name, State.OK, f"{host}:{port} has a gateway, and it is ready.")
        elif held.problems:
            text = f"The gateway at {host}:{port} is not ready: {held.problems}"
            yield Check(name, State.FAIL, text, "see its log")
        else:
            text = f"{host}:{port} cannot be had: {held.holder}"
            yield Check(name, State.FAIL, text, f"stop it, or set {variable} to another port")
