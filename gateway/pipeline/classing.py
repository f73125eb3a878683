"""Of what class a request's data is: by what is known before, by its texts, by what leaves.

Findings tell. Those that are replaced tell about the request, but no longer about what leaves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_

from gateway.core.classes import Classes
from gateway.core.clearance import CATALOGUE, CLASSES, LEAST, DataClass
from gateway.core.errors import Refused
from gateway.core.exchange import Exchange, Sensitivity
from gateway.core.judgement import Finding, Refusal, Route
from gateway.pipeline.passage import Passage

LABEL_HEADER = "gw-data-class"
NOT_CLEARED = "data_not_allowed"
# That what sticks to a conversation cannot be looked up or noted is a finding of this detector.
CONVERSATION = "conversation"


class Classing:
    """What the texts of one message show. Its guard tells it of every finding."""

    def __init__(self, classes: Classes, route: Route | None, *, weighs: bool = False) -> None:
        """route: where the message goes; None if it goes back to who asked.

        weighs: whether a rule asks for the class, whatever it is.
        """
        self.shown = LEAST
        self.left = LEAST
        self.left_in: dict[Passage, DataClass] = {}
        self._classes = classes
        self._route = route
        self._weighs = weighs

    def detectors(self, known: Mapping[str, frozenset[str]]) -> frozenset[str]:
        """Those that must look, for what they find may keep the message from where it goes."""
        if self._weighs:
            return self._classes.detectors(known)
        if self._route is None:
            return frozenset()
        return self._classes.detectors(known, self._route.clearance)

    def note(self, finding: Finding, *, replaced: bool, passage: Passage | None = None) -> None:
        """A finding, and whether it is replaced by something that tells nothing.

        passage: where it was found, if it has a place.
        """
        data = self._classes.of(finding)
        if data is not None:
            self.shown |= data
            if not replaced:
                self.left |= data
                if passage is not None:
                    self.left_in[passage] = self.left_in.get(passage, data) | data


@dataclass(frozen=True, slots=True)
class Clearing:
    """Says which texts of a message may go along which routes.

    data: what is known of the message as a whole. final: whether findings add nothing to it.
    """

    classes: Classes
    data: DataClass
    final: bool = False

    def detectors(self, route: Route, known: Mapping[str, frozenset[str]]) -> frozenset[str]:
        """Those that must look before it can be said."""
        return self.classes.detectors(known, route.clearance)

    def allows(self, route: Route, left: Iterable[Finding]) -> bool:
        """Whether a text may go there with these of its findings still in it."""
        found = self.data if self.final else self.data | shown(self.classes, left)
        return not route.clearance.lacks(found)


def shown(classes: Classes, findings: Iterable[Finding]) -> DataClass:
    """The class that these findings show together."""
    return reduce(or_, filter(None, map(classes.of, findings)), LEAST)


def given(exchange: Exchange, classes: Classes, carried: DataClass | None) -> Sensitivity:
    """What is known before any text is judged: the label, the key's own class, what sticks to it.

    carried: what sticks to it, from earlier turns; None if that cannot be looked up. A label only
    ever raises the class, unless the key has a role that may lower it. Raises Refused for a label
    that is none.
    """
    who, label = exchange.principal, _label(exchange.headers.get(LABEL_HEADER, ""))
    before = carried or LEAST
    known = classes.default | before
    if who.data_class:
        known |= classes.known(_label(who.data_class))
    lowered = False
    if label:
        try:
            said = classes.named(label)
        except KeyError:
            raise Refused(_unknown(classes)) from None
        lowered = not classes.lowering.isdisjoint(who.roles)
        known = said if lowered else known | said
    unsure = carried is None and not lowered
    return Sensitivity(known, label, lowered, known, known, LEAST, before, unsure)


def settle(data: Sensitivity, classing: Classing) -> None:
    """Note what the texts have shown, in place of what an earlier judging has noted."""
    if data.lowered:
        return
    data.shown = data.given | classing.shown
    data.sent = data.given | classing.left


def settle_more(data: Sensitivity, classing: Classing) -> None:
    """The same for one more message of a session: its upstream knows what went before."""
    shown = data.shown
    settle(data, classing)
    data.shown |= shown


def not_cleared(data: DataClass, route: Route) -> Refusal | None:
    """Why this data may not go along this route; None if it may."""
    lacks = route.clearance.lacks(data)
    if not lacks:
        return None
    model = route.model or route.backend
    return Refusal(
        NOT_CLEARED,
        f"This request holds data of the class {', '.join(lacks)}, which the model {model!r} may "
        f"not see: the catalogue allows it {', '.join(route.clearance.names)}. Ask a model that "
        "may see it, or take the data out.",
        policy=CATALOGUE,
        rule=CLASSES,
    )


def _label(text: str) -> tuple[str, ...]:
    """The names in a label, each once: it goes on record."""
    names = (name.strip().lower() for name in text.split(","))
    return tuple(dict.fromkeys(name for name in names if name))


def _unknown(classes: Classes) -> Refusal:
    return Refusal(
        "unknown_data_class",
        f"The header Gw-Data-Class names a class that there is not. Known: "
        f"{', '.join(classes.names)}.",
    )
