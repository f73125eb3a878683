"""What the commands of `gateway terms` share: the desk, whom an act is for, how things look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.markup import escape
from sqlalchemy import Engine

from gateway import taxonomy
from gateway.cli._open import database
from gateway.cli._output import say
from gateway.cli._recorded import record
from gateway.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.identity import strangers
from gateway.identity.keytable import KeyTable
from gateway.settings import Settings
from gateway.terms.acts import Desk, Plan
from gateway.terms.ledger import Ledger, Whose
from gateway.terms_in_use import read_terms

SOON = "[dim]Running gateways know within 5 seconds.[/]"


@dataclass(frozen=True, slots=True)
class Office:
    """The desk with what it stands on."""

    settings: Settings
    engine: Engine
    desk: Desk

    def do(self, plan: Plan) -> None:
        """Put an act on record, then carry it out."""
        record(self.settings, self.engine, plan.kind, plan.core)
        plan.carry_out()

    def doubt(self, whose: Whose) -> str:
        """What may be a slip of the pen: no key is of this tenant or application. Empty if one is.

        That is allowed: terms may be accepted before the first key is made.
        """
        infos = KeyTable(self.engine, SystemClock()).list()
        return strangers.doubt(infos, whose.tenant, whose.application)

    def now_ms(self) -> int:
        """The time now."""
        return SystemClock().now_ms()

    def whose(self, tenant: str, application: str, key: str) -> Whose:
        """For whom an act is. A key says itself whose it is."""
        if not key:
            return Whose(tenant, application)
        key_id = key.split("_")[1] if key.count("_") >= 2 else key
        for info in KeyTable(self.engine, SystemClock()).list():
            if info.id == key_id:
                return Whose(info.tenant, info.application, info.id)
        raise ConfigError(f"There is no key with the id {key_id[:20]!r}. See: gateway keys list")


@contextmanager
def office(found: Settings) -> Iterator[Office]:
    """Opened for one command. Raises ConfigError."""
    hazards = taxonomy.load().categories()
    with database(found) as engine:
        drafts = read_terms(found)
        yield Office(found, engine, Desk(Ledger(engine), lambda: drafts, hazards, SystemClock()))


def tell(profile: dict[str, Any]) -> None:
    """A whole profile, for people."""
    say(f"[bold]{escape(profile['title'])}[/]  {escape(profile['id'])}@{escape(profile['rev'])}")
    say(f"{state(profile)} · certainty {profile['certainty']} · {profile['license']['class']}")
    say(escape(profile["summary"]) + "\n")
    for source in profile["sources"]:
        known = source["sha256"][:12] or "digest not known"
        told = (source["title"], source["date"] or "no date", source["url"] or "no address", known)
        say(f"  {escape(' · '.join(told))} · {source['certainty']}")
    say("")
    for clause in profile["clauses"]:
        asks = clause.get("attests") or clause.get("action") or ""
        say(
            f"  [bold]{clause['id']}[/] [dim]{escape(clause['reference'])}[/] {clause['class']} "
            f"{escape(asks)} [dim]{clause['certainty']}[/]\n      {escape(clause['summary'])}"
        )
    for notice in profile["notices"]:
        say(f"\n  To be shown ({notice['where']}): {escape(notice['text'])}")


def state(profile: dict[str, Any]) -> str:
    """Whether it counts."""
    if profile["status"] == "draft":
        return "[yellow]draft[/]"
    newer = f", {escape(profile['newer'])} waits" if profile["newer"] else ""
    return f"[green]approved[/]{newer}"
