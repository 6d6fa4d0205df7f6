"""Flags that several commands share, named and meant as in kubectl."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from kapply.errors import UsageError

if TYPE_CHECKING:
    from kapply.query.fieldrules import FieldRule


@dataclass(slots=True)
class ConnectFlags:
    """Where requests go, as whom, and how much of them is shown."""

    kubeconfig: str = ""
    context: str = ""
    cluster: str = ""
    user: str = ""
    namespace: str = ""
    server: str = ""
    token: str = ""
    as_: str = ""
    as_uid: str = ""
    as_group: tuple[str, ...] = ()
    insecure_skip_tls_verify: bool | None = None
    certificate_authority: str = ""
    client_certificate: str = ""
    client_key: str = ""
    tls_server_name: str = ""
    request_timeout: str = ""
    cache_dir: str = ""
    sandbox: bool = False
    color: str = "auto"
    verbosity: int = 0
    curl: bool = False
    no_exec: bool = False
    har: str = ""
    stdin_used: bool = False


def _level(text: str | int) -> int:
    try:
        # -v=6 reaches us with its sign.
        level = int(str(text).removeprefix("="))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a number from 0 to 9") from None
    if not 0 <= level <= 9:
        raise typer.BadParameter(f"{level} is not a number from 0 to 9")
    return level


_OFTEN = ("--namespace", "--context", "--kubeconfig", "--sandbox", "--color", "--v", "--curl")


def _flag(*names: str, help: str, **more: Any) -> Any:  # noqa: A002 - typer's own word
    # The rare ones are left out of each command's help: `kapply options` shows them all.
    return typer.Option(*names, help=help, hidden=names[-1] not in _OFTEN, **more)


_CONNECT: dict[str, tuple[Any, Any]] = {
    "kubeconfig": (
        Annotated[str, _flag("--kubeconfig", help="Path of the kubeconfig file.", metavar="FILE")],
        "",
    ),
    "context": (Annotated[str, _flag("--context", help="Kubeconfig context to use.")], ""),
    "cluster": (Annotated[str, _flag("--cluster", help="Kubeconfig cluster to use.")], ""),
    "user": (Annotated[str, _flag("--user", help="Kubeconfig user to use.")], ""),
    "namespace": (
        Annotated[str, _flag("-n", "--namespace", help="Namespace of the request.")],
        "",
    ),
    "server": (Annotated[str, _flag("-s", "--server", help="URL of the API server.")], ""),
    "token": (Annotated[str, _flag("--token", help="Bearer token to authenticate with.")], ""),
    "as_": (Annotated[str, _flag("--as", help="User to impersonate.")], ""),
    "as_uid": (Annotated[str, _flag("--as-uid", help="UID to impersonate.")], ""),
    "as_group": (
        Annotated[list[str], _flag("--as-group", help="Group to impersonate; repeatable.")],
        [],
    ),
    "insecure_skip_tls_verify": (
        Annotated[
            bool,
            _flag("--insecure-skip-tls-verify", help="Do not check the server's certificate."),
        ],
        False,
    ),
    "certificate_authority": (
        Annotated[str, _flag("--certificate-authority", help="CA file.", metavar="FILE")],
        "",
    ),
    "client_certificate": (
        Annotated[
            str, _flag("--client-certificate", help="Client certificate file.", metavar="FILE")
        ],
        "",
    ),
    "client_key": (
        Annotated[str, _flag("--client-key", help="Client key file.", metavar="FILE")],
        "",
    ),
    "tls_server_name": (
        Annotated[str, _flag("--tls-server-name", help="Name the certificate must carry.")],
        "",
    ),
    "request_timeout": (
        Annotated[
            str, _flag("--request-timeout", help="Time for one request: 10, 30s, 1m; 0: no limit.")
        ],
        "",
    ),
    "cache_dir": (
        Annotated[str, _flag("--cache-dir", help="Discovery cache folder.", metavar="DIR")],
        "",
    ),
    "sandbox": (
        Annotated[
            bool,
            _flag("--sandbox", help="Use the embedded API server.", envvar="KAPPLY_SANDBOX"),
        ],
        False,
    ),
    "color": (Annotated[str, _flag("--color", help="auto, always or never.")], "auto"),
    "verbosity": (
        Annotated[
            int,
            _flag(
                "-v",
                "--v",
                help="6 shows each REST call, 7 headers, 8 bodies, 9 curl commands.",
                parser=_level,
                metavar="LEVEL",
            ),
        ],
        0,
    ),
    "har": (
        Annotated[str, _flag("--har", help="Save the calls as an HTTP Archive.", metavar="FILE")],
        "",
    ),
    "no_exec": (
        Annotated[bool, _flag("--no-exec", help="Do not run credential plugins.")],
        False,
    ),
    "curl": (
        Annotated[bool, _flag("--curl", help="Print each REST call as a curl command.")],
        False,
    ),
}


def connected(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command the connection flags; its parameter `connect` receives them together.

    Another parameter whose type is a dataclass, such as PlanFlags, stands for the flags that are
    its fields.
    """
    own = inspect.signature(function)
    hints = get_type_hints(function, include_extras=True)
    bundles: dict[str, Any] = {}
    parameters: list[inspect.Parameter] = []
    for name, parameter in own.parameters.items():
        if name == "connect":
            continue
        if is_dataclass(hints[name]):
            bundles[name] = hints[name]
            parameters += _parameters_of(hints[name])
        else:
            parameters.append(
                parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
            )
    parameters += [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
        )
        for name, (annotation, default) in _CONNECT.items()
    ]

    @functools.wraps(function)
    def command(**given: Any) -> int:
        flags = {name: given.pop(name) for name in _CONNECT}
        flags["as_group"] = tuple(flags["as_group"] or ())
        flags["insecure_skip_tls_verify"] = flags["insecure_skip_tls_verify"] or None
        if flags["color"] not in ("auto", "always", "never"):
            raise UsageError(f"--color={flags['color']}: expected auto, always or never")
        # A credential plugin must not read what `-f -` is for.
        inputs = (given.get("files") or []) + [given.get("filename") or ""]
        flags["stdin_used"] = "-" in inputs
        for name, bundle in bundles.items():
            given[name] = bundle(**{one.name: given.pop(one.name) for one in fields(bundle)})
        return function(**given, connect=ConnectFlags(**flags))

    command.__signature__ = own.replace(  # type: ignore[attr-defined]
        parameters=parameters, return_annotation=int
    )
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


def _parameters_of(bundle: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(bundle, include_extras=True)
    return [
        inspect.Parameter(
            one.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=one.default if one.default_factory is MISSING else one.default_factory(),
            annotation=hints[one.name],
        )
        for one in fields(bundle)
    ]


Files = Annotated[
    list[str],
    typer.Option(
        "-f",
        "--filename",
        help="File, folder, glob, URL, or - for standard input; repeatable.",
        metavar="PATH",
    ),
]
Recursive = Annotated[
    bool, typer.Option("-R", "--recursive", help="Read folders inside folders too.")
]
Kustomize = Annotated[
    str, typer.Option("-k", "--kustomize", help="Read what kustomize builds of DIR.", metavar="DIR")
]
Selector = Annotated[
    str, typer.Option("-l", "--selector", help="Label selector, such as app=web,tier!=db.")
]
Color = Annotated[str, typer.Option("--color", help="auto, always or never.")]
RunOutput = Annotated[
    str,
    typer.Option(
        "-o",
        "--output",
        help="text, name, json, jsonl, junit, markdown or github.",
        metavar="FORMAT",
    ),
]
Output = Annotated[str, typer.Option("-o", "--output", help="Output format.")]
Manager = Annotated[str, typer.Option("--field-manager", help="Name under which fields are owned.")]
Force = Annotated[
    bool,
    typer.Option("--force-conflicts", help="Take over fields that other managers own."),
]
Validate = Annotated[
    str,
    typer.Option(
        "--validate", help="strict (or true): refuse unknown fields; warn; ignore (or false)."
    ),
]
Proof = Annotated[
    bool,
    typer.Option(
        "--proof/--no-proof",
        help="Settle unchanged objects from what was read, without asking for each.",
    ),
]
StandIn = Annotated[
    str,
    typer.Option(
        "--stand-in-namespace",
        help="Also tell what this namespace would refuse of objects whose own is not there yet.",
        metavar="NS",
    ),
]
Masks = Annotated[
    list[str],
    typer.Option(
        "--mask",
        help="Hide a field, as values of Secrets are: [KIND[/NAME]:]PATH; repeatable.",
        metavar="FIELD",
    ),
]
Concurrency = Annotated[
    int, typer.Option("--concurrency", help="REST calls at once.", min=1, max=64)
]


ApplySet = Annotated[
    str,
    typer.Option(
        "--applyset",
        help="The set that the objects are members of: NAME of a Secret, or RESOURCE[.GROUP]/NAME.",
        metavar="SET",
    ),
]
Prune = Annotated[
    bool,
    typer.Option("--prune", help="Delete members of --applyset that the input has left out."),
]
PruneLimit = Annotated[
    str,
    typer.Option(
        "--prune-limit", help="How many members may be pruned: 20, or 50%.", metavar="LIMIT"
    ),
]
AllowEmpty = Annotated[
    bool, typer.Option("--allow-empty", help="All members may be pruned; the input may be empty.")
]
AdoptSet = Annotated[
    bool,
    typer.Option("--adopt-applyset", help="Take over a set that another tool (kubectl) keeps."),
]


ServerSide = Annotated[
    bool,
    typer.Option(
        "--server-side/--no-server-side",
        help="Server-side apply, or kubectl's client-side apply by three-way patches.",
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite/--no-overwrite",
        help="Client-side apply: undo what others changed where the manifest says otherwise.",
    ),
]
Recreate = Annotated[
    list[str],
    typer.Option(
        "--recreate",
        help="Delete and create anew what cannot be changed; what holds data only when named.",
        metavar="[KIND/NAME]",
    ),
]


Ignore = Annotated[
    list[str],
    typer.Option(
        "--ignore",
        help="Leave fields to others: [KIND/NAME:]PATH, or manager=NAME; repeatable.",
        metavar="RULE",
    ),
]


@dataclass(slots=True)
class PlanFlags:
    """What is planned, and how it would be written: the flags that apply, plan and diff share."""

    files: Files = field(default_factory=list)
    recursive: Recursive = False
    kustomize: Kustomize = ""
    selector: Selector = ""
    force_conflicts: Force = False
    field_manager: Manager = "kapply"
    validate: Validate = "strict"
    concurrency: Concurrency = 8
    proof: Proof = True
    recreate: Recreate = field(default_factory=list)
    server_side: ServerSide = True
    overwrite: Overwrite = True
    applyset: ApplySet = ""
    prune: Prune = False
    prune_limit: PruneLimit = "50%"
    allow_empty: AllowEmpty = False
    adopt_applyset: AdoptSet = False
    mask: Masks = field(default_factory=list)
    ignore: Ignore = field(default_factory=list)


def reject_unknown(value: str, allowed: tuple[str, ...], flag: str) -> None:
    """Raise UsageError unless `value` is one of `allowed`."""
    if value not in allowed:
        raise UsageError(f"{flag}={value}: expected one of {', '.join(allowed)}")


def field_rules(texts: Sequence[str], flag: str) -> tuple[FieldRule, ...]:
    """The rules that a repeatable flag names; UsageError for one that cannot be read."""
    from kapply.query.fieldrules import FieldRuleError, parse_field_rule

    try:
        return tuple(parse_field_rule(text) for text in texts)
    except FieldRuleError as error:
        raise UsageError(
            f"{flag}: {error}",
            hint="For example ConfigMap/web:/data/password or spec.containers[*].image.",
        ) from None


def duration(text: str, flag: str) -> float:
    """Seconds from "90s", "5m" or a bare number of seconds; UsageError for anything else."""
    from kapply.values.durations import SECOND, parse_duration

    try:
        seconds = float(text) if text.isdigit() else parse_duration(text) / SECOND
    except ValueError as error:
        raise UsageError(f"{flag}={text}: {error}", hint="For example 30s, 5m or 1h30m.") from None
    if seconds < 0:
        raise UsageError(f"{flag}={text}: a duration cannot be negative")
    return seconds


def connection_flags() -> list[tuple[str, str]]:
    """Every connection flag and its help, for `kapply options`."""
    found = []
    for annotation, _ in _CONNECT.values():
        option = annotation.__metadata__[0]
        # The first name reaches typer as the option's default.
        found.append((", ".join((option.default, *option.param_decls)), option.help))
    return found


_VALIDATION = {
    "strict": "Strict",
    "true": "Strict",
    "warn": "Warn",
    "ignore": "Ignore",
    "false": "Ignore",
}


def field_validation(text: str) -> str:
    """The server's fieldValidation for a value of --validate."""
    reject_unknown(text, tuple(_VALIDATION), "--validate")
    return _VALIDATION[text]
