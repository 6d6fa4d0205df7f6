"""Decide: desired, live and inventory in, a Plan of Changes out. Pure."""
