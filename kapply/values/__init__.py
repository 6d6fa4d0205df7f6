"""Kubernetes' own value types: quantity, time, int-or-string. Pure."""
