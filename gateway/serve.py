"""Starts what `gateway serve` promises: the door for clients, the admin app, all workers."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import hmac
import http.client
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from gateway import __version__
from gateway.admin.app import build as build_admin
from gateway.admin.ports import (
    AdminPorts,
    BundleSummary,
    DetectorSummary,
    PolicySummary,
    model_summaries,
)
from gateway.app import Gateway
from gateway.audit.reading import Leave
from gateway.configured import check_schema, read_catalogue
from gateway.core.errors import GatewayError
from gateway.detectors._channel import Launched
from gateway.identity.persons import Persons
from gateway.server import listen
from gateway.server.probes import probe
from gateway.server.supervisor import Supervisor
from gateway.settings import Settings

_LOOK_S = 0.2
_PROBE_S = 60
# More than the exchanges under way hold at a time; most of what they hold has no cycles.
_YOUNG_OBJECTS = 20_000


def serve(
    settings: Settings, *, on_ready: Callable[[], None], launched: Launched | None = None
) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit code.

    on_ready: called once, when the first process takes requests. launched: a detection
    worker that is on its way already; only for a single process. Raises ConfigError or
    RecordUnavailable if it cannot start.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    check_schema(settings)
    # Said once, before any process starts.
    read_catalogue(settings)
    sock = listen.bind(settings.host, settings.port)
    admin_sock = listen.bind(settings.admin_host, settings.admin_port)
    if settings.workers == 1:
        listen.run(lambda: _process(settings, sock, admin_sock, on_ready, launched))
        return 0
    threading.Thread(
        target=_when_ready, args=(sock, on_ready), name="gateway-ready", daemon=True
    ).start()
    return Supervisor(worker, sock, settings.workers, settings, admin_sock).run()


def worker(number: int, sock: socket.socket, settings: Settings, admin_sock: socket.socket) -> None:
    """One of several gateway processes; the first one also serves the admin app."""
    set_up_logging(settings)
    mine = dataclasses.replace(settings, replica=f"{settings.replica_name}.{number}")
    try:
        admin = admin_sock if number == 0 else None
        listen.run(lambda: _process(mine, sock, admin, _nothing))
    except GatewayError as err:
        logging.getLogger(__name__).error("%s", err)
        sys.exit(1)


async def _process(
    settings: Settings,
    sock: socket.socket,
    admin_sock: socket.socket | None,
    on_ready: Callable[[], None],
    launched: Launched | None = None,
) -> None:
    gateway = Gateway(settings, launched=launched)
    apps: list[tuple[Any, socket.socket]] = []
    try:
        await gateway.start()
        apps.append((gateway.door(), sock))
        if admin_sock is not None:
            apps.append((build_admin(admin_ports(gateway)), admin_sock))
        # What is loaded stays: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])
    except BaseException:
        await gateway.aclose()
        raise
    await listen.serve(
        apps,
        on_ready=on_ready,
        on_stop=gateway.aclose,
        on_stopping=gateway.reviews.release,
    )


def admin_ports(gateway: Gateway) -> AdminPorts:
    """What the admin app may see of a gateway."""
    return AdminPorts(
        version=__version__,
        engine=gateway.engine,
        keys=gateway.keys,
        sink=gateway.audit,
        clock=gateway.clock,
        counters=gateway.counters,
        reviews=gateway.desk("admin"),
        terms=gateway.terms_desk(),
        quiet=gateway.quiet_values,
        session_key=hmac.digest(gateway.keyring.tenant_root, b"admin session", "sha256"),
        probe=lambda path: probe(path, gateway.problems(), gateway.notices()),
        problems=gateway.problems,
        warnings=gateway.cautions,
        bundle=lambda: _bundle_summary(gateway),
        models=lambda: model_summaries(gateway.catalogue),
        detectors=[
            *(
                DetectorSummary(d.name, d.version, d.categories)
                for d in gateway.inspector.describe()
            ),
            *(
                DetectorSummary(a.name, a.version, tuple(sorted(a.categories)))
                for a in gateway.assessors
            ),
        ],
        desk=gateway.governing.desk,
        payload_keys=gateway.payload_keys,
        payload_leave=Leave(
            gateway.settings.audit_payload_four_eyes == "true",
            gateway.settings.audit_payload_minutes,
            Persons(gateway.engine),
        ),
    )


def _bundle_summary(gateway: Gateway) -> BundleSummary:
    bundle = gateway.bundle
    return BundleSummary(
        bundle.digest,
        bundle.revision,
        tuple(
            PolicySummary(p.name, p.version, len(p.rules), p.description) for p in bundle.written
        ),
    )


def _when_ready(sock: socket.socket, on_ready: Callable[[], None]) -> None:
    """Wait until one of the processes behind this socket says that it is ready."""
    host, port = sock.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    while True:
        connection = http.client.HTTPConnection(host, port, timeout=_PROBE_S)
        with (
            contextlib.closing(connection),
            contextlib.suppress(OSError, http.client.HTTPException),
        ):
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                on_ready()
                return
        time.sleep(_LOOK_S)


def set_up_logging(settings: Settings) -> None:
    """Our own lines to standard error. Libraries only when something is wrong."""
    logging.basicConfig(
        format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.WARNING
    )
    logging.getLogger("gateway").setLevel(settings.log_level.upper())
    logging.getLogger("uvicorn").setLevel(logging.ERROR)


def _nothing() -> None:
    return None
