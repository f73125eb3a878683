"""Who is asking: gateway keys, and the secrets that everything keyed is derived from."""
