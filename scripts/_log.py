"""What the gateway's audit log must say of the calls that were made."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from _checks import Checks, fact
from _gateway import Gateway
from _planted import holds_card, holds_email, holds_secret

HOSTING = "self_hosted"


@dataclass(frozen=True)
class Call:
    """One call, by the id that its answer's headers told."""

    name: str
    exchange_id: str
    provider: str
    outcome: str = "completed"


def check_log(running: Gateway, calls: Iterable[Call], checks: Checks) -> None:
    """All of them are on record, and the record holds."""
    log = running.run("audit", "query", "--json", "--oldest-first")
    entries = [json.loads(line) for line in log.splitlines()]
    for call in calls:
        mine = [entry for entry in entries if entry["exchange_id"] == call.exchange_id]
        checks.hold(
            f"{call.name}: the log has its opened and its closed entry",
            [entry["kind"] for entry in mine] == ["exchange.opened", "exchange.closed"],
        )
        checks.hold(
            f"{call.name}: both name the provider, and that it is self-hosted",
            {(entry["provider"], entry["data"].get("hosting")) for entry in mine}
            == {(call.provider, HOSTING)},
        )
        checks.hold(
            f"{call.name}: it is {call.outcome}", mine and mine[-1]["outcome"] == call.outcome
        )
    whole = log.encode()
    held = holds_email(whole) or holds_card(whole) or holds_secret(whole)
    checks.hold("the log holds no planted value", not held)
    report = json.loads(running.run("audit", "verify", "--json"))
    fact("Log", f"{report['entries']} entries, {report['exchanges']} exchanges")
    checks.hold("`gateway audit verify` passes", report["ok"])
    checks.hold("it finds no exchange without its end", report["unclosed_count"] == 0)
