"""PyYAML's own parser where libyaml is missing: the same events, from Python. Pure."""

from __future__ import annotations

from typing import Any

from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner


class PureParser(Reader, Scanner, Parser):
    """Events of a text, through get_event, as yaml._yaml.CParser gives them."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)

    def get_event(self) -> Any:
        """The next event; None after the last."""
        return super().get_event()  # type: ignore[no-untyped-call]
