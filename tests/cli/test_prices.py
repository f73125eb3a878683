"""Prices of the catalogue, where people look for them."""

import json
from pathlib import Path

import pytest

from tests.cli.house import Gateway
from tests.cli.test_doctor import diagnose, ports

__all__ = ["ports"]

CATALOGUE = """\
apiVersion: gateway/v1
kind: Catalogue
backends:
  - {name: here, kind: echo}
models:
  - {name: a, backend: here, price: {currency: EUR, input: "0.150", output: "0"}}
  - {name: b, backend: here}
"""


@pytest.fixture(autouse=True)
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "catalogue.yaml"
    path.write_text(CATALOGUE)
    monkeypatch.setenv("GATEWAY_CATALOGUE", str(path))


def test_models_are_listed_with_their_prices(gateway: Gateway) -> None:
    lines = gateway("models", "--json").stdout.splitlines()
    priced, unknown = (json.loads(line)["prices"] for line in lines)
    assert priced == [{"currency": "EUR", "since": "", "input": "0.15", "output": "0"}]
    assert unknown == []
    assert "Price" in gateway("models").output


def test_doctor_says_which_models_have_none(gateway: Gateway) -> None:
    assert diagnose(gateway)["catalogue"]["text"] == "Models: a, b. Without a price: b."
