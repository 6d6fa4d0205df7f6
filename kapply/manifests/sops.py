"""Files encrypted by SOPS: known by their metadata, decrypted through a pipe, never on disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from kapply.errors import InputError, ManifestError
from kapply.manifests.documents import read_values


def is_encrypted(data: bytes) -> bool:
    """Whether a document of the text has SOPS's metadata: a top-level `sops` with a `mac`."""
    if b"mac" not in data:
        return False
    try:
        values = read_values(data)
    except ManifestError:
        return False
    return any(
        isinstance(value, dict)
        and isinstance(value.get("sops"), dict)
        and isinstance(value["sops"].get("mac"), str)
        for value, _ in values
    )


def decrypt(
    data: bytes,
    name: str,
    file: str = "",
    *,
    which: Callable[[str], str | None] = shutil.which,
) -> bytes:
    """The plain text of an encrypted file.

    Args:
        data: the encrypted text.
        name: its name in messages.
        file: its path, or "" where it has none (standard input, a URL).
        which: finds a program.

    Raises:
        InputError: there is no sops, or it cannot decrypt the file.
    """
    program = which("sops")
    if program is None:
        raise InputError(
            f"{name} is encrypted by SOPS, and no sops program is on the PATH",
            hint="install sops, or pipe the plain text: sops -d FILE | kapply apply -f -",
        )
    from kapply.manifests.programs import run

    kind = "json" if data.lstrip()[:1] == b"{" else "yaml"
    types = ["--input-type", kind, "--output-type", kind]
    failure = f"sops cannot decrypt {name}"
    if file:
        return run([program, "--decrypt", *types, "--", file], failure)
    return run([program, "--decrypt", *types, "/dev/stdin"], failure, data=data)
