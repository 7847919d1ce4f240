"""The whole life of a small language model on one machine."""

__version__ = "0.1.0"
