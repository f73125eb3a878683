"""Tries the gateway in front of a model that Hugging Face's `transformers serve` runs.

Client (the official SDK) -> gateway -> recorder -> server. Everything listens on the
loopback interface and lives in a temporary folder. `scripts/try-transformers` runs it.
"""

import argparse
import contextlib
import json
import os
import re
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

import openai
from _processes import HERE, Failed, free_ports, output, started
from _recorder import Recorder

ROOT = Path(__file__).resolve().parents[1]
MODEL = "tiny-gpt2"
PROVIDER = "local-transformers"
HOSTING = "self_hosted"
EMAIL = "jane.roe@example.com"
CARD = "4111 1111 1111 1111"
PROMPT = f"Please write to {EMAIL} about the card {CARD}, it expires soon."
MAX_TOKENS = 24
CALL_S = 60
LOG_CHARS = 4_000

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
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    # A proxy has no business between processes of one machine.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = HERE
    with tempfile.TemporaryDirectory(prefix="try-transformers-") as name:
        folder = Path(name)
        try:
            return attempt(absolute(given.transformers), absolute(given.gateway), folder)
        except (Failed, openai.OpenAIError) as err:
            print(f"error: {err}", file=sys.stderr)
            for log in folder.glob("*.log"):
                end = log.read_text(errors="replace")[-LOG_CHARS:]
                print(f"\nThe end of {log.name}:\n{end}", file=sys.stderr)
            return 1


def attempt(python: Path, gateway: Path, folder: Path) -> int:
    """Start it all, ask, check. Returns the exit code."""
    checks = Checks()
    fact("Versions", versions(python))
    fact("Model", f"GPT-2 with random weights: {make_model(python, folder)}")
    with (
        model_server(python, folder) as server_port,
        Recorder(server_port) as recorder,
        Gateway(gateway, folder, recorder.port) as running,
    ):
        fact("Prompt", PROMPT)
        with openai.OpenAI(base_url=running.url, api_key=running.key, timeout=CALL_S) as client:
            ids = {"unary": ask(client, checks), "streamed": ask_streamed(client, checks)}
        check_sent(recorder, running.key, checks)
        check_recorder(recorder, checks)
        check_log(running, ids, checks)
    return checks.report()


class Checks:
    """What was looked at, and whether it holds."""

    def __init__(self) -> None:
        self.found: list[tuple[str, bool]] = []

    def hold(self, what: str, holds: object) -> None:
        """Note one check."""
        self.found.append((what, bool(holds)))

    def report(self) -> int:
        """Print them all. Returns the exit code: 0 only if all hold."""
        print()
        for what, holds in self.found:
            print(f"  {'ok    ' if holds else 'FAILED'}  {what}")
        held = sum(holds for _, holds in self.found)
        print(f"\n{held} of {len(self.found)} checks hold.")
        return 0 if held == len(self.found) else 1


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


def check_log(running: "Gateway", ids: Mapping[str, str], checks: Checks) -> None:
    """Both exchanges are on record, and the record holds."""
    log = running.run("audit", "query", "--json", "--oldest-first")
    entries = [json.loads(line) for line in log.splitlines()]
    for call, exchange_id in ids.items():
        mine = [entry for entry in entries if entry["exchange_id"] == exchange_id]
        checks.hold(
            f"{call}: the log has its opened and its closed entry",
            [entry["kind"] for entry in mine] == ["exchange.opened", "exchange.closed"],
        )
        checks.hold(
            f"{call}: both name the provider, and that it is self-hosted",
            {(entry["provider"], entry["data"]["hosting"]) for entry in mine}
            == {(PROVIDER, HOSTING)},
        )
        checks.hold(f"{call}: it is completed", mine and mine[-1]["outcome"] == "completed")
    whole = log.encode()
    checks.hold("the log holds neither value", not holds_email(whole) and not holds_card(whole))
    report = json.loads(running.run("audit", "verify", "--json"))
    fact("Log", f"{report['entries']} entries, {report['exchanges']} exchanges")
    checks.hold("`gateway audit verify` passes", report["ok"])
    checks.hold("it finds no exchange without its end", report["unclosed_count"] == 0)


def holds_email(data: bytes) -> bool:
    """Whether the address, or either half of it, is in there."""
    return any(half.encode() in data.lower() for half in EMAIL.split("@"))


def holds_card(data: bytes) -> bool:
    """Whether the card's digits are in there, whatever stands between them."""
    return re.sub(r"\D", "", CARD).encode() in re.sub(rb"\D", b"", data)


class Gateway:
    """The gateway, with a data folder, a catalogue and a key of its own."""

    def __init__(self, command: Path, folder: Path, upstream_port: int) -> None:
        self._command = str(command)
        self._folder = folder
        self._port, self._admin_port = free_ports(2)
        self._running = contextlib.ExitStack()
        self.url = f"http://{HERE}:{self._port}/v1"
        self.key = ""
        catalogue = folder / "catalogue.yaml"
        catalogue.write_text(
            CATALOGUE.format(
                host=HERE, port=upstream_port, provider=PROVIDER, hosting=HOSTING, model=MODEL
            )
        )
        # What is set for another gateway must not reach this one.
        kept = {k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_")}
        self._environ = {
            **kept,
            "GATEWAY_DATA": str(folder / "gateway"),
            "GATEWAY_CATALOGUE": str(catalogue),
        }

    def __enter__(self) -> "Gateway":
        self.run("db", "upgrade")
        self.key = json.loads(self.run("keys", "new", "try-transformers", "--json"))["key"]
        ports = ["--host", HERE, "--port", str(self._port), "--admin-port", str(self._admin_port)]
        took_s = self._running.enter_context(
            started(
                [self._command, "serve", *ports],
                environ=self._environ,
                log=self._folder / "gateway.log",
                port=self._port,
                path="/readyz",
                cwd=self._folder,
            )
        )
        fact("Gateway", f"ready after {took_s:.1f} s")
        return self

    def __exit__(self, *error: object) -> None:
        self._running.close()

    def run(self, *arguments: str) -> str:
        """What a command prints. Raises Failed if it does not exit with 0."""
        return output([self._command, *arguments], environ=self._environ, cwd=self._folder)


@contextlib.contextmanager
def model_server(python: Path, folder: Path) -> Iterator[int]:
    """`transformers serve` for the model in the folder, without a way to any hub; its port."""
    (port,) = free_ports(1)
    options = ["--host", HERE, "--port", str(port), "--device", "cpu", "--default-seed", "0"]
    # The model is named relative to the working folder: requests must ask for that very name.
    with started(
        [str(python.with_name("transformers")), "serve", MODEL, *options],
        environ=offline(folder),
        log=folder / "server.log",
        port=port,
        path="/health",
        cwd=folder,
    ) as took_s:
        fact("Server", f"transformers serve, ready after {took_s:.1f} s")
        yield port


def make_model(python: Path, folder: Path) -> str:
    """Make and save the model. Returns its measures."""
    script = ROOT / "scripts" / "_tiny_gpt2.py"
    command = [str(python), str(script), MODEL, str(ROOT / "LICENSE")]
    return output(command, environ=offline(folder), cwd=folder)


def offline(folder: Path) -> dict[str, str]:
    """An environment in which Transformers asks nobody and leaves nothing elsewhere."""
    return {
        **os.environ,
        "HF_HOME": str(folder / "hub"),
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }


def versions(python: Path) -> str:
    """The versions that take part."""
    script = (
        "import platform, importlib.metadata as m; print('Python ' + platform.python_version(),"
        " *(f'{name} {m.version(name)}' for name in ('torch', 'transformers')), sep=', ')"
    )
    theirs = output([str(python), "-c", script], environ=os.environ, cwd=ROOT)
    ours = f"gateway {version('responsible-use-gateway')}, openai {version('openai')}"
    return f"{ours}; {theirs}"


def absolute(name: str) -> Path:
    """The path from the root, links left as they are: a link is what makes an environment."""
    return Path(name).absolute()


def fact(name: str, text: str) -> None:
    """One line of the report."""
    print(f"{name:<9} {' '.join(text.split())}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
