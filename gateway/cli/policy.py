"""`gateway policy`: checks, tries and explains policies before they meet traffic."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.markup import escape

from gateway import actions, configured, settings
from gateway.cli import _candidate, _desk, _diff, _explain, _policy_check, _replay
from gateway.cli._output import Json, emit, say
from gateway.cli._policy_check import PathArgument
from gateway.cli._scanning import load_scanner
from gateway.cli._text import read_text
from gateway.configured import vocabulary
from gateway.core.errors import ConfigError
from gateway.core.message import Direction
from gateway.policy.examples import Outcome, run, untried
from gateway.policy.language import ON_ERROR_RULE
from gateway.policy.schema import schema as schema_of

app = typer.Typer(
    help="Check, test and explain policies.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)

app.command()(_policy_check.check)
app.command()(_diff.diff)
app.command()(_replay.replay)
for _act in (
    _desk.sign,
    _desk.push,
    _desk.approve,
    _desk.activate,
    _desk.stage,
    _desk.promote,
    _desk.rollback,
    _desk.status,
    _desk.history,
):
    app.command()(_act)


@app.command("test")
def try_examples(
    path: PathArgument = "",
    strict: Annotated[
        bool, typer.Option("--strict", help="Also ask for examples on both sides of every rule.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run the examples that stand in policies. Exit code 1 if one does not hold."""
    found = settings.read()
    bundle = configured.bundle(found, path)
    outcomes = run(bundle, load_scanner(found).scan, actions.load())
    missing = [u for u in untried(bundle, outcomes) if u[1] != ON_ERROR_RULE]
    failed = [outcome for outcome in outcomes if not outcome.passed]
    ok = not failed and not (strict and missing)
    if as_json:
        emit(
            {
                "ok": ok,
                "examples": [_facts(outcome) for outcome in outcomes],
                "untried": [{"policy": p, "rule": r, "missing": what} for p, r, what in missing],
            }
        )
    else:
        _tell(outcomes, missing)
    if not ok:
        raise typer.Exit(1)


@app.command()
def explain(
    text: Annotated[str, typer.Option(help="The text to judge.")] = "",
    file: Annotated[str, typer.Option(help="A file with the text, or `-`.")] = "",
    direction: Annotated[
        Direction, typer.Option(help="On its way to the model, or back.")
    ] = Direction.REQUEST,
    model: Annotated[str, typer.Option(help="A model of the catalogue.")] = "",
    tenant: Annotated[str, typer.Option(help="As if asked by this tenant.")] = "default",
    application: Annotated[str, typer.Option(help="As if asked by this application.")] = "",
    team: Annotated[str, typer.Option(help="As if asked by this team.")] = "",
    language: Annotated[
        str, typer.Option(help="As in Accept-Language: which words the caller gets.")
    ] = "",
    data_class: Annotated[
        list[str] | None,
        typer.Option(help="As if labelled so: `Gw-Data-Class`. May be given more than once."),
    ] = None,
    policy: Annotated[
        str, typer.Option(help=f"{_candidate.HELP} Without it: the policies in force.")
    ] = "",
    every_rule: Annotated[
        bool, typer.Option("--all", help="Also show the rules that do not apply, and why.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what would happen to a text, and because of which rule. Nothing is sent.

    For example:

    - `gateway policy explain --text 'mail jane.roe@example.com'`

    - `gateway policy explain --file answer.txt --direction response --all`
    """
    if bool(text) == bool(file):
        raise ConfigError("Give the text to judge: either --text TEXT or --file FILE.")
    text = text or read_text(file)
    found = settings.read()
    asked = _explain.Asked(
        direction,
        model=model,
        tenant=tenant,
        application=application,
        team=team,
        language=language,
        label=tuple(data_class or ()),
    )
    context = _explain.context(found, asked)
    bundle = _candidate.named(found, policy) if policy else _candidate.in_force(found)
    explained = _explain.judge(found, bundle, context, text, load_scanner(found).scan(text))
    if as_json:
        emit(_explain.facts(explained))
    else:
        _explain.tell(explained, text, every_rule=every_rule)


@app.command()
def schema(as_json: Json = False) -> None:
    """Print a JSON Schema of policy files, for editors. Always JSON; `--json` makes it one line."""
    found = schema_of(vocabulary(settings.read()))
    if as_json:
        emit(found)
    else:
        typer.echo(json.dumps(found, indent=2))


def _facts(outcome: Outcome) -> dict[str, Any]:
    return {**asdict(outcome), "fired": sorted(outcome.fired), "passed": outcome.passed}


def _tell(outcomes: list[Outcome], missing: list[tuple[str, str, str]]) -> None:
    for outcome in outcomes:
        mark = "[green]ok  [/]" if outcome.passed else "[bold red]FAIL[/]"
        say(f"{mark} {outcome.policy}: {escape(outcome.example)}")
        for difference in outcome.differs:
            say(f"     [dim]{escape(outcome.at)}[/] {escape(difference)}")
    for policy, rule, what in missing:
        say(f"[yellow]note[/] {policy}: rule {escape(repr(rule))} has {what}")
    passed = sum(outcome.passed for outcome in outcomes)
    colour = "green" if passed == len(outcomes) else "red"
    say(f"[bold {colour}]{passed} of {len(outcomes)} examples hold.[/]")
