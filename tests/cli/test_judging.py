"""Scans, policies and the catalogue, from the command line."""

import json
from pathlib import Path

import pytest

from tests.cli.house import SECRET, Gateway, lines, value

POLICY = """
apiVersion: gateway/v1
kind: Policy
metadata: {name: small, version: "1"}
spec:
  rules:
    - id: keys
      when: {categories: [GITHUB_TOKEN]}
      then: %s
      reason: KEY
  examples:
    - name: a key is caught
      text: "key %s"
      expect: {outcome: %s}
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(POLICY % ("redact", SECRET, "allow"))
    return path


def test_scan_prints_findings_as_json_lines(gateway: Gateway) -> None:
    (found,) = lines(gateway("scan", "-", "--json", stdin=f"my key:\n{SECRET}\n"))
    assert list(found) == ["category", "start", "end", "score", "detector"]
    assert (found["category"], found["start"], found["detector"]) == ("GITHUB_TOKEN", 8, "patterns")
    assert found["end"] - found["start"] == len(SECRET)


def test_scan_tells_places_never_the_text(gateway: Gateway, tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text(f"ä\nkey {SECRET}\n")
    text = gateway("scan", str(path)).output
    assert "2:5" in text
    assert "GITHUB_TOKEN" in text
    assert SECRET[:12] not in text


def test_scan_fails_only_when_asked(gateway: Gateway) -> None:
    gateway("scan", "-", "--fail", code=3, stdin=SECRET)
    gateway("scan", "-", code=0, stdin=SECRET)
    assert "Nothing found." in gateway("scan", "-", "--fail", stdin="plain").stdout
    assert gateway("scan", "-", "--json", stdin="plain").stdout == ""


def test_unreadable_text_is_said(gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "odd").write_bytes(b"ab\xff")
    assert "byte 2" in gateway("scan", "odd", code=2).stderr
    assert "No such file" in gateway("scan", "none", code=2).stderr


def test_check_compiles_or_says_the_line(gateway: Gateway, policy: Path) -> None:
    checked = value(gateway("policy", "check", str(policy), "--json"))
    assert checked["ok"] is True
    assert [p["name"] for p in checked["policies"]] == ["small"]
    assert "default" in gateway("policy", "check").stdout
    policy.write_text(POLICY % ("redacted", SECRET, "allow"))
    assert "small.yaml:9: " in gateway("policy", "check", str(policy), code=2).stderr


def test_test_runs_the_examples(gateway: Gateway, policy: Path) -> None:
    tried = value(gateway("policy", "test", str(policy), "--json"))
    assert tried["ok"] is True
    assert [each["passed"] for each in tried["examples"]] == [True]
    gateway("policy", "test", str(policy), "--strict", code=1)
    policy.write_text(POLICY % ("redact", SECRET, "block"))
    text = gateway("policy", "test", str(policy), code=1).stdout
    assert "FAIL" in text
    assert "expected block" in text


def test_shipped_policy_examples_are_found(gateway: Gateway) -> None:
    assert len(value(gateway("policy", "check", "--json"))["policies"]) == 1


@pytest.mark.parametrize("direction", ["request", "response"])
def test_explain_says_why(gateway: Gateway, direction: str) -> None:
    arguments = ["policy", "explain", "--text", f"a {SECRET}", "--direction", direction]
    said = value(gateway(*arguments, "--json"))
    assert said["blocked"] is (direction == "request")
    assert said["text"] == (None if direction == "request" else "a [GITHUB_TOKEN]")
    rules = [c["rule"] for c in said["findings"][0]["considered"] if c["effective"]]
    assert rules == ["secrets-out" if direction == "request" else "secrets-back"]
    text = gateway(*arguments, "--all").stdout
    assert ("Blocked" if direction == "request" else "Passes, changed") in text


def test_explain_asks_for_one_text_and_a_known_model(gateway: Gateway, policy: Path) -> None:
    assert "either --text" in gateway("policy", "explain", code=2).stderr
    said = gateway("policy", "explain", "--text", "x", "--model", "gpt-9", code=2).stderr
    assert "no model 'gpt-9'. Known: echo" in said
    arguments = ["policy", "explain", "--file", "-", "--policy", str(policy)]
    assert "[GITHUB_TOKEN]" in gateway(*arguments, stdin=SECRET).stdout
    assert "as it is" in gateway("policy", "explain", "--text", "[bold]plain").stdout


TOOLS = """
apiVersion: gateway/v1
kind: Policy
metadata: {name: tools, version: "1"}
spec:
  rules:
    - id: keys
      when: {categories: [GITHUB_TOKEN], directions: [request]}
      then: pseudonymise
      with: {restore: %s}
"""
RESTORES = [
    ("[text, reasoning]", "originals back in reasoning, text"),
    ("[]", "originals back nowhere"),
    ("{tools: [send_mail, 'crm.*']}", "back everywhere, of tools only for crm.*, send_mail"),
    ("{kinds: [tool_arguments], tools: []}", "back in tool_arguments, of tools only for none"),
]


@pytest.mark.parametrize(("restore", "said"), RESTORES)
def test_explain_says_where_originals_come_back(
    gateway: Gateway, tmp_path: Path, restore: str, said: str
) -> None:
    (tmp_path / "tools.yaml").write_text(TOOLS % restore)
    arguments = ["policy", "explain", "--text", f"a {SECRET}", "--policy", "tools.yaml"]
    assert said in " ".join(gateway(*arguments).stdout.split())
    told = value(gateway(*arguments, "--json"))["findings"][0]["considered"][0]
    assert set(told["restore"]) == {"kinds", "tools"}


def test_schema_is_json_either_way(gateway: Gateway) -> None:
    whole = gateway("policy", "schema").stdout
    assert json.loads(whole) == value(gateway("policy", "schema", "--json"))


def test_models_say_what_is_missing(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {model["name"]: model for model in lines(gateway("models", "--json"))}
    assert found["echo"]["available"] is True
    assert "OPENAI_API_KEY" in found["gpt-*"]["missing"]
    assert "OPENAI_API_KEY" in gateway("models").stdout
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-shown")
    result = gateway("models", "--json")
    assert {m["name"]: m["available"] for m in lines(result)}["gpt-*"] is True
    assert "sk-not-shown" not in result.output


def test_list_knows_everything(gateway: Gateway) -> None:
    known = value(gateway("list", "--json"))
    assert {d["name"]: d["enabled"] for d in known["detectors"]}["patterns"] is True
    assert {"block", "redact", "pseudonymise"} <= {a["name"] for a in known["actions"]}
    assert any("/v1/chat/completions" in d["paths"] for d in known["dialects"])
    assert {"echo", "openai"} <= set(known["backends"])
    assert "EMAIL_ADDRESS" in known["groups"]["contact"]
    assert "GATEWAY_PORT" in {s["name"] for s in known["settings"]}
    text = gateway("list").stdout
    for word in ("group:contact", "pseudonymise", "GATEWAY_ADMIN_PORT", "openai_chat"):
        assert word in text


def test_version(gateway: Gateway) -> None:
    from gateway import __version__

    assert value(gateway("version", "--json"))["version"] == __version__
    assert __version__ in gateway("version").stdout


def test_models_and_doctor_say_what_stands_in(
    gateway: Gateway, ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "catalogue.yaml"
    path.write_text(
        """apiVersion: gateway/v1
kind: Catalogue
backends:
  - {name: echo, kind: echo}
  - {name: paid, kind: openai, url: "http://x/v1", credential: "env:NO_KEY", optional: true}
models:
  - {name: one, backend: echo, fallbacks: [two]}
  - {name: two, backend: echo, fallbacks: [one, gpt]}
  - {name: gpt, backend: paid}
"""
    )
    monkeypatch.setenv("GATEWAY_CATALOGUE", str(path))
    found = {model["name"]: model["fallbacks"] for model in lines(gateway("models", "--json"))}
    assert found == {"one": ["two"], "two": ["one", "gpt"], "gpt": []}
    assert "Else: two." in gateway("models").stdout
    checks = value(gateway("doctor", "--json"))["checks"]
    told = {c["text"]: c["state"] for c in checks if c["name"] == "fallbacks"}
    assert told == {
        "one falls back to two.": "ok",
        "two falls back to one, gpt. Off: gpt.": "warn",
    }


def test_explain_speaks_the_callers_language(gateway: Gateway) -> None:
    arguments = ["policy", "explain", "--text", f"a {SECRET}", "--json", "--language"]
    told = [value(gateway(*arguments, asked))["refusal"]["message"] for asked in ("de-AT", "it")]
    assert [words.split()[0] for words in told] == ["Diese", "This"]


@pytest.mark.parametrize(
    "name", ["default", "strict", "gdpr", "hipaa", "pci", "eu-ai-act", "education"]
)
def test_shipped_policies_pass_a_strict_check(gateway: Gateway, name: str) -> None:
    told = value(gateway("policy", "check", name, "--strict", "--json"))
    assert (told["ok"], told["doubts"]) == (True, [])
    assert told["silent"], "with detectors switched off, some rules have nothing to do"


def test_a_rule_may_be_for_what_cannot_be_looked_up(gateway: Gateway, policy: Path) -> None:
    rule = "{id: lost, when: {categories: [DETECTOR_ERROR], detectors: [conversation]}, then: flag}"
    policy.write_text(policy.read_text().replace("  rules:\n", f"  rules:\n    - {rule}\n", 1))
    told = value(gateway("policy", "check", str(policy), "--json"))
    assert all("example" in doubt["message"] for doubt in told["doubts"])


def test_check_tells_what_is_doubtful(gateway: Gateway, policy: Path) -> None:
    policy.write_text(
        policy.read_text().replace("  rules:", "  match: {regions: [mars]}\n  rules:")
    )
    told = value(gateway("policy", "check", str(policy), "--json"))
    assert told["ok"] is True
    (doubt,) = [d for d in told["doubts"] if d["where"] == "small"]
    assert "'mars' fits nothing in the catalogue" in doubt["message"]
    assert value(gateway("policy", "check", str(policy), "--strict", "--json", code=1))["doubts"]
    assert "doubtful" in gateway("policy", "check", str(policy)).stdout
    assert "--strict does not" in gateway("policy", "check", str(policy), "--strict", code=1).stdout


ROUTE = """
apiVersion: gateway/v1
kind: Policy
metadata: {name: away, version: "1"}
spec:
  rules:
    - id: keys
      when: {categories: [GITHUB_TOKEN], directions: [request]}
      then: route
      with: {%s}
    - id: there
      when: {categories: [GITHUB_TOKEN], models: [echo-restored]}
      then: redact
"""


def test_explain_follows_a_text_to_where_it_is_sent(gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "away.yaml").write_text(ROUTE % "model: echo-restored")
    arguments = ["policy", "explain", "--text", f"a {SECRET}", "--policy", "away.yaml"]
    said = value(gateway(*arguments, "--json"))
    assert (said["rerouted"], said["blocked"], said["model"]) == (True, False, "echo")
    there = said["elsewhere"]
    assert (there["model"], there["text"], there["rerouted"]) == (
        "echo-restored", "a [GITHUB_TOKEN]", False,
    )  # fmt: skip
    (why,) = [c["why"] for c in there["findings"][0]["considered"] if c["rule"] == "keys"]
    assert why == "goes there anyway"
    told = gateway(*arguments).stdout
    assert "Sent elsewhere by away/keys (not to model echo)." in told
    assert "It goes to the model echo-restored" in told
    assert value(gateway(*arguments[:-2], "--json"))["elsewhere"] is None


def test_a_rule_that_sends_to_no_model_is_an_error_in_every_command(
    gateway: Gateway, tmp_path: Path
) -> None:
    (tmp_path / "away.yaml").write_text(ROUTE % "region: moon")
    for command in ("check", "test"):
        said = gateway("policy", command, "away.yaml", code=2).stderr
        assert "away.yaml:7: away/keys: sends requests to a model that is such: region moon" in said
