"""Reviews in pieces of HTML. Every value from outside passes through `escape`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from gateway.core.judgement import Principal
from gateway.core.reviews import ReviewState
from gateway.review.info import ReviewInfo

Json = Mapping[str, Any]

_DONE = {
    "approved": "Approved. The request goes on, or will when it comes again.",
    "edited": "Edited. The request goes on with your text, once that is judged.",
    "refused": "Refused. The caller is told your words.",
}


def queue(
    found: Sequence[ReviewInfo],
    *,
    who: Principal,
    now_ms: int,
    ended: bool,
    more: bool,
    said: str,
) -> str:
    """The list, the oldest first. said: the state that a decision has just led to."""
    notice = f'<p class="done" role="status">{_DONE[said]}</p>' if said in _DONE else ""
    tabs = "".join(
        f'<a href="{target}"{" aria-current=page" if here else ""}>{name}</a>'
        for target, name, here in (
            ("/reviews", "Waiting", not ended),
            ("/reviews?show=ended", "Decided", ended),
        )
    )
    rows = "".join(_row(info, who, now_ms) for info in found)
    empty = "Nothing was decided lately." if ended else "Nothing waits for you. Well done."
    if not rows:
        rows = f'<p class="empty">{empty}</p>'
    rest = '<p class="quiet">There are more; these come first.</p>' if more else ""
    return f"""{notice}<section><h2>Reviews</h2>
<nav class="tabs" aria-label="State">{tabs}</nav>
<div class="queue">{rows}</div>{rest}</section>"""


def one(info: ReviewInfo, said: Json | None, *, own: bool, now_ms: int, problem: str = "") -> str:
    """A review with its request, and what can be done about it."""
    why = "".join(
        f'<li><span class="chip">{escape(r.category)}</span> <b>{escape(r.rule)}</b> '
        f'<span class="quiet">of {escape(r.policy)}</span></li>'
        for r in info.reasons
    )
    facts = {
        "Asked by": f"{info.key_name} ({info.key_id})",
        "Application": info.application,
        "Tenant": info.tenant,
        "Goes to": f"{info.model} at {info.provider}",
        "Endpoint": info.endpoint,
        "Opened": _when(info.created_ms),
        "To be decided by" if said else "Counts until": _when(info.expires_ms),
        "Exchange": info.exchange_id,
        "Uses left": str(info.uses) if info.state.value in ("approved", "edited") else "",
        "Decided": _when(info.decided_ms),
    }
    known = "".join(f"<dt>{k}</dt><dd>{escape(v)}</dd>" for k, v in facts.items() if v)
    notice = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
    return f"""<p class="back"><a href="/reviews">All reviews</a></p>{notice}
<section class="review" aria-labelledby="of"><h2 id="of">Review</h2>
<div class="card about"><p class="big">{_pill(info.state)} {_left(info, now_ms)}</p>
<ul class="why" aria-label="Why">{why}</ul><dl>{known}</dl></div></section>
{_request(info, said, own=own) if said else _over(info)}"""


def problem(text: str) -> str:
    """In place of what cannot be shown."""
    return (
        '<p class="back"><a href="/reviews">All reviews</a></p>'
        f'<p class="problem" role="alert">{escape(text)}</p>'
    )


def marked(text: str, marks: Sequence[Json]) -> str:
    """A text with what was found in it. Where findings overlap, the first one is marked."""
    out: list[str] = []
    done = 0
    for mark in marks:
        start, end = mark["start"], mark["end"]
        if start < done or start >= end:
            continue
        became = ", ".join(sorted(set(mark["actions"].values()))) or "no rule"
        about = f"{mark['category']}: {became}"
        kind = f"<small>{escape(mark['category'])}</small>"
        shown = f'<mark title="{escape(about)}">{escape(text[start:end])}{kind}</mark>'
        out += (escape(text[done:start]), shown)
        done = end
    return "".join(out) + escape(text[done:])


def _row(info: ReviewInfo, who: Principal, now_ms: int) -> str:
    chips = "".join(
        f'<span class="chip">{escape(category)}</span>'
        for category in dict.fromkeys(r.category for r in info.reasons)
    )
    own = ' <span class="quiet">your own key</span>' if info.key_id == who.key_id else ""
    return f"""<a class="row" href="/reviews/{escape(info.id)}">
{_pill(info.state)}<span class="model">{escape(info.model)}</span>
<span class="key">{escape(info.key_name)}{own}</span>
<span class="findings">{chips}</span>
<span class="quiet">{escape(", ".join(sorted({r.rule for r in info.reasons})))}</span>
<span class="took">{_left(info, now_ms)}</span></a>"""


def _request(info: ReviewInfo, said: Json, *, own: bool) -> str:
    texts = "".join(_text(text) for text in said["texts"])
    attached = "".join(
        f"<li>{escape(each['media_type'])}, {each['size_bytes']:,} bytes "
        f"<code>{escape(each['path'])}</code></li>"
        for each in said["attached"]
    )
    beside = (
        f'<div class="card warning"><h3>Not shown here</h3><ul>{attached}</ul></div>'
        if attached
        else ""
    )
    shown = f'<section aria-labelledby="said"><h2 id="said">What would leave</h2>{texts}{beside}'
    if own:
        return (
            f'{shown}</section><p class="problem">Nobody decides about a request of his own key. '
            "Sign in with another one.</p>"
        )
    target = f"/reviews/{escape(info.id)}"
    fields = "".join(_field(number, text) for number, text in enumerate(said["texts"]))
    return f"""{shown}</section>
<section class="decide" aria-labelledby="do"><h2 id="do">Decide</h2>
<div class="cards">
<form method="post" action="{target}" class="card"><h3>Approve</h3>
<p class="quiet">It goes on as you see it above.</p>
<button name="do" value="approve">Approve</button></form>
<form method="post" action="{target}" class="card"><h3>Refuse</h3>
<label for="words">What the caller is told</label>
<textarea id="words" name="words" rows="3" maxlength="2000" required></textarea>
<button name="do" value="refuse" class="no">Refuse</button></form></div>
<details class="card edit"><summary>Edit</summary>
<form method="post" action="{target}">
<p class="quiet">Your text is judged before it goes on, like any request.</p>{fields}
<button name="do" value="edit">Send on, edited</button></form></details></section>"""


def _text(text: Json) -> str:
    return f"""<article class="card said"><h3>{escape(text["role"] or text["kind"])}
<code>{escape(text["path"])}</code></h3>
<div class="text">{marked(text["text"], text["marks"])}</div></article>"""


def _field(number: int, text: Json) -> str:
    if text["fixed"]:
        return ""
    lines = min(max(3, len(text["text"]) // 90 + text["text"].count("\n") + 1), 24)
    # The first line end after the tag is not part of the text.
    return (
        f'<label for="text-{number}">{escape(text["role"] or text["kind"])} '
        f"<code>{escape(text['path'])}</code></label>"
        f'<textarea id="text-{number}" name="text:{escape(text["path"])}" rows="{lines}">\n'
        f"{escape(text['text'])}</textarea>"
    )


def _over(info: ReviewInfo) -> str:
    words = "It was not decided in time." if info.state is ReviewState.EXPIRED else "It is decided."
    return f'<p class="empty">{words} What the request said is deleted.</p>'


def _pill(state: ReviewState) -> str:
    return f'<span class="pill {state.value}">{state.value}</span>'


def _left(info: ReviewInfo, now_ms: int) -> str:
    """How much time there is to decide, in one unit."""
    if info.state is not ReviewState.WAITING:
        return f'<span class="quiet">{_when(info.decided_ms or info.expires_ms)}</span>'
    left_s = max(0, (info.expires_ms - now_ms) // 1_000)
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if left_s >= 2 * seconds:
            return f'<span class="quiet">{left_s // seconds} {unit} left</span>'
    return f'<span class="late">{left_s} s left</span>'


def _when(ms: int | None) -> str:
    return f"{datetime.fromtimestamp(ms / 1_000, UTC):%d %b %Y, %H:%M} UTC" if ms else ""
