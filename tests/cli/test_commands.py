"""What holds for every command."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from gateway.cli import COMMANDS, app
from tests.cli.house import Gateway

LISTED = """
    serve doctor models scan evaluate list version coverage openapi
    db.upgrade db.grant db.status policy.check policy.test policy.explain policy.schema
    findings.quiet findings.list findings.end works.add works.list works.remove
    reviews.list reviews.show reviews.approve reviews.edit reviews.refuse
    keys.new keys.list keys.revoke audit.query audit.show audit.verify audit.prove
    policy.diff policy.replay audit.checkpoint audit.sequence audit.verifier audit.witness
    policy.sign policy.push policy.approve policy.activate policy.stage policy.promote
    policy.rollback policy.status policy.history terms.list terms.show terms.check
    terms.schema
    terms.approve terms.accept terms.attest terms.withdraw terms.status audit.ask
    audit.export audit.archive audit.pack audit.retain audit.partitions
    audit.hold.place audit.hold.list audit.hold.lift
    audit.subject.reference audit.subject.erase audit.subject.export
    audit.payload.read audit.payload.approve audit.payload.list
"""


def commands() -> dict[str, Any]:
    """Every command by its name, loaded."""
    top: Any = get_command(app)
    for name in COMMANDS:
        top.load(name)
    return dict(leaves(top, ""))


def leaves(group: TyperGroup, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from leaves(command, f"{prefix}{name}.")
        else:
            yield prefix + name, command


def test_the_commands_are_these() -> None:
    assert sorted(commands()) == sorted(LISTED.split())


def test_every_command_has_json_and_help() -> None:
    for name, command in commands().items():
        options = {option for parameter in command.params for option in parameter.opts}
        assert "--json" in options, name
        assert command.help, name


@pytest.mark.parametrize("name", LISTED.split())
def test_help_renders(gateway: Gateway, name: str) -> None:
    text = gateway(*name.split("."), "--help").output
    assert "Usage:" in text
    assert max(map(len, text.splitlines())) <= 80


def test_unknown_commands_are_refused(gateway: Gateway) -> None:
    assert "No such command" in gateway("evaluat", code=2).output
    assert "serve" in gateway("serv", code=2).output


def test_importing_the_command_is_cheap() -> None:
    heavy = "alembic sqlalchemy uvicorn presidio_analyzer spacy litellm hyperscan aiohttp starlette"
    program = f"import gateway.cli, sys; print(*(set({heavy.split()}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("as_json", [False, True])
def test_mistakes_are_one_line_and_exit_code_2(
    gateway: Gateway, as_json: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_PROT", "1")
    result = gateway("models", *(["--json"] if as_json else []), code=2)
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith('{"error": "GATEWAY_PROT' if as_json else "error: GATEWAY_PROT")
    assert "Did you mean 'GATEWAY_PORT'?" in result.stderr


def test_unreachable_database_is_said_without_its_password(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_DATABASE_URL", "postgresql://me:hunter2@127.0.0.1:1/none")
    for command in ("keys list", "db status", "audit query", "db upgrade", "serve --quickstart"):
        text = gateway(*command.split(), code=2).stderr
        assert text.startswith("error: The database postgresql://me:***@127.0.0.1:1/none")
        assert "hunter2" not in text


def test_looking_makes_nothing(gateway: Gateway, data: Path) -> None:
    for command in ("keys list", "audit query", "audit verify"):
        gateway(*command.split(), code=2)
    gateway("db", "status", code=1)
    gateway("scan", "-", stdin="nothing here")
    assert not data.exists()
