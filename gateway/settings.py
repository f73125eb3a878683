"""Settings: environment variables `GATEWAY_*` over one YAML file over defaults.

The file (`GATEWAY_CONFIG`, else `config.yaml` in the data folder if it is there) names
the same settings in lower case without the prefix.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from gateway.core.errors import ConfigError
from gateway.core.keeping import DEFAULT_CLASS
from gateway.cursor import Cursor
from gateway.documents import load, unknown

PREFIX = "GATEWAY_"
DETECTORS = "patterns,pii,names,injection,hidden,output"
_LEAST_RUN_WORDS = 8
RETENTION = "default=30,eu_highrisk=190,cn_unlabelled=190,hipaa=2190,sec17a4=2190"
BEFORE_EGRESS = "before_egress"
BEFORE_RELEASE = "before_release"


def _setting(default: Any, text: str) -> Any:
    return field(default=default, metadata={"text": text})


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator can set. Empty means: the default that the text names."""

    data: str = _setting("", "Folder for all local state. Default: .gateway in the working folder")
    cache: str = _setting(
        "", "Folder for what can be made again: compiled patterns. Default: in the data folder"
    )
    database_url: str = _setting(
        "", "SQLite or PostgreSQL database. Default: SQLite in the data folder"
    )
    catalogue: str = _setting("", "Catalogue file. Default: the one shipped, with echo")
    policy: str = _setting(
        "",
        "Policies in force: files, folders of them, or names of shipped ones, with commas between. "
        "Default: `default`",
    )
    classes: str = _setting("", "File of data classes. Default: the one shipped")
    policy_four_eyes: str = _setting(
        "false", "Whether somebody else must approve of a policy bundle: true or false"
    )
    keyring: str = _setting("", "File with the gateway's own keys. Default: in the data folder")
    host: str = _setting("127.0.0.1", "Address that clients connect to")
    port: int = _setting(8080, "Port that clients connect to")
    admin_host: str = _setting("127.0.0.1", "Address of the admin app")
    admin_port: int = _setting(8081, "Port of the admin app")
    workers: int = _setting(1, "Gateway processes")
    detectors: str = _setting(
        DETECTORS, "Detectors to run, by name; `names` and `injection` are models"
    )
    detector_processes: int = _setting(1, "Detection processes of each gateway process")
    detector_deadline_s: int = _setting(
        20, "Seconds a detection may take, waiting included; a later one counts as failed"
    )
    detector_memory_mb: int = _setting(
        1024, "A detection process that holds more memory than this is replaced"
    )
    patterns: str = _setting(
        "", "Pattern pack for secrets, a file or a folder. Default: those shipped"
    )
    lists: str = _setting(
        "",
        "Lists of terms to find, harmless values and thresholds: a file or a folder. Default: none",
    )
    terms: str = _setting("", "Terms profile, or folder of terms profiles. Default: those shipped")
    terms_grace_days: int = _setting(
        30, "Days for which an earlier revision's acceptance still does, and attestations may lack"
    )
    terms_url: str = _setting(
        "", "Where people accept terms, told to callers. Default: names the admin app and command"
    )
    assessors: str = _setting(
        "", "File of assessors: models and services that judge whole texts. Default: none"
    )
    works_run_words: int = _setting(
        25, "Words in a row of a registered work, some changed or not, that are a finding"
    )
    leak_run_words: int = _setting(
        20, "Words in a row of a request's own system prompt that are a finding in its answer"
    )
    max_body_bytes: int = _setting(32 * 1024 * 1024, "Largest request body")
    kept_days: int = _setting(
        400, "Days for which the owner of what a provider keeps is known at least; 0: for ever"
    )
    classes_days: int = _setting(
        30, "Days for which the class of what was said is known to replicas; 0: for ever"
    )
    reviews_waiting: int = _setting(
        100, "Requests that may wait for a reviewer at once, in each gateway process"
    )
    reviews_waiting_tenant: int = _setting(20, "The same, of one tenant")
    reviews_open_tenant: int = _setting(
        1_000, "Reviews of a tenant that may be open; beyond it, its requests are refused"
    )
    audit_durable: str = _setting(
        BEFORE_EGRESS,
        "`before_egress`: nothing goes to a provider before it is on record; `before_release`: "
        "nor the end of an answer to its client before its closing entry is",
    )
    audit_spool_mb: int = _setting(
        0, "Megabytes of audit entries kept on local disk while the database is away; 0: none"
    )
    audit_spool: str = _setting("", "Folder for them. Default: in the data folder")
    audit_abandoned_s: int = _setting(
        900, "Seconds after which the exchanges of a process that is silent are closed; 0: never"
    )
    audit_queue: int = _setting(10_000, "Audit entries that may wait to be written")
    audit_sequence_s: int = _setting(
        1, "Seconds between checkpoints of the audit log; 0: `gateway audit sequence` makes them"
    )
    audit_heartbeat_s: int = _setting(60, "Seconds between audit entries of counters; 0: none")
    audit_origin: str = _setting(
        "", "The audit log's name in its checkpoints. Default: made from its key"
    )
    audit_payload_keys: str = _setting(
        "keyring",
        "Where the keys come from that seal kept texts: `keyring`, `file:PATH`, `env:VARIABLE`, or "
        "an installed source",
    )
    audit_payload_days: str = _setting(
        RETENTION, "Days for which texts of each retention class are kept; 0: until erased"
    )
    audit_payload_four_eyes: str = _setting(
        "false", "Whether somebody else must approve before kept texts are read: true or false"
    )
    audit_payload_minutes: int = _setting(
        60, "Minutes for which leave to read an exchange's kept texts counts"
    )
    replica: str = _setting("", "Name of this replica in the audit log. Default: the host name")
    reload_s: int = _setting(2, "Seconds between looks for a changed policy or catalogue; 0: never")
    log_level: str = _setting("info", "debug, info, warning or error")

    @property
    def data_dir(self) -> Path:
        """The data folder."""
        return Path(self.data or ".gateway")

    @property
    def cache_dir(self) -> Path:
        """Where compiled patterns are kept."""
        return Path(self.cache) if self.cache else self.data_dir / "cache"

    @property
    def keyring_path(self) -> Path:
        """The keyring file."""
        return Path(self.keyring) if self.keyring else self.data_dir / "keyring.json"

    @property
    def database(self) -> str:
        """The database URL."""
        return self.database_url or f"sqlite:///{self.data_dir / 'gateway.db'}"

    @property
    def replica_name(self) -> str:
        """This replica's name."""
        return self.replica or socket.gethostname()

    @property
    def catalogue_path(self) -> Path:
        """The catalogue file."""
        return Path(self.catalogue) if self.catalogue else shipped("policies") / "catalogue.yaml"

    @property
    def policy_paths(self) -> tuple[Path, ...]:
        """The policy files and folders."""
        return policy_paths(self.policy or "default")

    @property
    def classes_path(self) -> Path:
        """The file of data classes."""
        return Path(self.classes) if self.classes else shipped("policies") / "classes.yaml"

    @property
    def four_eyes(self) -> bool:
        """Whether somebody else must approve of a bundle before it judges."""
        return self.policy_four_eyes == "true"

    @property
    def patterns_path(self) -> Path:
        """The pattern pack: a file or a folder of them."""
        if self.patterns:
            return Path(self.patterns)
        return shipped("policies") / "patterns"

    @property
    def lists_path(self) -> Path | None:
        """The lists, if there are any: a file or a folder of them."""
        return Path(self.lists) if self.lists else None

    @property
    def terms_path(self) -> Path:
        """The terms profiles: a file or a folder of them."""
        return Path(self.terms) if self.terms else shipped("policies") / "terms"

    @property
    def spool_path(self) -> Path:
        """The folder for audit entries while the database is away."""
        return Path(self.audit_spool) if self.audit_spool else self.data_dir / "spool"

    @property
    def retention_days(self) -> dict[str, int]:
        """Days by retention class; 0 for ever."""
        return {name: int(days) for name, _, days in _pairs(self.audit_payload_days)}

    @property
    def assessors_path(self) -> Path | None:
        """The file of assessors, if there is one."""
        return Path(self.assessors) if self.assessors else None

    @property
    def detector_names(self) -> tuple[str, ...]:
        """Names of the detectors to run."""
        return tuple(name.strip() for name in self.detectors.split(",") if name.strip())


def policy_paths(listed: str) -> tuple[Path, ...]:
    """Files and folders as they are listed, with commas between.

    A name without a folder or an ending is that of a shipped policy, unless there is such a file.
    """
    return tuple(_policy_path(each.strip()) for each in listed.split(",") if each.strip())


def _policy_path(name: str) -> Path:
    path = Path(name)
    if re.fullmatch(r"[a-z0-9-]+", name) and not path.exists():
        there = shipped("policies") / f"{name}.yaml"
        return there if there.is_file() else path
    return path


def shipped(folder: str) -> Path:
    """A folder that comes with the gateway: in a checkout beside the package, else inside it."""
    package = Path(__file__).resolve().parent
    for place in (package / "_data" / folder, package.parent / folder):
        if place.is_dir():
            return place
    raise ConfigError(f"The folder {folder!r} that comes with the gateway is not there; reinstall.")


def read(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings now in force. Raises ConfigError that names the variable or file and line."""
    environ = os.environ if environ is None else environ
    known = {f.name: f for f in fields(Settings)}
    values: dict[str, Any] = _from_file(environ, known)
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or variable in _OTHERS:
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name not in known:
            if variable.startswith(_FOREIGN):
                continue
            names = [PREFIX + n.upper() for n in known]
            raise ConfigError(f"{variable}: there is no such setting.{unknown(variable, names)}")
        values[name] = _from_text(variable, text, known[name].type)
    return _checked(Settings(**values))


# Variables with our prefix that are not settings: a reviewer's key, the set-up script's, the tests'
# and those that Kubernetes makes for a service called "gateway".
_OTHERS = frozenset(
    {
        "GATEWAY_CONFIG",
        "GATEWAY_VENV",
        "GATEWAY_TEST_POSTGRES",
        "GATEWAY_TEST_TRANSFORMERS",
        "GATEWAY_REVIEWER_KEY",
        "GATEWAY_EXPORT_TOKEN",
        "GATEWAY_EXPORT_USER",
    }
)
_FOREIGN = ("GATEWAY_SERVICE_", "GATEWAY_PORT_", "GATEWAY_ADMIN_SERVICE_", "GATEWAY_ADMIN_PORT_")


def _from_file(environ: Mapping[str, str], known: Mapping[str, Any]) -> dict[str, Any]:
    given = environ.get("GATEWAY_CONFIG", "")
    path = Path(given or Path(environ.get("GATEWAY_DATA", "") or ".gateway") / "config.yaml")
    if not given and not path.exists():
        return {}
    values: dict[str, Any] = {}
    for document in load(path):
        for name, cursor in Cursor.top(document).fields(list(known)).items():
            values[name] = cursor.count() if known[name].type == "int" else cursor.text()
    return values


def _from_text(variable: str, text: str, kind: Any) -> Any:
    if kind != "int":
        return text
    try:
        return int(text)
    except ValueError:
        raise ConfigError(f"{variable}: expected a whole number, found {text[:40]!r}.") from None


def _pairs(listed: str) -> list[tuple[str, str, str]]:
    return [each.strip().partition("=") for each in listed.split(",") if each.strip()]


def _check_retention(listed: str) -> None:
    for name, _, days in _pairs(listed):
        if not (re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", name) and days.isascii() and days.isdigit()):
            raise ConfigError(
                f"{PREFIX}AUDIT_PAYLOAD_DAYS: expected CLASS=DAYS, with commas between, found "
                f"{name[:40]!r}."
            )
    if DEFAULT_CLASS not in (name for name, _, _ in _pairs(listed)):
        raise ConfigError(f"{PREFIX}AUDIT_PAYLOAD_DAYS: the class {DEFAULT_CLASS!r} is missing.")


def _check_truths(settings: Settings) -> None:
    for name in ("policy_four_eyes", "audit_payload_four_eyes"):
        if getattr(settings, name) not in ("true", "false"):
            raise ConfigError(f"{PREFIX}{name.upper()}: expected true or false.")


def _checked(settings: Settings) -> Settings:
    for name in ("port", "admin_port"):
        if not 0 <= getattr(settings, name) <= 65_535:
            raise ConfigError(f"{PREFIX}{name.upper()}: a port is a number from 0 to 65535.")
    for name in ("works_run_words", "leak_run_words"):
        if getattr(settings, name) < _LEAST_RUN_WORDS:
            raise ConfigError(
                f"{PREFIX}{name.upper()}: must be at least {_LEAST_RUN_WORDS}: shorter runs are "
                "chance."
            )
    for name in (
        "audit_payload_minutes",
        "workers",
        "detector_processes",
        "detector_deadline_s",
        "max_body_bytes",
    ):
        if getattr(settings, name) < 1:
            raise ConfigError(f"{PREFIX}{name.upper()}: must be at least 1.")
    if settings.audit_durable not in (BEFORE_EGRESS, BEFORE_RELEASE):
        raise ConfigError(
            f"{PREFIX}AUDIT_DURABLE: expected {BEFORE_EGRESS} or {BEFORE_RELEASE}, found "
            f"{settings.audit_durable[:40]!r}."
        )
    _check_retention(settings.audit_payload_days)
    _check_truths(settings)
    if settings.log_level not in ("debug", "info", "warning", "error"):
        raise ConfigError(f"{PREFIX}LOG_LEVEL: expected debug, info, warning or error.")
    return settings
