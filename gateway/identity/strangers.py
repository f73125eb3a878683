"""Names of tenants and applications that no key has: allowed, and often a slip of the pen."""

from __future__ import annotations

from collections.abc import Collection

from gateway.documents import unknown
from gateway.identity.keytable import KeyInfo


def doubt(infos: Collection[KeyInfo], tenant: str, application: str = "", key_id: str = "") -> str:
    """What is strange about this, with what was meant perhaps. Empty if a key is of it.

    infos: all keys, also revoked ones: whoever had one is no slip.
    """
    ours = [info for info in infos if info.tenant == tenant]
    if not ours:
        return f"No key is of the tenant {tenant!r}.{unknown(tenant, _of(infos))}"
    applications = {info.application for info in ours if info.application}
    if application and application not in applications:
        hint = unknown(application, applications)
        return f"No key is of the application {application!r} of {tenant!r}.{hint}"
    if key_id and not any(info.id == key_id for info in ours):
        return f"The tenant {tenant!r} has no key with the id {key_id!r}. See: gateway keys list"
    return ""


def _of(infos: Collection[KeyInfo]) -> set[str]:
    return {info.tenant for info in infos}
