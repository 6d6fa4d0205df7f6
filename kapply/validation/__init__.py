"""The gate that passes valid objects, and the explainer that words what is wrong. Pure."""
