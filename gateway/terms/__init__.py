"""Terms of use as data: what they say, who approved and accepted them, what they ask of a call."""
