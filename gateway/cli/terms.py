"""`gateway terms`: terms of use of models: read, approve, accept, attest, withdraw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from gateway import backends, catalogue, settings, taxonomy
from gateway.cli._output import Json, emit, say, table, when
from gateway.cli._terms import SOON, Office, office, state, tell
from gateway.cli._terms_check import checked, tell_checked
from gateway.terms.acts import By, Plan
from gateway.terms.ledger import Acceptance, Act, Approval, Attestation, Whose
from gateway.terms.schema import schema as schema_of
from gateway.terms.telling import act, brief, said, whole
from gateway.terms_in_use import named

app = typer.Typer(
    help="Read, approve and accept the terms of use of models.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)

ProfileId = Annotated[str, typer.Argument(metavar="PROFILE", help="As in `gateway terms list`.")]
Rev = Annotated[
    str,
    typer.Option(help="The revision that you have read; if it is another one, nothing is done."),
]
Tenant = Annotated[str, typer.Option(help="For this tenant.")]
Application = Annotated[str, typer.Option(help="For this application of it alone.")]
Key = Annotated[str, typer.Option(help="For the holder of this key alone, by the key's id.")]
Who = Annotated[str, typer.Option("--by", help="Who answers for it, such as legal@example.org.")]
Role = Annotated[str, typer.Option("--as", help="In which role, such as 'head of legal'.")]
Days = Annotated[
    int | None,
    typer.Option(min=1, max=3_650, help="For so many days. Default: as the profile says."),
]


@app.command("list")
def list_profiles(
    used: Annotated[bool, typer.Option("--used", help="Only those the catalogue names.")] = False,
    as_json: Json = False,
) -> None:
    """List all terms profiles, and whether they are approved. With `--json` one line each."""
    found = settings.read()
    with office(found) as desk:
        profiles = desk.desk.profiles()
    if used:
        known = catalogue.read(found.catalogue_path, backends.kinds())
        profiles = {each.profile.id: each for each in named(known, profiles)}
    told = [brief(each) for each in profiles.values()]
    if as_json:
        for each in told:
            emit(each)
        return
    rows = (
        [f"[bold]{escape(each['id'])}[/]", escape(each["rev"]), state(each), each["certainty"],
         each["class"], escape(each["title"])]
        for each in told
    )  # fmt: skip
    columns = ("Profile", "Revision", "State", "Certainty", "Class", "Title")
    table(columns, rows, empty="There is no terms profile.")


@app.command()
def show(
    profile: ProfileId,
    draft: Annotated[
        bool, typer.Option("--draft", help="The file's, also where another revision is approved.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what a profile says, clause by clause, and how sure that is."""
    with office(settings.read()) as desk:
        told = said(desk.desk.draft(profile)) if draft else whole(desk.desk.profile(profile))
    if as_json:
        emit(told)
    else:
        tell(told)


@app.command()
def check(
    profiles: Annotated[
        list[str] | None, typer.Argument(metavar="[PROFILE]...", help="Without: all.")
    ] = None,
    document: Annotated[
        Path | None, typer.Option(help="A downloaded document of the one profile named.")
    ] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Download the documents from the addresses given.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read profiles, run their examples, and compare documents with what was read.

    Nothing is downloaded without `--fetch`, and no profile is ever edited. Exit code 1 if an
    example does not hold or a document has changed.
    """
    found = checked(settings.read(), profiles or [], document, fetch=fetch)
    if as_json:
        emit(found)
    else:
        tell_checked(found)
    if not found["ok"]:
        raise typer.Exit(1)


@app.command()
def schema(as_json: Json = False) -> None:
    """Print a JSON Schema of terms profiles, for editors. Always JSON; `--json`: in one line."""
    found = schema_of(taxonomy.load().categories())
    if as_json:
        emit(found)
    else:
        typer.echo(json.dumps(found, indent=2))


@app.command()
def approve(profile: ProfileId, by: Who, rev: Rev = "", as_json: Json = False) -> None:
    """Approve a profile as its file has it now: from then on it counts, with what it blocks.

    For example:

    - `gateway terms approve meta/llama-4-community --by legal@example.org`
    """
    with office(settings.read()) as desk:
        plan = desk.desk.approve(profile, By(by), rev=rev)
        _do(desk, plan, f"{profile} is approved", as_json=as_json)


@app.command()
def accept(
    profile: ProfileId,
    by: Who,
    rev: Rev = "",
    role: Role = "",
    tenant: Tenant = "default",
    application: Application = "",
    key: Key = "",
    days: Days = None,
    as_json: Json = False,
) -> None:
    """Accept the approved revision of a profile for a tenant, an application or a key.

    For example:

    - `gateway terms accept meta/llama-4-community --tenant acme --by legal@example.org`
    """
    with office(settings.read()) as desk:
        whose = desk.whose(tenant, application, key)
        plan = desk.desk.accept(profile, whose, By(by, role, days), rev=rev)
        _do(desk, plan, f"{profile} is accepted", whose, as_json=as_json)


@app.command()
def attest(
    fact: Annotated[str, typer.Argument(metavar="NAME[=VALUE]", help="What holds.")],
    by: Who,
    role: Role = "",
    tenant: Tenant = "default",
    application: Application = "",
    key: Key = "",
    days: Days = None,
    as_json: Json = False,
) -> None:
    """Attest that something holds for a tenant, an application or a key.

    For example:

    - `gateway terms attest ui_shows_built_with_llama --application shop --by legal@example.org`

    - `gateway terms attest licensee_region=DE --tenant acme --by legal@example.org`
    """
    with office(settings.read()) as desk:
        whose = desk.whose(tenant, application, key)
        plan = desk.desk.attest(fact, whose, By(by, role, days))
        _do(desk, plan, f"{fact} is attested", whose, as_json=as_json)


@app.command()
def withdraw(
    id_: Annotated[str, typer.Argument(metavar="ID", help="As in `gateway terms status`.")],
    by: Who,
    as_json: Json = False,
) -> None:
    """Take back an approval, an acceptance or an attestation."""
    with office(settings.read()) as desk:
        _do(desk, desk.desk.withdraw(id_, By(by)), f"{id_} is withdrawn", as_json=as_json)


@app.command()
def status(
    tenant: Annotated[str, typer.Option(help="Only of this tenant.")] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Also what was withdrawn or has run out.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List what is approved, accepted and attested, oldest first. With `--json` one line each."""
    with office(settings.read()) as desk:
        ledger, now_ms = desk.desk.ledger, desk.now_ms()
        done: list[Act] = [*ledger.all(Approval), *ledger.all(Acceptance), *ledger.all(Attestation)]
        told = [act(each) for each in done]
    told = [each for each in told if not tenant or each.get("tenant", tenant) == tenant]
    told = [{**each, "state": _state(each, now_ms)} for each in told]
    told = [each for each in told if everything or each["state"] == "holds"]
    if as_json:
        for each in told:
            emit(each)
        return
    columns = ("Id", "What", "Of", "For", "By", "State", "Until")
    table(columns, map(_row, told), empty="Nothing is approved, accepted or attested.")


def _do(desk: Office, plan: Plan, words: str, whose: Whose | None = None, *, as_json: bool) -> None:
    desk.do(plan)
    doubt = desk.doubt(whose) if whose else ""
    if as_json:
        warning = {"warning": doubt} if doubt else {}
        emit({"id": plan.id, "kind": plan.kind, **plan.core, **warning})
    else:
        say(f"{escape(words)}. Id [bold]{plan.id}[/].")
        if doubt:
            mend = f"If it is a slip: gateway terms withdraw {plan.id}"
            say(f"[yellow]note[/] {escape(doubt)} {mend}")
        say(SOON)


def _state(told: dict[str, Any], now_ms: int) -> str:
    if told["withdrawn_ms"] is not None:
        return "withdrawn"
    expires_ms = told.get("expires_ms")
    return "holds" if expires_ms is None or now_ms < expires_ms else "expired"


def _row(told: dict[str, Any]) -> list[str]:
    of = f"{told['profile']}@{told['rev']}" if "profile" in told else told["name"]
    of += f"={told['value']}" if told.get("value") else ""
    whose = "/".join(filter(None, (told.get(k) for k in ("tenant", "application", "key_id"))))
    by = next(told[key] for key in ("approved_by", "accepted_by", "attested_by") if key in told)
    colour = "green" if told["state"] == "holds" else "red"
    return [
        told["id"],
        told["what"],
        f"[bold]{escape(of)}[/]",
        escape(whose or "all"),
        escape(by),
        f"[{colour}]{told['state']}[/]",
        when(told.get("expires_ms")),
    ]
