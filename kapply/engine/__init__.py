"""Act: fetch what a plan needs, carry a plan out, wait."""
