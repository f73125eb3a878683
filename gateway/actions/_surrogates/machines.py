"""Addresses of machines from the ranges that stand in documentation and nowhere else."""

from __future__ import annotations

import ipaddress
import re

from gateway.actions._surrogates.drawing import Draw, Pick

# RFC 5737, section 3.
_NETWORKS = ("192.0.2", "198.51.100", "203.0.113")
# RFC 9542, section 2.1.2.
_HARDWARE = ("00", "00", "5E", "00", "53")
_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}([:-])){5}[0-9A-Fa-f]{2}")
_MOST = 250


def ip_address(original: str, pick: Pick) -> str | None:
    """Another one of the same version; an IPv6 one under 2001:db8::/32 (RFC 3849)."""
    try:
        version = ipaddress.ip_address(original).version
    except ValueError:
        return None

    def candidate(draw: Draw, n: int) -> str | None:
        if n >= _MOST:
            return None
        if version == 4:
            network = _NETWORKS[draw.below(len(_NETWORKS))]
            return f"{network}.{1 + (draw.below(254) + n) % 254}"
        groups = ":".join(f"{draw.below(0xFFFF) + 1:x}" for _ in range(3))
        return f"2001:db8:{groups}::{1 + (draw.below(0xFFFF) + n) % 0xFFFF:x}"

    return pick("ip", original, candidate)


def mac_address(original: str, pick: Pick) -> str | None:
    """Another one, written in the same way."""
    match = _MAC.fullmatch(original)
    if match is None:
        return None
    separator = match.group(1)

    def candidate(draw: Draw, n: int) -> str | None:
        if n >= _MOST:
            return None
        new = separator.join((*_HARDWARE, f"{(draw.below(256) + n) % 256:02X}"))
        return new if original == original.upper() else new.lower()

    return pick("mac", original, candidate)
