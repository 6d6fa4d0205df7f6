"""The schemas that come with kapply: Kubernetes as of the version that schemas/ records.

The one module of validation that reads files: those of the package itself.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from kapply.meta import GroupVersion
from kapply.openapi import INDEX, file_of, parse_index
from kapply.validation.sources import OpenAPISource


@cache
def offline_schemas() -> OpenAPISource:
    """The bundled schemas; a group-version is read when a kind of it first comes up."""
    index = _read(INDEX)
    return OpenAPISource(lambda gv: _read(file_of(gv)), parse_index(index))


def offline_version() -> str:
    """The Kubernetes version that the bundled schemas describe ("v1.37.2")."""
    return str(_read(INDEX)["info"]["version"])


def _read(name: str) -> Any:
    package = files("kapply")
    # An installed wheel carries them inside the package, a checkout beside it.
    folder = package / "schemas_data"
    if not (folder / INDEX).is_file():
        folder = package / ".." / "schemas" / "kubernetes"
    return json.loads((folder / name).read_bytes())


def available() -> tuple[GroupVersion, ...]:
    """The group-versions that are bundled."""
    return tuple(parse_index(_read(INDEX)))
