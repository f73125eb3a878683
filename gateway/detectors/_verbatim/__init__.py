"""Text that stands elsewhere, found again although it was changed a little.

Shared by what looks for registered works and by what looks for a request's own system prompt.
Words become overlapping shingles; shingles that stand in the other text at the same distance
from each other are a run. No text is kept, only hashes of shingles.
"""
