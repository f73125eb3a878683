"""Evidence from the command line: made, kept elsewhere, witnessed, and checked."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.house import Gateway, closed, opened, value

Write = Callable[..., None]
ONE = "00000001-exchange"


@pytest.fixture
def logged(gateway: Gateway, write: Write) -> Gateway:
    write(opened(1), closed(1), opened(2))
    gateway("audit", "sequence", "--once")
    return gateway


def test_a_proof_is_checked_here_and_by_the_file_for_auditors(
    logged: Gateway, tmp_path: Path
) -> None:
    (tmp_path / "bundle.json").write_text(logged("audit", "prove", ONE).stdout)
    key = logged("audit", "checkpoint", "--key").stdout.strip()
    check = ("audit", "verify", "bundle.json", "--key", key)
    assert "The evidence holds." in logged(*check).stdout
    assert value(logged(*check, "--json"))["ok"] is True
    (tmp_path / "verifier.py").write_text(logged("audit", "verifier").stdout)
    bare = [sys.executable, "-I", "-S", "verifier.py", "bundle.json", "--key", key]
    done = subprocess.run(bare, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert f'exchange_id "{ONE}"' in done.stdout
    text = (tmp_path / "bundle.json").read_text().replace("echo", "ecco")
    (tmp_path / "bundle.json").write_text(text)
    assert "does not hold" in logged(*check, code=1).stdout
    assert value(logged(*check, "--json", code=1))["ok"] is False
    (tmp_path / "bundle.json").write_text("x")
    assert "expected a bundle" in logged(*check, code=2).stderr


def test_a_bundle_needs_neither_database_nor_keyring(logged: Gateway, tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_text(logged("audit", "prove", "0").stdout)
    for path in (tmp_path / "data").iterdir():
        path.unlink()
    assert "ANYBODY" in logged("audit", "verify", "bundle.json").stdout


def test_what_is_not_there_is_said(logged: Gateway, write: Write) -> None:
    assert "no exchange or place" in logged("audit", "prove", "nobody-knows", code=2).stderr
    assert "no exchange or place" in logged("audit", "prove", "99", code=2).stderr
    write(opened(3))
    assert (
        "no place in the tree yet" in logged("audit", "prove", "00000003-exchange", code=2).stderr
    )


def test_checkpoints_are_kept_and_verified_against(logged: Gateway, write: Write) -> None:
    first = logged("audit", "checkpoint", "--to", "kept.txt", "--to", "folder/").stdout
    write(opened(3))
    logged("audit", "sequence", "--once")
    found = value(logged("audit", "checkpoint", "--to", "kept.txt", "--to", "folder/", "--json"))
    assert (first.split("\n")[1], found["size"]) == ("5", 8)
    assert len(list(Path("folder").iterdir())) == 2
    for kept in ("kept.txt", "folder"):
        report = value(logged("audit", "verify", "--against", kept, "--json"))
        assert (report["ok"], report["tree_size"], report["checkpoints"]) == (True, 8, 2)
    assert (
        "a tree of 8 entries, 2 checkpoints, 0 entries not in it"
        in logged("audit", "verify").stdout
    )
    Path("forged").write_text(first.replace("\n5\n", "\n4\n"))
    assert "does not hold" in logged("audit", "verify", "--against", "forged", code=2).stderr
    Path("empty").write_text("")
    assert "found none" in logged("audit", "verify", "--against", "empty", code=2).stderr


def test_a_log_that_lost_its_end_is_found_by_what_was_kept(
    logged: Gateway, write: Write, ready: Path
) -> None:
    path = ready / "gateway.db"
    with sqlite3.connect(path) as old, sqlite3.connect("old.db") as copy:
        old.backup(copy)
    old.close()
    copy.close()
    write(opened(3))
    logged("audit", "sequence", "--once")
    logged("audit", "checkpoint", "--to", "kept.txt")
    with sqlite3.connect("old.db") as copy, sqlite3.connect(path) as new:
        copy.backup(new)
    copy.close()
    new.close()
    logged("audit", "verify")
    report = value(logged("audit", "verify", "--against", "kept.txt", "--json", code=1))
    assert [problem["code"] for problem in report["problems"]] == ["rolled_back"]


def test_a_witness_signs_what_is_carried_to_it(logged: Gateway, write: Write) -> None:
    key = logged("audit", "checkpoint", "--key").stdout.strip()
    watch = ("audit", "witness", "--log", key, "--name", "w.example/1", "--state", "w")
    its_key = logged(*watch, "--key").stdout.strip()
    asked = logged("audit", "checkpoint", "--request", "0").stdout
    Path("answer").write_text(logged(*watch, stdin=asked).stdout)
    add = ("audit", "checkpoint", "--add", "answer", "--witness-key", its_key, "--to", "kept")
    assert "— w.example/1 " in logged(*add).stdout
    assert "— w.example/1 " in logged("audit", "checkpoint").stdout
    assert "The log holds." in logged("audit", "verify", "--witness", its_key).stdout
    logged("audit", "verify", "--against", "kept", "--witness", its_key)
    assert "knows 9 entries" in logged("audit", "checkpoint", "--request", "9", code=2).stderr
    assert "409" in logged(*watch, stdin=asked.replace("old 0", "old 1"), code=1).stderr
    bundle = json.loads(logged("audit", "prove", ONE).stdout)
    assert "— w.example/1 " in bundle["checkpoint"]
    Path("bundle.json").write_text(json.dumps(bundle))
    told = logged("audit", "verify", "bundle.json", "--key", key, "--witness", its_key).stdout
    assert "witnessed   by w.example/1" in told


def test_a_range_is_verified(logged: Gateway) -> None:
    report = value(logged("audit", "verify", "--places", "1:4", "--json"))
    assert (report["ok"], report["entries"]) == (True, 3)
    logged("audit", "verify", "--places", "1:9", code=1)
    assert "FIRST:BEHIND_LAST" in logged("audit", "verify", "--places", "x", code=2).stderr


def test_without_a_checkpoint_the_cure_is_named(gateway: Gateway, write: Write) -> None:
    write(opened(1))
    assert "audit sequence --once" in gateway("audit", "checkpoint", code=2).stderr
    report = value(gateway("audit", "verify", "--json"))
    assert (report["ok"], report["tree_size"], report["unsequenced"]) == (True, 0, 3)
