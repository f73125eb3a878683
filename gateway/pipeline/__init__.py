"""The corridor: the order of things, from a request to its recorded end."""
