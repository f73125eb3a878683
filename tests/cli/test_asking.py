"""`gateway audit ask`, as an auditor runs it."""

from collections.abc import Callable

from tests.cli.house import Gateway, closed, lines, opened

Write = Callable[..., None]


def test_without_a_question_it_says_which_there_are(gateway: Gateway) -> None:
    assert "Who sent which class of data" in gateway("audit", "ask").stdout
    assert {"name", "title"} == set(lines(gateway("audit", "ask", "--json"))[0])


def test_an_answer_is_a_table_or_json_and_on_record(gateway: Gateway, write: Write) -> None:
    write(opened(1), closed(1), opened(2))
    assert "EMAIL_ADDRESS" in gateway("audit", "ask", "destinations").stdout
    (row,) = lines(gateway("audit", "ask", "unclosed", "--json", "--since", "1h"))
    assert row["exchange_id"] == "00000002-exchange"
    assert lines(gateway("audit", "ask", "unclosed", "--json", "--tenant", "no")) == []
    reads = lines(gateway("audit", "ask", "reads", "--json"))
    assert len(reads) == 4


def test_its_sql_is_printed(gateway: Gateway) -> None:
    told = gateway("audit", "ask", "blocked", "--sql").stdout
    assert told.startswith("-- What was blocked")
    assert "Known: blocked" in gateway("audit", "ask", "why", code=2).stderr
