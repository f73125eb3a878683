"""A report as PDF. Needs reportlab, which the extra `evidence` brings."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape

from gateway.audit.evidence.document import Document, Facts, Finding, Grid, Prose
from gateway.core.errors import ConfigError

_COLOURS = {"shows": "#0b6e4f", "partly": "#8a5300", "nothing": "#5c6a63"}
_WIDTH = 504.0


def load() -> Any:
    """The maker of PDFs, a function of a document. Raises ConfigError if reportlab is missing."""
    try:
        from reportlab import platypus  # noqa: PLC0415 - 0.2 s, for this one command
        from reportlab.lib import colors, styles  # noqa: PLC0415
    except ImportError as err:
        raise ConfigError(
            "A PDF needs reportlab. Run: pip install 'responsible-use-gateway[evidence]', "
            "or leave it out: --no-pdf"
        ) from err
    return _Maker(platypus, colors, styles.ParagraphStyle).pdf


class _Maker:
    """The parts of reportlab that it works with."""

    def __init__(self, platypus: Any, colors: Any, style: Any) -> None:
        self._platypus, self._colour = platypus, colors.HexColor
        body = style("body", fontName="Helvetica", fontSize=9, leading=12.5, spaceAfter=5)
        self._styles = {
            "body": body,
            "small": style("small", body, fontSize=7.5, leading=9.5, spaceAfter=0),
            "number": style("number", body, fontSize=7.5, leading=9.5, spaceAfter=0, alignment=2),
            "note": style("note", body, backColor="#fbecd2", borderPadding=6, spaceAfter=12),
            "kind": style("kind", body, textColor="#0b6e4f", fontName="Helvetica-Bold"),
            "h1": style("h1", body, fontName="Helvetica-Bold", fontSize=20, leading=25),
            "h2": style("h2", body, fontName="Helvetica-Bold", fontSize=13, leading=17,
                        spaceBefore=14, spaceAfter=6, keepWithNext=1),
            "h3": style("h3", body, fontName="Helvetica-Bold", fontSize=10, spaceBefore=8,
                        spaceAfter=3),
        }  # fmt: skip

    def pdf(self, document: Document) -> bytes:
        """The bytes, the same for the same document."""
        out = io.BytesIO()
        page = self._platypus.SimpleDocTemplate(
            out, pagesize=(595.3, 841.9), title=document.title, invariant=1,
            leftMargin=45, rightMargin=45, topMargin=45, bottomMargin=45,
        )  # fmt: skip
        page.build(list(self._story(document)), onFirstPage=_foot, onLaterPages=_foot)
        return out.getvalue()

    def _story(self, document: Document) -> Iterator[Any]:
        yield self._text(document.subtitle.upper(), "kind")
        yield self._text(document.title, "h1")
        yield self._table([], document.facts, [110, _WIDTH - 110])
        for section in document.sections:
            yield self._text(section.title, "h2")
            for block in section.blocks:
                yield from self._block(block)

    def _block(self, block: Any) -> Iterator[Any]:
        match block:
            case Prose(text, note):
                yield self._text(text, "note" if note else "body")
            case Facts(rows, _):
                yield self._table([], rows, [_WIDTH - 120, 120], {1})
            case Grid(columns, rows, numbers, more):
                yield self._table(columns, rows, [_WIDTH / len(columns)] * len(columns), numbers)
                if more:
                    yield self._text(f"and {more:,} more rows", "small")
                yield self._platypus.Spacer(0, 8)
            case Finding():
                yield self._platypus.KeepTogether(list(self._finding(block)))

    def _finding(self, found: Finding) -> Iterator[Any]:
        yield self._text(f"{found.id}  {found.title}", "h3")
        badge = f'<font color="{_COLOURS[found.standing]}"><b>{escape(found.badge)}</b></font>'
        yield self._platypus.Paragraph(badge, self._styles["small"])
        yield self._platypus.Spacer(0, 4)
        said = [("The log shows", found.shows), ("It cannot show", found.lacks)]
        if found.files:
            said.append(("In full", ", ".join(found.files)))
        if found.doubt:
            said.append(("Certainty", found.doubt))
        yield self._table([], [*said, *found.facts.rows], [160, _WIDTH - 160])
        yield self._platypus.Spacer(0, 6)

    def _table(self, head: Any, rows: Any, widths: Any, numbers: Any = frozenset()) -> Any:
        line = self._colour("#dfe5e1")
        style = [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, line),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ]
        cells = [
            [self._text(v, "number" if i in numbers else "small") for i, v in enumerate(row)]
            for row in rows
        ]
        if head:
            cells.insert(0, [self._text(each, "small") for each in head])
            style.append(("BACKGROUND", (0, 0), (-1, 0), self._colour("#e9edeb")))
        if not cells:
            return self._platypus.Spacer(0, 0)
        return self._platypus.Table(
            # What stands in a cell may be longer than a page: an act's reason, a list of files.
            cells,
            colWidths=widths,
            repeatRows=bool(head),
            style=style,
            hAlign="LEFT",
            splitInRow=1,
        )

    def _text(self, text: str, style: str) -> Any:
        return self._platypus.Paragraph(escape(text), self._styles[style])


def _foot(canvas: Any, page: Any) -> None:
    canvas.setFont("Helvetica", 7)
    canvas.drawRightString(550, 28, str(page.page))
