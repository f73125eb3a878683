"""HTTP calls as the house hands them on: what a client asked, and what goes to a backend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Call:
    """One request as its dialect gets to see it.

    path: as policies and the record call it. params: what stood in the places of the path's
    pattern, as the client spelt it. query: the query without credentials. content_type: as
    sent, parameters and all.
    """

    body: bytes
    method: str = "POST"
    params: Mapping[str, str] = field(default_factory=dict)
    query: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"
    path: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A judged request on its way to a backend.

    dialect: whose wire format it has. path: where the dialect's own vendor serves it, query
    included. model: the upstream's name for the model. headers: the client's, lower case; a
    backend passes on only those it knows.
    """

    body: bytes
    dialect: str
    path: str
    model: str = ""
    method: str = "POST"
    content_type: str = "application/json"
    stream: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
