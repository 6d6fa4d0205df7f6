"""Reading what a connection is made of: kubeconfig files, and the ServiceAccount of a Pod."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kapply.auth.kubeconfig import ParseYaml
from kapply.auth.model import Connection, InCluster, Overrides, SourceFile
from kapply.auth.policy import PluginPolicy, parse_policy
from kapply.auth.resolve import resolve
from kapply.errors import ConfigError, ManifestError

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")

#: More than any kubeconfig is; a file that never ends is not read to its end.
_MAX_BYTES = 32 << 20


def load_connection(
    overrides: Overrides,
    env: Mapping[str, str],
    *,
    cwd: Path | None = None,
    home: Path | None = None,
    service_account: Path = SERVICE_ACCOUNT,
    parse_yaml: ParseYaml | None = None,
) -> Connection:
    """Read the files that flags and environment name, and resolve them to one Connection.

    Args:
        overrides: the connection flags; relative paths are taken from `cwd`.
        env: the environment (KUBECONFIG, KUBERNETES_*, HOME).
        cwd: the working folder, where it is not the process's.
        home: the user's folder, where it is not HOME.
        service_account: the folder where a Pod has its token.
        parse_yaml: see `kubeconfig.load`; by default YAML as the API server reads it.

    Raises:
        ConfigError: as `resolve.resolve`, and for files that cannot be read.
        UsageError: a flag's value that cannot be read.
    """
    cwd = cwd or Path.cwd()
    files, warnings = read_kubeconfigs(overrides.kubeconfig, env, cwd=cwd, home=home)
    connection = resolve(
        files,
        absolute_paths(overrides, cwd),
        env,
        parse_yaml=parse_yaml or default_parse_yaml,
        in_cluster=read_in_cluster(service_account),
    )
    return replace(connection, warnings=(*warnings, *connection.warnings))


def read_kubeconfigs(
    explicit: str, env: Mapping[str, str], *, cwd: Path, home: Path | None = None
) -> tuple[list[SourceFile], list[str]]:
    """The kubeconfig files in order of precedence, and warnings.

    `explicit` (--kubeconfig) alone, and it must exist; else those of KUBECONFIG that exist;
    else ~/.kube/config, if it exists.
    """
    if explicit:
        path = cwd / Path(explicit)
        data = _read(path)
        if data is None:
            raise ConfigError(f"the kubeconfig {explicit} does not exist", hint="See --kubeconfig.")
        return [SourceFile(str(path), data)], []
    listed = env.get("KUBECONFIG", "")
    if listed:
        names = list(dict.fromkeys(name for name in listed.split(":") if name))
        paths = [cwd / name for name in names]
    else:
        paths = [(home or home_of(env)) / ".kube" / "config"]
    files = [SourceFile(str(path), data) for path in paths if (data := _read(path)) is not None]
    warnings = []
    if listed and paths and not files:
        missing = ", ".join(str(path) for path in paths)
        warnings.append(f"none of the files that KUBECONFIG names exists: {missing}")
    return files, warnings


def read_in_cluster(folder: Path = SERVICE_ACCOUNT) -> InCluster | None:
    """The ServiceAccount mounted at `folder`; None when there is no token."""
    token_file = folder / "token"
    try:
        token = token_file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    ca_file = folder / "ca.crt"
    return InCluster(
        token=token,
        token_file=str(token_file),
        ca_file=str(ca_file) if ca_file.is_file() else "",
        namespace=_read_or_empty(folder / "namespace").decode("utf-8", "replace"),
    )


def absolute_paths(overrides: Overrides, cwd: Path) -> Overrides:
    """The flags with their paths made absolute; a path of a flag belongs to the working folder."""

    def absolute(path: str) -> str:
        return str(cwd / path) if path else ""

    return replace(
        overrides,
        certificate_authority=absolute(overrides.certificate_authority),
        client_certificate=absolute(overrides.client_certificate),
        client_key=absolute(overrides.client_key),
    )


def home_of(env: Mapping[str, str]) -> Path:
    """The user's home folder: HOME, else what the system says."""
    home = env.get("HOME")
    return Path(home) if home else Path.home()


def default_parse_yaml(data: bytes, path: str) -> object:
    """The first value of a YAML file, as kubectl reads it. Raises ConfigError for no YAML."""
    values = _values(data, path)
    return values[0] if values else None


def read_plugin_policy(env: Mapping[str, str], *, home: Path | None = None) -> PluginPolicy:
    """The policy for credential plugins: of KUBERC, else of ~/.kube/kuberc if there is one.

    KUBERC=off and KUBECTL_KUBERC=false switch it off, as for kubectl.

    Raises:
        ConfigError: the file that KUBERC names is missing, or the policy cannot be read.
    """
    named = env.get("KUBERC", "")
    if named == "off" or env.get("KUBECTL_KUBERC", "").lower() in ("false", "f", "0"):
        return PluginPolicy()
    path = Path(named).absolute() if named else (home or home_of(env)) / ".kube" / "kuberc"
    data = _read(path)
    if data is None:
        if named:
            raise ConfigError(f"the file {path} that KUBERC names does not exist")
        return PluginPolicy()
    return parse_policy(_values(data, str(path)), str(path))


def _values(data: bytes, path: str) -> list[Any]:
    from kapply.manifests.documents import read_values

    try:
        return [value for value, _ in read_values(data, path)]
    except ManifestError as error:
        # The text around a problem may be a credential: place and problem are enough.
        problem = str(error.problems[0]) if error.problems else f"{path}: {error.message}"
        raise ConfigError(f"{problem}", hint=error.hint) from None


def _read(path: Path) -> bytes | None:
    """The file's bytes; None when there is no such file."""
    try:
        if path.is_dir():
            raise ConfigError(f"{path} is a folder")
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{path} cannot be read: {reason}") from error
    if len(data) > _MAX_BYTES:
        raise ConfigError(f"{path} is larger than {_MAX_BYTES >> 20} MiB")
    return data


def _read_or_empty(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
