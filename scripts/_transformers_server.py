"""A tiny GPT-2 and Hugging Face's `transformers serve` for it, without a way to any hub."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from _checks import fact
from _processes import HERE, free_ports, output, started

ROOT = Path(__file__).resolve().parents[1]
MODEL = "tiny-gpt2"
PROVIDER = "local-transformers"


@contextlib.contextmanager
def transformers_server(python: Path, folder: Path) -> Iterator[int]:
    """`transformers serve` for the model in the folder (see make_model); its port."""
    (port,) = free_ports(1)
    options = ["--host", HERE, "--port", str(port), "--device", "cpu", "--default-seed", "0"]
    # The model is named relative to the working folder: requests must ask for that very name.
    with started(
        [str(python.with_name("transformers")), "serve", MODEL, *options],
        environ=offline(folder),
        log=folder / "transformers.log",
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


def versions_in(python: Path, *packages: str) -> str:
    """The versions of packages that another interpreter has, and its own."""
    script = (
        "import importlib.metadata as m, platform, sys; print('Python ' +"
        " platform.python_version(), *(f'{name} {m.version(name)}' for name in sys.argv[1:]),"
        " sep=', ')"
    )
    return output([str(python), "-c", script, *packages], environ=os.environ, cwd=ROOT)
