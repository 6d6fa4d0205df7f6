"""Kubeconfig and credentials."""
