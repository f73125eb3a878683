from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from gateway import settings
from gateway.core.errors import ConfigError
from gateway.settings import Settings, read


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_nothing_set_is_the_defaults() -> None:
    found = read({})
    assert found == Settings()
    assert (found.host, found.port, found.admin_port) == ("127.0.0.1", 8080, 8081)
    assert found.data_dir == Path(".gateway")
    assert found.database == "sqlite:///.gateway/gateway.db"
    assert found.keyring_path == Path(".gateway/keyring.json")
    assert found.detector_names == ("patterns", "pii", "names", "injection", "hidden", "output")
    assert found.replica_name


def test_the_environment_stands_over_the_file_and_that_over_defaults(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("port: 1\nhost: a.example\nworkers: 2\n")
    found = read({"GATEWAY_DATA": str(tmp_path), "GATEWAY_PORT": "3"})
    assert (found.port, found.host, found.workers, found.admin_port) == (3, "a.example", 2, 8081)


def test_a_named_file_is_read_and_must_be_there(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    with pytest.raises(ConfigError, match=r"own\.yaml"):
        read({"GATEWAY_CONFIG": str(path)})
    path.write_text("replica: r1\n")
    assert read({"GATEWAY_CONFIG": str(path)}).replica_name == "r1"


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        (
            "GATEWAY_PROT",
            "1",
            "GATEWAY_PROT: there is no such setting. Did you mean 'GATEWAY_PORT'",
        ),
        ("GATEWAY_PORT", "eighty", "GATEWAY_PORT: expected a whole number, found 'eighty'"),
        ("GATEWAY_PORT", "65536", "GATEWAY_PORT: a port"),
        ("GATEWAY_ADMIN_PORT", "-1", "GATEWAY_ADMIN_PORT: a port"),
        ("GATEWAY_WORKERS", "0", "GATEWAY_WORKERS: must be at least 1"),
        ("GATEWAY_MAX_BODY_BYTES", "-5", "GATEWAY_MAX_BODY_BYTES: must be at least 1"),
        ("GATEWAY_LOG_LEVEL", "loud", "GATEWAY_LOG_LEVEL: expected debug"),
    ],
)
def test_a_wrong_variable_is_named(variable: str, value: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        read({variable: value})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("prot: 1", "config.yaml:1: .*'prot'. Did you mean 'port'"),
        ("host: a\nport: many", "config.yaml:2: port: expected a whole number"),
        ("port: true", "config.yaml:1: port: expected a whole number"),
        ("host: 1", "config.yaml:1: host: expected text"),
        ("port: 1\nport: 2", "config.yaml:2: .*'port' is given twice"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ConfigError, match=told):
        read({"GATEWAY_DATA": str(tmp_path)})


def test_variables_of_others_are_passed_by() -> None:
    environ = {
        "GATEWAY_SERVICE_HOST": "10.0.0.1", "GATEWAY_PORT_8080_TCP": "tcp://10.0.0.1:8080",
        "GATEWAY_TEST_POSTGRES": "x", "PATH": "/bin",
    }  # fmt: skip
    assert read(environ) == Settings()


LISTED = [
    ("", ["default.yaml"]),
    ("gdpr", ["gdpr.yaml"]),
    ("default, pci,own.yaml", ["default.yaml", "pci.yaml", "own.yaml"]),
    ("default.yaml", ["default.yaml"]),
    ("no-such-name", ["no-such-name"]),
]


@pytest.mark.parametrize(("listed", "names"), LISTED)
def test_policies_are_listed_by_name_file_and_folder(listed: str, names: list[str]) -> None:
    assert [path.name for path in read({"GATEWAY_POLICY": listed}).policy_paths] == names


def test_a_file_goes_before_a_shipped_policy_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gdpr").mkdir()
    assert read({"GATEWAY_POLICY": "gdpr"}).policy_paths == (Path("gdpr"),)


def test_shipped_files_are_there() -> None:
    found = read({})
    assert found.catalogue_path.is_file()
    assert all(path.is_file() for path in found.policy_paths)
    assert found.patterns_path.is_dir()
    with pytest.raises(ConfigError, match="reinstall"):
        settings.shipped("no-such-folder")


def test_every_setting_says_what_it_is() -> None:
    assert all(len(f.metadata["text"]) > 5 for f in fields(Settings))
