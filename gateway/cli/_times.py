"""Times as people write them: `2h`, `7d`, `2026-11-01`, `2026-11-01T09:30`."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from gateway.core.errors import ConfigError

_AGO = re.compile(r"([0-9]{1,6})([smhdw])")
_UNIT_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def moment(text: str, now_ms: int) -> int:
    """Milliseconds since 1970. Without a zone it is UTC. Raises ConfigError."""
    ago = _AGO.fullmatch(text)
    if ago:
        return now_ms - int(ago[1]) * _UNIT_S[ago[2]] * 1_000
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"Expected a time such as 2h, 7d, 2026-11-01 or 2026-11-01T09:30Z, found {text[:40]!r}."
        ) from None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return int(found.timestamp() * 1_000)
