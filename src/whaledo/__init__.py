"""whaledo: the code-execution runtime for photo-identification challenges."""

__version__ = "0.1.0"
