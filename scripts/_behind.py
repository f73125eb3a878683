"""A model behind the gateway, and what its server was sent since somebody last looked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from _checks import Checks, fact
from _planted import holds_card, holds_email, holds_secret
from _recorder import Recorder

MAX_TOKENS = 24
# Two busy cores make a few tokens a second.
CALL_S = 180


@dataclass(frozen=True)
class Behind:
    """One model. json_mode: whether its server holds answers to a schema."""

    model: str
    provider: str
    recorder: Recorder
    json_mode: bool

    def check_head(self, call: str, headers: Mapping[str, str], checks: Checks) -> str:
        """The label of an answer. Returns the exchange's id."""
        label = headers.get("ai-disclosure", "")
        fact("", f"AI-Disclosure: {label}")
        checks.hold(
            f"{call}: AI-Disclosure says that a machine wrote it, and whose",
            "mode=machine-generated" in label and f'provider="{self.provider}"' in label,
        )
        return headers.get("gw-request-id", "")

    def check_sent(self, call: str, key: str, checks: Checks, *, system: str = "") -> None:
        """The prompt reached the server once, with placeholders for what is personal."""
        sent, bodies = bytes(self.recorder.sent), self.recorder.bodies()
        self.recorder.sent.clear()
        messages = [message for body in bodies for message in body["messages"]]
        texts = [text_of(message["content"]) for message in messages]
        fact("Sent", " | ".join(texts))
        wanted = ("Please write to EMAIL_", "the card [CREDIT_CARD], it expires soon.")
        checks.hold(
            f"{call}: the server was sent it once, with two placeholders",
            len(bodies) == 1 and all(words in texts[-1] for words in wanted),
        )
        checks.hold(
            f"{call}: neither value and no gateway key reached the server",
            not (holds_email(sent) or holds_card(sent) or key.encode() in sent),
        )
        if system:
            checks.hold(
                f"{call}: the system prompt reached it as one",
                (messages[0]["role"], texts[0]) == ("system", system),
            )

    def check_nothing_sent(self, call: str, status: int, error: str, checks: Checks) -> None:
        """A call was refused, and its server has heard nothing of it."""
        fact("Refused", f"{status} {error}")
        checks.hold(f"{call}: the SDK raises its error for a refusal", 400 <= status < 500)
        checks.hold(f"{call}: the error does not repeat it", not holds_secret(error.encode()))
        checks.hold(f"{call}: no byte reached the server", not self.recorder.sent)


def text_of(content: object) -> str:
    """The text of a message's content, be it a string or a list of parts."""
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return content if isinstance(content, str) else json.dumps(content)
