"""Editing a kubeconfig in place: what changes, and that nothing else does."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from kapply.auth.edit import set_current_context, write_atomically
from kapply.auth.files import default_parse_yaml
from kapply.errors import ConfigError

#: text before, name, text after.
EDITS = {
    "plain": ("current-context: a\nx: 1\n", "b", "current-context: b\nx: 1\n"),
    "comment": ("current-context: a   # here\n", "b", "current-context: b   # here\n"),
    "at the end": ("x: [1]\n# c\ncurrent-context: a", "b", "x: [1]\n# c\ncurrent-context: b"),
    "double quotes": ('current-context: "a" # q\n', "b", 'current-context: "b" # q\n'),
    "single quotes": ("current-context: 'a'\n", "it's", "current-context: 'it''s'\n"),
    "needs quotes": ("current-context: a\n", "no", 'current-context: "no"\n'),
    "a number": ("current-context: a\n", "1e3", 'current-context: "1e3"\n'),
    "colons": (
        "current-context: a\n",
        "arn:aws:eks:eu:1:cluster/x",
        "current-context: arn:aws:eks:eu:1:cluster/x\n",
    ),
    "blanks": ("current-context: a\n", "b: # c", 'current-context: "b: # c"\n'),
    "null": ("current-context:\nx: 1\n", "b", "current-context: b\nx: 1\n"),
    "empty": ('current-context: ""\n', "b", 'current-context: "b"\n'),
    "block": ("current-context: |-\n  a\nx: 1\n", "b", "current-context: b\nx: 1\n"),
    "missing": ("# mine\nx: 1\n", "b", "# mine\ncurrent-context: b\nx: 1\n"),
    "missing, marked": ("---\nx: 1\n", "b", "---\ncurrent-context: b\nx: 1\n"),
    "missing, indented": ("  x: 1\n  y2: 2\n", "b", "  current-context: b\n  x: 1\n  y2: 2\n"),
    "flow": ("{current-context: a, x: 1}\n", "b", "{current-context: b, x: 1}\n"),
    "JSON": ('{"x": 1, "current-context": "a"}', "b", '{"x": 1, "current-context": "b"}'),
    "JSON, missing": ('{"x": 1}', "b", '{"current-context": "b", "x": 1}'),
    "JSON, nothing": ("{}", "b", '{"current-context": "b"}'),
    "deeper ones stay": (
        "x: {current-context: a}\ny2:\n- current-context: a\ncurrent-context: a\n",
        "b",
        "x: {current-context: a}\ny2:\n- current-context: a\ncurrent-context: b\n",
    ),
    "a value of that name": (
        "x: current-context\ncurrent-context: a\n",
        "b",
        "x: current-context\ncurrent-context: b\n",
    ),
    "CRLF": ("x: 1\r\ncurrent-context: a\r\n", "b", "x: 1\r\ncurrent-context: b\r\n"),
    "an alias": ("x: &n a\ncurrent-context: *n\n", "b", "x: &n a\ncurrent-context: b\n"),
    "no bytes": ("", "b", "apiVersion: v1\nkind: Config\ncurrent-context: b\n"),
    "comments alone": ("# c", "b", "# c\napiVersion: v1\nkind: Config\ncurrent-context: b\n"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_one_value_and_nothing_else(edit: str) -> None:
    before, name, after = EDITS[edit]
    done = set_current_context(before.encode(), name, "f", default_parse_yaml)
    assert done.decode() == after


@pytest.mark.parametrize(
    "text",
    [
        "current-context: &n a\nx: *n\n",  # the anchor would go with the value
        "- a\n",
        "current-context: [a]\n",
    ],
)
def test_what_cannot_be_edited_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"cannot be edited|not a kubeconfig"):
        set_current_context(text.encode(), "b", "f", default_parse_yaml)


def test_written_whole_with_its_mode_through_a_link(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.write_text("a")
    real.chmod(0o640)
    link = tmp_path / "config"
    link.symlink_to(real)
    write_atomically(link, b"b")
    assert link.is_symlink()
    assert real.read_text() == "b"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config", "real"]


def test_a_lock_of_another_program_is_respected(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a")
    (tmp_path / "config.lock").touch()
    with pytest.raises(ConfigError, match=r"config\.lock exists"):
        write_atomically(tmp_path / "config", b"b")
    assert (tmp_path / "config").read_text() == "a"
    assert (tmp_path / "config.lock").exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        write_atomically(tmp_path / "none" / "config", b"b")
