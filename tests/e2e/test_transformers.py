"""A model that Hugging Face's own server runs answers through the gateway.

There is a test only where GATEWAY_TEST_TRANSFORMERS names a Python that has PyTorch and
Transformers; `scripts/try-transformers` makes one, and docs/self-hosted.md shows a run.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = os.environ.get("GATEWAY_TEST_TRANSFORMERS", "")

if PYTHON:

    @pytest.mark.timeout(600)
    def test_real_self_hosted_model_answers_and_sees_nothing_personal() -> None:
        gateway = str(Path(sys.executable).with_name("gateway"))
        options = ["--transformers", PYTHON, "--gateway", gateway]
        done = subprocess.run(
            [sys.executable, "scripts/_try_transformers.py", *options],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "24 of 24 checks hold." in done.stdout
