"""What every format must do, and what each of the plain ones says."""

import csv
import io
import json
import re

import pytest

from gateway.audit import formats
from gateway.audit.formats._flat import COLUMNS, flat
from gateway.core.errors import ConfigError
from tests.audit.formats.events import act, closed, opened

ALL = [opened(0), closed(1), act(2)]


def test_formats_are_found_and_others_refused() -> None:
    assert formats.names() == ["cef", "csv", "jsonl", "ocsf", "otlp"]
    with pytest.raises(ConfigError, match="Known: cef, csv, jsonl, ocsf, otlp"):
        formats.named("xml")


@pytest.mark.parametrize("name", formats.names())
def test_batches_can_be_cut_anywhere(name: str) -> None:
    form = formats.named(name)
    assert form.batch([]) == ""
    whole, pieces = form.batch(ALL), "".join(form.batch([entry]) for entry in ALL)
    if name == "otlp":
        assert _records(whole) == [r for line in pieces.splitlines() for r in _records(line)]
    else:
        assert whole == pieces
    assert whole.endswith("\n")


@pytest.mark.parametrize("name", formats.names())
def test_what_stands_in_an_entry_breaks_no_line(name: str) -> None:
    entry = closed(model="odd") | {"application": 'a|b=c\\d"e,f\ng\r<h>\x1b'}
    text = formats.named(name).batch([entry])
    if name == "csv":
        (row,) = csv.reader(io.StringIO(text, newline=""))
        assert row[list(COLUMNS).index("application")] == entry["application"]
    elif name != "ocsf":
        assert text.count("\n") == 1
    else:
        assert all(json.loads(line) for line in text.splitlines())


def test_jsonl_has_the_entry_itself() -> None:
    assert [json.loads(x) for x in formats.named("jsonl").batch(ALL).splitlines()] == ALL


def test_csv_has_a_row_an_entry_and_no_formulas() -> None:
    form = formats.named("csv")
    text = form.head + form.batch([*ALL, closed(3) | {"application": "=1+1"}])
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert list(rows[0]) == list(COLUMNS)
    assert rows[1]["rules"] == "default/contact"
    assert rows[1]["input_tokens"] == "12"
    assert rows[3]["application"] == "'=1+1"


def test_a_flat_entry_has_every_column_in_its_type() -> None:
    for entry in ALL:
        row = flat(entry)
        assert {name: type(value) for name, value in row.items()} == COLUMNS
    assert flat(closed())["time"] == "2025-11-22T08:26:40.001Z"
    assert flat(closed())["decision"] == "redact"
    assert flat(closed())["terms"] == "openai/usage@r1"
    assert flat(closed(terms="openai/usage"))["terms"] == "openai/usage"


CEF = re.compile(
    r"<110>1 2025-11-22T08:26:40\.001Z gw-1 gateway - exchange\.closed - "
    r"CEF:0\|responsible-use-gateway\|gateway\|[0-9.]+\|default/contact\|"
    r"exchange\.closed completed\|4\|(.*)\n"
)


def test_cef_tells_who_asked_whom_and_what_became_of_it() -> None:
    said = CEF.fullmatch(formats.named("cef").batch([closed()]))
    assert said is not None
    told = dict(re.findall(r"(\w+)=((?:[^ ]|\\.)+)", said[1]))
    assert told["act"] == "redact"
    assert told["outcome"] == "success"
    assert told["cs1"] == "gpt-5"
    assert told["dhost"] == "openai"
    assert (told["cn1"], told["cn2"]) == ("12", "34")


def test_cef_leaves_openings_out_and_warns_of_failures() -> None:
    form = formats.named("cef")
    assert form.batch([opened()]) == ""
    assert form.batch([closed(action="block", outcome="blocked")]).startswith("<108>1 ")
    assert r"works.added|1|" in form.batch([act()])


def test_otlp_says_it_in_the_words_of_the_conventions() -> None:
    (record,) = _records(formats.named("otlp").batch([closed()]))
    told = {a["key"]: a["value"] for a in record["attributes"]}
    assert record["eventName"] == "exchange.closed"
    assert record["timeUnixNano"] == "1763800000001000000"
    assert told["gen_ai.request.model"] == {"stringValue": "gpt-5"}
    assert told["gen_ai.usage.output_tokens"] == {"intValue": "34"}
    assert told["gateway.decision"] == {"stringValue": "redact"}


def _records(text: str) -> list[dict]:
    return json.loads(text)["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
