"""Which classes there are, and what shows them: as files say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway import backends, catalogue, classes
from gateway.core.classes import Classes
from gateway.core.clearance import Clearance, DataClass
from gateway.core.errors import ConfigError
from gateway.core.judgement import Finding
from gateway.policy import groups
from gateway.policy.groups import GROUPS
from gateway.settings import shipped

HEAD = "apiVersion: gateway/v1\nkind: Classes\n"


def read(tmp_path: Path, text: str, known: tuple[str, ...] = ()) -> Classes:
    path = tmp_path / "classes.yaml"
    path.write_text(HEAD + text)
    return classes.read(path, lambda group: groups.members(group, GROUPS), known)


@pytest.fixture(scope="module")
def ours() -> Classes:
    path = shipped("policies") / "classes.yaml"
    return classes.read(path, lambda group: groups.members(group, GROUPS))


@pytest.mark.parametrize(
    ("category", "score", "names"),
    [
        ("CREDIT_CARD", 1.0, ("restricted", "card")),
        ("CREDIT_CARD", 0.3, None),
        ("UK_NHS", 0.9, ("restricted", "health")),
        ("AWS_SECRET_KEY", 0.1, ("restricted", "credentials")),
        ("US_SSN", 0.85, ("restricted",)),
        ("PERSON", 0.85, ("confidential",)),
        ("IP_ADDRESS", 0.95, None),
    ],
)
def test_a_finding_shows_a_class(
    ours: Classes, category: str, score: float, names: tuple[str, ...] | None
) -> None:
    data = ours.of(Finding("d", category, 0, 1, score))
    assert (data.names if data else None) == names


def test_classes_unite_to_the_highest_level_and_all_special_ones(ours: Classes) -> None:
    both = ours.named(["confidential"]) | ours.named(["health"]) | ours.named(["card"])
    assert both.names == ("restricted", "card", "health")
    assert ours.known(["no-longer-there"]).names == ("restricted",)


@pytest.mark.parametrize(
    ("may", "data", "lacks"),
    [
        (["restricted", "*"], ["restricted", "health", "card"], ()),
        (["confidential"], ["confidential"], ()),
        (["confidential"], ["restricted"], ("restricted",)),
        (["confidential"], ["card"], ("card",)),
        (["confidential", "card"], ["card"], ()),
        (["confidential", "card"], ["card", "restricted"], ("restricted",)),
        (["restricted"], ["restricted", "health"], ("health",)),
        (["public"], ["internal"], ("internal",)),
    ],
)
def test_a_model_sees_up_to_its_level_and_special_classes_by_name(
    ours: Classes, may: list[str], data: list[str], lacks: tuple[str, ...]
) -> None:
    assert Clearance.of(may).lacks(ours.named(data)) == lacks


def test_detectors_are_needed_for_what_a_model_may_not_see(ours: Classes) -> None:
    known = {"pii": frozenset({"CREDIT_CARD", "PERSON"}), "names": frozenset({"PERSON"})}
    assert ours.detectors(known) == {"pii", "names"}
    assert ours.detectors(known, Clearance.of(["confidential"])) == {"pii"}
    assert ours.detectors(known, Clearance()) == frozenset()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("classes: [{name: secret-stuff}]", "'level' is missing"),
        ("classes: [{name: restricted, level: public}]", "is a level itself"),
        ("classes: [{name: a, level: public}, {name: a, level: public}]", "given twice"),
        ("classes: [{name: a, level: public, categories: [group:nothing]}]", "no group 'nothing'"),
        ("classes: [{name: a, level: public, categories: [CARDS]}]", "unknown category 'CARDS'"),
        ("default: secret\nclasses: []", "unknown name 'secret'"),
        ("classes: [{name: Über, level: public}]", "expected small letters"),
    ],
)
def test_an_error_says_where_and_what(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=r"classes\.yaml:\d+: ") as caught:
        read(tmp_path, text, ("CREDIT_CARD",))
    assert told in str(caught.value)


CATALOGUE = """\
apiVersion: gateway/v1
kind: Catalogue
backends:
  - {name: theirs, kind: echo}
  - {name: ours, kind: echo, hosting: self_hosted}
  - {name: agreed, kind: echo, classes: [restricted, health], trains: false, retention_days: 30}
models:
  - {name: a, backend: theirs}
  - {name: b, backend: ours}
  - {name: c, backend: agreed}
  - {name: d, backend: agreed, classes: [public], retention_days: 0}
"""


def test_a_hosted_model_that_says_nothing_sees_nothing_restricted(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.yaml"
    path.write_text(CATALOGUE)
    found = catalogue.read(path, backends.kinds(), special=("health",))
    said = {}
    for model in found.models:
        route = model.route(model.name)
        said[model.name] = (route.clearance.names, route.trains, route.retention_days)
    assert said == {
        "a": (("confidential",), True, -1),
        "b": (("restricted", "*"), False, -1),
        "c": (("restricted", "health"), False, 30),
        "d": (("public",), False, 0),
    }
    assert found.upstreams["theirs"].route().clearance == Clearance("confidential", frozenset())


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("[health]", "expected one level"),
        ("[public, internal]", "expected one level"),
        ("[internal, wealth]", "unknown name 'wealth'"),
    ],
)
def test_a_catalogue_names_one_level_and_known_classes(
    tmp_path: Path, written: str, told: str
) -> None:
    path = tmp_path / "catalogue.yaml"
    path.write_text(CATALOGUE.replace("[restricted, health]", written))
    with pytest.raises(ConfigError, match=told):
        catalogue.read(path, backends.kinds(), special=("health",))


def test_the_lowest_class_is_that_of_nothing() -> None:
    assert DataClass().names == ("public",)
    assert DataClass.written(["card", "restricted"]).names == ("restricted", "card")
