"""The page on self-hosted models: its catalogue reads, its pins are the script's."""

import os
import re
import subprocess
from pathlib import Path

from gateway import backends, catalogue

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "self-hosted.md").read_text()
SCRIPT = ROOT / "scripts" / "try-transformers"


def test_catalogue_of_the_page_reads(tmp_path: Path) -> None:
    found = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    path = tmp_path / "catalogue.yaml"
    path.write_text(found[1])
    read = catalogue.read(path, backends.kinds(), {"VLLM_API_KEY": "x"})
    routes = [model.route(model.name) for model in read.models]
    assert {route.hosting for route in routes} == {"self_hosted"}
    assert {route.backend for route in routes} == read.upstreams.keys()


def test_pins_of_the_page_are_those_of_the_script() -> None:
    pins = re.findall(r'"([^"\s]+==[^"\s]+)"', SCRIPT.read_text())
    assert len(pins) == 2
    assert all(f"`{pin}`" in PAGE for pin in pins)


def test_script_parses_and_is_executable() -> None:
    assert os.access(SCRIPT, os.X_OK)
    done = subprocess.run(["bash", "-n", str(SCRIPT)], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_recorded_run_held() -> None:
    assert "24 of 24 checks hold." in PAGE
    assert "FAILED" not in PAGE
