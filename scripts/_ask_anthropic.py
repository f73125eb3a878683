"""Asks one model with Anthropic's own client: the gateway translates for the server and back."""

import anthropic
from _behind import CALL_S, MAX_TOKENS, Behind
from _checks import Checks, fact
from _log import Call
from _planted import PROMPT, SECRET_PROMPT

SYSTEM = "Answer in one short sentence."


def ask_anthropic(url: str, key: str, behind: Behind, checks: Checks) -> list[Call]:
    """Make every kind of call. Returns them as the log must have them."""
    fact("Client", f"anthropic, asking {behind.model}")
    # A call is made once: a second would be counted as a second prompt at the server.
    with anthropic.Anthropic(base_url=url, api_key=key, timeout=CALL_S, max_retries=0) as client:
        asking = _Asking(client, key, behind, checks)
        return [asking.unary(), asking.streamed(), asking.blocked()]


class _Asking:
    def __init__(
        self, client: anthropic.Anthropic, key: str, behind: Behind, checks: Checks
    ) -> None:
        self._client = client
        self._key = key
        self._behind = behind
        self._checks = checks

    def unary(self) -> Call:
        name = self._name("unary")
        raw = self._client.messages.with_raw_response.create(**self._question(PROMPT))
        answer = raw.parse()
        fact("Answer", text_of(answer))
        return self._answered(name, answer, raw.headers)

    def streamed(self) -> Call:
        """By the client's own helper, which puts the answer together from its events."""
        name = self._name("streamed")
        with self._client.messages.stream(**self._question(PROMPT)) as stream:
            pieces = list(stream.text_stream)
            answer = stream.get_final_message()
            headers = stream.response.headers
        fact("Streamed", f"{''.join(pieces)} [{len(pieces)} pieces, {answer.stop_reason}]")
        self._checks.hold(f"{name}: in several pieces", len(pieces) > 3)
        return self._answered(name, answer, headers)

    def blocked(self) -> Call:
        name = self._name("secret")
        try:
            self._client.messages.create(**self._question(SECRET_PROMPT))
        except anthropic.APIStatusError as err:
            self._behind.check_nothing_sent(name, err.status_code, str(err), self._checks)
            exchange_id = err.response.headers.get("gw-request-id", "")
            return Call(name, exchange_id, self._behind.provider, outcome="blocked")
        self._checks.hold(f"{name}: the SDK raises its error for a refusal", holds=False)
        self._behind.recorder.sent.clear()
        return Call(name, "", self._behind.provider, outcome="blocked")

    def _answered(self, name: str, answer: anthropic.types.Message, headers: object) -> Call:
        checks = self._checks
        checks.hold(f"{name}: the model's text came back", text_of(answer).strip())
        checks.hold(
            f"{name}: it says why it ended", answer.stop_reason in {"end_turn", "max_tokens"}
        )
        checks.hold(
            f"{name}: tokens are counted both ways",
            answer.usage.input_tokens and answer.usage.output_tokens,
        )
        exchange_id = self._behind.check_head(name, headers, checks)
        self._behind.check_sent(name, self._key, checks, system=SYSTEM)
        return Call(name, exchange_id, self._behind.provider)

    def _question(self, text: str) -> dict[str, object]:
        return {
            "model": self._behind.model,
            "system": SYSTEM,
            "messages": [{"role": "user", "content": text}],
            "max_tokens": MAX_TOKENS,
        }

    def _name(self, call: str) -> str:
        return f"{self._behind.model}, anthropic, {call}"


def text_of(answer: anthropic.types.Message) -> str:
    """All text of an answer."""
    return "".join(block.text for block in answer.content if block.type == "text")
