"""A run as data, and that data as JSON, JSON lines, JUnit XML, Markdown or GitHub annotations."""

#: The forms of a report; "jsonl" is written as the run goes, the others when it is over.
FORMS = ("json", "jsonl", "junit", "markdown", "github")
