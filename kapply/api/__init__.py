"""kapply as a library: what `import kapply` gives."""
