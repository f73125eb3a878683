"""Fields that stand in several of OpenAI's operations."""

from __future__ import annotations

from gateway.core.message import Kind
from gateway.dialects._fields import TEXT, Field, exempt, model_name, plain

ID = plain("an identifier made by the API")
WORD = plain("one of the API's own words")
SWITCHES = plain("switches")
NUMBER = plain("a number or a switch")
# Text as a tokenizer's numbers: without that tokenizer nobody can read it.
TOKENS = "application/x-tokens"
ASKED_MODEL = exempt("the model's name, looked up in the catalogue")
ANSWERED_MODEL = model_name("the name of the model that answered")
USAGE = plain("token counts")
ERROR = Field(kind=Kind.ERROR, fields={"message": TEXT, "type": WORD, "code": WORD, "param": WORD})
