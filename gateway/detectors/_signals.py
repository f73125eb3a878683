"""What can be seen of a stretch of text besides its words: a row of numbers for a model.

Which ideas come up and which follow each other closely (`_ideas`), in any language; marks of
chat templates, hidden text and links; and whether something that asks for an action stands in
the middle of what is plainly data: that is how instructions planted in documents look.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.detectors._ideas import IDEAS, ideas

# Two ideas belong together if at most so many words lie between them.
_NEAR_WORDS = 7

# Name, what one of must be there for it to be worth a search, and what is searched for.
_MARKS: Sequence[tuple[str, tuple[str, ...], str]] = (
    # Tokens of chat templates: ChatML, Llama, Mistral, Gemma, Alpaca (their model cards).
    (
        "chat token",
        ("<|", "inst]", "sys>>", "_of_turn", "s>"),
        r"<\|[a-z_]{2,20}\|>|\[/?inst\]|<</?sys>>|<(?:start|end)_of_turn>|</?s>",
    ),
    ("heading", ("##",), r"#{2,4} ?(?:system|instruction|response|user|assistant|human)\b"),
    (
        "tag",
        ("<",),
        r"</?(?:system|user|assistant|instructions?|important|information|admin|policy)\b",
    ),
    (
        "field",
        ('"', "'"),
        r"[\"'](?:role|instruction|system|mode|persona|safety|filter|refusal)s?[\"'] ?:",
    ),
    ("comment", ("<!--", "/*", "#", "//"), r"<!--|/\*|[#/] ?(?:ai|note|todo|system|ignore)\b"),
    (
        "hidden",
        (":",),
        r"display: ?none|visibility: ?hidden|font-size: ?[01]\b|color: ?(?:white|#fff)",
    ),
    (
        "border",
        ("--", "==", "**", "##", "~~", "<<", ">>"),
        r"[-=*#~<>]{2} ?(?:end|new|begin|system|start|stop)",
    ),
    ("image", ("![",), r"!\[[^\]\n]{0,80}\]\("),
    (
        "script",
        ("<", "javascript:"),
        r"<(?:script|img|iframe|svg)\b|javascript:|onerror ?=|onload ?=",
    ),
    ("link", ("http", "www.", ".com", ".net", ".org", ".io", ".example"), ""),
    ("mail", ("@",), r"\w@[\w-]{2,40}\.[a-z]{2}"),
    (
        "slot",
        ("[", "{{"),
        r"\[(?:query|insert|your|prompt|question|data|name|request)[^\]\n]{0,40}\]|\{\{",
    ),
    ("fence", ("```",), ""),
    (
        "program",
        ("import ", "requests.", "subprocess", "os.system", "curl ", "eval(", "exec(", "socket"),
        "",
    ),
    ("shout", ("!!", "***"), ""),
)
_FOUND = tuple(re.compile(pattern) if pattern else None for _, _, pattern in _MARKS)
_ROLE_NAMES = "system user assistant human ai gpt bot instruction response q a"
_ROLES = frozenset(_ROLE_NAMES.split())

_PIECE = re.compile(r"\n+|(?<=[.!?:])[\"')\]]*\s+|\|")
_WORD = re.compile(r"[^\W\d_]+")
_DIGIT = re.compile(r"\d")
_INNER = re.compile(r"[^\w'’.,:@/-]")
_CAPITAL = re.compile(r"[A-ZÀ-ÖØ-Þ]")
# A request begins with one of these. Third persons and nouns of other languages are not so sharp.
_REQUEST_WORDS = (
    "write tell give explain show list describe make create add send ignore forget include say "
    "print reveal provide use translate summarize summarise compose generate find recommend name "
    "suggest answer respond repeat output append insert put begin start end act pretend imagine "
    "please do don't never always must you let run execute call delete forward transfer share open "
    "visit click download install change update set reset disable enable grant book buy cancel "
    "post mention tell insert convert replace remove encode reverse scramble shuffle misspell "
    "substitute modify enhance embed integrate incorporate introduce draft plan compute calculate "
    "identify outline help can could would what how why who when where which is are "
    "schreib schreibe schreiben sag sage zeig zeige erkläre erzähl erzähle gib nenne füge sende "
    "schick schicke leite lösche ignoriere vergiss bitte antworte übersetze fasse was wie warum "
    "wer kannst können du sie ersetze empfiehl öffne führe ändere buche überweise "
    "écris dis montre explique raconte donne ajoute envoie transfère supprime ignore oublie "
    "réponds traduis résume quel quelle comment pourquoi qui peux pouvez tu vous révèle affiche "
    "recommande escribe di muestra explica cuenta dame añade envía reenvía borra ignora "
    "olvida responde "
    "traduce resume cuál cómo qué quién puedes por revela imprime recomienda transfiere comparte "
    "scrivi mostra spiega racconta dammi aggiungi manda inoltra elimina dimentica rispondi traduci "
    "riassumi qual come chi puoi rivela stampa consiglia trasferisci condividi "
    "schrijf zeg toon leg vertel geef voeg stuur verwijder negeer vergeet antwoord vertaal vat wat "
    "hoe waarom wie kun onthul raad deel open alsjeblieft "
    "escreva diga mostre explique conte dê acrescente envie encaminhe apague esqueça responda "
    "traduza resuma quem pode você revele imprima recomende transfira compartilhe"
)
_REQUESTS = frozenset(_REQUEST_WORDS.split())
_SHAPE = (
    "pieces", "data", "requests", "questions", "first request", "last request",
    "request beside data", "request amid prose", "request then data", "data then request",
    "letters", "digits", "marks", "capitals", "long words", "odd tokens", "length", "lines",
    "roles", "short words",
)  # fmt: skip

_I = len(IDEAS)
SIZE = _I + _I * _I + len(_MARKS) + len(_SHAPE)

Floats = NDArray[np.float32]


def signals(texts: Sequence[str]) -> Floats:
    """One row of SIZE numbers, 0 to 1, for each text."""
    out = np.zeros((len(texts), SIZE), dtype=np.float32)
    for row, text in zip(out, texts, strict=True):
        lowered = text.lower()
        _ideas_into(row, lowered)
        at = _I + _I * _I
        for index, (_, needles, _) in enumerate(_MARKS):
            if any(needle in lowered for needle in needles):
                pattern = _FOUND[index]
                row[at + index] = pattern is None or pattern.search(lowered) is not None
        row[at + len(_MARKS) :] = _shape(text, lowered)
    return out


def _ideas_into(row: Floats, lowered: str) -> None:
    places: set[int] = set()
    recent: list[tuple[int, tuple[int, ...]]] = []
    for place, found in ideas(lowered):
        places.update(found)
        while recent and place - recent[0][0] > _NEAR_WORDS:
            del recent[0]
        for _, before in recent:
            for first in before:
                base = _I + first * _I
                for second in found:
                    places.add(base + second)
        recent.append((place, found))
    row[list(places)] = 1


def said(text: str) -> str:
    """The text without what is data: rows of tables, numbers, fields.

    A sentence amid a table would not be seen for all the cells around it.
    """
    kept = [piece for piece in _PIECE.split(text) if _kind(piece.lower()) != "data"]
    return "\n".join(kept)


def _shape(text: str, lowered: str) -> list[float]:
    pieces = [piece for piece in _PIECE.split(lowered) if piece and not piece.isspace()]
    kinds = list(map(_kind, pieces))
    count = max(1, len(kinds))
    data, requests = kinds.count("data"), kinds.count("ask")
    tokens = text.split()
    many, length = max(1, len(tokens)), max(1, len(text))
    letters = sum(map(len, _WORD.findall(lowered)))
    digits = len(_DIGIT.findall(text))
    return [
        min(1.0, count / 12),
        data / count,
        requests / count,
        min(1.0, lowered.count("?") / 2),
        float(kinds[:1] == ["ask"]),
        float(kinds[-1:] == ["ask"]),
        float(requests > 0 and data >= 2),
        float(requests == 1 and count >= 3),
        float(_follows(kinds, "ask", "data")),
        float(_follows(kinds, "data", "ask")),
        letters / length,
        digits / length,
        max(0.0, length - letters - digits - many) / length,
        len(_CAPITAL.findall(text)) / max(1, letters),
        sum(len(token) > 14 for token in tokens) / many,
        sum(map(_odd, tokens)) / many,
        min(1.0, length / 400),
        min(1.0, text.count("\n") / 8),
        min(1.0, sum(_role(piece) for piece in pieces) / 2),
        sum(len(token) == 1 for token in tokens) / many,
    ]


def _follows(kinds: Sequence[str], one: str, other: str) -> bool:
    """Whether one of the other kind comes after one of this."""
    return one in kinds and other in kinds[kinds.index(one) :]


def _role(piece: str) -> bool:
    """Whether a piece in small letters names who speaks, as in "User:"."""
    return piece.endswith(":") and piece.strip(" [](){}<>*#\"':") in _ROLES


def _kind(piece: str) -> str:
    """What a line or sentence in small letters is: data, a request, or prose."""
    words = _WORD.findall(piece)
    if len(words) < 3:
        return "data"
    if words[0] in _REQUESTS or (len(words) > 3 and words[1] == "please"):
        return "ask"
    if len("".join(words)) < 0.6 * len(piece.strip()):
        return "data"
    return "ask" if piece.rstrip().endswith("?") else "prose"


def _odd(token: str) -> bool:
    """Whether marks stand amid letters, as in texts that were found by search."""
    return (
        len(token) > 3
        and not token.isalnum()
        and _INNER.search(token, 1, len(token) - 1) is not None
    )
