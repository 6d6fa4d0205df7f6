"""Explicit YAML tags as Kubernetes reads them. Pure."""

from __future__ import annotations

import base64
import re
from typing import Final

from kapply.manifests.goformat import go_utf8
from kapply.manifests.scalars import resolve

YAML_TAG: Final = "tag:yaml.org,2002:"

#: Tags of YAML 1.1 (yaml.org/type) that Kubernetes reads as what the node is without them.
PLAIN_TAGS: Final = frozenset(
    YAML_TAG + name for name in ("map", "seq", "set", "omap", "pairs", "merge", "value", "yaml")
)
SCALAR_TAGS: Final = frozenset(
    YAML_TAG + name for name in ("str", "int", "float", "bool", "null", "binary", "timestamp")
)

_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}\Z").match
_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:(?P<t>[Tt ])([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?"
    r"(?P<zone>Z|[-+][0-9]{2}:[0-9]{2})?)?\Z"
).match


class TagError(ValueError):
    """A scalar that is not of the type its tag names."""


def tagged(tag: str, text: str) -> tuple[object, str]:
    """A scalar with an explicit tag, before JSON, and a warning or "".

    Raises:
        TagError: the text is not of that type.
    """
    if not tag.startswith(YAML_TAG):
        return text, ""
    name = tag[len(YAML_TAG) :]
    if name == "binary":
        return _binary(text)
    if name == "timestamp":
        if is_timestamp(text):
            return text, ""
        raise TagError("not a timestamp, which the tag !!timestamp asks for")
    if name not in ("int", "float", "bool", "null"):
        return text, ""
    value = resolve(text)
    found = _type_name(value)
    if found == name:
        return value, ""
    if name == "float" and found == "int" and type(value) is int:
        return float(value), ""
    raise TagError(f"of type !!{found}, but the tag says !!{name}")


def _type_name(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    return "float" if isinstance(value, float) else "str"


def _binary(text: str) -> tuple[str, str]:
    packed = text.replace("\n", "").replace("\r", "")
    if len(packed) % 4 or _BASE64(packed) is None:
        raise TagError("not base64, which the tag !!binary asks for")
    data = base64.b64decode(packed)
    try:
        return data.decode(), ""
    except UnicodeDecodeError:
        return (
            go_utf8(data),
            "these bytes are not UTF-8 and become U+FFFD; Kubernetes takes bytes as base64 text",
        )


_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def is_timestamp(text: str) -> bool:
    """Whether go-yaml takes the text for a timestamp (its four layouts of time.Parse)."""
    match = _TIMESTAMP(text)
    if match is None:
        return False
    year, month, day = (int(part) for part in match.group(1, 2, 3))
    if not 1 <= month <= 12 or not 1 <= day <= _DAYS[month - 1]:
        return False
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if month == 2 and day == 29 and not leap:
        return False
    if match.group("t") is None:
        return True
    hour, minute, second = (int(part) for part in match.group(5, 6, 7))
    if hour > 23 or minute > 59 or second > 59:
        return False
    zone = match.group("zone")
    if match.group("t") == " ":
        return zone is None
    if zone is None:
        return False
    return zone == "Z" or (int(zone[1:3]) <= 24 and int(zone[4:6]) < 60)
