"""`gateway audit`: reads the log, and proves that nobody changed it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from gateway import settings
from gateway.audit import saved, schema, verifier
from gateway.audit.line import Line, line
from gateway.audit.query import Filters, query
from gateway.audit.query import show as find
from gateway.audit.report import Report
from gateway.audit.verify import verify as recompute
from gateway.audit.verify_range import verify_range
from gateway.cli import (
    _asking,
    _evidence,
    _export,
    _pack,
    _partitions,
    _payload,
    _retain,
    _subject,
)
from gateway.cli._open import database
from gateway.cli._output import Json, console, emit, say, table, when
from gateway.cli._times import moment
from gateway.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.core.note import Key
from gateway.identity.keyring import Keyring
from gateway.identity.tenantkeys import open_keys

app = typer.Typer(
    help="Read and verify the audit log. It holds no content of any exchange.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)

_COLUMNS = (
    "Time",
    "Exchange",
    "Entry",
    "Outcome",
    "Decision",
    "Model",
    "Key",
    "Findings or reason",
)
# Enough of an id to tell exchanges of one millisecond apart; `show` takes it.
_ID_CHARS = 18
_GOOD = {"completed": "green", "blocked": "red", "failed": "red"}


@app.command("query")
def query_log(
    since: Annotated[str, typer.Option(help="From then on: 2h, 7d, 2026-11-01.")] = "",
    until: Annotated[str, typer.Option(help="Before then.")] = "",
    outcome: Annotated[str, typer.Option(help="completed, blocked, refused, failed, ...")] = "",
    kind: Annotated[str, typer.Option(help="exchange.opened, exchange.closed, ...")] = "",
    tenant: Annotated[str, typer.Option(help="Only of this tenant.")] = "",
    application: Annotated[str, typer.Option(help="Only of this application.")] = "",
    key: Annotated[str, typer.Option(help="Only with the key of this id.")] = "",
    model: Annotated[str, typer.Option(help="Only for this model.")] = "",
    provider: Annotated[str, typer.Option(help="Only for models of this provider.")] = "",
    category: Annotated[str, typer.Option(help="Only where this was found: EMAIL_ADDRESS.")] = "",
    rule: Annotated[str, typer.Option(help="Only where this rule acted: default/contact.")] = "",
    trial: Annotated[
        str, typer.Option(help="Only where this rule would have acted, had it been enforced.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many entries.")] = 100,
    oldest_first: Annotated[
        bool, typer.Option("--oldest-first", help="Begin with the oldest, not the newest.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show entries of the log. All filters that are given must hold.

    For example:

    - `gateway audit query --since 24h --outcome blocked`

    - `gateway audit query --json --oldest-first --limit 1000000 > log.jsonl`
    """
    now_ms = SystemClock().now_ms()
    filters = Filters(
        since_ms=moment(since, now_ms) if since else None,
        until_ms=moment(until, now_ms) if until else None,
        tenant=tenant or None,
        application=application or None,
        key_id=key or None,
        model=model or None,
        provider=provider or None,
        outcome=outcome or None,
        kind=kind or None,
        category=category or None,
        rule=rule or None,
        trial=trial or None,
    )
    with database(settings.read()) as engine:
        entries = query(engine, filters, limit=limit, newest_first=not oldest_first)
        if as_json:
            for entry in entries:
                emit(entry)
        else:
            rows = (_row(line(entry)) for entry in entries)
            table(_COLUMNS, rows, empty="No entry fits.")


@app.command()
def show(
    exchange_id: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="An exchange's id, or the beginning of it that `audit query` shows."
        ),
    ],
    as_json: Json = False,
) -> None:
    """Show all that is known of one exchange.

    Its id is in the `Gw-Request-Id` header of the answer.
    """
    with database(settings.read()) as engine:
        record = find(engine, exchange_id)
    if record is None:
        raise ConfigError(f"There is no exchange {exchange_id[:40]!r} in the log.")
    if as_json:
        emit(record)
        return
    closed = record["closed"]
    if closed is None:
        say("[yellow]This exchange has no end: it still runs, or a crash cut it off.[/]")
    else:
        found = line(closed)
        say(f"[bold]{_coloured(found.outcome)}[/], decision [bold]{found.decision}[/]")
    console().print_json(json.dumps(record))


@app.command()
def verify(
    bundle: Annotated[
        Path | None,
        typer.Argument(help="Check this bundle of `audit prove` instead; needs no database."),
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(help="Checkpoints kept elsewhere, a file or folder: must still fit."),
    ] = None,
    witness: Annotated[
        list[str] | None, typer.Option(help="Public key of a witness that must have signed.")
    ] = None,
    key: Annotated[str, typer.Option(help="The log's public key. Default: this gateway's.")] = "",
    places: Annotated[
        str, typer.Option(help="Only the entries with these places in the tree: 100:200.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Recompute the whole log: is every entry there, unchanged and in its place?

    Exit code 0 only if all holds. Exchanges without an end are listed; they are no fault.
    """
    witnesses = [Key.parse(text) for text in witness or []]
    if bundle is not None:
        _verify_bundle(bundle, key, witness or [], as_json=as_json)
        return
    found = settings.read()
    log_key = Key.parse(key) if key else _evidence.log_key(found)
    if places:
        with database(found) as engine:
            report = verify_range(engine, log_key, *_places(places))
    else:
        keyring = Keyring.open(found.keyring_path, create=False)
        kept = [c for path in against or [] for c in saved.read(path, log_key, witnesses)]
        with database(found) as engine:
            asked = [] if against else witnesses
            report = recompute(
                engine,
                keyring.audit_key,
                log_key=log_key,
                saved=kept,
                witnesses=asked,
                tenant_keys=open_keys(found.audit_payload_keys, keyring),
            )
            schema.compare(engine, settings.shipped("migrations"), report)
    if as_json:
        emit({"ok": report.ok, **asdict(report)})
    else:
        _tell(report)
    if not report.ok:
        raise typer.Exit(1)


def _verify_bundle(path: Path, key: str, witnesses: list[str], *, as_json: bool) -> None:
    try:
        lines = verifier.check(json.loads(path.read_text(encoding="utf-8")), key, witnesses)
    except (OSError, ValueError) as err:
        raise ConfigError(f"{path}: expected a bundle of `gateway audit prove`.") from err
    except verifier.Broken as err:
        if as_json:
            emit({"ok": False, "problem": str(err)})
        else:
            say(f"[bold red]The evidence does not hold:[/] {escape(str(err))}")
        raise typer.Exit(1) from err
    if as_json:
        emit({"ok": True, "key_given": bool(key), "lines": lines})
        return
    for text in lines:
        say(escape(text))
    say("[bold green]The evidence holds.[/]")


def _places(text: str) -> tuple[int, int]:
    start, gap, end = text.partition(":")
    if not (gap and start.isdigit() and end.isdigit()):
        raise ConfigError(f"--places: expected FIRST:BEHIND_LAST, found {text[:40]!r}.")
    return int(start), int(end)


def _tell(report: Report) -> None:
    for problem in report.problems:
        where = f"{problem.replica}/{problem.epoch}" if problem.replica else "log"
        place = f"{where} n={problem.n}" if problem.n is not None else where
        say(f"[red]{problem.code}[/] {escape(place)}: {escape(problem.message)}")
    for what in report.unchecked:
        say(f"[yellow]not checked[/] {escape(what)}")
    for open_end in report.unclosed:
        say(f"[yellow]unclosed[/] exchange {escape(open_end.exchange_id)}")
    counts = (
        f"{report.entries:,} entries, {report.chains:,} chains "
        f"({len(report.open_chains):,} open), {report.exchanges:,} exchanges, "
        f"{report.unclosed_count:,} unclosed; a tree of {report.tree_size:,} entries, "
        f"{report.checkpoints:,} checkpoints, {report.unsequenced:,} entries not in it yet; "
        f"{report.payloads:,} payloads"
    )
    if report.ok:
        say(f"[bold green]The log holds.[/] {counts}.")
    else:
        say(f"[bold red]The log does not hold: {report.problem_count:,} problems.[/] {counts}.")


def _row(found: Line) -> list[str]:
    findings = (f"{name} x{count}" if count > 1 else name for name, count in found.findings.items())
    return [
        when(found.ts_ms),
        found.exchange_id[:_ID_CHARS],
        escape(found.kind),
        _coloured(found.outcome),
        found.decision,
        escape(found.model),
        escape(found.key_id),
        escape(", ".join(findings) or found.refusal or found.error),
    ]


def _coloured(outcome: Any) -> str:
    return f"[{_GOOD.get(outcome, 'yellow')}]{escape(outcome)}[/]" if outcome else ""


app.command()(_asking.ask)
app.command()(_evidence.prove)
app.command()(_evidence.checkpoint)
app.command()(_evidence.sequence)
app.command()(_evidence.witness)
app.command("verifier")(_evidence.print_verifier)
app.command()(_export.export)
app.command()(_export.archive)
app.command()(_pack.pack)
app.command()(_retain.retain)
app.command()(_partitions.partitions)
app.add_typer(_payload.app, name="payload")
app.add_typer(_subject.subject, name="subject")
app.add_typer(_subject.hold, name="hold")
