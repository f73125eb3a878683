"""Counters in Prometheus's text format, version 0.0.4: names and numbers, nothing of people."""

from __future__ import annotations

import re
from collections.abc import Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ODD = re.compile(r"[^a-zA-Z0-9_]")


def exposition(counters: Mapping[str, int], *, ready: bool, version: str, bundle: str) -> str:
    """The whole page. Counters that end in `_total` are counters, all others gauges.

    counters: by name; labels may follow it in braces, as they are to be written.
    version, bundle: our own, so they hold nothing that a label must escape.
    """
    lines = [
        "# HELP gateway_info Version of the gateway and digest of the policies in force.",
        "# TYPE gateway_info gauge",
        f'gateway_info{{version="{version}",bundle="{bundle}"}} 1',
        "# HELP gateway_ready Whether this process takes requests.",
        "# TYPE gateway_ready gauge",
        f"gateway_ready {int(ready)}",
    ]
    typed = ""
    for name, value in sorted(counters.items()):
        family, brace, labels = name.partition("{")
        full = f"gateway_{_ODD.sub('_', family)}"
        if full != typed:
            typed = full
            lines.append(f"# TYPE {full} {'counter' if family.endswith('_total') else 'gauge'}")
        lines.append(f"{full}{brace}{labels} {value}")
    return "\n".join(lines) + "\n"
