"""The page of terms of use, in pieces of HTML. Every value from outside passes through `escape`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

Told = Mapping[str, Any]


def terms(profiles: Sequence[Told], acts: Sequence[Told], *, acting: bool, problem: str) -> str:
    """All profiles, and what was done about them. acting: whether forms are shown."""
    said = f'<ul class="notices"><li class="bad">{escape(problem)}</li></ul>' if problem else ""
    rows = "".join(_profile(each, acting=acting) for each in profiles)
    done = "".join(_act(each, acting=acting) for each in acts if each["withdrawn_ms"] is None)
    attest = _form("attest", _field("fact", "name or name=value", required=True) + _FOR)
    return f"""{said}<section><h2>Terms of use</h2>
<p class="quiet">Readings of documents, in our own words. No legal advice: compare them with the
documents before you approve. <a href="/">Overview</a></p>
<div class="log terms">{rows}</div></section>
<section><h2>Accepted and attested</h2>
{attest if acting else ""}<div class="log terms">{done or '<p class="empty">Nothing yet.</p>'}</div>
</section>"""


def _profile(told: Told, *, acting: bool) -> str:
    sources = "".join(f"<li>{_source(each)}</li>" for each in told["sources"])
    clauses = "".join(
        f"<dt>{escape(each['id'])}</dt><dd>{escape(each['summary'])} "
        f'<span class="quiet">{escape(each["reference"])} · {escape(each["class"])} · '
        f"{escape(each['certainty'])}</span></dd>"
        for each in told["clauses"]
    )
    form = ""
    if acting and (told["status"] == "draft" or told["newer"]):
        form += _form("approve", _about(told, told["newer"] or told["rev"]))
    if acting and told["status"] == "approved":
        form += _form("accept", _about(told, told["rev"]) + _FOR)
    newer = f" · {escape(told['newer'])} waits for approval" if told["newer"] else ""
    return f"""<details><summary><b>{escape(told["title"])}</b>
<span class="quiet">{escape(told["id"])} · {escape(told["rev"])}{newer}</span>
<span class="pill">{escape(told["status"])}</span>
<span class="quiet">{escape(told["certainty"])}</span></summary>
<p>{escape(told["summary"])}</p><ul>{sources}</ul><dl>{clauses}</dl>{form}</details>
"""


def _about(told: Told, rev: str) -> str:
    """The revision that the page shows, so that no other one is approved or accepted."""
    return (
        f'<input type="hidden" name="profile" value="{escape(told["id"])}">'
        f'<input type="hidden" name="rev" value="{escape(rev)}">'
    )


def _source(told: Told) -> str:
    title = escape(told["title"])
    # Only addresses that reading a profile let through: https.
    linked = f'<a href="{escape(told["url"])}" rel="noreferrer">{title}</a>'
    dated = f" · {escape(told['date'])}" if told["date"] else ""
    return (linked if told["url"] else title) + dated + f" · {escape(told['certainty'])}"


def _act(told: Told, *, acting: bool) -> str:
    of = f"{told['profile']} {told['rev']}" if "profile" in told else told["name"]
    of += f" = {told['value']}" if told.get("value") else ""
    whose = " / ".join(told[k] for k in ("tenant", "application", "key_id") if told.get(k))
    hidden = f'<input type="hidden" name="id" value="{escape(told["id"])}">'
    form = _form("withdraw", hidden) if acting else ""
    return f"""<details><summary><b>{escape(told["what"])}</b> <span>{escape(of)}</span>
<span class="quiet">{escape(whose)}</span></summary>{form}</details>
"""


def _form(verb: str, fields: str) -> str:
    return (
        f'<form method="post" action="/terms/{verb}" class="fields">{fields}'
        f"<button>{verb.capitalize()}</button></form>\n"
    )


def _field(name: str, hint: str, *, required: bool = False) -> str:
    needed = " required" if required else ""
    return f'<label>{hint} <input name="{name}"{needed} maxlength="200"></label>\n'


_FOR = (
    _field("tenant", "tenant") + _field("application", "application") + _field("key_id", "key")
    + _field("as", "in the role of") + _field("days", "days")
)  # fmt: skip
