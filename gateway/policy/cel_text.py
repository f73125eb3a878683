"""What the text of a CEL expression tells before it is compiled: the names in it, its loops.

Tokens follow the CEL specification (github.com/google/cel-spec, doc/langdef.md, "Syntax").
"""

from __future__ import annotations

import re
from collections.abc import Collection

VARIABLES = "variables"
_MACROS = frozenset({"all", "exists", "exists_one", "existsOne", "map", "filter"})
_TOKEN = re.compile(
    r"""(?:[rR][bB]?|[bB][rR])(?:"[^"\n]*"|'[^'\n]*')
    |[bB]?(?:\"\"\"(?s:.*?)\"\"\"|'''(?s:.*?)'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    |//[^\n]*|(?P<word>[A-Za-z_]\w*)|(?P<sign>[().])""",
    re.VERBOSE,
)


def names_in(source: str, known: Collection[str]) -> frozenset[str]:
    """Those of the known names that stand in it, `variables.x` as one; rather too many."""
    words = [m["word"] or m["sign"] for m in _TOKEN.finditer(source) if m["word"] or m["sign"]]
    dotted = (
        f"{VARIABLES}.{words[i + 2]}"
        for i, word in enumerate(words[:-2])
        if word == VARIABLES and words[i + 1] == "."
    )
    return frozenset({*words, *dotted}.intersection(known))


def nesting(source: str) -> int:
    """How deep loops stand inside loops: a macro's call within another's parentheses."""
    deepest, loops = 0, 0
    stack: list[bool] = []
    word = ""
    after_dot = False
    for match in _TOKEN.finditer(source):
        sign = match["sign"]
        if match["word"]:
            word = match["word"] if after_dot else ""
            after_dot = False
        elif sign == ".":
            after_dot = True
        elif sign == "(":
            stack.append(word in _MACROS)
            loops += stack[-1]
            deepest = max(deepest, loops)
            word = ""
        elif sign == ")" and stack:
            loops -= stack.pop()
    return deepest
