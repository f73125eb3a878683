from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import pytest

from gateway.core.judgement import Finding
from gateway.core.ports import Detector
from gateway.detectors import create
from gateway.detectors._jobs import thresholds
from gateway.detectors._locator import Locator
from gateway.detectors._recognisers import COUNTRIES
from gateway.detectors._scan import Scanner

LISTS = [
    {"category": "PROJECT_NAME", "terms": ["Jane Doe"], "forms": [], "within_words": False},
    {"category": "CARD", "terms": [], "forms": ["4111"], "within_words": False},
]
FAKES = Path(__file__).with_name("fakes")


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def fake_installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A package that offers the detector `fake`, here and in worker processes."""
    folder = tmp_path_factory.mktemp("installed")
    info = folder / "gateway_fake_detector-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gateway-fake-detector\n")
    (info / "entry_points.txt").write_text("[gateway.detectors]\nfake = gateway_fake_detector\n")
    added = [str(folder), str(FAKES)]
    sys.path += added
    yield
    for path in added:
        sys.path.remove(path)


@pytest.fixture(scope="session")
def pii() -> Detector:
    """Every entity of every country."""
    (detector,) = create({"pii": {"countries": list(COUNTRIES)}})
    detector.load()
    return detector


@pytest.fixture(scope="session")
def pii_locator(pii: Detector, cache_dir: Path) -> Locator:
    return Locator({"pii": pii.load() or []}, cache_dir)


@pytest.fixture(scope="session")
def identified(pii: Detector, pii_locator: Locator) -> Callable[..., list[Finding]]:
    """What is found in a text; nothing that is faint. hints: None for those that fired."""
    least = thresholds(pii)

    def find(text: str, hints: Collection[str] | None = None) -> list[Finding]:
        if hints is None:
            hints = pii_locator.hints(text, ["pii"]).get("pii", [])
        return [f for f in pii.detect([text], [hints])[0] if f.score >= least[f.category]]

    return find


def _loaded(name: str) -> Detector:
    (detector,) = create({name: {}})
    detector.load()
    return detector


@pytest.fixture(scope="session")
def hidden() -> Detector:
    return _loaded("hidden")


@pytest.fixture(scope="session")
def listed() -> Detector:
    return create({"listed": {"lists": LISTS}})[0]


@pytest.fixture(scope="session")
def injection() -> Detector:
    return _loaded("injection")


@pytest.fixture(scope="session")
def output() -> Detector:
    return _loaded("output")


@pytest.fixture(scope="session")
def patterns() -> Detector:
    (detector,) = create({"patterns": {}})
    return detector


@pytest.fixture(scope="session")
def patterns_locator(patterns: Detector, cache_dir: Path) -> Locator:
    return Locator({"patterns": patterns.load() or []}, cache_dir)


@pytest.fixture(scope="session")
def names() -> Detector:
    (detector,) = create({"names": {}})
    detector.load()
    return detector


@pytest.fixture(scope="session")
def names_spacy() -> Detector:
    (detector,) = create({"names_spacy": {}})
    detector.load()
    return detector


@pytest.fixture(scope="session")
def content() -> Detector:
    (detector,) = create({"content": {}})
    detector.load()
    return detector


@pytest.fixture(scope="session")
def transformer() -> Detector:
    (detector,) = create({"transformer": {}})
    detector.load()
    return detector


@pytest.fixture(scope="session")
def scanner(cache_dir: Path) -> Scanner:
    return Scanner({"patterns": {}, "pii": {}}, cache_dir=cache_dir)
