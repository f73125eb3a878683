"""What there is at a port: nothing, a gateway, or something else."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

_WAIT_S = 2
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104


@dataclass(frozen=True, slots=True)
class Held:
    """Exactly one of the four says something."""

    free: bool = False
    ready: bool = False
    problems: str = ""
    holder: str = ""


def reachable(host: str) -> str:
    """An address to connect to, where `host` is one to listen on."""
    return _ANYWHERE.get(host, host)


def at_port(host: str, port: int) -> Held:
    """Look, and ask /readyz if somebody is there. Waits 2 seconds at most for each."""
    connection = HTTPConnection(reachable(host), port, timeout=_WAIT_S)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        value = json.loads(answer.read(65_536))
    except ConnectionRefusedError:
        return _free(host, port)
    except (HTTPException, OSError, ValueError):
        return Held(holder="another program holds it.")
    finally:
        connection.close()
    if not isinstance(value, dict) or "status" not in value:
        return Held(holder="another program holds it.")
    if answer.status == 200:
        return Held(ready=True)
    problems = value.get("problems") or {}
    return Held(problems="; ".join(f"{part}: {what}" for part, what in problems.items()) or "?")


def _free(host: str, port: int) -> Held:
    """Nobody answers; see whether we could listen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as err:
            return Held(holder=f"{err.strerror}.")
    return Held(free=True)
