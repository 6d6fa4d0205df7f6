"""The wire: requests behind Transport, retries, cache, traces."""
