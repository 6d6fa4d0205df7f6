"""Draws the README's picture: kapply at work on the sandbox, as a terminal shows it.

    python -m tests.cli.picture        # writes .readme/session.svg

What is drawn is what the commands print; only the typing is made up.
"""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = 96
WIDTH, LINE, LEFT, TOP = 8.43, 19, 18, 52
COLOURS = {
    "31": "#ff7b72",
    "32": "#7ee787",
    "33": "#e3b341",
    "36": "#79c0ff",
    "2": "#8b949e",
}
INK, GROUND, BAR = "#e6edf3", "#0d1117", "#161b22"
# Viewers fold plain spaces, whatever xml:space says.
_SPACE = "\u00a0"
_SGR = re.compile(r"\x1b\[([0-9;]*)m")


def session() -> list[str]:
    """The lines of the session, with their ANSI colours."""
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as temp:
        folder = Path(temp)
        shutil.copytree(ROOT / "manifests", folder / "manifests")
        env = {
            **os.environ,
            "KAPPLY_SANDBOX_DATA": str(folder / "sandbox.db"),
            "HOME": temp,
            "FORCE_COLOR": "1",
        }

        def run(*words: str) -> None:
            lines.append(f"\x1b[32m$\x1b[0m kapply --sandbox {' '.join(words)}")
            done = subprocess.run(
                [sys.executable, "-m", "kapply", "--sandbox", *words],
                cwd=folder,
                env=env,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            lines.extend(done.stdout.rstrip("\n").split("\n"))
            lines.append("")

        run("apply", "-f", "manifests/")
        project = folder / "manifests" / "project1.yaml"
        edited = project.read_text().replace("nginx:1.29", "nginx:1.30")
        project.write_text(edited.replace("replicas: 2", "replicas: 3"))
        lines.append(
            "\x1b[32m$\x1b[0m sed -i 's/nginx:1.29/nginx:1.30/; s/replicas: 2/replicas: 3/'"
            " manifests/project1.yaml"
        )
        run("diff", "-f", "manifests/")
        run("apply", "-f", "manifests/project1.yaml")
    return lines[:-1]


def draw(lines: list[str]) -> str:
    """The lines as an SVG of a terminal window."""
    height = TOP + LINE * len(lines) + 14
    width = int(2 * LEFT + COLUMNS * WIDTH)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" role="img">',
        "<title>kapply at work: apply, diff of an edit, apply again</title>",
        f'<rect width="{width}" height="{height}" rx="8" fill="{GROUND}"/>',
        f'<path d="M0 8a8 8 0 0 1 8-8h{width - 16}a8 8 0 0 1 8 8v24H0z" fill="{BAR}"/>',
        *(
            f'<circle cx="{20 + 20 * n}" cy="16" r="6" fill="{colour}"/>'
            for n, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
        ),
        '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"'
        f' font-size="14" fill="{INK}">',
    ]
    for number, line in enumerate(lines):
        out += _line(line, TOP + LINE * number)
    return "\n".join([*out, "</g>", "</svg>", ""])


def _line(line: str, y: int) -> list[str]:
    elements = []
    column = 0
    style: list[str] = []
    for position, part in enumerate(_SGR.split(line)):
        if position % 2:
            style = [] if part in ("", "0") else part.split(";")
            continue
        if not part:
            continue
        colour = next((COLOURS[code] for code in style if code in COLOURS), INK)
        x = LEFT + column * WIDTH
        if "7" in style:
            elements.append(
                f'<rect x="{x:.1f}" y="{y - 14}" width="{len(part) * WIDTH:.1f}" height="{LINE}"'
                f' fill="{colour}"/>'
            )
            colour = GROUND
        weight = ' font-weight="bold"' if "1" in style else ""
        length = len(part) * WIDTH
        elements.append(
            f'<text x="{x:.1f}" y="{y}" fill="{colour}"{weight} textLength="{length:.1f}">'
            f"{html.escape(part).replace(' ', _SPACE)}</text>"
        )
        column += len(part)
    return elements


if __name__ == "__main__":
    target = ROOT / ".readme" / "session.svg"
    target.parent.mkdir(exist_ok=True)
    target.write_text(draw(session()))
