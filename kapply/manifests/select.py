"""Which documents a label selector chooses."""

from __future__ import annotations

from collections.abc import Sequence

from kapply.manifests.documents import Document
from kapply.query.selectors import parse_selector


def selected(documents: Sequence[Document], selector: str) -> list[Document]:
    """The documents whose labels match, in order; all of them for "".

    Raises:
        UsageError: a selector that cannot be read.
    """
    if not selector:
        return list(documents)
    chosen = parse_selector(selector)
    return [
        document
        for document in documents
        if chosen.matches((document.obj.get("metadata") or {}).get("labels") or {})
    ]
