"""`gateway policy replay`: what a candidate would have done with what the log remembers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any

import typer
from rich.markup import escape

from gateway import actions, settings
from gateway.audit.chain import CLOSED
from gateway.audit.query import READ, Filters, walk
from gateway.cli import _candidate
from gateway.cli._open import database
from gateway.cli._output import Json, emit, say, table
from gateway.cli._recorded import record
from gateway.cli._times import moment
from gateway.clock import SystemClock
from gateway.configured import installation
from gateway.core.differing import Flip
from gateway.core.errors import ConfigError
from gateway.core.ports import Bundle
from gateway.lifecycle.replaying import Counts
from gateway.lifecycle.replaying import replay as ask
from gateway.settings import Settings

REPLAY = "replay"
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%?")
_SAID = {
    Flip.NEWLY_BLOCKED: "[bold red]newly blocked[/]",
    Flip.NO_LONGER_BLOCKED: "[green]no longer blocked[/]",
    Flip.CHANGED: "[yellow]changed[/]",
    Flip.SAME: "same",
}


def replay(
    candidate: Annotated[str, typer.Argument(help=_candidate.HELP)],
    since: Annotated[str, typer.Option(help="From when on: 2h, 7d, 2026-11-01.")] = "7d",
    until: Annotated[str, typer.Option(help="Up to when. Default: now.")] = "",
    tenant: Annotated[str, typer.Option(help="Only this tenant's exchanges.")] = "",
    max_new_blocks: Annotated[
        str,
        typer.Option(help="Exit code 1 if more than this share would be newly blocked: 0.5%."),
    ] = "",
    as_json: Json = False,
) -> None:
    """Say what a policy would have done with the log's exchanges. Nothing is sent or stored.

    For example:

    - `gateway policy replay policies/ --since 7d --max-new-blocks 0.5%`

    - `gateway policy replay 3fa9c2d18b40 --tenant acme --json`
    """
    limit = _percent(max_new_blocks) if max_new_blocks else None
    found = settings.read()
    bundle = _candidate.named(found, candidate)
    span = Span.of(since, until, tenant)
    counts = counted(found, bundle, span, as_=REPLAY)
    passed = limit is None or (counts.judged > 0 and counts.newly_blocked <= limit)
    if as_json:
        emit({"ok": passed, "digest": bundle.digest, **span.facts(), **facts(counts)})
    else:
        say(f"Bundle [bold]{bundle.digest[:12]}[/]: {escape(bundle.revision)}")
        tell(counts)
        _conclude(counts, limit, passed=passed)
    if not passed:
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class Span:
    """Which entries of the log are read: of [since_ms, until_ms), of one tenant or of all."""

    since_ms: int
    until_ms: int
    tenant: str

    @classmethod
    def of(cls, since: str, until: str, tenant: str) -> Span:
        """From times as people write them. Raises ConfigError."""
        now_ms = SystemClock().now_ms()
        # What is written later is not read, or a busy log would never end.
        end_ms = moment(until, now_ms) if until else now_ms + 1
        return cls(moment(since, now_ms), end_ms, tenant)

    @property
    def filters(self) -> Filters:
        """The closing entries among them."""
        return Filters(
            kind=CLOSED, since_ms=self.since_ms, until_ms=self.until_ms, tenant=self.tenant or None
        )

    def facts(self) -> dict[str, Any]:
        """As values for JSON."""
        return {"since_ms": self.since_ms, "until_ms": self.until_ms, "tenant": self.tenant}


def counted(
    found: Settings, bundle: Bundle, span: Span, *, as_: str, against: Bundle | None = None
) -> Counts:
    """What a bundle says to these exchanges, once it is on record that they are read."""
    known = [installation(found).detectors]
    with database(found) as engine:
        core = {"as": as_, "digest": bundle.digest, **span.facts()}
        record(found, engine, READ, core)
        entries = walk(engine, span.filters)
        return ask(entries, bundle, actions.load(), known, against=against)


def facts(counts: Counts) -> dict[str, Any]:
    """Counts as values for JSON."""
    return {
        "judged": counts.judged,
        **{flip.value: counts.flips[flip] for flip in Flip},
        "newly_blocked_ppm": round(counts.newly_blocked * 1_000_000),
        "flips": [
            {"flip": flip.value, "rule": rule, "application": application, "exchanges": count}
            for (flip, rule, application), count in _sorted(counts)
        ],
        "skipped": counts.skipped,
        "cut": counts.cut,
        "unheard": counts.unheard,
        "unheard_detectors": dict(counts.silent.most_common()),
    }


def tell(counts: Counts) -> None:
    """Counts for people."""
    if not counts.judged:
        say("[yellow]The log has nothing in that time that could be judged again.[/]")
    else:
        rows = (
            [_SAID[flip], escape(rule), escape(application) or "-", f"{count:,}"]
            for (flip, rule, application), count in _sorted(counts)
        )
        table(("", "Rule", "Application", "Exchanges"), rows, empty="Nothing differs.")
        each = ", ".join(f"{counts.flips[flip]:,} {_SAID[flip]}" for flip in Flip)
        say(f"{counts.judged:,} exchanges: {each}.")
    if counts.skipped:
        say(f"[dim]{counts.skipped:,} more left nothing to judge: they ended before it.[/]")
    if counts.cut:
        say(f"[yellow]{counts.cut:,} had more findings than were kept.[/]")
    if counts.unheard:
        names = ", ".join(f"{name} ({count:,})" for name, count in counts.silent.most_common())
        say(f"[yellow]At {counts.unheard:,} a detector did not look that it needs:[/] {names}.")


def _conclude(counts: Counts, limit: Fraction | None, *, passed: bool) -> None:
    if limit is None:
        return
    colour = "green" if passed else "red"
    if counts.judged:
        shares = [f"{float(share * 100):.3g} %" for share in (counts.newly_blocked, limit)]
        said = f"{shares[0]} newly blocked; at most {shares[1]} may be."
    else:
        said = "Nothing was judged, so nothing is known of new blocks."
    say(f"[bold {colour}]{said}[/]")


def _sorted(counts: Counts) -> list[tuple[tuple[Flip, str, str], int]]:
    kinds = [*_SAID]
    return sorted(counts.rows.items(), key=lambda row: (kinds.index(row[0][0]), -row[1], row[0]))


def _percent(text: str) -> Fraction:
    """The share that a percentage is."""
    found = _PERCENT.fullmatch(text)
    share = Fraction(found[1]) / 100 if found else None
    if share is None or share > 1:
        raise ConfigError(f"--max-new-blocks: expected a percentage, 0.5%, found {text[:40]!r}.")
    return share
