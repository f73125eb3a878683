"""Texts of many lengths and languages, each new, for whatever must not grow with what it has seen.

Words that nobody has ever written stand among them: a table of words seen, wherever it is kept,
would grow with every text.
"""

from __future__ import annotations

import math
import random

from benchmarks.texts import Texts

SHORTEST_CHARS, LONGEST_CHARS = 20, 600

# (who, does, what): any of each makes a sentence.
_WORDS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "de": (
        ("Die Werkstatt", "Frau Meissner", "Das Amt in Kassel", "Der Entwurf", "Unser Verein"),
        ("prüft", "verschiebt", "bestätigt", "ergänzt", "vergisst"),
        ("die Lieferung", "den Vertrag von gestern", "das zweite Gutachten", "die Rechnung"),
    ),
    "fr": (
        ("L'atelier", "Madame Lefèvre", "La mairie de Nantes", "Le projet", "Notre équipe"),
        ("vérifie", "reporte", "confirme", "complète", "oublie"),
        ("la livraison", "le contrat d'hier", "la deuxième expertise", "la facture"),
    ),
    "es": (
        ("El taller", "La señora Ibáñez", "El ayuntamiento de León", "El borrador", "Mi grupo"),
        ("revisa", "aplaza", "confirma", "completa", "olvida"),
        ("la entrega", "el contrato de ayer", "el segundo informe", "la factura"),
    ),
    "it": (
        ("L'officina", "La signora Bellini", "Il comune di Parma", "La bozza", "La squadra"),
        ("controlla", "rimanda", "conferma", "completa", "dimentica"),
        ("la consegna", "il contratto di ieri", "la seconda perizia", "la fattura"),
    ),
    "nl": (
        ("De werkplaats", "Mevrouw De Wit", "De gemeente Zwolle", "Het ontwerp", "Onze ploeg"),
        ("controleert", "verplaatst", "bevestigt", "vult aan", "vergeet"),
        ("de levering", "het contract van gisteren", "het tweede rapport", "de rekening"),
    ),
    "pt": (
        ("A oficina", "A senhora Tavares", "A câmara de Évora", "O rascunho", "A equipa"),
        ("verifica", "adia", "confirma", "completa", "esquece"),
        ("a entrega", "o contrato de ontem", "o segundo parecer", "a fatura"),
    ),
    "el": (
        ("Το εργαστήριο", "Η κυρία Παππά", "Ο δήμος", "Το σχέδιο", "Η ομάδα"),
        ("ελέγχει", "αναβάλλει", "επιβεβαιώνει", "ξεχνά"),
        ("την παράδοση", "τη σύμβαση", "τη δεύτερη έκθεση", "το τιμολόγιο"),
    ),
    "ja": (
        ("工場は", "田中さんは", "市役所は", "この草案は", "私たちは"),
        ("明日", "来週", "もう一度", "二回目に"),
        ("納品を確認します", "契約を延期します", "報告書を送ります", "請求書を忘れました"),
    ),
}
_SYLLABLES = ("ba", "dor", "fel", "gi", "kan", "lu", "mer", "no", "pi", "ros", "tu", "vex", "wi")


class Varied:
    """A source of texts. The same seed gives the same texts in the same order."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)
        self._english = Texts(seed)

    def text(self) -> str:
        """One text: its length even on a logarithmic scale, its language any of nine."""
        low, high = math.log(SHORTEST_CHARS), math.log(LONGEST_CHARS)
        chars = round(math.exp(self._random.uniform(low, high)))
        language = self._random.choice(("en", *_WORDS))
        out: list[str] = []
        while sum(map(len, out)) < chars:
            out.append(self._sentence(language))
        return " ".join(out)

    def _sentence(self, language: str) -> str:
        if language == "en":
            return f"{self._english.mixed(1)} {self._invented()}."
        who, does, what = map(self._random.choice, _WORDS[language])
        return f"{who} {does} {what} {self._invented()}."

    def _invented(self) -> str:
        word = "".join(self._random.choices(_SYLLABLES, k=self._random.randint(2, 4)))
        return f"{word}{self._random.randrange(1_000_000):06d}"
