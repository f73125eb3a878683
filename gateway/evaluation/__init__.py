"""How good the detectors are, on texts whose answers are known.

Pure functions from labelled rows and findings to figures. They judge nothing themselves: how a
text is judged is handed in (`run.Look`), and is the gateway's own way. What each figure means
is in docs/detection.md.
"""
