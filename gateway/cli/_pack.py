"""`gateway audit pack`: evidence for a law or standard, in one file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy import Engine

from gateway import settings
from gateway.audit.evidence import framework as frameworks
from gateway.audit.evidence import pdf
from gateway.audit.evidence.pack import Texts, write
from gateway.audit.query import READ
from gateway.cli._evidence import log_key
from gateway.cli._open import database
from gateway.cli._output import Json, emit, say
from gateway.cli._recorded import record
from gateway.cli._times import moment
from gateway.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.identity.keyring import Keyring
from gateway.lifecycle.bundles import BundleRefused, signer
from gateway.lifecycle.store import Store
from gateway.settings import Settings
from gateway.terms.ledger import Approval, Ledger

PACKED = "evidence.packed"


def pack(
    framework: Annotated[str, typer.Option(help=f"One of: {', '.join(frameworks.names())}.")],
    out: Annotated[Path, typer.Option(help="The ZIP file to write. It must not be there yet.")],
    since: Annotated[str, typer.Option("--from", help="From then on: 30d, 2026-10-01.")] = "30d",
    until: Annotated[str, typer.Option("--to", help="Before then. Default: now.")] = "",
    with_pdf: Annotated[
        bool, typer.Option("--pdf/--no-pdf", help="The report as PDF too, beside HTML.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Write an evidence pack: report, figures, answers, proofs, checkpoints and their verifier.

    The same time gives the same pack again. Making one is an entry of the log, with the pack's
    SHA-256. For example:

    - `gateway audit pack --framework eu-ai-act --from 2026-10-01 --to 2026-11-01 --out october.zip`
    """
    chosen = frameworks.named(framework)
    make_pdf = pdf.load() if with_pdf else None
    found, now_ms = settings.read(), SystemClock().now_ms()
    since_ms, until_ms = moment(since, now_ms), moment(until, now_ms) if until else now_ms
    if until_ms <= since_ms:
        raise ConfigError("--to: expected a time after --from.")
    if out.exists():
        raise ConfigError(f"{out}: there is such a file already.")
    fresh = out.with_name(f"{out.name}.new")
    about = {"framework": chosen.id, "since_ms": since_ms, "until_ms": until_ms}
    with database(found) as engine:
        record(found, engine, READ, {"as": "pack", **about})
        try:
            digest = write(
                engine,
                fresh,
                chosen,
                since_ms=since_ms,
                until_ms=until_ms,
                log_key=log_key(found),
                texts=_texts(found, engine),
                pdf=make_pdf,
            )
            record(found, engine, PACKED, {**about, "sha256": digest})
            fresh.replace(out)
        except OSError as err:
            raise ConfigError(f"{out}: cannot be written: {err.strerror}.") from err
        finally:
            fresh.unlink(missing_ok=True)
    if as_json:
        emit({"file": str(out), "sha256": digest, **about})
    else:
        say(f"[bold]{escape(str(out))}[/]  SHA-256 {digest}")


def _texts(found: Settings, engine: Engine) -> Texts:
    store = Store(engine, signer(Keyring.open(found.keyring_path, create=False).tenant_root))
    approved = {
        f"{each.profile}@{each.rev}": each.document for each in Ledger(engine).all(Approval)
    }

    def policy(digest: str) -> Sequence[tuple[str, str]]:
        try:
            return [
                (f"{i:02}-{Path(name).name}", text)
                for i, (name, text) in enumerate(store.texts(digest))
            ]
        except BundleRefused:
            return []

    def terms(name: str) -> Sequence[tuple[str, str]]:
        return [("profile.json", approved[name])] if name in approved else []

    return Texts(policy, terms)
