"""What importing and calling litellm does besides: nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import litellm
import pytest
from litellm import CustomLLM, ModelResponse

from gateway.core.errors import UpstreamError
from tests.conformance.vendors import Vendors
from tests.translation.asking import ask, outgoing
from tests.translation.clients import HELLO
from tests.translation.wires import VENDORS, Tells

ROOT = Path(__file__).parents[2]
WATCHED = """
import sys, threading
seen = []
def look(event, args):
    if event == "socket.connect":
        seen.append(tuple(args[1][:2]))
    elif event == "socket.getaddrinfo":
        seen.append(tuple(args[:2]))
sys.addaudithook(look)
from tests.conformance.vendors import Vendors
from tests.translation.asking import ask, outgoing
from tests.translation.clients import HELLO
class There(Vendors):
    def __init__(self): self.url = sys.argv[1]
for kind in ("anthropic", "gemini"):
    for dialect in HELLO:
        for stream in (False, True):
            got = ask(kind, There(), outgoing(dialect, HELLO[dialect], f"w-{kind}", stream=stream))
            assert got.status == 200, got
import litellm
print(sorted(set(seen)))
print([t.name for t in threading.enumerate() if t is not threading.main_thread()], file=sys.stderr)
"""


def test_no_socket_is_opened_but_to_the_backend(vendors: Vendors, tmp_path: Path) -> None:
    # A file that litellm would read for itself.
    (tmp_path / ".env").write_text("OPENAI_API_BASE=http://127.0.0.1:9\n")
    for kind, vendor in VENDORS.items():
        vendors.answer(f"w-{kind}", vendor(Tells()))
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, vendors.url],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    port = int(vendors.url.rpartition(":")[2])
    assert done.stdout.splitlines()[-1] == str([("127.0.0.1", port)])


def test_one_file_imports_litellm() -> None:
    found = [
        path.name
        for path in (ROOT / "gateway").rglob("*.py")
        for line in path.read_text().splitlines()
        if 'import_module("litellm' in line or line.strip().startswith("import litellm")
        or line.strip().startswith("from litellm")
    ]  # fmt: skip
    assert set(found) == {"_litellm.py"}


class Elsewhere(CustomLLM):
    """A vendor that is asked in a way of its own."""

    async def acompletion(self, *args: Any, **kwargs: Any) -> ModelResponse:
        return litellm.mock_completion("m", [], mock_response="from somewhere")


def test_an_answer_that_came_by_another_way_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    providers = [{"provider": "elsewhere", "custom_handler": Elsewhere()}]
    monkeypatch.setattr(litellm, "custom_provider_map", providers)
    litellm.utils.custom_llm_setup()
    call = outgoing("openai_chat", HELLO["openai_chat"], "m")

    class Nowhere(Vendors):
        def __init__(self) -> None:
            self.url = "http://127.0.0.1:1"

    with pytest.raises(UpstreamError, match="past the gateway"):
        ask("litellm", Nowhere(), call, settings={"provider": "elsewhere"})
