"""How things stand, and what was done, as JSON-ready values for commands and the admin API."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Engine

from gateway.lifecycle import rollout
from gateway.lifecycle.acts import Act, State
from gateway.lifecycle.desk import PolicyDesk


def status(desk: PolicyDesk, engine: Engine) -> dict[str, Any]:
    """Which bundle is in force, what is being rolled out, which bundles there are."""
    state = desk.state()
    return {
        "in_force": {"source": "bundle" if state.active else "files", "digest": state.active},
        "before": [digest or "files" for digest in reversed(state.earlier)],
        "rollout": _rollout(state, engine),
        "bundles": [_bundle(state, digest) for digest in reversed([*state.proposed])],
        "four_eyes": desk.four_eyes,
        "signed_by": str(desk.key),
    }


def history(desk: PolicyDesk) -> list[dict[str, Any]]:
    """All acts, the last one first."""
    return [told(act) for act in reversed(desk.store.acts())]


def told(act: Act) -> dict[str, Any]:
    """One act."""
    return {**asdict(act), "what": act.what.value}


def _rollout(state: State, engine: Engine) -> dict[str, Any] | None:
    if state.rollout is None:
        return None
    tally = rollout.counted(engine, state.rollout.began)
    return {**asdict(state.rollout), "tally": asdict(tally)}


def _bundle(state: State, digest: str) -> dict[str, Any]:
    going = state.rollout
    if digest == state.active:
        now = "in force"
    elif going is not None and digest == going.digest:
        now = f"staged to {going.percent} %" if going.percent else "shadow"
    else:
        now = "approved" if state.approved.get(digest) else "proposed"
    return {
        "digest": digest,
        "state": now,
        "proposed_by": state.proposed[digest],
        "approved_by": sorted(state.approved.get(digest, ())),
    }
