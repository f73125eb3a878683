"""Commands of `gateway audit` that carry the log elsewhere: to other systems, to an archive."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from gateway import settings
from gateway.audit import formats
from gateway.audit.archive import Archive
from gateway.audit.archive_place import place as place_at
from gateway.audit.delivery import Undelivered
from gateway.audit.export import Cursor
from gateway.audit.export import export as carry
from gateway.audit.outlets import outlet
from gateway.audit.query import READ
from gateway.cli._evidence import log_key
from gateway.cli._open import database
from gateway.cli._output import Json, emit, say, warn
from gateway.cli._recorded import record
from gateway.cli._times import moment
from gateway.clock import SystemClock
from gateway.core.errors import ConfigError

EXPORT, ARCHIVE = "export", "archive"
TOKEN, USER = "GATEWAY_EXPORT_TOKEN", "GATEWAY_EXPORT_USER"


def export(
    form: Annotated[
        str, typer.Option("--format", help=f"One of: {', '.join(formats.names())}.")
    ] = "jsonl",
    to: Annotated[
        str,
        typer.Option(
            help="A file, `-`, an http(s) URL to POST to, syslog(s)://HOST:PORT, "
            "nats:// or tls://HOST:PORT/SUBJECT."
        ),
    ] = "-",
    cursor: Annotated[
        Path | None,
        typer.Option(help="A file that keeps how far it came: the next run goes on there."),
    ] = None,
    start: Annotated[int, typer.Option(min=0, help="The first place in the tree.")] = 0,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on with what is new, until Ctrl-C or SIGTERM.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Carry entries to another system, in the order of the signed tree, each at least once.

    Entries come when they have their place in the tree, a second after they were written. A web
    address is shown the bearer token in GATEWAY_EXPORT_TOKEN, if there is one; NATS the same as
    its token, or as the password of GATEWAY_EXPORT_USER. `--json` tells what was delivered as
    JSON, unless entries are printed themselves.

    For example:

    - `gateway audit export --format csv --to log.csv`

    - `gateway audit export --format ocsf --to https://siem.example.org --cursor at.json --follow`

    - `gateway audit export --format cef --to syslogs://logs.example.org --cursor at.json --follow`

    - `gateway audit export --to tls://nats.example.org:4222/audit --cursor at.json --follow`
    """
    found = settings.read()
    place = Cursor(str(log_key(found)), cursor, start)
    place.load()
    stop = threading.Event()
    if follow:
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: stop.set())
    made, count = formats.named(form), 0
    with database(found) as engine:
        record(found, engine, READ, {"as": EXPORT, "format": form, "from": place.at})
        way = outlet(to, os.environ.get(TOKEN, ""), user=os.environ.get(USER, ""))
        try:
            wait = (lambda seconds: not stop.wait(seconds)) if follow else None
            for batch in carry(engine, made, way, place, wait=wait):
                count += batch
                if stop.is_set():
                    break
        except Undelivered as err:
            raise ConfigError(f"{err} {count:,} entries are delivered; run it again.") from err
        finally:
            way.close()
    if as_json and to != "-":
        emit({"entries": count, "next": place.at})
    else:
        warn(f"{count:,} entries delivered; the next place is {place.at:,}.")


def archive(
    place: Annotated[
        str, typer.Argument(help="A folder, which is made if need be, or s3://, gs://, abfss://.")
    ],
    before: Annotated[
        str, typer.Option(help="Only what is older: 7d, 2026-11-01. Default: all there is.")
    ] = "",
    cursor: Annotated[
        Path | None,
        typer.Option(help="File that remembers how far it came. Default: in the folder."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the log to Parquet files by day and tenant. Run again, it goes on where it was.

    Nothing is taken out of the log. DuckDB, for example, reads all of it by
    `SELECT * FROM read_parquet('FOLDER/**/*.parquet', hive_partitioning = true)`.

    For example: `gateway audit archive "s3://audit/gateway?region=eu-central-1" --cursor at.json`
    """
    found = settings.read()
    now_ms = SystemClock().now_ms()
    before_ms = moment(before, now_ms) if before else now_ms + 1
    if cursor is None and "://" in place:
        raise ConfigError(
            "An archive in a bucket needs --cursor FILE, to remember how far it came."
        )
    kept = Archive(place_at(place))
    at = Cursor(str(log_key(found)), cursor or Path(place) / "cursor.json")
    at.load()
    files, count = 0, 0
    with database(found) as engine:
        record(found, engine, READ, {"as": ARCHIVE, "format": "parquet", "from": at.at})
        for path, rows in kept.write(engine, at, before_ms=before_ms):
            files, count = files + 1, count + rows
            if not as_json:
                say(f"[dim]{escape(path)}[/] {rows:,}")
    if as_json:
        emit({"files": files, "entries": count, "next": at.at})
    else:
        say(f"{count:,} entries in {files:,} files.")
