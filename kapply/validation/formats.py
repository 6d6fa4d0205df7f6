"""String formats and patterns as the API server reads them: text in, yes or no out.

Two families share a name and differ in meaning. Built-in types are decoded by Go: `date-time`
is time.Time's RFC 3339, `byte` is encoding/base64. Custom resources are checked against
`format` by kube-openapi's strfmt, and unknown formats are ignored there
(apiextensions-apiserver, pkg/apiserver/validation/formats.go).
"""

from __future__ import annotations

import binascii
import ipaddress
import re
from collections.abc import Callable
from functools import cache, lru_cache
from urllib.parse import urlsplit

from kapply.values.durations import parse_duration
from kapply.values.quantity import Quantity, QuantityError
from kapply.values.times import parse_micro_time, parse_time

Check = Callable[[str], bool]

_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_SCALA_UNIT = re.compile(
    r"\d+\s*(?:ns|nano[a-z]*|us|µs|micro[a-z]*|ms|milli[a-z]*|s|sec[a-z]*|m|min[a-z]*"
    r"|h|hr|hour[a-z]*|d|day[a-z]*|w|wk|week[a-z]*)(?![a-zµ])",
    re.ASCII | re.IGNORECASE,
)
_UUID = "[0-9a-f]{8}-?[0-9a-f]{4}-?%s[0-9a-f]{3}-?%s[0-9a-f]{3}-?[0-9a-f]{12}"


@lru_cache(maxsize=4096)
def is_quantity(text: str) -> bool:
    """A resource.Quantity in its text form ("100m", "1.5Gi", "1e3")."""
    try:
        Quantity.from_json(text)
    except QuantityError:
        return False
    return True


def is_date(text: str) -> bool:
    """full-date of RFC 3339."""
    match = _DATE.fullmatch(text)
    return match is not None and _is_day(*map(int, match.groups()))


def is_date_time(text: str) -> bool:
    """date-time of RFC 3339 as Go's time.Parse takes it (metav1.Time)."""
    return _parses(parse_time, text)


def is_micro_time(text: str) -> bool:
    """metav1.MicroTime: RFC 3339 with exactly six digits of fraction."""
    return _parses(parse_micro_time, text)


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _is_day(year: int, month: int, day: int) -> bool:
    if not 1 <= month <= 12:
        return False
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 1 <= day <= _DAYS[month - 1] + leap


def is_base64(text: str) -> bool:
    """Standard base64 with padding; line ends are skipped (Go's encoding/base64)."""
    if not text.isascii():
        return False
    data = text.encode("ascii").replace(b"\n", b"").replace(b"\r", b"")
    if len(data) % 4:
        return False
    try:
        binascii.a2b_base64(data, strict_mode=True)
    except binascii.Error:
        return False
    return True


def is_duration(text: str) -> bool:
    """A Go duration ("1h30m"), or numbers with units in words ("3 days"), as strfmt takes it."""
    return is_go_duration(text) or _SCALA_UNIT.search(text) is not None


def is_go_duration(text: str) -> bool:
    """A duration as Go's time.ParseDuration takes it (metav1.Duration)."""
    return _parses(parse_duration, text)


def _ip(version: int) -> Check:
    def check(text: str) -> bool:
        try:
            # Leading zeros are tolerated by the server ("010.0.0.1").
            address = ipaddress.ip_address(_plain_octets(text))
        except ValueError:
            return False
        return address.version == version and "%" not in text

    return check


def is_cidr(text: str) -> bool:
    """A network in CIDR notation; host bits may be set."""
    address, slash, length = text.partition("/")
    if not slash or not length.isascii() or not length.isdigit():
        return False
    try:
        ipaddress.ip_interface(f"{_plain_octets(address)}/{length}")
    except ValueError:
        return False
    return True


def _plain_octets(address: str) -> str:
    return re.sub(r"\b0+(?=[0-9])", "", address) if "." in address else address


def _is_uri(text: str) -> bool:
    # url.ParseRequestURI: an absolute URI or an absolute path, no control characters.
    if not text or any(mark <= " " or mark == "\x7f" for mark in text):
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return text.startswith("/") or (bool(parts.scheme) and bool(parts.netloc or parts.path))


def _pattern(pattern: str, flags: int = 0) -> Check:
    compiled = re.compile(pattern, re.ASCII | flags)
    return lambda text: compiled.fullmatch(text) is not None


def _name(limit: int, pattern: str) -> Check:
    matches = _pattern(pattern)
    return lambda text: len(text) <= limit and matches(text)


_LABEL = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"

_MAKERS: dict[str, Callable[[], Check]] = {
    "date": lambda: is_date,
    "datetime": lambda: is_date_time,
    "duration": lambda: is_duration,
    "byte": lambda: lambda text: bool(text) and text.isprintable() and is_base64(text),
    "ipv4": lambda: _ip(4),
    "ipv6": lambda: _ip(6),
    "cidr": lambda: is_cidr,
    "uri": lambda: _is_uri,
    "mac": lambda: _pattern(
        "(?:[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\\1){4,18}[0-9a-f]{2})|(?:[0-9a-f]{4}\\.){2,}[0-9a-f]{4}",
        re.IGNORECASE,
    ),
    "uuid": lambda: _pattern(_UUID % ("[0-9a-f]", "[0-9a-f]"), re.IGNORECASE),
    "uuid3": lambda: _pattern(_UUID % ("3", "[0-9a-f]"), re.IGNORECASE),
    "uuid4": lambda: _pattern(_UUID % ("4", "[89ab]"), re.IGNORECASE),
    "uuid5": lambda: _pattern(_UUID % ("5", "[89ab]"), re.IGNORECASE),
    "hexcolor": lambda: _pattern("#?(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE),
    "ssn": lambda: _pattern(r"\d{3}[- ]?\d{2}[- ]?\d{4}"),
    "email": lambda: _pattern(r"(?:[^<>]*<)?[^\s@<>]+@[^\s@<>]+>?"),
    "k8sshortname": lambda: _name(63, _LABEL),
    "k8slongname": lambda: _name(253, rf"{_LABEL}(?:\.{_LABEL})*"),
}


@cache
def string_format(name: str) -> Check | None:
    """The check for a custom resource's string `format`; None for one that is not checked.

    hostname, isbn, creditcard, rgbcolor and bsonobjectid are left to the server: a wrong
    refusal would cost more than a late one.
    """
    maker = _MAKERS.get(name.replace("-", ""))
    return maker() if maker else None


_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "digit": "0-9",
    "lower": "a-z",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
    "space": r"\t\n\v\f\r ",
    "blank": r"\t ",
    "punct": r"!-/:-@\[-`{-~",
    "cntrl": r"\x00-\x1f\x7f",
    "print": " -~",
    "graph": "!-~",
    "ascii": r"\x00-\x7f",
}


@cache
def go_pattern(pattern: str) -> re.Pattern[str] | None:
    r"""A Go (RE2) regular expression for Python's re; None where it has no equal there.

    RE2 matches ASCII in \d, \w and \s, `$` only at the end of the text, and knows \z and
    POSIX classes. Unicode classes (\p{L}) cannot be said in re.
    """
    translated = _translate(pattern)
    if translated is None:
        return None
    try:
        return re.compile(translated, re.ASCII)
    except (re.error, RecursionError, OverflowError):
        return None


_FLAGS = re.compile(r"\(\?([ims]+)\)")


def _translate(pattern: str) -> str | None:
    """The pattern for Python's re; None for what it cannot say."""
    if "{," in pattern:
        return None  # a repetition to Python, plain text to RE2
    out: list[str] = []
    # Per open group: how many scoped groups stand for flags, and whether | would part them.
    groups: list[list[bool]] = [[]]
    before = False
    index = 0
    while index < len(pattern):
        mark = pattern[index]
        if mark == "\\":
            after = pattern[index + 1 : index + 2]
            if after in ("p", "P", "C", "Q", "E"):
                return None
            out.append(r"\Z" if after == "z" else "\\" + after)
            before, index = True, index + 2
            continue
        if mark == "[":
            translated, index = _translate_class(pattern, index)
            if translated is None:
                return None
            out.append(translated)
            before = True
            continue
        flags = _FLAGS.match(pattern, index)
        if flags is not None:
            # Python has flags for a whole group only: (?i)a is (?i:a).
            out.append(f"(?{flags[1]}:")
            groups[-1].append(before)
            index = flags.end()
            continue
        if mark == "(":
            groups.append([])
            before = False
        elif mark == ")" and len(groups) > 1:
            out.append(")" * len(groups.pop()))
            before = True
        elif mark == "|":
            if any(groups[-1]):
                return None
            before = False
        elif mark not in "^$":
            before = True
        out.append(r"\Z" if mark == "$" else mark)
        index += 1
    out.append(")" * len(groups[0]))
    return "".join(out)


def _translate_class(pattern: str, index: int) -> tuple[str | None, int]:
    """A character class that starts at `index`, and where it ends."""
    out = ["["]
    index += 1
    if pattern[index : index + 1] == "^":
        out.append("^")
        index += 1
    if pattern[index : index + 1] == "]":
        out.append("\\]")
        index += 1
    while index < len(pattern):
        mark = pattern[index]
        if mark == "]":
            return "".join(out) + "]", index + 1
        if mark == "\\":
            after = pattern[index + 1 : index + 2]
            if after in ("p", "P", "Q", "E"):
                return None, index
            out.append("\\" + after)
            index += 2
        elif mark == "[" and pattern[index + 1 : index + 2] == ":":
            end = pattern.find(":]", index)
            name = pattern[index + 2 : end]
            if end < 0 or name not in _POSIX:
                return None, index
            out.append(_POSIX[name])
            index = end + 2
        else:
            # A bare [ in a class means itself in RE2; re warns that it may not for ever. So it
            # does for &&, || and the like.
            out.append("\\" + mark if mark in "[&~|" else mark)
            index += 1
    return "".join(out), index


# What Python's re has and RE2 does not: look-around, back-references, possessive quantifiers.
_NOT_IN_GO = re.compile(r"\(\?(?:[=!>#(]|<[=!]|P=)|\\[1-9]|[*+?}]\+")


# Complaints of re that RE2 has too.
_CERTAIN = (
    "missing )",
    "unbalanced parenthesis",
    "unterminated character set",
    "nothing to repeat",
    "bad character range",
    "bad escape (end of pattern)",
)


def go_pattern_problem(pattern: str) -> str:
    """What makes a pattern no Go regular expression; "" where nothing certain does."""
    if not pattern:
        return ""
    plain = re.sub(r"\\[^1-9]|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]", "a", pattern)
    if _NOT_IN_GO.search(plain):
        return "uses what Go's regular expressions do not have (look-around, back-references)"
    translated = _translate(pattern)
    if translated is not None and go_pattern(pattern) is None:
        try:
            re.compile(translated)
        except re.error as error:
            if error.msg.startswith(_CERTAIN):
                return f"is no regular expression: {error.msg}"
        except (RecursionError, OverflowError):
            return ""
    return ""
