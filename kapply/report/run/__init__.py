"""A run as data, and that data as JSON, JSON lines, JUnit XML, Markdown or GitHub annotations."""
