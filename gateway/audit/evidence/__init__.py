"""Evidence packs: what the log shows of a law or standard, and how to check it."""
