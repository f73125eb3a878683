"""The life of policy bundles: stored, signed, approved, tried, rolled out, taken back."""
