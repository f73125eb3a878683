"""`gateway models`: what clients may ask for, and what is missing for the rest."""

from __future__ import annotations

from dataclasses import asdict

import typer
from rich.markup import escape

from gateway import backends, catalogue, pricing, settings
from gateway.admin.ports import ModelSummary, model_summaries
from gateway.cli._output import Json, emit, table

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def models(as_json: Json = False) -> None:
    """List the models of the catalogue, and why some of them are off.

    The catalogue is the file that `GATEWAY_CATALOGUE` names. A model sees data up to the level
    that stands first under Sees, and of special classes those behind it. A price is of a million
    tokens; none is shown where the catalogue says none. With `--json` one line each.
    """
    found = settings.read()
    summaries = model_summaries(catalogue.read(found.catalogue_path, backends.kinds()))
    if as_json:
        for summary in summaries:
            emit({**asdict(summary), "available": not summary.missing})
        return
    columns = ("Model", "State", "Provider", "Hosting", "Region", "Sees", "Terms", "Price", "About")
    table(columns, map(_row, summaries), empty="The catalogue names no model.")


def _row(model: ModelSummary) -> list[str]:
    state = "[yellow]off[/]" if model.missing else "[green]on[/]"
    about = model.missing or model.description
    if model.fallbacks:
        about = f"{about} Else: {', '.join(model.fallbacks)}.".strip()
    sees = ", ".join(model.classes)
    price = pricing.words(model.prices)
    terms = ", ".join(model.terms)
    texts = (model.provider, model.hosting, model.region, sees, terms, price, about)
    return [f"[bold]{escape(model.name)}[/]", state, *map(escape, texts)]
