"""What a bundle would do to one text, and why: for `gateway policy explain`."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import reduce
from typing import Any

from rich.markup import escape

from gateway import actions, backends, catalogue, configured
from gateway.actions._vault import KeyedVault
from gateway.cli._output import say, table
from gateway.cli._text import place
from gateway.core import splice
from gateway.core.clearance import DataClass
from gateway.core.effects import ANSWER, REQUEST, resolve
from gateway.core.errors import ConfigError
from gateway.core.judgement import (
    DATA_CLASS,
    Context,
    Finding,
    Principal,
    Route,
    Subject,
    Verdict,
)
from gateway.core.languages import accepted
from gateway.core.message import Direction, Kind
from gateway.core.ports import Surroundings
from gateway.core.targets import Target
from gateway.identity.keyring import Keyring
from gateway.pipeline.classing import not_cleared, shown
from gateway.policy.bundle import PolicyBundle
from gateway.policy.explaining import Considered, Explained, Explanation, explain
from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Asked:
    """The made-up exchange."""

    direction: Direction
    model: str
    tenant: str
    application: str
    team: str
    language: str = ""
    label: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """The explanation, and the text as it would go on; None if it would not.

    context: with the class of the data as it came. sent: the class of what would leave. onward:
    the same for where rules send it instead, if there is such a place.
    """

    explanation: Explanation
    context: Context
    text: str | None
    sent: DataClass
    onward: Judged | None = None


def context(found: Settings, asked: Asked) -> Context:
    """The context of the made-up exchange. Raises ConfigError for an unknown model."""
    who = Principal(
        "explain", "explain", tenant=asked.tenant, application=asked.application, team=asked.team
    )
    route = _route(found, asked.model)
    return Context(
        asked.direction,
        who,
        route,
        endpoint="/v1/chat/completions",
        languages=accepted(asked.language),
        data=_labelled(found, asked.label),
    )


def judge(
    found: Settings,
    bundle: PolicyBundle,
    about: Context,
    text: str,
    findings: Sequence[Finding],
) -> Judged:
    """Ask the bundle, and make the edits it asks for; if it goes elsewhere, once more for there."""
    first = _judge(found, bundle, about, text, findings)
    targets = [e.target for e in first.explanation.verdict.effects if e.target is not None]
    if not first.explanation.verdict.rerouted:
        return first
    known = catalogue.read(found.catalogue_path, backends.kinds())
    target = reduce(Target.also, targets)
    chosen = known.choose(target, first.context.data, lambda model: True)
    if chosen is None:
        return first
    name, model = chosen
    there = replace(about, route=model.route(name))
    return replace(first, onward=_judge(found, bundle, there, text, findings))


def _judge(
    found: Settings,
    bundle: PolicyBundle,
    about: Context,
    text: str,
    findings: Sequence[Finding],
) -> Judged:
    request = about.direction is Direction.REQUEST
    classes = configured.read_classes(found)
    given = about.data | classes.default
    about = replace(about, data=given | shown(classes, findings))
    raised = Finding("gateway", REQUEST if request else ANSWER, 0, 0, 1.0)
    subject = Subject("user" if request else "assistant", Kind.TEXT)
    explanation = explain(bundle, about, [*findings, raised], subject)
    known = actions.load()
    effects = explanation.verdict.effects
    replaced = {e.finding for e in effects if known[e.action].changes_text}
    sent = given | shown(classes, [f for f in findings if f not in replaced])
    if request:
        explanation = _weighed(explanation, bundle, replace(about, data=sent))
    if explanation.verdict.blocked:
        return Judged(explanation, about, None, sent)
    around = Surroundings(holds=text.__contains__, opening=text)
    vault = KeyedVault(_tenant_key(found, about.principal.tenant), around)
    edits = resolve(effects, known, text, vault)
    if request:
        edits = vault.settle(text, edits)
    return Judged(explanation, about, splice.apply(text, edits), sent)


def _weighed(explanation: Explanation, bundle: PolicyBundle, about: Context) -> Explanation:
    """What rules and catalogue say to the class of what would leave, on top of all else."""
    event = Finding("gateway", DATA_CLASS, 0, 0, 1.0)
    asked = explain(bundle, about, [event], Subject("", Kind.METADATA))
    verdict, more = explanation.verdict, asked.verdict
    refusal = verdict.refusal or more.refusal
    both = Verdict((*verdict.effects, *more.effects), refusal)
    if not both.rerouted:
        both = replace(both, refusal=refusal or not_cleared(about.data, about.route))
    return replace(explanation, findings=(*explanation.findings, *asked.findings), verdict=both)


def facts(judged: Judged) -> dict[str, Any]:
    """All of it, JSON-ready. `elsewhere`: the same for where rules send it instead."""
    onward = judged.onward
    return {**_facts(judged), "elsewhere": _facts(onward) if onward is not None else None}


def _facts(judged: Judged) -> dict[str, Any]:
    found = judged.explanation
    return {
        "policy": {"digest": found.digest, "revision": found.revision},
        "model": judged.context.route.model,
        "direction": judged.context.direction.value,
        "data_class": {
            "shown": list(judged.context.data.names),
            "sent": list(judged.sent.names),
            "model_sees": list(judged.context.route.clearance.names),
        },
        "blocked": found.verdict.blocked,
        "held": found.verdict.held,
        "rerouted": found.verdict.rerouted,
        "refusal": asdict(found.verdict.refusal) if found.verdict.refusal else None,
        "text": judged.text,
        "findings": [
            {**asdict(each.finding), "considered": [asdict(c) for c in each.considered]}
            for each in found.findings
        ],
    }


def tell(judged: Judged, text: str, *, every_rule: bool) -> None:
    """All of it, for people. Rules that do not apply only if asked."""
    _tell(judged, text, every_rule=every_rule)
    if judged.onward is not None:
        say("")
        _tell(judged.onward, text, every_rule=every_rule)
    found = judged.explanation
    say(f"\n[dim]Policy {escape(found.revision)}, digest {found.digest[:12]}[/]")


def _tell(judged: Judged, text: str, *, every_rule: bool) -> None:
    found = judged.explanation
    rows = [row for each in found.findings for row in _rows(each, text, every_rule=every_rule)]
    table(("Found", "Place", "Score", "Rule", "Action", "Why not"), rows, empty="No rule applies.")
    refusal = found.verdict.refusal
    model = escape(judged.context.route.model)
    if refusal is not None:
        say(f"\n[bold red]Blocked[/] by {escape(refusal.policy)}/{escape(refusal.rule)}.")
        say(f"The caller is told: {escape(refusal.message)}")
    elif found.verdict.rerouted:
        _tell_where(judged)
    elif found.verdict.held:
        say(f"\n[bold yellow]Held for review[/] (model {model}). What a reviewer sees:\n")
        say(escape(judged.text or ""))
    elif judged.text == text:
        say(f"\n[bold green]Passes[/] as it is (model {model}).")
    else:
        say(f"\n[bold cyan]Passes, changed[/] (model {model}):\n")
        say(escape(judged.text or ""))
    say(f"Data class: {_classes(judged)}")


def _tell_where(judged: Judged) -> None:
    sending = [e for e in judged.explanation.verdict.effects if e.target is not None]
    rules = sorted({f"{e.policy}/{e.rule}" for e in sending})
    target = reduce(Target.also, (e.target for e in sending if e.target is not None))
    model = escape(judged.context.route.model)
    say(f"\n[bold yellow]Sent elsewhere[/] by {escape(', '.join(rules))} (not to model {model}).")
    if judged.onward is None:
        say(f"The catalogue has no such model, so it is refused: {escape(str(target))}.")
    else:
        there = judged.onward.context.route
        say(f"It goes to the model {escape(there.model)} ({escape(str(target))}); for there:")


def _classes(judged: Judged) -> str:
    shown, sent = (", ".join(d.names) for d in (judged.context.data, judged.sent))
    if judged.context.direction is Direction.RESPONSE:
        return f"{shown}."
    sees = ", ".join(judged.context.route.clearance.names)
    return f"{shown}; of what would leave: {sent}. The model may see: {sees}."


def _rows(each: Explained, text: str, *, every_rule: bool) -> list[list[str]]:
    shown = [c for c in each.considered if every_rule or c.matched]
    event = each.finding.category in (REQUEST, ANSWER, DATA_CLASS)
    if not shown and not event:
        return [[*_found(each.finding, text), "[dim]no rule applies[/]", "", ""]]
    return [
        [*(_found(each.finding, text) if first else ("", "", "")), *_rule(considered)]
        for first, considered in zip([True] + [False] * len(shown), shown, strict=False)
    ]


def _found(finding: Finding, text: str) -> list[str]:
    score = "" if finding.start == finding.end else f"{finding.score:.2f}"
    where = "" if finding.start == finding.end else place(text, finding.start)
    return [f"[bold]{escape(finding.category)}[/]", where, score]


def _rule(considered: Considered) -> list[str]:
    colour = "green" if considered.effective else "dim"
    name = f"[{colour}]{escape(considered.policy)}/{escape(considered.rule)}[/]"
    action = considered.action + _restored_in(considered)
    return [name, f"[{colour}]{escape(action)}[/]", escape(considered.why)]


def _restored_in(considered: Considered) -> str:
    """Where originals come back, if not everywhere."""
    if considered.restore is None:
        return ""
    kinds, tools = considered.restore["kinds"], considered.restore["tools"]
    if kinds is None and tools is None:
        return ""
    if kinds == []:
        return "; originals back nowhere"
    where = "everywhere" if kinds is None else f"in {', '.join(kinds)}"
    if tools is not None:
        where += f", of tools only for {', '.join(tools) or 'none'}"
    return f"; originals back {where}"


def _labelled(found: Settings, label: Sequence[str]) -> DataClass:
    classes = configured.read_classes(found)
    for name in label:
        if name not in classes.names:
            names = ", ".join(classes.names)
            raise ConfigError(f"There is no class {name[:40]!r}. Known: {names}.")
    return classes.named(label)


def _route(found: Settings, model: str) -> Route:
    known = catalogue.read(found.catalogue_path, backends.kinds())
    if not model:
        first = next((m for m in known.models if not m.is_pattern), None)
        return first.route(first.name) if first else Route("echo", "echo", "echo", "echo")
    entry = known.find(model)
    if entry is None:
        names = ", ".join(m.name for m in known.models)
        raise ConfigError(f"The catalogue serves no model {model[:60]!r}. Known: {names}.")
    return entry.route(model)


def _tenant_key(found: Settings, tenant: str) -> bytes:
    """The real one, so that placeholders are the real ones; any other before the first start."""
    if not found.keyring_path.exists():
        return secrets.token_bytes(32)
    return Keyring.open(found.keyring_path, create=False).tenant_key(tenant)
