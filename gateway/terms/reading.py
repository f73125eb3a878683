"""A document becomes a `Profile`, or an error that says which line to mend."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from gateway import documents
from gateway.cursor import Cursor
from gateway.documents import Document
from gateway.terms.profile import (
    API_VERSION,
    KIND,
    Acceptance,
    Certainty,
    Notice,
    Profile,
    Source,
)
from gateway.terms.reading_clauses import read_clauses
from gateway.terms.reading_examples import read_examples
from gateway.terms.reading_handling import read_data, read_days, read_output_use, read_tiers

ID = r"[a-z0-9][a-z0-9-]{0,40}/[a-z0-9][a-z0-9.-]{0,40}"
REV = r"[0-9A-Za-z][0-9A-Za-z.-]{0,40}"
URL = r"https://\S+"
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
SHA256 = r"[0-9a-f]{64}"

TOP_KEYS = (
    "apiVersion", "kind", "metadata", "sources", "applies_to", "license", "acceptance",
    "tiers", "clauses", "notices", "disclose_ai", "output_use", "data", "examples",
)  # fmt: skip
TOP_NEEDED = (
    "apiVersion", "kind", "metadata", "sources", "applies_to", "license", "acceptance", "clauses",
)  # fmt: skip
METADATA_NEEDED = ("id", "rev", "status", "title", "summary")
METADATA_KEYS = (*METADATA_NEEDED, "certainty")
SOURCE_KEYS = ("title", "kind", "url", "date", "retrieved", "sha256", "certainty")
SOURCE_NEEDED = ("title", "kind", "certainty")
SOURCE_KINDS = ("license", "terms", "policy", "notice")
# A file only ever holds drafts, or what is no longer to be used: approving is an act on record.
STATUSES = ("draft", "superseded")
LICENCE_CLASSES = ("permissive", "community", "rail", "research", "proprietary_api")
ACCEPTANCE_NEEDED = ("required",)
ACCEPTANCE_KEYS = ("required", "valid_days", "grace_days")
NOTICE_KEYS = ("id", "clause", "text", "where")
NOTICE_PLACES = ("ui", "docs", "distribution")
DISCLOSURES = ("none", "session_start", "per_output")


def load(path: Path, hazards: Collection[str]) -> dict[str, Profile]:
    """All profiles of a file or of a folder's own *.yaml files, by id; not those superseded.

    hazards: the ids that clauses may name. Raises ConfigError with file and line.
    """
    found: dict[str, Profile] = {}
    for file in sorted(path.glob("*.yaml")) if path.is_dir() else [path]:
        for document in documents.load(file):
            profile = read(document, hazards)
            if profile.id in found:
                raise document.error(
                    ("metadata", "id"), f"there is another profile {profile.id!r}."
                )
            found[profile.id] = profile
    return {id_: each for id_, each in found.items() if each.status == "draft"}


def read(document: Document, hazards: Collection[str]) -> Profile:
    """The profile in a document. Raises ConfigError with file, line and what is known."""
    top = Cursor.top(document).fields(TOP_KEYS, TOP_NEEDED)
    top["apiVersion"].choice([API_VERSION])
    top["kind"].choice([KIND])
    metadata = top["metadata"].fields(METADATA_KEYS, METADATA_NEEDED)
    applies = top["applies_to"].fields(("providers", "models"))
    licence = top["license"].fields(("spdx", "class"), ("class",))
    tiers = read_tiers(top["tiers"]) if "tiers" in top else ()
    clauses = read_clauses(top["clauses"], hazards, tiers)
    ids = [clause.id for clause in clauses]
    return Profile(
        id=metadata["id"].text(ID, "an id such as meta/llama-4-community"),
        rev=metadata["rev"].text(REV, "a revision such as 2025-04-05.r1"),
        title=metadata["title"].text(),
        summary=metadata["summary"].text(),
        status=metadata["status"].choice(STATUSES),
        certainty=_certainty(metadata),
        sources=tuple(_source(item) for item in top["sources"].items()),
        providers=_globs(applies, "providers"),
        models=_globs(applies, "models"),
        licence=licence["spdx"].text() if "spdx" in licence else "",
        licence_class=licence["class"].choice(LICENCE_CLASSES),
        acceptance=_acceptance(top["acceptance"]),
        clauses=clauses,
        notices=_notices(top["notices"], ids) if "notices" in top else (),
        disclose_ai=top["disclose_ai"].choice(DISCLOSURES) if "disclose_ai" in top else "none",
        output_use=read_output_use(top["output_use"], clauses) if "output_use" in top else {},
        data=read_data(top["data"], clauses, tiers) if "data" in top else {},
        tiers=tiers,
        examples=read_examples(top["examples"], clauses, hazards) if "examples" in top else (),
        at=f"{document.path}:{document.lines.get(('metadata',), 1)}",
        raw=document.value,
    )


def _certainty(fields: Mapping[str, Cursor]) -> Certainty:
    if "certainty" not in fields:
        return Certainty.VERIFIED
    return Certainty(fields["certainty"].choice([each.value for each in Certainty]))


def _source(cursor: Cursor) -> Source:
    fields = cursor.fields(SOURCE_KEYS, SOURCE_NEEDED)
    return Source(
        title=fields["title"].text(),
        kind=fields["kind"].choice(SOURCE_KINDS),
        url=_maybe(fields, "url", URL, "an address that starts with https://"),
        date=_maybe(fields, "date", DATE, "a date such as 2025-04-05"),
        retrieved=_maybe(fields, "retrieved", DATE, "a date such as 2025-04-05"),
        sha256=_maybe(fields, "sha256", SHA256, "64 hex digits"),
        certainty=_certainty(fields),
    )


def _maybe(fields: Mapping[str, Cursor], key: str, pattern: str, hint: str) -> str:
    """A text, or nothing where it is not known: `null`, or left out."""
    if key not in fields or fields[key].value is None:
        return ""
    return fields[key].text(pattern, hint)


def _globs(fields: Mapping[str, Cursor], key: str) -> tuple[str, ...]:
    return tuple(fields[key].texts()) if key in fields else ("*",)


def _acceptance(cursor: Cursor) -> Acceptance:
    fields = cursor.fields(ACCEPTANCE_KEYS, ACCEPTANCE_NEEDED)
    return Acceptance(
        required=fields["required"].truth(),
        valid_days=_days(fields, "valid_days") or 0,
        grace_days=_days(fields, "grace_days"),
    )


def _days(fields: Mapping[str, Cursor], key: str) -> int | None:
    return read_days(fields[key]) if key in fields else None


def _notices(cursor: Cursor, clauses: Collection[str]) -> tuple[Notice, ...]:
    found = []
    for item in cursor.items():
        fields = item.fields(NOTICE_KEYS, NOTICE_KEYS)
        found.append(
            Notice(
                id=fields["id"].text(),
                clause=fields["clause"].choice(clauses),
                text=fields["text"].text(),
                where=fields["where"].choice(NOTICE_PLACES),
            )
        )
    return tuple(found)
