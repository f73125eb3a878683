"""Requests that wait for a person, and the people who decide about them."""
