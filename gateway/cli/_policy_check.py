"""`gateway policy check`: what is wrong with policies, and what is likely to be."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from gateway import backends, catalogue, configured, settings
from gateway.cli._output import Json, emit, say, table
from gateway.configured import installation, read_assessors
from gateway.core.message import Direction
from gateway.policy.bundle import PolicyBundle
from gateway.policy.checking import Doubt, doubts, silent
from gateway.policy.holding import held_for
from gateway.settings import Settings
from gateway.terms_in_use import contradicted, read_terms

_COLOURS = {"note": "dim", "doubtful": "yellow"}
Strict = Annotated[bool, typer.Option("--strict", help="Exit code 1 if anything is doubtful, too.")]
PathArgument = Annotated[
    str,
    typer.Argument(
        metavar="[POLICIES]",
        help="Files, folders, names of shipped policies, with commas. Without it: those in force.",
    ),
]


def check(path: PathArgument = "", strict: Strict = False, as_json: Json = False) -> None:
    """Compile policies, and say file and line of what is wrong with them."""
    found = settings.read()
    bundle = configured.bundle(found, path)
    held = _held(found, bundle)
    here = installation(found)
    doubtful, noted = doubts(bundle, here), silent(bundle, here)
    if not path:
        doubtful += _of_terms(found)
    if as_json:
        policies = [
            {
                "name": p.name,
                "version": p.version,
                "rules": len(p.rules),
                "mode": p.streaming.value,
                "bindings": [binding.name for binding in bundle.bindings_of(p)],
                "held_for": list(held[p.name]),
            }
            for p in bundle.policies
        ]
        emit(
            {
                "ok": not (strict and doubtful),
                "digest": bundle.digest,
                "policies": policies,
                "doubts": [asdict(doubt) for doubt in doubtful],
                "silent": [asdict(doubt) for doubt in noted],
            }
        )
    else:
        _tell(bundle, held, {"note": noted, "doubtful": doubtful}, strict=strict)
    if strict and doubtful:
        raise typer.Exit(1)


def _of_terms(found: Settings) -> list[Doubt]:
    """What the catalogue says of data that terms profiles deny; of policies in force alone."""
    profiles = read_terms(found)
    known = catalogue.read(found.catalogue_path, backends.kinds(), profiles=profiles)
    at = str(found.catalogue_path)
    return [Doubt(at, "terms", f"{text}.") for text in contradicted(known, profiles)]


def _held(found: Settings, bundle: PolicyBundle) -> dict[str, tuple[str, ...]]:
    """For whom each policy holds streamed answers."""
    judging = {
        each.name: each.method.categories
        for each in read_assessors(found)
        if Direction.RESPONSE in each.directions
    }
    return {policy.name: held_for(policy, judging) for policy in bundle.policies}


def _tell(
    bundle: PolicyBundle,
    held: dict[str, tuple[str, ...]],
    told: dict[str, list[Doubt]],
    *,
    strict: bool,
) -> None:
    rows = (
        [
            f"[bold]{p.name}[/]",
            escape(p.version),
            str(len(p.rules)),
            p.streaming.value,
            str(len(bundle.bindings_of(p)) or "everywhere"),
            escape(p.description),
        ]
        for p in bundle.policies
    )
    columns = ("Policy", "Version", "Rules", "Streaming", "Bindings", "About")
    table(columns, rows, empty="No policy.")
    for name, names in held.items():
        if names:
            say(f"{name}: streamed answers are held for {', '.join(names)}, to be judged whole.")
    for kind, doubts_ in told.items():
        for doubt in doubts_:
            line = escape(f"{doubt.at}: {doubt.where}: {doubt.message}")
            say(f"[{_COLOURS[kind]}]{kind}[/] {line}")
    say(f"[green]All compiles.[/] Digest {bundle.digest}.")
    if strict and told["doubtful"]:
        count = len(told["doubtful"])
        say(f"[bold red]{count} doubtful, which --strict does not let pass.[/]")
