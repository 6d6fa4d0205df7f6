"""The version, written once; `kapply --version` reads it before anything else is imported."""

__version__ = "0.1.0"
