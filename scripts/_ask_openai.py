"""Asks one model with OpenAI's own client: the gateway passes its bytes on to the server."""

import json

import openai
from _behind import CALL_S, MAX_TOKENS, Behind
from _checks import Checks, fact
from _log import Call
from _planted import PROMPT, SECRET_PROMPT

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 12}},
    "required": ["city"],
    "additionalProperties": False,
}


def ask_openai(url: str, key: str, behind: Behind, checks: Checks) -> list[Call]:
    """Make every kind of call. Returns them as the log must have them."""
    fact("Client", f"openai, asking {behind.model}")
    # A call is made once: a second would be counted as a second prompt at the server.
    with openai.OpenAI(base_url=f"{url}/v1", api_key=key, timeout=CALL_S, max_retries=0) as client:
        asking = _Asking(client, key, behind, checks)
        asking.models()
        calls = [asking.unary(), asking.streamed()]
        if behind.json_mode:
            calls.append(asking.to_schema())
        return [*calls, asking.blocked()]


class _Asking:
    def __init__(self, client: openai.OpenAI, key: str, behind: Behind, checks: Checks) -> None:
        self._create = client.chat.completions.with_raw_response.create
        self._client = client
        self._key = key
        self._behind = behind
        self._checks = checks

    def models(self) -> None:
        listed = [model.id for model in self._client.models.list()]
        self._checks.hold(f"{self._name('models')}: it is listed", self._behind.model in listed)

    def unary(self) -> Call:
        name = self._name("unary")
        raw = self._create(model=self._behind.model, messages=said(PROMPT), max_tokens=MAX_TOKENS)
        answer = raw.parse()
        text = answer.choices[0].message.content or ""
        fact("Answer", text)
        self._checks.hold(f"{name}: the model's text came back", text.strip())
        self._checks.hold(f"{name}: tokens are counted", answer.usage and answer.usage.total_tokens)
        exchange_id = self._behind.check_head(name, raw.headers, self._checks)
        self._behind.check_sent(name, self._key, self._checks)
        return Call(name, exchange_id, self._behind.provider)

    def streamed(self) -> Call:
        name = self._name("streamed")
        raw = self._create(
            model=self._behind.model,
            messages=said(PROMPT),
            max_tokens=MAX_TOKENS,
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = list(raw.parse())
        choices = [choice for chunk in chunks for choice in chunk.choices]
        text = "".join(choice.delta.content or "" for choice in choices)
        ends = [choice.finish_reason for choice in choices if choice.finish_reason]
        fact("Streamed", f"{text} [{len(choices)} chunks, {', '.join(ends)}]")
        self._checks.hold(f"{name}: the model's text came back", text.strip())
        self._checks.hold(
            f"{name}: in several chunks, one end", len(choices) > 3 and len(ends) == 1
        )
        self._checks.hold(f"{name}: tokens are counted", any(chunk.usage for chunk in chunks))
        exchange_id = self._behind.check_head(name, raw.headers, self._checks)
        self._behind.check_sent(name, self._key, self._checks)
        return Call(name, exchange_id, self._behind.provider)

    def to_schema(self) -> Call:
        """JSON mode, with a schema that even a small model must keep to."""
        name = self._name("JSON schema")
        raw = self._create(
            model=self._behind.model,
            messages=said(PROMPT),
            max_tokens=4 * MAX_TOKENS,
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "city", "strict": True, "schema": CITY},
            },
        )
        text = raw.parse().choices[0].message.content or ""
        fact("JSON", text)
        self._checks.hold(f"{name}: the answer is as the schema says", is_city(text))
        exchange_id = self._behind.check_head(name, raw.headers, self._checks)
        self._behind.check_sent(name, self._key, self._checks)
        return Call(name, exchange_id, self._behind.provider)

    def blocked(self) -> Call:
        name = self._name("secret")
        try:
            self._create(
                model=self._behind.model, messages=said(SECRET_PROMPT), max_tokens=MAX_TOKENS
            )
        except openai.APIStatusError as err:
            self._behind.check_nothing_sent(name, err.status_code, str(err), self._checks)
            exchange_id = err.response.headers.get("gw-request-id", "")
            return Call(name, exchange_id, self._behind.provider, outcome="blocked")
        self._checks.hold(f"{name}: the SDK raises its error for a refusal", holds=False)
        self._behind.recorder.sent.clear()
        return Call(name, "", self._behind.provider, outcome="blocked")

    def _name(self, call: str) -> str:
        return f"{self._behind.model}, openai, {call}"


def said(text: str) -> list[dict[str, str]]:
    """A conversation of one message."""
    return [{"role": "user", "content": text}]


def is_city(text: str) -> bool:
    """Whether it is JSON of the schema CITY."""
    try:
        found = json.loads(text)
    except ValueError:
        return False
    return isinstance(found, dict) and found.keys() == {"city"} and isinstance(found["city"], str)
