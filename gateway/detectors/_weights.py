"""Files of weights: plain arrays, read only if they are those that the code was made with."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.core.errors import ConfigError


def read_arrays(path: Path, *, sha256: str) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz file by name. Nothing in it is ever run.

    Raises ConfigError if it cannot be read or has not this digest.
    """
    try:
        data = path.read_bytes()
    except OSError as err:
        raise ConfigError(f"{path}: cannot be read: {err.strerror}.") from err
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ConfigError(
            f"{path}: not the model that belongs to this version (SHA-256 {found}). "
            "Install the gateway again."
        )
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return dict(arrays)
