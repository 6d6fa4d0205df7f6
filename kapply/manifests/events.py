"""Where parse events come from: libyaml through PyYAML, or PyYAML's own parser. Pure.

Only events are used, never PyYAML's composer: libyaml's composer recurses on the C stack and
dies of deep nesting, while its event parser keeps a stack of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from yaml.error import MarkedYAMLError, YAMLError
from yaml.reader import ReaderError

from kapply.manifests.text import Chunk, Finding, UnreadableError, unprintable

if TYPE_CHECKING:
    Event = Any

GetEvent = Callable[[], Any]

try:
    from yaml._yaml import CParser

    HAVE_LIBYAML = True
except ImportError:  # pragma: no cover - wheels of PyYAML have libyaml
    HAVE_LIBYAML = False


def open_events(chunk: Chunk, *, pure: bool = False) -> GetEvent:
    """A function that gives the next event of one document's text.

    It raises UnreadableError where the text is no YAML; its place is within the chunk.
    """
    if chunk.json:
        from kapply.manifests.jsontext import json_events

        return json_events(chunk.text, chunk.start, chunk.column).__next__
    body = chunk.body()
    try:
        if pure or not HAVE_LIBYAML:
            from kapply.manifests.pureyaml import PureParser

            get: GetEvent = PureParser(body).get_event
        else:
            get = CParser(body).get_event
    except YAMLError as error:
        raise unreadable(error, body) from None
    return get


def unreadable(error: YAMLError, body: str) -> UnreadableError:
    """PyYAML's exception as a Finding in `body`."""
    if isinstance(error, ReaderError):
        finding = unprintable(body)
        return UnreadableError(finding or Finding(str(error.reason), 0, 0))
    if not isinstance(error, MarkedYAMLError):
        return UnreadableError(Finding(str(error).splitlines()[0], 0, 0))
    mark = error.problem_mark or error.context_mark
    problem = error.problem or "this is not YAML"
    if "expected <document start>" in problem or "expected '<document start>'" in problem:
        problem = "text after the end of the document"
        if body.lstrip().startswith("%"):
            # kubectl cuts the text at ---, so that a directive never has a document.
            problem = "directives like %YAML are refused"
    also: tuple[tuple[int, int], ...] = ()
    if error.context:
        problem = f"{problem} ({error.context})"
        start = error.context_mark
        if start is not None and mark is not None and start.line != mark.line:
            also = ((start.line, start.column),)
    if mark is None:
        return UnreadableError(Finding(problem, 0, 0))
    return UnreadableError(
        Finding(problem, mark.line, mark.column, hint=_hint(body, mark.line, problem), also=also)
    )


_STRICTER = ("found unexpected ':'", "found unknown escape character")
#: The longest text that is read again by the slow parser to see whether it is YAML after all.
_SECOND_LOOK = 1 << 18


def is_stricter(error: YAMLError, body: str) -> bool:
    """Whether libyaml (since 0.2.3) refuses what go-yaml may take.

    To go-yaml `{a:, b: c}` has the key "a:", and a single quote can be escaped in double ones.
    """
    return (
        isinstance(error, MarkedYAMLError)
        and error.problem in _STRICTER
        and len(body) <= _SECOND_LOOK
    )


def _hint(body: str, line: int, problem: str) -> str:
    from kapply.manifests.text import line_at

    text = line_at(body, line)
    if "{{" in text or "{%" in text:
        return "this looks like a template, which has to be rendered first"
    if "\t" in text[: len(text) - len(text.lstrip())]:
        return "YAML is indented by spaces, not by tabs"
    if "cannot start any token" in problem:
        return "quote the value"
    return ""
