"""Settings and the database, opened for one command."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from gateway import db, settings
from gateway.cli._output import warn
from gateway.configured import check_schema
from gateway.core.errors import ConfigError
from gateway.settings import Settings

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 5.0


class Unanswered(ConfigError):
    """The database is not there, or does not do its part."""


@contextmanager
def database(found: Settings) -> Iterator[Engine]:
    """An engine on a database that is there and up to date.

    Raises ConfigError if it is not; Unanswered if that could still become so by itself.
    """
    with explained(found):
        _must_exist(found)
        check_schema(found)
        engine = db.open_engine(found.database)
        try:
            yield engine
        finally:
            engine.dispose()


def await_database(found: Settings, *, patiently: bool) -> None:
    """Return when the database is there and up to date; patiently: also if that takes long.

    Raises ConfigError as `database` does; Unanswered only without patience.
    """
    pause_s, said = _FIRST_PAUSE_S, ""
    while True:
        try:
            with database(found):
                return
        except Unanswered as err:
            if not patiently:
                raise
            if str(err) != said:
                said = str(err)
                warn(f"{said} Waiting for it.")
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


@contextmanager
def explained(found: Settings) -> Iterator[None]:
    """Turns what a database raises into an Unanswered that an operator can act on."""
    engine = db.open_engine(found.database)
    failures = db.failures(engine)
    shown = address(found)
    engine.dispose()
    try:
        yield
    except BrokenPipeError:
        raise
    except failures as err:
        raise Unanswered(f"The database {shown} cannot be used: {_reason(err)}") from err


def address(found: Settings) -> str:
    """The database's URL without its password."""
    url = db.normalise(found.database)
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)


def make_data_folder(found: settings.Settings) -> Path:
    """The data folder, made (mode 0700) if it is not there."""
    try:
        found.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as err:
        raise ConfigError(
            f"{found.data_dir}: the data folder cannot be made: {err.strerror}. Set GATEWAY_DATA."
        ) from err
    return found.data_dir


def is_there(found: Settings) -> bool:
    """Whether there is a database; of one that a server has it is taken to be so."""
    url = db.normalise(found.database)
    return url.get_backend_name() != "sqlite" or Path(url.database or "").exists()


def _must_exist(found: Settings) -> None:
    """A look must not leave an empty database behind."""
    if not is_there(found):
        raise ConfigError(
            f"There is no database {db.normalise(found.database).database} yet. "
            "Run: gateway db upgrade, or gateway serve --quickstart"
        )


def _reason(err: Exception) -> str:
    cause = err.orig if isinstance(err, DBAPIError) and err.orig is not None else err
    lines = str(cause).strip().splitlines()
    return (lines[0] if lines else type(cause).__name__).rstrip(".") + "."
