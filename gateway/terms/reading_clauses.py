"""The clauses of a profile: each asks for what its class can give, and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from gateway.cursor import Cursor
from gateway.terms.facts import NAME, VALUED
from gateway.terms.places import PATTERN, spelt_out
from gateway.terms.profile import Certainty, Class, Clause

MAX_CLAUSES = 200
ID = r"[a-z][a-z0-9-]{0,62}"
CLAUSE_NEEDED = ("id", "reference", "class", "certainty", "summary")
CLAUSE_KEYS = (
    *CLAUSE_NEEDED, "hazards", "domains", "modalities", "action", "min_score", "regions",
    "min_age", "tiers", "attests",
)  # fmt: skip
ACTIONS = ("flag", "block")
MODALITIES = ("text", "image", "audio", "video", "file")
SUBJECTS = ("licensee", "end_user")
# What only clauses of these classes may say.
_OWN = {
    "action": (Class.DETECT, Class.ATTEST),
    "min_score": (Class.DETECT, Class.ATTEST),
    "regions": (Class.ENFORCE,),
    "min_age": (Class.ENFORCE,),
    "tiers": (Class.ENFORCE,),
    "attests": (Class.ATTEST,),
}
_EXCLUDING = ("regions", "min_age", "tiers")


def read_clauses(
    cursor: Cursor, hazards: Collection[str], tiers: Collection[str] = ()
) -> tuple[Clause, ...]:
    """All clauses. Raises ConfigError.

    hazards, tiers: what they may name; without tiers any.
    """
    found: dict[str, Clause] = {}
    for item in cursor.items():
        if len(found) >= MAX_CLAUSES:
            raise item.error(f"more than {MAX_CLAUSES} clauses in one profile.")
        clause = _clause(item, hazards, tiers)
        if clause.id in found:
            raise item.error(f"the id {clause.id!r} is taken.")
        found[clause.id] = clause
    return tuple(found.values())


def _clause(cursor: Cursor, hazards: Collection[str], tiers: Collection[str]) -> Clause:
    ident = cursor.fields(CLAUSE_KEYS, CLAUSE_NEEDED)["id"].text(
        ID, "small letters, digits and hyphens"
    )
    cursor = cursor.named(f"clause {ident!r}")
    fields = cursor.fields(CLAUSE_KEYS)
    klass = Class(fields["class"].choice([each.value for each in Class]))
    certainty = Certainty(fields["certainty"].choice([each.value for each in Certainty]))
    _check(cursor, fields, klass, certainty)
    regions, of = _regions(fields["regions"]) if "regions" in fields else (frozenset(), "")
    return Clause(
        id=ident,
        reference=fields["reference"].text(),
        klass=klass,
        certainty=certainty,
        summary=fields["summary"].text(),
        hazards=tuple(fields["hazards"].choices(hazards)) if "hazards" in fields else (),
        domains=tuple(fields["domains"].texts()) if "domains" in fields else (),
        modalities=_choices(fields, "modalities", MODALITIES),
        action=_action(fields),
        min_score=fields["min_score"].fraction() if "min_score" in fields else 0.0,
        regions=regions,
        of=of,
        min_age=fields["min_age"].count() if "min_age" in fields else 0,
        tiers=_tiers(fields["tiers"], tiers) if "tiers" in fields else frozenset(),
        attests=_attests(fields),
    )


def _check(cursor: Cursor, fields: Mapping[str, Cursor], klass: Class, sure: Certainty) -> None:
    for key, classes in _OWN.items():
        if key in fields and klass not in classes:
            names = " or ".join(each.value for each in classes)
            raise fields[key].error(f"only a clause of the class {names} has this.")
    if "action" in fields and "hazards" not in fields:
        raise fields["action"].error("needs hazards: it is what is done about them.")
    if klass is Class.DETECT and "hazards" not in fields:
        raise cursor.error("a clause of the class detect names the hazards it is about.")
    if klass is Class.ATTEST and "attests" not in fields:
        raise cursor.error("a clause of the class attest names what is to be attested.")
    if klass is Class.ENFORCE and sum(key in fields for key in _EXCLUDING) != 1:
        raise cursor.error("a clause of the class enforce has one of regions, min_age and tiers.")
    if sure is Certainty.UNCLEAR and (
        klass in (Class.ENFORCE, Class.ATTEST) or _action(fields) == "block"
    ):
        raise cursor.error(
            "nothing is stopped by what is unclear. Make it a clause of the class record, or of "
            "the class detect with the action flag."
        )


def _action(fields: Mapping[str, Cursor]) -> str:
    if "hazards" not in fields:
        return ""
    return fields["action"].choice(ACTIONS) if "action" in fields else ACTIONS[0]


def _choices(fields: Mapping[str, Cursor], key: str, known: Collection[str]) -> frozenset[str]:
    return frozenset(fields[key].choices(known)) if key in fields else frozenset()


def _tiers(cursor: Cursor, known: Collection[str]) -> frozenset[str]:
    return frozenset(cursor.choices(known) if known else cursor.texts())


def _regions(cursor: Cursor) -> tuple[frozenset[str], str]:
    fields = cursor.fields(("deny", "of"), ("deny", "of"))
    fields["deny"].texts()
    codes = [
        item.text(PATTERN, "a country by its code of two letters, EU or EEA")
        for item in fields["deny"].items()
    ]
    return spelt_out(codes), fields["of"].choice(SUBJECTS)


def _attests(fields: Mapping[str, Cursor]) -> str:
    if "attests" not in fields:
        return ""
    name = fields["attests"].text(NAME, "small letters, digits and '_'")
    if name in VALUED:
        raise fields["attests"].error(f"{name!r} has a value; clauses of the class enforce ask it.")
    return name
