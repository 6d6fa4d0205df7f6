"""From text to documents: YAML and JSON as Kubernetes reads them, and where they come from."""
