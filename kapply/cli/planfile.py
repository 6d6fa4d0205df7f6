"""Saved plans as files, and the key of their digests."""

from __future__ import annotations

import os
import secrets
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kapply.cli.options import PlanFlags, field_validation
from kapply.errors import InputError, UsageError

if TYPE_CHECKING:
    from kapply.cli.wiring import Session
    from kapply.planning.model import Plan
    from kapply.planning.saved import Digester, SavedPlan

KEY_VARIABLE = "KAPPLY_PLAN_KEY"
# Shorter keys could be guessed, and with them the values that digests cover.
_SHORTEST = 16
#: A file that is larger is no plan.
_LARGEST = 256 << 20


def save_plan(path: str, session: Session, flags: PlanFlags, plan: Plan) -> None:
    """Write `plan` to a file.

    Raises:
        InputError: the file cannot be written.
    """
    from kapply.cli.wiring import warn
    from kapply.planning.saved import Digester, to_text

    digester = Digester(plan_key(os.environ, make=True))
    made = _bound(session, flags, plan, digester)
    if not digester.name and any(one.kind == "Secret" and not one.diff for one in made.objects):
        warn(
            "without a key the plan binds Secrets by uid and resourceVersion alone; "
            f"{KEY_VARIABLE} gives it one"
        )
    _write(Path(path), to_text(made, digester))


def load_plan(path: str, flags: PlanFlags) -> tuple[SavedPlan, Digester]:
    """Read a saved plan, and the digester it was made with; before any request is made.

    Raises:
        InputError: the file cannot be read, is no plan, or was tampered with.
        UsageError: it was made with another manager or other flags.
    """
    from kapply.planning.saved import Digester, from_text

    try:
        with Path(path).open("rb") as file:
            text = file.read(_LARGEST + 1)
    except OSError as error:
        raise InputError(f"--plan {path}: {error.strerror}") from None
    if len(text) > _LARGEST:
        raise InputError(f"--plan {path}: it is too large for a plan")
    key = plan_key(os.environ, make=False)
    if not os.environ.get(KEY_VARIABLE) and b'\n  "key": "",\n' in text[:65536]:
        # Made where no key could be kept; with a key that was asked for it is refused.
        key = b""
    digester = Digester(key)
    try:
        plan = from_text(text, digester)
    except InputError as error:
        raise InputError(f"--plan {path}: {error.message}", hint=error.hint) from None
    if plan.manager != flags.field_manager:
        raise UsageError(
            f"--plan {path}: it was made for the field manager {plan.manager!r}, "
            f"not {flags.field_manager!r}",
            hint="Give the same --field-manager, or make the plan anew.",
        )
    return plan, digester


def check_plan(
    before: SavedPlan, digester: Digester, session: Session, flags: PlanFlags, plan: Plan
) -> None:
    """Nothing, when `plan`, made just now, is the one that was saved.

    Raises:
        UsageError: it was made with other flags.
        StalePlanError: the cluster is another one, or something moved.
    """
    from kapply.engine.binding import require_same

    now = _bound(session, flags, plan, digester)
    for name, value in now.flags.items():
        if before.flags.get(name) != value and before.cluster.uid == now.cluster.uid:
            raise UsageError(
                f"the plan was made with {name} {_shown(before.flags.get(name))}, "
                f"this is {_shown(value)}",
                hint="Give the same flags to plan and apply.",
            )
    require_same(before, now)


def _shown(value: Any) -> str:
    return {True: "on", False: "off", "": "none"}.get(value, str(value))


def _bound(session: Session, flags: PlanFlags, plan: Plan, digester: Digester) -> SavedPlan:
    from kapply.engine.binding import definitions
    from kapply.engine.identity import cluster_uid
    from kapply.planning.saved import Cluster, saved

    return saved(
        plan,
        Cluster(cluster_uid(session.client), session.server),
        {
            "--namespace": session.namespace,
            "--force-conflicts": flags.force_conflicts,
            "--validate": field_validation(flags.validate),
            "--applyset": flags.applyset,
            "--prune": flags.prune,
            "--ignore": ", ".join(flags.ignore),
            "--server-side": flags.server_side,
        },
        definitions(session.client, plan.changes, concurrency=flags.concurrency, stop=session.stop),
        digester,
    )


def plan_key(env: Mapping[str, str], *, make: bool) -> bytes:
    """The key of digests: KAPPLY_PLAN_KEY, or one in the user's state folder; b"" for none.

    Args:
        env: the environment.
        make: make one where there is none yet.

    Raises:
        UsageError: KAPPLY_PLAN_KEY is too short to keep anything.
    """
    given = env.get(KEY_VARIABLE)
    if given:
        if len(given) < _SHORTEST:
            raise UsageError(
                f"{KEY_VARIABLE} has {len(given)} characters, it needs {_SHORTEST} or more",
                hint="`openssl rand -hex 32` makes a good one.",
            )
        return given.encode("utf-8", "surrogateescape")
    state = env.get("XDG_STATE_HOME")
    try:
        root = Path(state) if state and Path(state).is_absolute() else Path.home() / ".local/state"
        return _kept_key(root / "kapply" / "plan.key", make=make)
    except (OSError, RuntimeError, ValueError):
        # No home, or no right to it.
        return b""


def _kept_key(path: Path, *, make: bool) -> bytes:
    from kapply.cli.wiring import warn

    if make:
        path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        with suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(32))
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if facts.st_uid != os.getuid() or stat.S_IMODE(facts.st_mode) & 0o077:
            warn(f"{path} is not this user's alone (mode 0600); it is not used as a key")
            return b""
        key = file.read(4096).strip()
    return key if len(key) >= _SHORTEST else b""


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogatepass") as file:
                file.write(text)
            Path(name).replace(path)
        except BaseException:  # Ctrl-C too
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(f"--save {path}: {error.strerror}") from None
