from __future__ import annotations

from pathlib import Path

import pytest

from gateway import backends
from gateway.catalogue import Catalogue, read
from gateway.core.errors import ConfigError
from gateway.core.judgement import Route
from gateway.settings import shipped

KINDS = ("echo", "openai")
HEAD = "apiVersion: gateway/v1\nkind: Catalogue\n"
BACKENDS = """backends:
  - name: own
    kind: openai
    url: http://10.0.0.1:8000/v1/
    hosting: self_hosted
    provider: Us
    region: eu
    timeouts: {first_byte_s: 2, total_s: 0.5}
  - {name: paid, kind: openai, url: "https://api.example.com/v1", credential: "env:PAID_KEY",
     optional: true}
  - {name: echo, kind: echo}
"""
MODELS = """models:
  - {name: small, backend: own, upstream_model: org/Small-1B, terms: t1, restore: false}
  - {name: "gpt-*", backend: paid}
  - {name: gpt-echo, backend: echo}
  - {name: "*", backend: echo, description: All the rest}
"""


def catalogue(tmp_path: Path, text: str = HEAD + BACKENDS + MODELS, **environ: str) -> Catalogue:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    return read(path, KINDS, environ)


def test_an_entry_says_where_requests_go(tmp_path: Path) -> None:
    model = catalogue(tmp_path).find("small")
    assert model
    assert model.route("small") == Route(
        "small", "org/Small-1B", "own", "Us", "self_hosted", "eu", ("t1",), restore=False
    )
    options = model.upstream.options
    assert options.url == "http://10.0.0.1:8000/v1"
    assert (options.first_byte_s, options.total_s, options.connect_s) == (2.0, 0.5, 5.0)


@pytest.mark.parametrize(
    ("asked", "name", "upstream"),
    [
        ("small", "small", "org/Small-1B"),
        ("gpt-5", "gpt-*", "gpt-5"),
        ("gpt-echo", "gpt-echo", "gpt-echo"),
        ("other", "*", "other"),
    ],
)
def test_exact_names_come_before_patterns(
    tmp_path: Path, asked: str, name: str, upstream: str
) -> None:
    model = catalogue(tmp_path, PAID_KEY="sk-1").find(asked)
    assert model
    assert (model.name, model.route(asked).upstream_model) == (name, upstream)


@pytest.mark.parametrize(
    "asked",
    ["gpt-anna@example.org", "gpt-4111111111111111", "", "a b", "-x", "a\nb", "x" * 200, "*", "é"],
)
def test_what_is_no_name_fits_no_pattern(tmp_path: Path, asked: str) -> None:
    found = catalogue(tmp_path).find(asked)
    assert found is None or asked == "*"


@pytest.mark.parametrize(
    "asked", ["Small", "SMALL", "models/small", "small:latest", "Small:Latest"]
)
def test_another_spelling_of_a_name_is_not_had_through_a_pattern(
    tmp_path: Path, asked: str
) -> None:
    found = catalogue(tmp_path)
    assert found.find(asked) is None
    assert found.find("smaller")


def test_an_optional_backend_without_its_key_is_left_out(tmp_path: Path) -> None:
    without = catalogue(tmp_path)
    assert [m.name for m in without.unavailable] == ["gpt-*"]
    assert "PAID_KEY" in without.upstreams["paid"].missing
    found = without.find("gpt-5")
    assert found
    assert found.name == "*"
    alone = MODELS.replace('  - {name: "*", backend: echo, description: All the rest}\n', "")
    told = catalogue(tmp_path, HEAD + BACKENDS + alone)
    assert [told.lacks(name) for name in ("gpt-5", "other", "small")] == [True, False, False]
    assert not without.lacks("gpt-5")
    with_key = catalogue(tmp_path, PAID_KEY=" sk-1\n")
    assert with_key.upstreams["paid"].options.credential == "sk-1"


def test_one_backend_keeps_files_if_it_can_be_used(tmp_path: Path) -> None:
    text = (HEAD + BACKENDS + MODELS).replace("optional: true", "optional: true, files: true")
    assert catalogue(tmp_path).files is None
    assert catalogue(tmp_path, text).files is None
    kept = catalogue(tmp_path, text, PAID_KEY="sk-1").files
    assert kept is not None
    assert kept.name == "paid"


def test_credentials_come_from_files_and_are_never_shown(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("sk-2\n")
    text = (HEAD + BACKENDS + MODELS).replace("env:PAID_KEY", f"file:{secret}")
    found = catalogue(tmp_path, text)
    assert found.upstreams["paid"].options.credential == "sk-2"
    assert "sk-2" not in repr(found.upstreams)


# (what is replaced, by what, what the operator is told)
ERRORS = [
    ("kind: Catalogue", "kind: Catalog", r":2: kind: unknown name 'Catalog'. Did you mean"),
    ("gateway/v1", "gateway/v9", ":1: apiVersion"),
    ("models:", "model:", "unknown key 'model'. Did you mean 'models'"),
    ("kind: openai", "kind: opnai", "Did you mean 'openai'"),
    ("    url: http://10.0.0.1:8000/v1/\n", "", "'url' is missing"),
    ("http://10", "ftp://10", ":6: .*http:// or https://"),
    ("http://10", "http://u:p@10", "holds no credential"),
    ("8000/v1/", "8000/v1?key=x", "holds no credential and no query"),
    ("env:PAID_KEY", "sk-secret", "Never the secret itself"),
    ('"env:PAID_KEY",\n     optional: true', '"env:PAID_KEY"', "has no PAID_KEY"),
    ('"env:PAID_KEY",\n     optional: true', '"file:/no/such"', "/no/such cannot be read"),
    ("optional: true", "optional: maybe", "expected true or false"),
    ("first_byte_s: 2", "first_byte_s: 0", "more than 0"),
    ("first_byte_s: 2", "first_byte_s: true", "expected seconds"),
    ("first_byte_s: 2", "first_bite_s: 2", "Did you mean 'first_byte_s'"),
    ("name: paid", "name: own", "'own' is given twice"),
    ("name: gpt-echo", "name: small", "'small' is given twice"),
    ("backend: paid", "backend: payd", "Did you mean 'paid'"),
    ("name: small", "name: a b", "expected a model name"),
    ("hosting: self_hosted", "hosting: here", "unknown name 'here'"),
    ("models:", "---\nmodels:", "expected one YAML document"),
    ("region: eu", "retries: 6", ":9: .*expected 0 to 5"),
    ("region: eu", "retries: -1", "expected a whole number"),
    ("region: eu", "circuit: {failures: 1.5}", "expected a whole number"),
    ("region: eu", "circuit: {open_s: 0}", "more than 0"),
    ("region: eu", "circuit: {failure: 5}", "Did you mean 'failures'"),
    ("region: eu", "files: perhaps", "expected true or false"),
    ("region: eu", "count_streams: 1", "expected true or false"),
    (
        "echo, kind: echo",
        "echo, kind: echo, files: true}\n  - {name: e2, kind: echo, files: true",
        ":14: .*'echo' keeps files already",
    ),
    ("terms: t1", "fallbacks: [gpt-echo, nosuch!]", "expected the name of one model"),
    ("terms: t1", "fallbacks: [small]", ":15: .*is this model itself"),
    ("terms: t1", "fallbacks: [gpt-echo, gpt-echo]", "or is given twice"),
    ("terms: t1", "fallbacks: []", "is empty"),
    ("terms: t1", "fallbacks: gpt-echo", "expected a list"),
    ("terms: t1", 'fallbacks: ["gpt-*"]', "without"),
    ("terms: t1", "fallbacks: [f1, f2, f3, f4, f5, f6, f7, f8, f9]", "more than 8"),
]


@pytest.mark.parametrize(("old", "new", "told"), ERRORS)
def test_errors_name_the_line_and_what_is_known(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    text = HEAD + BACKENDS + MODELS
    assert old in text
    with pytest.raises(ConfigError, match=told) as caught:
        catalogue(tmp_path, text.replace(old, new, 1))
    assert str(tmp_path / "c.yaml") in str(caught.value)
    assert "sk-secret" not in str(caught.value)


TERMS = [
    ("t1", ("t1",)),
    ("[t1, t2]", ("t1", "t2")),
    ("none", ("none",)),
]


@pytest.mark.parametrize(("written", "found"), TERMS)
def test_terms_are_one_profile_or_several_or_none(
    tmp_path: Path, written: str, found: tuple[str, ...]
) -> None:
    text = (HEAD + BACKENDS + MODELS).replace("terms: t1", f"terms: {written}")
    path = tmp_path / "c.yaml"
    path.write_text(text)
    model = read(path, KINDS, {}, profiles={"t1", "t2"}).find("small")
    assert model
    assert model.terms == found


@pytest.mark.parametrize("written", ["t3", "[t1, t3]", "[none, t1]"])
def test_terms_that_are_not_there_are_an_error(tmp_path: Path, written: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text((HEAD + BACKENDS + MODELS).replace("terms: t1", f"terms: {written}"))
    with pytest.raises(ConfigError, match=r"c.yaml:15: .*unknown terms profile .*Known: t1, t2"):
        read(path, KINDS, {}, profiles={"t1", "t2"})


def test_a_model_is_under_the_terms_and_in_the_tier_of_its_backend(tmp_path: Path) -> None:
    text = (HEAD + BACKENDS + MODELS).replace("region: eu", "terms: [t1, t2]\n    tier: free")
    found = catalogue(tmp_path, text.replace("terms: t1, ", ""))
    model = found.find("small")
    assert model
    assert (model.terms, model.route("small").tier) == (("t1", "t2"), "free")
    assert found.upstreams["own"].route().terms == ("t1", "t2")


def test_an_unknown_fallback_is_an_error_that_lists_what_is_known(tmp_path: Path) -> None:
    text = (HEAD + BACKENDS + MODELS).replace('name: "*"', "name: rest")
    text = text.replace("terms: t1", "fallbacks: [gpt-9, gpt-echo, rset]")
    with pytest.raises(ConfigError, match=r"c.yaml:15: .*unknown model 'rset'.*'rest'"):
        catalogue(tmp_path, text)


def test_fallbacks_stand_in_for_what_was_asked_for(tmp_path: Path) -> None:
    text = (HEAD + BACKENDS + MODELS).replace(
        'name: "*", ', 'name: "*", fallbacks: [gpt-5, gpt-echo, other, small], '
    )
    for environ, expected in (
        ({"PAID_KEY": "sk-1"}, [("gpt-5", "gpt-*"), ("gpt-echo", "gpt-echo"), ("small", "small")]),
        # Without its credential a fallback's backend is out, and the next that fits serves it.
        ({}, [("gpt-5", "*"), ("gpt-echo", "gpt-echo"), ("small", "small")]),
    ):
        found = catalogue(tmp_path, text, **environ)
        model = found.find("other")
        assert model
        assert [(n, m.name) for n, m in found.fallbacks(model, "other")] == expected


def test_two_models_may_stand_in_for_each_other(tmp_path: Path) -> None:
    text = (HEAD + BACKENDS + MODELS).replace("terms: t1", "fallbacks: [gpt-echo]")
    text = text.replace("name: gpt-echo,", "name: gpt-echo, fallbacks: [small],")
    found = catalogue(tmp_path, text)
    small = found.find("small")
    assert small
    assert [name for name, _ in found.fallbacks(small, "small")] == ["gpt-echo"]


def test_retries_and_the_circuit_can_be_set(tmp_path: Path) -> None:
    text = (HEAD + BACKENDS + MODELS).replace(
        "region: eu", "retries: 0\n    circuit: {failures: 9, open_s: 1.5}"
    )
    found = catalogue(tmp_path, text).upstreams
    own, echo = found["own"], found["echo"]
    assert (own.retries, own.circuit_failures, own.circuit_open_s) == (0, 9, 1.5)
    assert (echo.retries, echo.circuit_failures, echo.circuit_open_s) == (1, 5, 30.0)


def test_the_shipped_catalogue_can_be_read_without_any_key() -> None:
    found = read(shipped("policies") / "catalogue.yaml", backends.kinds(), {})
    assert found.find("echo")
    assert [m.name for m in found.unavailable] == ["gpt-*", "claude-*", "gemini-*"]


@pytest.mark.parametrize(
    ("variable", "model", "kind"),
    [
        ("OPENAI_API_KEY", "gpt-5", "openai"),
        ("ANTHROPIC_API_KEY", "claude-opus-4-5", "anthropic"),
        ("GEMINI_API_KEY", "gemini-2.5-flash", "gemini"),
    ],
)
def test_each_vendors_key_switches_its_own_models_on(variable: str, model: str, kind: str) -> None:
    path = shipped("policies") / "catalogue.yaml"
    found = read(path, backends.kinds(), {variable: "sk-1"})
    entry = found.find(model)
    assert entry
    assert (entry.upstream.kind, entry.upstream.options.credential) == (kind, "sk-1")
    assert sum(not upstream.missing for upstream in found.upstreams.values()) == 2


def test_a_backend_says_what_passes_to_it_without_a_dialect(tmp_path: Path) -> None:
    given = '    pass: [/v1/rerank, "GET /v1/models/*"]\n'
    text = HEAD + BACKENDS.replace("    region: eu\n", "    region: eu\n" + given) + MODELS
    upstream = catalogue(tmp_path, text).upstreams["own"]
    assert upstream.lets_pass("POST", "/v1/rerank")
    assert upstream.lets_pass("GET", "/v1/models/a")
    assert not upstream.lets_pass("GET", "/v1/rerank")
    assert not upstream.lets_pass("POST", "/v1/rerank/x")


@pytest.mark.parametrize("wrong", ["v1/rerank", "post /v1/rerank", "/v1/a b"])
def test_what_passes_is_a_path(tmp_path: Path, wrong: str) -> None:
    given = f'    pass: ["{wrong}"]\n'
    text = HEAD + BACKENDS.replace("    region: eu\n", "    region: eu\n" + given) + MODELS
    with pytest.raises(ConfigError, match="expected a path"):
        catalogue(tmp_path, text)
