"""Policies: rules that people write, compiled into a bundle that judges findings."""
