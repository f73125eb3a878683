"""Tries the gateway in front of a model that Hugging Face's `transformers serve` runs.

Client (the official SDK) -> gateway -> recorder -> server. Everything listens on the
loopback interface and lives in a temporary folder. `scripts/try-transformers` runs it.
"""

import argparse
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import openai
from _checks import Checks, fact
from _gateway import Gateway
from _log import HOSTING, Call, check_log
from _planted import PROMPT, holds_card, holds_email
from _processes import HERE
from _recorder import Recorder
from _transformers_server import MODEL, PROVIDER, make_model, transformers_server, versions_in
from _trying import absolute, trying

MAX_TOKENS = 24
CALL_S = 60

CATALOGUE = """\
apiVersion: gateway/v1
kind: Catalogue
backends:
  - name: local
    kind: openai
    url: http://{host}:{port}/v1
    provider: {provider}
    hosting: {hosting}
    region: local
models:
  - {{name: {model}, backend: local}}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--transformers", required=True, help="a Python that has torch and transformers[serving]"
    )
    parser.add_argument("--gateway", required=True, help="the command `gateway`")
    given = parser.parse_args()
    python, gateway = absolute(given.transformers), absolute(given.gateway)
    return trying(lambda folder: attempt(python, gateway, folder), "try-transformers")


def attempt(python: Path, gateway: Path, folder: Path) -> int:
    """Start it all, ask, check. Returns the exit code."""
    checks = Checks()
    fact("Versions", versions(python))
    fact("Model", f"GPT-2 with random weights: {make_model(python, folder)}")
    with (
        transformers_server(python, folder) as server_port,
        Recorder(server_port) as recorder,
        Gateway([str(gateway)], folder, catalogue(recorder.port)) as running,
    ):
        fact("Prompt", PROMPT)
        url = f"{running.url}/v1"
        with openai.OpenAI(base_url=url, api_key=running.key, timeout=CALL_S) as client:
            calls = [
                Call("unary", ask(client, checks), PROVIDER),
                Call("streamed", ask_streamed(client, checks), PROVIDER),
            ]
        check_sent(recorder, running.key, checks)
        check_recorder(recorder, checks)
        check_log(running, calls, checks)
    return checks.report()


def catalogue(port: int) -> str:
    """One model, on the server at a port of this machine."""
    return CATALOGUE.format(host=HERE, port=port, provider=PROVIDER, hosting=HOSTING, model=MODEL)


def versions(python: Path) -> str:
    """The versions that take part."""
    ours = f"gateway {version('responsible-use-gateway')}, openai {version('openai')}"
    return f"{ours}; {versions_in(python, 'torch', 'transformers')}"


def ask(client: openai.OpenAI, checks: Checks) -> str:
    """One whole answer. Returns the exchange's id."""
    raw = client.chat.completions.with_raw_response.create(
        model=MODEL, messages=[{"role": "user", "content": PROMPT}], max_tokens=MAX_TOKENS
    )
    answer = raw.parse()
    text = answer.choices[0].message.content or ""
    fact("Answer", text)
    check_head("unary", raw.status_code, raw.headers, checks)
    checks.hold("unary: the model's text came back", text.strip())
    checks.hold("unary: tokens are counted", answer.usage and answer.usage.completion_tokens)
    return raw.headers.get("gw-request-id", "")


def ask_streamed(client: openai.OpenAI, checks: Checks) -> str:
    """The same, streamed. Returns the exchange's id."""
    raw = client.chat.completions.with_raw_response.create(
        model=MODEL,
        messages=[{"role": "user", "content": PROMPT}],
        max_tokens=MAX_TOKENS,
        stream=True,
    )
    choices = [chunk.choices[0] for chunk in raw.parse() if chunk.choices]
    text = "".join(choice.delta.content or "" for choice in choices)
    ends = [choice.finish_reason for choice in choices if choice.finish_reason]
    fact("Streamed", f"{text} [{len(choices)} chunks, {', '.join(ends)}]")
    check_head("streamed", raw.status_code, raw.headers, checks)
    kind = raw.headers.get("content-type", "")
    checks.hold("streamed: it is an event stream", kind.startswith("text/event-stream"))
    checks.hold("streamed: the model's text came back", text.strip())
    checks.hold("streamed: in several chunks, with one end", len(choices) > 3 and len(ends) == 1)
    return raw.headers.get("gw-request-id", "")


def check_head(call: str, status: int, headers: Mapping[str, str], checks: Checks) -> None:
    """The status and the label of an answer."""
    label = headers.get("ai-disclosure", "")
    fact("", f"AI-Disclosure: {label}")
    checks.hold(f"{call}: HTTP 200", status == 200)
    checks.hold(
        f"{call}: AI-Disclosure says that a machine wrote it, and whose",
        "mode=machine-generated" in label and f'provider="{PROVIDER}"' in label,
    )


def check_sent(recorder: Recorder, key: str, checks: Checks) -> None:
    """Nothing personal is in what the server was sent; the rest of the prompt is."""
    sent = bytes(recorder.sent)
    texts = [body["messages"][-1]["content"] for body in recorder.bodies()]
    for text in texts:
        fact("Sent", text)
    checks.hold("the server was sent both prompts", len(texts) == 2)
    checks.hold(
        "their ordinary words reached it",
        all("Please write to" in text and "it expires soon" in text for text in texts),
    )
    checks.hold("the e-mail address did not", not holds_email(sent))
    checks.hold("the card number did not", not holds_card(sent))
    checks.hold("the client's gateway key did not", key.encode() not in sent)


def check_recorder(recorder: Recorder, checks: Checks) -> None:
    """Past the gateway the values do arrive: the recorder would have seen them."""
    recorder.sent.clear()
    url = f"http://{HERE}:{recorder.port}/v1"
    with openai.OpenAI(base_url=url, api_key="none", timeout=CALL_S) as client:
        client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": PROMPT}], max_tokens=MAX_TOKENS
        )
    sent = bytes(recorder.sent)
    checks.hold(
        "past the gateway both do: this check sees them", holds_email(sent) and holds_card(sent)
    )


if __name__ == "__main__":
    sys.exit(main())
