"""The set-up scripts, the lock files, and what no tracked file may hold."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = ["scripts/run", "scripts/test", "scripts/check", "scripts/lock", ".ci/run"]
LOCKS = ["run", "dev", "translation"]
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^\s;]+)((?: ;.*?)?) \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")


def bash(script: str, *, path: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, **env} if path is None else {**env, "PATH": path}
    return subprocess.run(
        [shutil.which("bash") or "bash", "-c", script],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def pins(lock: str) -> dict[str, str]:
    lines = (ROOT / f"requirements/{lock}.lock").read_text().splitlines()
    found = [match for line in lines if (match := PIN.match(line))]
    return {match[1]: match[2] + match[3] for match in found}


@pytest.mark.parametrize("script", COMMANDS)
def test_commands_are_executable(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    assert (ROOT / script).read_text().startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in (ROOT / script).read_text()


@pytest.mark.parametrize("script", [*COMMANDS, "scripts/_setup.sh"])
def test_scripts_parse(script: str) -> None:
    assert bash(f"bash -n {script}").stderr == ""


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes(lock: str) -> None:
    lines = (ROOT / f"requirements/{lock}.lock").read_text().splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if PIN.match(line):
            assert HASH.match(following), line
        else:
            assert HASH.match(line) or line.startswith("    # via "), line
    assert len(pins(lock)) > 50


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_name_no_index(lock: str) -> None:
    text = (ROOT / f"requirements/{lock}.lock").read_text()
    assert "://" not in text
    assert not re.search(r"--(extra-)?index-url|--find-links|--trusted-host", text)


def test_development_lock_holds_the_run_lock() -> None:
    # A package may be wanted on more platforms by the tests than by the product.
    versions = {name: pin.partition(" ;")[0] for name, pin in pins("dev").items()}
    assert {n: p.partition(" ;")[0] for n, p in pins("run").items()}.items() <= versions.items()


@pytest.mark.parametrize("lock", LOCKS)
def test_build_backend_is_locked(lock: str) -> None:
    assert {"hatchling", "editables"} <= pins(lock).keys()


def test_tracked_files_name_no_registry_and_no_machine() -> None:
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a git checkout")
    # Put together here, so that this file is no exception to its own rule.
    hosts = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"))]
    hosts += [".".join(parts) for parts in (("npmjs", "org"), ("npmjs", "com"))]
    places = ["/".join(("", *parts)) for parts in (("work", "main"), ("opt", "wheels"))]
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout.decode()
    found = []
    for name in filter(None, tracked.split("\0")):
        path = ROOT / name
        text = path.read_text(errors="replace") if path.is_file() else ""
        found += [f"{name}: {word}" for word in [*hosts, *places] if word in text]
    assert found == []


def test_wrong_python_is_named(tmp_path: Path) -> None:
    done = bash("scripts/run", PYTHON="/no/such/python", GATEWAY_VENV=str(tmp_path / "v"))
    assert done.returncode == 1
    assert "PYTHON=/no/such/python is not a Python 3.11 or newer" in done.stderr


def test_missing_python_says_what_to_install(tmp_path: Path) -> None:
    for tool in ("bash", "env", "dirname", "mktemp", "cat", "rm"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or tool)
    done = bash("scripts/run", path=str(tmp_path), GATEWAY_VENV=str(tmp_path / "v"))
    assert done.returncode == 1
    assert "no Python 3.11 or newer" in done.stderr
    assert "apt-get install python3" in done.stderr


def test_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    done = bash("scripts/run", GATEWAY_VENV=str(tmp_path))
    assert done.returncode == 1
    assert "is not a Python environment" in done.stderr
    assert (tmp_path / "mine").read_text() == "x"


def test_failed_installation_shows_its_log(tmp_path: Path) -> None:
    script = "source scripts/_setup.sh; run_quietly 'Installing' bash -c 'echo why; exit 3'"
    done = bash(script)
    assert done.returncode == 1
    assert "why" in done.stderr
    assert "check the network" in done.stderr


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """An environment whose stamps say that everything is installed."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "pyvenv.cfg").touch()
    # A launcher, not a link: a link would make this folder an environment's home.
    for name in ("python", "gateway"):
        (tmp_path / "bin" / name).write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        (tmp_path / "bin" / name).chmod(0o755)
    for lock in LOCKS:
        (tmp_path / f".lock-{lock}").write_text(digest(f"requirements/{lock}.lock") + "\n")
    (tmp_path / ".project").write_text(f"{digest('pyproject.toml')} {ROOT}\n")
    return tmp_path


def digest(path: str) -> str:
    return hashlib.sha256((ROOT / path).read_bytes()).hexdigest()


SET_UP = 'source scripts/_setup.sh; run_quietly() { echo "$1"; }; set_up '


@pytest.mark.parametrize("lock", LOCKS)
def test_second_start_installs_nothing(environment: Path, lock: str) -> None:
    done = bash(f"{SET_UP}{lock}", GATEWAY_VENV=str(environment))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_changed_lock_is_installed(environment: Path) -> None:
    (environment / ".lock-run").write_text("another\n")
    done = bash(f"{SET_UP}run", GATEWAY_VENV=str(environment))
    assert "Installing the packages of requirements/run.lock" in done.stdout
    assert (environment / ".lock-run").read_text().strip() == digest("requirements/run.lock")
    # What was installed last may have moved what the other lock pins.
    assert not (environment / ".lock-dev").exists()


def test_interrupted_installation_is_done_again(environment: Path) -> None:
    (environment / ".lock-run").write_text("another\n")
    script = "source scripts/_setup.sh; run_quietly() { exit 9; }; set_up run"
    assert bash(script, GATEWAY_VENV=str(environment)).returncode == 9
    assert not (environment / ".lock-run").exists()


def test_moved_tree_is_installed_again(environment: Path) -> None:
    (environment / ".project").write_text(f"{digest('pyproject.toml')} /elsewhere\n")
    done = bash(f"{SET_UP}run", GATEWAY_VENV=str(environment))
    assert done.stdout == "Installing the gateway from this tree\n"
