"""Where the files of an archive are kept: a folder, or a bucket of an object store.

What is under a name is the whole file or nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from gateway.core.errors import ConfigError

# What pyarrow has a filesystem for (its documentation, "Filesystem Interface").
_STORES = ("s3", "gs", "abfs", "abfss")
_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<rest>.*)", re.IGNORECASE | re.DOTALL)

# Writes a file's bytes to where it is given.
Writing = Callable[[Any], None]


class Place(Protocol):
    """Keeps files by name, which may have slashes."""

    def put(self, name: str, write: Writing) -> str:
        """Keep what this writes, durably; where it is now. Raises ConfigError if that fails."""


def place(at: str) -> Place:
    """A bucket for s3://, gs://, abfs:// and abfss://, a folder otherwise.

    Raises ConfigError for another URL, or one that cannot be used.
    """
    url = _URL.fullmatch(at)
    if url is None:
        return Folder(Path(at))
    if url["scheme"].lower() not in _STORES:
        known = ", ".join(f"{scheme}://" for scheme in _STORES)
        raise ConfigError(
            f"An archive cannot be put to {url['scheme']}://. Known: {known}, a folder"
        )
    return Bucket(at)


class Folder:
    """Files in a folder, which is made if need be."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, write: Writing) -> str:
        """As `Place` says."""
        path = self._folder / name
        fresh = path.with_suffix(".new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with fresh.open("wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except OSError as err:
            raise ConfigError(f"{path}: cannot be written: {err.strerror}.") from err
        return str(path)


class Bucket:
    """Objects of a store, by pyarrow; credentials from the environment, as the store's tools have.

    at: as pyarrow reads it, such as s3://bucket/prefix?region=eu-central-1. An object is there when
    the last of it has come.
    """

    def __init__(self, at: str) -> None:
        from pyarrow import ArrowException, fs  # noqa: PLC0415 - only where there is a bucket

        self._failures = (OSError, ArrowException)
        scheme, _, rest = at.partition("?")[0].partition("://")
        # What stands before the bucket's name may be a key.
        self._shown = f"{scheme}://{rest.rpartition('@')[2].rstrip('/')}"
        try:
            self._store, self._prefix = fs.FileSystem.from_uri(at)
        except self._failures as err:
            raise ConfigError(
                f"{self._shown}: not an address that can be used ({type(err).__name__}). Write its "
                f"region too: {self._shown}?region=eu-central-1"
            ) from err
        if not self._prefix.strip("/"):
            raise ConfigError(f"{self._shown}: expected the name of a bucket.")

    def put(self, name: str, write: Writing) -> str:
        """As `Place` says."""
        path = f"{self._prefix.rstrip('/')}/{name}"
        try:
            with self._store.open_output_stream(path) as file:
                write(file)
        except self._failures as err:
            # What the store says may hold what it was asked with.
            raise ConfigError(
                f"{self._shown}: {name} cannot be written ({type(err).__name__}). Look at the "
                "bucket's name, region and the credentials in the environment."
            ) from err
        return f"{self._shown}/{name}"
