"""A run as Markdown for a pull request or a job summary: a table, then the diffs, folded.

GitHub takes comments of up to 65,536 characters: what has no room is counted, never cut in the
middle, and what failed comes first.
"""

from __future__ import annotations

from collections.abc import Iterator

from kapply.report.escape import escape
from kapply.report.run.record import Entry, Record
from kapply.report.text import reason_lines

#: The longest document, in characters, with room to spare below 65,536.
LIMIT = 64_000
#: Rows of the table, and lines of one diff.
_MOST_ROWS = 200
_MOST_LINES = 400
_SIGN = {"create": "+", "update": "~", "delete": "-", "recreate": "±"}
_QUIET = ("unchanged", "adopt", "adopted", "Current")


def write_markdown(record: Record) -> str:
    """The whole document, at most LIMIT characters."""
    lines = list(_head(record))
    shown = [entry for entry in record.entries if entry.failed]
    shown += [e for e in record.entries if not e.failed and e.word not in _QUIET]
    lines += _table(shown)
    text = "\n".join(lines) + "\n"
    left_out = 0
    for entry in shown:
        block = _details(entry)
        if not block:
            continue
        if len(text) + len(block) > LIMIT - 200:
            left_out += 1
        else:
            text += block
    if left_out:
        text += f"\n{left_out} more diffs have no room here; `kapply diff` shows them.\n"
    return text


def _head(record: Record) -> Iterator[str]:
    sign = {"ok": "✅", "differences": "📝"}.get(record.result, "❌")
    dry = " (dry run)" if record.dry_run else ""
    yield f"### {sign} kapply {record.info.command}{dry}: {record.result}"
    yield ""
    counts = record.counts
    parts = [f"{number} {word}" for word, number in sorted(counts.items())]
    total = len(record.entries)
    place = _code(record.info.context or record.info.server)
    where = f" on {place}" if place else ""
    noun = "object" if total == 1 else "objects"
    yield f"{total} {noun}{where}: {', '.join(parts) or 'nothing to do'} ({record.seconds:.1f} s)"
    if record.error:
        yield ""
        yield f"> **{_plain(record.error)}**"
        if record.hint:
            yield f"> {_plain(record.hint)}"
    problems = record.problems[:_MOST_ROWS]
    if problems:
        yield ""
        for problem in problems:
            yield f"- {_plain(str(problem))[:500]}"
        if len(record.problems) > len(problems):
            yield f"- and {len(record.problems) - len(problems)} more"
    if record.warnings:
        yield ""
        for warned in record.warnings[:20]:
            about = f"{warned.ref}: " if warned.ref else ""
            where = f"`{warned.origin}` " if warned.origin else ""
            yield f"- ⚠️ {where}{_plain(about + warned.text)[:500]}"


def _table(entries: list[Entry]) -> Iterator[str]:
    if not entries:
        return
    yield ""
    yield "| object | namespace | what | lines | where |"
    yield "|---|---|---|---|---|"
    for entry in entries[:_MOST_ROWS]:
        what = f"**{_plain(entry.word)}**" if entry.failed else _plain(entry.word)
        if entry.failed and entry.reason:
            what += f": {_plain(entry.reason)[:300]}"
        lines = f"+{entry.added} -{entry.removed}" if entry.diff else ""
        where = _code(f"{entry.origin.source}:{entry.origin.line}") if entry.origin else ""
        name, space = _code(entry.ref.short), _code(entry.ref.namespace)
        yield f"| {name} | {space} | {what} | {lines} | {where} |"
    if len(entries) > _MOST_ROWS:
        yield ""
        yield f"and {len(entries) - _MOST_ROWS} more."


def _details(entry: Entry) -> str:
    body: list[str] = []
    if entry.failed:
        body += reason_lines(entry.why, entry.causes)
        if entry.reason and entry.reason not in body:
            body.insert(0, entry.reason)
        if len(body) <= 1:
            body = []
    body += entry.diff[:_MOST_LINES]
    if len(entry.diff) > _MOST_LINES:
        body.append(f"... and {len(entry.diff) - _MOST_LINES} more lines")
    if not body:
        return ""
    sign = _SIGN.get(entry.action, "")
    title = f"{sign} {_html(str(entry.ref))}".strip()
    # A fence is longer than any that stands in the text.
    text = "\n".join(escape(line) for line in body)
    fence = "```"
    while fence in text:
        fence += "`"
    return f"\n<details><summary>{title}</summary>\n\n{fence}diff\n{text}\n{fence}\n\n</details>\n"


def _plain(text: str) -> str:
    """Text that stays one cell of a table, and that Markdown leaves as it is."""
    one_line = " ".join(escape(text).split())
    for sign in ("\\", "|", "`", "*", "_", "[", "]", "<", ">", "#"):
        one_line = one_line.replace(sign, "\\" + sign) if sign != "<" else one_line
    return one_line.replace("<", "&lt;")


def _code(text: str) -> str:
    one_line = " ".join(escape(text).split()).replace("`", "'").replace("|", "\\|")
    return f"`{one_line}`" if one_line else ""


def _html(text: str) -> str:
    return escape(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
