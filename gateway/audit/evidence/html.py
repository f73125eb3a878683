"""A report as one HTML page that loads nothing. Every value passes through `escape`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from html import escape
from pathlib import Path

from gateway.audit.evidence.document import Block, Document, Facts, Finding, Grid, Prose, Section

_STYLE = Path(__file__).with_name("report.css")


def html(document: Document) -> str:
    """The page."""
    sections = "\n".join(_section(number, each) for number, each in enumerate(document.sections, 1))
    links = "".join(
        f'<li><a href="#s{number}">{escape(each.title)}</a></li>'
        for number, each in enumerate(document.sections, 1)
    )
    style = _STYLE.read_text(encoding="utf-8")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(document.title)}</title>
<style>
{style}</style>
</head>
<body>
<header>
<p class="kind">{escape(document.subtitle)}</p>
<h1>{escape(document.title)}</h1>
{_pairs(document.facts)}
</header>
<nav aria-label="Contents"><ol>{links}</ol></nav>
<main>
{sections}
</main>
</body>
</html>
"""


def _section(number: int, section: Section) -> str:
    blocks = "\n".join(_block(block) for block in section.blocks)
    return f'<section id="s{number}">\n<h2>{escape(section.title)}</h2>\n{blocks}\n</section>'


@singledispatch
def _block(block: Block) -> str:
    raise TypeError(type(block).__name__)


@_block.register
def _prose(block: Prose) -> str:
    kind = ' class="note"' if block.note else ""
    return f"<p{kind}>{escape(block.text)}</p>"


@_block.register
def _facts(block: Facts) -> str:
    if not block.large:
        return _pairs(block.rows)
    tiles = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in block.rows
    )
    return f'<dl class="tiles">{tiles}</dl>'


@_block.register
def _grid(block: Grid) -> str:
    kinds = ['class="number"' if i in block.numbers else "" for i in range(len(block.columns))]
    head = "".join(
        f"<th {kind}>{escape(each)}</th>" for each, kind in zip(block.columns, kinds, strict=True)
    )
    body = "\n".join(
        "<tr>"
        + "".join(f"<td {kind}>{escape(each)}</td>" for each, kind in zip(row, kinds, strict=True))
        + "</tr>"
        for row in block.rows
    )
    more = f'<p class="more">and {block.more:,} more rows</p>' if block.more else ""
    table = f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>{more}"
    return table.replace("<th >", "<th>").replace("<td >", "<td>")


@_block.register
def _finding(block: Finding) -> str:
    files = ", ".join(f'<a href="{escape(name)}">{escape(name)}</a>' for name in block.files)
    doubt = f'<p class="doubt">{escape(block.doubt)}</p>' if block.doubt else ""
    facts = _pairs(block.facts.rows) if block.facts.rows else ""
    where = f'<p class="files">In full: {files}</p>' if files else ""
    return f"""<article class="{escape(block.standing)}">
<h3><span class="id">{escape(block.id)}</span> {escape(block.title)}
<span class="badge">{escape(block.badge)}</span></h3>
<div class="two">
<div><h4>The log shows</h4><p>{escape(block.shows)}</p>{facts}</div>
<div><h4>It cannot show</h4><p>{escape(block.lacks)}</p></div>
</div>
{where}{doubt}
</article>"""


def _pairs(rows: Sequence[tuple[str, str]]) -> str:
    body = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in rows
    )
    return f'<dl class="facts">{body}</dl>'
