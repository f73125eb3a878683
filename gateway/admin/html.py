"""The page in pieces of HTML. Every value from outside passes through `escape`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape

from gateway import pricing
from gateway.admin.ports import BundleSummary, DetectorSummary, ModelSummary
from gateway.audit.line import Line
from gateway.core.clearance import ALL

_OUTCOMES = {
    "": "All",
    "completed": "Completed",
    "blocked": "Blocked",
    "refused": "Refused",
    "upstream_error": "Upstream errors",
    "failed": "Failed",
    "disconnected": "Disconnected",
}
_MARK = (
    '<span class="mark" aria-hidden="true"><i></i><i></i><i></i></span>'
    '<span class="name">gateway</span>'
)


def page(title: str, style: str, body: str) -> str:
    """A whole document."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)} · gateway</title>\n<style>{style}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def sign_in(*, ready: bool, problem: str, version: str) -> str:
    """The form that asks for a key."""
    said = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
    return f"""<main class="door">
<h1>{_MARK}</h1>
<p>{_light(ready)} <span class="quiet">{escape(version)}</span></p>
<form method="post" action="/login" class="card">
<label for="key">Gateway key</label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus
 placeholder="gw_…" spellcheck="false">
{said}<button>Sign in</button>
<p class="quiet">A key with the role admin, auditor or reviewer. To make one:<br>
<code>gateway keys new NAME --role auditor</code></p>
</form>
</main>"""


def header(name: str, version: str, *, here: str, reads: bool = True) -> str:
    """The bar at the top. here: the page it stands on. reads: whether the overview is open."""
    known: tuple[tuple[str, str], ...] = (("/reviews", "reviews"),)
    if reads:
        known = (("/", "overview"), ("/terms", "terms"), *known)
    links = "".join(
        f'<a href="{target}"{" aria-current=page" if page == here else ""}>{page.title()}</a>'
        for target, page in known
    )
    return f"""<header><div class="bar">
<h1>{_MARK} <span class="quiet">{escape(version)}</span></h1>
<nav class="tabs top" aria-label="Pages">{links}</nav>
<span class="who">{escape(name)}</span>
<form method="post" action="/logout"><button class="plain">Sign out</button></form>
</div></header>
<main>"""


def state(
    *,
    problems: Mapping[str, str],
    warnings: Mapping[str, str],
    bundle: BundleSummary,
    detectors: Sequence[DetectorSummary],
    counters: Mapping[str, int],
) -> str:
    """Readiness, policies, detectors and the log, each in a card."""
    said = "".join(
        f'<li class="{kind}"><b>{escape(part)}</b> {escape(text)}</li>'
        for kind, items in (("bad", problems), ("warning", warnings))
        for part, text in items.items()
    )
    notices = f'<ul class="notices">{said}</ul>' if said else ""
    policies = "".join(
        f"<li><b>{escape(p.name)}</b> {escape(p.version)} "
        f'<span class="quiet">{p.rules} rules</span></li>'
        for p in bundle.policies
    )
    running = "".join(
        f"<li><b>{escape(d.name)}</b> "
        f'<span class="quiet">{len(d.categories)} categories</span></li>'
        for d in detectors
    )
    written = counters.get("audit_rows_total", 0)
    lost = counters.get("audit_dropped_total", 0)
    return f"""{notices}
<section class="cards" aria-label="State">
<div class="card"><h2>Gateway</h2><p class="big">{_light(not problems)}</p>
<p class="quiet">{"Every request is judged and recorded." if not problems else "See above."}</p>
</div>
<div class="card"><h2>Policy</h2><ul>{policies}</ul>
<p class="quiet">digest <code>{escape(bundle.digest[:12])}</code></p></div>
<div class="card"><h2>Detectors</h2><ul>{running}</ul></div>
<div class="card"><h2>Audit log</h2><p class="big">{written:,}</p>
<p class="quiet">entries written since the start, {lost:,} lost</p></div>
</section>"""


def models(found: Sequence[ModelSummary]) -> str:
    """The catalogue as a list of chips."""
    items = []
    for model in found:
        if model.missing:
            about, kind = f"off: {model.missing}", "off"
        else:
            about, kind = f"{model.provider} · {model.hosting} · {_sees(model)}", "on"
            if model.prices:
                about += f" · a million tokens: {pricing.words(model.prices)}"
        items.append(
            f'<li class="{kind}"><b>{escape(model.name)}</b><span>{escape(about)}</span></li>'
        )
    return f'<section><h2>Models</h2><ul class="models">{"".join(items)}</ul></section>'


def _sees(model: ModelSummary) -> str:
    """Which classes of data it may see, as the catalogue says it, and what becomes of them."""
    level, *special = model.classes
    said = f"sees up to {level}"
    if special:
        said += " and all classes" if special == [ALL] else f", {', '.join(special)}"
    kept = f", kept {model.retention_days} days" if model.retention_days >= 0 else ""
    return said + (", trains" if model.trains else "") + kept


def log(
    lines: Sequence[Line], *, keys: Mapping[str, str], outcome: str, older: str, paged: bool
) -> str:
    """The exchanges, newest first. Each opens to show what is known of it."""
    tabs = "".join(_tab(value, name, here=value == outcome) for value, name in _OUTCOMES.items())
    rows = "".join(_exchange(line, keys) for line in lines)
    if not rows:
        rows = '<p class="empty">No exchange yet.</p>'
    elsewhere = '<a href="/">Newest</a>' if paged else ""
    elsewhere += f'<a href="/?{escape(older)}">Older</a>' if older else ""
    return f"""<section><h2>Exchanges</h2>
<nav class="tabs" aria-label="Outcome">{tabs}</nav>
<div class="log">
<div class="columns" aria-hidden="true"><span>Time, UTC</span><span>Outcome</span>
<span>Decision</span><span>Model</span><span>Key</span>
<span>Findings or reason</span><span>Took</span></div>
{rows}</div>
<nav class="pages">{elsewhere}</nav>
</section></main>"""


def log_missing(problem: str) -> str:
    """In place of the exchanges, when they cannot be read."""
    return (
        '<section><h2>Exchanges</h2><ul class="notices">'
        f'<li class="bad">{escape(problem)}</li></ul></section></main>'
    )


def _tab(value: str, name: str, *, here: bool) -> str:
    target = f"/?outcome={value}" if value else "/"
    current = ' aria-current="page"' if here else ""
    return f'<a href="{target}"{current}>{name}</a>'


def _exchange(line: Line, keys: Mapping[str, str]) -> str:
    at = datetime.fromtimestamp(line.ts_ms / 1000, UTC)
    findings = "".join(
        f'<span class="chip">{escape(name)}{f" ×{count}" if count > 1 else ""}</span>'
        for name, count in line.findings.items()
    )
    why = line.refusal or line.error
    if not findings and why:
        findings = f'<span class="quiet">{escape(why)}</span>'
    holder = keys.get(line.key_id, line.key_id)
    facts = {
        "Exchange": line.exchange_id,
        "Rules": ", ".join(line.rules),
        "On trial": ", ".join(f"{rule} ({mode})" for rule, mode in sorted(line.trials.items())),
        "Application": line.application,
        "Tenant": line.tenant,
        "Provider": line.provider,
        "Status": str(line.status or ""),
        "Refusal": line.refusal,
        "Error": line.error,
        "Judged": f"{line.judged_chars:,} characters in {line.judging_ms:.1f} ms",
        "Not readable": f"{line.opaque} attachments" if line.opaque else "",
        "Restored": f"{line.restored} placeholders" if line.restored else "",
        "Tokens": f"{line.tokens:,}" if line.tokens else "",
        "Cost": line.cost,
        "Policy": line.policy,
        "Hash": line.hash,
    }
    known = "".join(f"<dt>{k}</dt><dd>{escape(v)}</dd>" for k, v in facts.items() if v)
    return f"""<details><summary>
<time datetime="{at.isoformat()}">{at:%d %b} <b>{at:%H:%M:%S}</b></time>
<span class="pill {escape(line.outcome)}">{escape(line.outcome.replace("_", " "))}</span>
<span class="decision {escape(line.decision)}">{escape(line.decision)}</span>
<span class="model">{escape(line.model)}</span>
<span class="key">{escape(holder)}</span>
<span class="findings">{findings}</span>
<span class="took">{line.total_ms:,.0f} ms</span>
</summary><dl>{known}</dl></details>
"""


def _light(ready: bool) -> str:
    return (
        f'<span class="light {"on" if ready else "off"}">{"Ready" if ready else "Not ready"}</span>'
    )
