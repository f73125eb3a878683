"""Places outside the database for checkpoints, so that nobody can take them all back.

A file, a folder or an object store: whatever keeps what it was given. What an anchor is worth
depends on who may change it: best a store with object lock, in another account.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import httpx

from gateway.core.errors import ConfigError

WAIT_S = 10.0


class Anchor(Protocol):
    """Takes what was never there before, and never replaces anything."""

    def put(self, name: str, text: str) -> None:
        """Keep the text under this name. Raises ConfigError if it cannot be kept."""


def anchor(place: str) -> Anchor:
    """An http(s) URL to PUT to, a folder if it is one or ends with a slash, else a file."""
    if place.startswith(("https://", "http://")):
        return ObjectStore(place)
    if place.endswith("/") or Path(place).is_dir():
        return Folder(Path(place))
    return File(Path(place))


class File:
    """All texts in one file, each appended to those before."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def put(self, name: str, text: str) -> None:
        """Append it, unless it is there already."""
        try:
            if self._path.exists() and text in self._path.read_text(encoding="utf-8"):
                return
            _write(self._path, text + "\n", os.O_APPEND)
        except OSError as err:
            raise _unkept(str(self._path), err) from err


class Folder:
    """One file a text."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def put(self, name: str, text: str) -> None:
        """Write the file, unless it is there with the same text."""
        path = self._path / name
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            _write(path, text, os.O_EXCL)
        except FileExistsError:
            if path.read_text(encoding="utf-8") != text:
                raise ConfigError(f"{path} holds another checkpoint of this size.") from None
        except OSError as err:
            raise _unkept(str(path), err) from err


class ObjectStore:
    """One object a text, by HTTP PUT that replaces nothing (`If-None-Match: *`, RFC 9110).

    S3, GCS and Azure take it; a presigned URL or a proxy brings the credentials.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def put(self, name: str, text: str) -> None:
        """PUT it below the URL, before its query. An object that is there already is let be."""
        base, mark, query = self._url.partition("?")
        url = f"{base.rstrip('/')}/{name}{mark}{query}"
        headers = {"if-none-match": "*", "content-type": "text/plain; charset=utf-8"}
        try:
            answer = httpx.put(url, content=text.encode(), headers=headers, timeout=WAIT_S)
        except httpx.HTTPError as err:
            raise ConfigError(f"{base}: the store does not answer.") from err
        if answer.status_code not in (200, 201, 204, 412):
            raise ConfigError(f"{base}: the store answers with status {answer.status_code}.")


def _write(path: Path, text: str, how: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o644)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _unkept(place: str, err: OSError) -> ConfigError:
    return ConfigError(f"{place}: the checkpoint cannot be kept there: {err.strerror}.")
