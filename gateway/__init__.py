"""The responsible-use gateway: every byte to and from a language model accounted for."""

__version__ = "0.1.0"
