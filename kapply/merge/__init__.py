"""Merge semantics: JSON in, JSON out. Imports only errors and values."""
