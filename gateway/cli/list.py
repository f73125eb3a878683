"""`gateway list`: everything that policies, catalogues and settings may name."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import typer
from rich.markup import escape

from gateway import actions, backends, dialects, settings
from gateway.cli._output import Json, emit, say, table
from gateway.configured import enabled, vocabulary
from gateway.detectors import _assessors as assessors
from gateway.detectors._verbatim.following import DETECTORS
from gateway.policy.groups import members, names
from gateway.policy.language import Vocabulary
from gateway.settings import PREFIX, Settings

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command("list")
def list_all(as_json: Json = False) -> None:
    """List detectors, assessors, actions, dialects, backend kinds, groups and settings."""
    found = settings.read()
    words = vocabulary(found)
    known = {
        "detectors": _detectors(found, words),
        "actions": _actions(),
        "dialects": [{"name": d.name, "paths": list(d.paths)} for d in dialects.load().values()],
        "backends": backends.kinds(),
        "assessors": assessors.kinds(),
        "groups": {n: sorted(members(n, words.groups)) for n in names(words.groups)},
        "settings": _settings(),
    }
    if as_json:
        emit(known)
    else:
        _tell(known)


def _detectors(found: Settings, words: Vocabulary) -> list[dict[str, Any]]:
    on = {*enabled(found), *DETECTORS}
    return [
        {
            "name": name,
            "enabled": name in on or name in words.assessors,
            "categories": sorted(categories),
        }
        for name, categories in words.detectors.items()
    ]


def _actions() -> list[dict[str, Any]]:
    return [
        {"name": a.name, "stops": a.stops, "changes_text": a.changes_text, "about": _about(a)}
        for a in actions.load().values()
    ]


def _settings() -> list[dict[str, Any]]:
    return [
        {"name": f"{PREFIX}{f.name.upper()}", "default": f.default, "about": f.metadata["text"]}
        for f in fields(Settings)
    ]


def _about(thing: object) -> str:
    return (type(thing).__doc__ or "").strip().partition("\n")[0]


def _tell(known: dict[str, Any]) -> None:
    _heading("Detectors")
    table(
        ("Name", "", "Categories"),
        (
            (f"[bold]{d['name']}[/]", "on" if d["enabled"] else "off", " ".join(d["categories"]))
            for d in known["detectors"]
        ),
        empty="None.",
    )
    _heading("Actions, the mildest first")
    table(
        ("Name", "About"),
        ((f"[bold]{a['name']}[/]", escape(a["about"])) for a in known["actions"]),
        empty="None.",
    )
    _heading("Dialects")
    table(
        ("Name", "Paths"),
        ((f"[bold]{d['name']}[/]", " ".join(d["paths"])) for d in known["dialects"]),
        empty="None.",
    )
    _heading("Backend kinds")
    say("  " + ", ".join(known["backends"]))
    _heading("Assessor kinds")
    say("  " + ", ".join(known["assessors"]))
    _heading("Groups of categories")
    table(
        ("Name", "Categories"),
        ((f"[bold]group:{n}[/]", " ".join(c)) for n, c in known["groups"].items()),
        empty="None.",
    )
    _heading("Settings")
    table(
        ("Variable", "Default", "About"),
        (
            (f"[bold]{s['name']}[/]", escape(str(s["default"])), escape(s["about"]))
            for s in known["settings"]
        ),
        empty="None.",
    )


def _heading(text: str) -> None:
    say(f"\n[bold cyan]{text}[/]")
