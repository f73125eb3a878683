"""Text made inert for a prompt: it cannot end its own place in it, nor speak as somebody else.

Servers turn special tokens into control wherever they stand, also in the content of a message
(vLLM and llama.cpp render a chat template to text and tokenise the whole). So their marks are
broken up, in every prompt, and so are lines that look like a prompt's own frame.
"""

from __future__ import annotations

import re

# "<|...|>" (Llama, Granite, Harmony), Gemma's turns, and the tags that answers are read from.
# What matches white space never gives back, so that all of it is linear.
_TOKEN = re.compile(
    r"<(?=\s*+(?:\||/?+\s*+(?:start_of_|end_of_|begin_of_|begin |end |bos|eos|s>|pad|unk|think|"
    r"no_think|score|guardian|confidence)))",
    re.IGNORECASE,
)
_BRACKET = re.compile(r"\[(?=\s*+/?+\s*+INST\s*+\])", re.IGNORECASE)
_BREAKS = r"\r\x0b\x0c\x85\u2028\u2029"
# Who speaks, and what a prompt asks at its end.
_LINE = re.compile(
    rf"(?:^|(?<=[{_BREAKS}]))(?=[^\S\n{_BREAKS}]*+(?:={{3}}|(?:User|Agent|Task|"
    r"Human Question|Chatbot Response|Our safety principle|Does the human question|"
    r"Does the chatbot response|Provide your safety assessment)\b))",
    re.IGNORECASE | re.MULTILINE,
)


def inert(text: str) -> str:
    """The text with each such mark broken up; every other character stays."""
    return _LINE.sub("| ", _BRACKET.sub("[ ", _TOKEN.sub("< ", text)))
