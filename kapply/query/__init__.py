"""Label and field selectors, JSONPath. Pure."""
