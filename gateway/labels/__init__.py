"""Marks that say: a machine wrote this."""
