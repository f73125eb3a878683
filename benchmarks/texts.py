"""Texts that are new in each request, so that nothing remembered can flatter a measurement.

Sentences are put together from word lists by a seeded random: a run can be repeated, and
no two of its requests say the same.
"""

from __future__ import annotations

import random
from collections.abc import Callable

# Stands in every e-mail address made here, so that the upstream can tell if one arrived.
MAIL_DOMAIN = "customer.example.org"

_OPENINGS = (
    "After the second review", "As agreed last week", "Because the supplier was late",
    "Before the season starts", "Between two shipments", "By the end of the quarter",
    "Compared with the first draft", "Despite the long delay", "During the morning session",
    "For the new warehouse", "Given what the survey showed", "If nothing else changes",
    "In the northern branch", "In this part of the report", "Like every spring",
    "On the second page", "Once the samples were dry", "Since the old pump was replaced",
    "So far", "Somewhat to our surprise", "Under these conditions", "Until the permit arrives",
    "When the team met again", "While the crew was waiting", "With a little more time",
    "Without further tests", "According to the handbook", "Apart from two exceptions",
    "At the lower station", "From a distance", "In a first attempt", "To keep things simple",
)  # fmt: skip
_SUBJECTS = (
    "the committee", "our small workshop", "the latest prototype", "every second valve",
    "the harbour office", "a group of students", "the revised contract", "the green notebook",
    "most of the readings", "the orchard behind the mill", "the training course",
    "an older catalogue", "the ferry timetable", "each of the three pumps", "the night shift",
    "the draft of the letter", "the repair budget", "a careful translation", "the whole shelf",
    "the greenhouse roof", "the quality report", "the school library", "this kind of fabric",
    "the weather station", "the spare engine", "the list of questions", "the river path",
    "the second exhibition", "the delivery note", "the choir", "the stone bridge",
    "the winter schedule",
)  # fmt: skip
_VERBS = (
    "needed", "described", "replaced", "improved", "delayed", "covered", "followed", "confirmed",
    "questioned", "reached", "measured", "explained", "shortened", "supported", "changed",
    "carried", "included", "missed", "matched", "produced", "filled", "summarised", "corrected",
    "finished",
)  # fmt: skip
_OBJECTS = (
    "a simpler way of sorting the parts", "most of what had been planned", "the usual supplies",
    "a longer list than expected", "the instructions for the apprentices",
    "two thirds of the route", "the colour of the older tiles", "a detailed comparison",
    "the work of several months", "an answer that everybody could accept",
    "the missing page of the manual", "the cost of a second visit", "a better seal for the doors",
    "the questions of the visitors", "the harvest of the lower field", "a quieter kind of fan",
    "the storage of the wooden frames", "what the inspectors had asked for",
    "the summary on the last page", "the path along the water", "an unusual amount of rain",
    "the order of the chapters", "a smaller version of the same tool",
    "the training of the new helpers",
)  # fmt: skip
_GIVEN = (
    "Anna", "Bruno", "Carla", "David", "Elena", "Felix", "Greta", "Henry", "Ines", "Jonas",
    "Karin", "Laura", "Martin", "Nina", "Oscar", "Paula", "Robert", "Sofia", "Thomas", "Vera",
)  # fmt: skip
_FAMILY = (
    "Almeida", "Becker", "Carlson", "Duval", "Eriksen", "Fischer", "Garcia", "Hansen", "Ivanova",
    "Jensen", "Keller", "Lindqvist", "Moreau", "Novak", "Olsen", "Petrov", "Rossi", "Schneider",
    "Turner", "Vasquez",
)  # fmt: skip
_PERSONAL_SHARE = 0.05


class Texts:
    """A source of texts. The same seed gives the same texts in the same order."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)
        self._kinds: tuple[Callable[[], str], ...] = (
            self._mail,
            self._phone,
            self._iban,
            self._card,
        )

    def clean(self, chars: int) -> str:
        """About this many characters with nothing personal in them."""
        return self._text(chars, 0.0)

    def mixed(self, chars: int) -> str:
        """The same, but one sentence in twenty holds somebody's data."""
        return self._text(chars, _PERSONAL_SHARE)

    def _text(self, chars: int, share: float) -> str:
        out: list[str] = []
        left = chars
        while left > 0:
            personal = share and self._random.random() < share
            sentence = self._personal() if personal else self._sentence()
            out.append(sentence)
            left -= len(sentence) + 1
        return " ".join(out)

    def _sentence(self) -> str:
        pick = self._random.choice
        return f"{pick(_OPENINGS)}, {pick(_SUBJECTS)} {pick(_VERBS)} {pick(_OBJECTS)}."

    def _personal(self) -> str:
        pick = self._random.choice
        name = f"{pick(_GIVEN)} {pick(_FAMILY)}"
        return f"{pick(_OPENINGS)}, {name} left {pick(self._kinds)()} with the office."

    def _digits(self, count: int) -> str:
        return "".join(self._random.choices("0123456789", k=count))

    def _mail(self) -> str:
        name = f"{self._random.choice(_GIVEN)}.{self._random.choice(_FAMILY)}".lower()
        return f"the address {name}{self._digits(4)}@{MAIL_DOMAIN}"

    def _phone(self) -> str:
        return f"the phone number +44 20 7946 0{self._digits(3)}"

    def _iban(self) -> str:
        account = self._digits(18)
        # ISO 13616: check digits over the account and "DE00" in digits.
        check = 98 - int(f"{account}131400") % 97
        return f"the IBAN DE{check:02d}{account}"

    def _card(self) -> str:
        return f"the card {with_luhn('4' + self._digits(14))}"


def with_luhn(digits: str) -> str:
    """The digits with their check digit behind (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return f"{digits}{-total % 10}"
