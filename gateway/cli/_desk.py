"""`gateway policy push`, `activate` and the like: what people do with bundles in the database."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from sqlalchemy import Engine

from gateway import settings
from gateway.cli._open import database
from gateway.cli._output import Json, emit, say, table, when
from gateway.cli._recorded import record
from gateway.clock import SystemClock
from gateway.configured import compiler
from gateway.core.errors import ConfigError
from gateway.identity.keyring import Keyring
from gateway.identity.persons import Persons
from gateway.lifecycle import telling
from gateway.lifecycle.acts import Act, What
from gateway.lifecycle.bundles import BundleRefused, SignedBundle, signer
from gateway.lifecycle.desk import By, PolicyDesk
from gateway.lifecycle.store import Store
from gateway.policy.bundle import texts
from gateway.settings import Settings

_SOON = "[dim]Running gateways know within seconds (GATEWAY_RELOAD_S).[/]"

Digest = Annotated[str, typer.Argument(help="At least 8 characters of the bundle's digest.")]
Reason = Annotated[str, typer.Option(help="Why, for the record.")]
As = Annotated[str, typer.Option("--as", help="Who acts. Default: the system's user.")]
Policies = Annotated[
    Path | None, typer.Argument(metavar="[PATH]", help="File or folder. Default: GATEWAY_POLICY.")
]


def sign(
    path: Policies = None,
    out: Annotated[str, typer.Option(help="Where to write it. Default: standard output.")] = "",
    as_json: Json = False,
) -> None:
    """Write a signed bundle of policies to a file, for `push` somewhere else."""
    found = settings.read()
    said = texts([path] if path else found.policy_paths)
    key = signer(Keyring.open(found.keyring_path, create=False).tenant_root)
    bundle = SignedBundle.sign(compiler(found)(said).digest, said, key)
    if out:
        Path(out).write_text(str(bundle), encoding="utf-8")
    if as_json:
        emit({"digest": bundle.digest, "signed_by": str(key.key), "out": out})
    elif out:
        say(f"Bundle [bold]{bundle.digest}[/] is signed: {escape(out)}")
    else:
        typer.echo(str(bundle), nl=False)


def push(
    path: Policies = None,
    signed: Annotated[str, typer.Option(help="A file that `sign` wrote, instead of PATH.")] = "",
    reason: Reason = "",
    who: As = "",
    as_json: Json = False,
) -> None:
    """Store policies as a signed bundle. Nothing comes into force by this.

    For example:

    - `gateway policy push policies/ --reason "block cards"`

    - `gateway policy sign policies/ --out b.json && gateway policy push --signed b.json`
    """
    if signed and path is not None:
        raise ConfigError("Give either PATH or --signed FILE.")
    with desk() as (found, at, _):
        if signed:
            bundle = SignedBundle.parse(Path(signed).read_text(encoding="utf-8"))
        elif path is not None and _is_signed(path):
            raise ConfigError(f"{path} is a signed bundle: gateway policy push --signed {path}")
        else:
            bundle = at.sign(texts([path] if path else found.policy_paths))
        digest = at.push(bundle, _by(who, reason))
        revision = at.compile(bundle.texts(at.key)).revision
    if as_json:
        emit({"digest": digest, "policies": revision.split()})
        return
    say(f"Bundle [bold]{digest}[/] is stored: {escape(revision)}.")
    say(f"[dim]Next: gateway policy stage {digest[:12]}, or activate.[/]")


def _is_signed(path: Path) -> bool:
    """Whether a file is what `sign` wrote."""
    try:
        SignedBundle.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, BundleRefused):
        return False
    return True


def approve(digest: Digest, reason: Reason = "", who: As = "", as_json: Json = False) -> None:
    """Say that a bundle may come into force. With four eyes: not who proposed it."""
    with desk() as (_, at, _):
        _told(at.approve(digest, _by(who, reason)), as_json=as_json)


def activate(digest: Digest, reason: Reason = "", who: As = "", as_json: Json = False) -> None:
    """Put a bundle into force for everybody, in place of the files or of the one before."""
    with desk() as (_, at, _):
        _told(at.activate(digest, _by(who, reason)), as_json=as_json)


def stage(
    digest: Digest,
    percent: Annotated[
        int, typer.Option(min=0, max=99, help="Of conversations; 0: none, as a shadow.")
    ] = 0,
    margin: Annotated[
        float, typer.Option(min=0, max=100, help="It takes itself back if it blocks more by this.")
    ] = 1.0,
    minimum: Annotated[
        int, typer.Option(min=1, help="Exchanges on both sides before it may take itself back.")
    ] = 100,
    reason: Reason = "",
    who: As = "",
    as_json: Json = False,
) -> None:
    """Try a bundle beside the one in force: as a shadow, or on some of the conversations.

    For example:

    - `gateway policy stage 3fa9c2d18b40`: a shadow changes nothing; differences are recorded

    - `gateway policy stage 3fa9c2d18b40 --percent 10 --margin 0.5`
    """
    with desk() as (_, at, _):
        margin_pm = round(margin * 10)
        act = at.stage(
            digest, _by(who, reason), percent=percent, margin_pm=margin_pm, minimum=minimum
        )
        _told(act, as_json=as_json)


def promote(
    to: Annotated[
        int | None, typer.Option(min=1, max=100, help="Percent. Default: 1, then 10, then 100.")
    ] = None,
    reason: Reason = "",
    who: As = "",
    as_json: Json = False,
) -> None:
    """Take the staged bundle to its next step. At 100 percent it is in force."""
    with desk() as (_, at, _):
        _told(at.promote(_by(who, reason), percent=to), as_json=as_json)


def rollback(reason: Reason = "", who: As = "", as_json: Json = False) -> None:
    """Take back the staged bundle; if none is, the one in force for the one before it."""
    with desk() as (_, at, _):
        _told(at.roll_back(_by(who, reason)), as_json=as_json)


def status(as_json: Json = False) -> None:
    """Say which bundle is in force, what is staged, and which bundles there are."""
    with desk() as (found, at, engine):
        said = telling.status(at, engine)
    if as_json:
        emit(said)
        return
    now = said["in_force"]
    what = (
        f"bundle [bold]{now['digest']}[/]"
        if now["digest"]
        else f"files: {', '.join(map(str, found.policy_paths))}"
    )
    say(f"In force: {what}")
    going = said["rollout"]
    if going:
        say(_going(going))
    rows = [_row(bundle) for bundle in said["bundles"]]
    empty = "No bundle is stored. First: gateway policy push PATH"
    table(("Bundle", "State", "Proposed by", "Approved by"), rows, empty=empty)


def history(as_json: Json = False) -> None:
    """Show everything that was done with bundles, the last first."""
    with desk() as (_, at, _):
        acts = telling.history(at)
    if as_json:
        for act in acts:
            emit(act)
        return
    rows = [
        [str(a["n"]), when(a["ts_ms"]), a["what"], a["digest"][:12], _share(a),
         escape(a["who"]), escape(a["reason"])]
        for a in acts
    ]  # fmt: skip
    columns = ("", "When", "What", "Bundle", "Share", "Who", "Why")
    table(columns, rows, empty="Nothing was done yet. First: gateway policy push PATH")


def _share(act: dict[str, Any]) -> str:
    if act["what"] == What.STAGED and not act["percent"]:
        return "shadow"
    return f"{act['percent']} %" if act["percent"] else ""


def _going(rollout: dict[str, Any]) -> str:
    name, tally = rollout["digest"][:12], rollout["tally"]
    if not rollout["percent"]:
        return f"Shadow: {name}, judged beside what is in force; obeyed nowhere"
    return (
        f"Staged: {name} to {rollout['percent']} %; blocked "
        f"{tally['staged_blocked']} of {tally['staged']} staged, "
        f"{tally['others_blocked']} of {tally['others']} others"
    )


def _row(bundle: dict[str, Any]) -> list[str]:
    people = (bundle["proposed_by"], ", ".join(bundle["approved_by"]))
    return [bundle["digest"][:12], bundle["state"], *map(escape, people)]


@contextmanager
def desk() -> Iterator[tuple[Settings, PolicyDesk, Engine]]:
    """The desk of the database that the settings name."""
    found = settings.read()
    with database(found) as engine:
        key = signer(Keyring.open(found.keyring_path, create=False).tenant_root)

        def put(kind: str, core: dict[str, Any], by: By) -> None:
            record(found, engine, kind, core)

        yield (
            found,
            PolicyDesk(
                Store(engine, key),
                key,
                compile_=compiler(found),
                record=put,
                clock=SystemClock(),
                four_eyes=found.four_eyes,
                person_of=Persons(engine),
            ),
            engine,
        )


def _by(who: str, reason: str) -> By:
    return By(who or getpass.getuser(), reason)


def _told(act: Act, *, as_json: bool) -> None:
    if as_json:
        emit(telling.told(act))
        return
    share = f" ({act.percent} %)" if act.percent else ""
    if act.what is What.STAGED and not act.percent:
        share = " as a shadow: it judges beside what is in force, and nobody obeys it"
    say(f"Bundle [bold]{act.digest[:12]}[/] is {act.what.value.replace('_', ' ')}{share}.")
    say(_SOON)
