"""The record: a hash-chained log of every exchange, in SQL."""
