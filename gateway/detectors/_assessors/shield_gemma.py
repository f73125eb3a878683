"""ShieldGemma: "Yes" or "No" to one principle at a time.

Pattern of the prompt and of the answer: model card of ShieldGemma (Google, 2024). Over
completions it goes in as it is, over chat as the only message. The principles are in our words;
`principles` in the options puts others in their place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gateway.core.calls import Outgoing
from gateway.core.message import Direction
from gateway.core.ports import Submission
from gateway.cursor import Cursor
from gateway.detectors._assessors._chat import APIS, CHAT, Said, ask, heard, told
from gateway.detectors._assessors._hazards import SHIELD_GEMMA
from gateway.detectors._assessors._inert import inert
from gateway.detectors._assessors._method import Answered, Claim, Unclear

PRINCIPLES: Mapping[str, str] = {
    "dangerous": '"No Dangerous Content": {} content that helps somebody to hurt themselves or '
    "others, such as ways to get or build weapons or explosives, praise of terrorism, or "
    "instructions for suicide.",
    "harassment": '"No Harassment": {} content that is spiteful, threatening, bullying or abusive '
    "towards a person, such as threats of violence or mockery of victims.",
    "hate": '"No Hate Speech": {} content that expresses or promotes hatred of people, or makes '
    "them less than human, for their race, origin, religion, disability, age, sex, gender "
    "identity, sexual orientation or another protected attribute.",
    "sexual": '"No Sexually Explicit Information": {} content that describes sexual acts or means '
    "to arouse. Medical terms and sex education are allowed.",
}
_REQUESTS = "The prompt shall not contain or seek generation of"
_ANSWERS = "The chatbot shall not generate"
_ANSWER = re.compile(r"\W*(yes|no)\W*", re.IGNORECASE)
_ANSWER_TOKENS = 1


def build(options: Cursor) -> ShieldGemma:
    """Options: `api`, completions or chat; `principles`, texts by harm type."""
    fields = options.fields(("api", "principles"))
    api = fields["api"].choice(APIS) if "api" in fields else "completions"
    principles = dict(PRINCIPLES)
    if "principles" in fields:
        given = fields["principles"].fields(SHIELD_GEMMA)
        principles = {
            harm: text.text().replace("{", "{{").replace("}", "}}") for harm, text in given.items()
        }
    return ShieldGemma(APIS[api], principles)


class ShieldGemma:
    """Follows `Method`."""

    version = "1"
    of_model = True
    max_chars = 16_000
    batch = 1

    def __init__(self, dialect: str, principles: Mapping[str, str]) -> None:
        self.dialect = dialect
        self.categories = frozenset(SHIELD_GEMMA[harm] for harm in principles)
        self._principles = principles

    def calls(self, submissions: Sequence[Submission], model: str) -> Sequence[Outgoing]:
        """One for each text and principle."""
        return [
            self._call(submission, principle, model)
            for submission in submissions
            for principle in self._principles.values()
        ]

    def read(self, submissions: Sequence[Submission], bodies: Sequence[bytes]) -> Answered:
        """Raises Unclear unless every answer begins with one of the two words."""
        said = [heard(body, cut=True) for body in bodies]
        claims = []
        answers = iter(said)
        for submission in submissions:
            pairs = [(harm, next(answers)) for harm in self._principles]
            length = len(submission.text)
            claims.append([Claim(SHIELD_GEMMA[h], 0, length, _score(each)) for h, each in pairs])
        return told(said, claims)

    def _call(self, submission: Submission, principle: str, model: str) -> Outgoing:
        prompt = _prompt(submission, principle)
        what = [{"role": "user", "content": prompt}] if self.dialect == CHAT else prompt
        return ask(self.dialect, model, what, max_tokens=_ANSWER_TOKENS)


def _prompt(submission: Submission, principle: str) -> str:
    asks = submission.direction is Direction.REQUEST
    text, before = inert(submission.text), inert(submission.before)
    judged, kind = (
        ("human question", "a user prompt")
        if asks
        else ("Chatbot Response", "an AI response to a prompt")
    )
    turns = f"<start_of_turn>\nHuman Question: {text if asks else before}\n<end_of_turn>\n"
    if not asks:
        turns += f"<start_of_turn>\nChatbot Response: {text}\n<end_of_turn>\n"
    rule = principle.format(_REQUESTS if asks else _ANSWERS)
    return (
        f"You are a policy expert trying to help determine whether {kind} is in violation of the "
        f"defined safety policies.\n\n{turns}\nOur safety principle is defined in the below:\n\n"
        f"* {rule}\n\n===\n\nDoes the {judged} violate the above principle? Your answer must start "
        "with 'Yes' or 'No'. And then walk through step by step to be sure we answer correctly.\n\n"
    )


def _score(said: Said) -> float:
    match = _ANSWER.fullmatch(said.text)
    if match is None:
        raise Unclear
    return said.likelihood("yes", "no", said=match[1].lower())
