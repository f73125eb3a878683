"""Client dialects that can be told in chat completions and back: one a file.

Chat completions are the hub of translation: each spoke turns its dialect's requests into one,
and an answer to it, whole or streamed, into its dialect's own. What a spoke cannot carry it
refuses; what it leaves out on purpose it lists, with the reason.
"""
