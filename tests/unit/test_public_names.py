"""The library's names: which there are, that they stay themselves, and that examples run."""

from __future__ import annotations

import contextlib
import doctest
import inspect
import subprocess
import sys
import typing
from pathlib import Path
from types import ModuleType

import pytest

import kapply
import kapply.api.client
import kapply.api.functions
import kapply.api.verbs
from kapply.planning.model import Action

ROOT = Path(__file__).parents[2]
FUNCTIONS = ("apply", "load", "plan", "validate", "wait")
#: A name goes only with a major version; one comes with a line here.
NAMES = {
    *FUNCTIONS,
    "Action", "AlreadyExistsError", "Answer", "ApiError", "BadRequestError", "Change", "Client",
    "ConfigError", "ConflictError", "CredentialError", "Document", "Event", "ForbiddenError",
    "GoneError", "HealthResult", "InputError", "InvalidError", "KapplyError", "ManifestError",
    "NotFoundError", "ObjectDone", "Origin", "Outcome", "Plan", "Problem", "ProtocolError",
    "RefusedError", "RunResult", "TLSError", "UnauthorizedError", "UnhealthyError",
    "UnreachableError", "UsageError", "ValidationError", "WatchEvent", "__version__",
}  # fmt: skip
METHODS = {
    "apply", "close", "create", "delete", "delete_collection", "from_kubeconfig", "get",
    "in_cluster", "list", "namespace", "patch", "replace", "request", "resource", "resources",
    "sandbox", "server", "session", "version", "watch",
}  # fmt: skip
SETTINGS = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings"},
    "data": {"colour": "blue"},
}


def test_the_names_are_these() -> None:
    assert set(kapply.__all__) == NAMES
    assert set(dir(kapply)) == NAMES
    assert {name for name in dir(kapply.Client) if not name.startswith("_")} == METHODS
    for name in NAMES:
        assert not isinstance(getattr(kapply, name), ModuleType)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(kapply, "nothing")  # noqa: B009 - the point


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys, kapply; print(*sorted(m for m in sys.modules if m.startswith('kapply')))"
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert shown.stdout.split() == ["kapply", "kapply.version"]


def test_each_function_twice(tmp_path: Path) -> None:
    """A function that imports a module of its own name would be that module from then on."""
    file = tmp_path / "settings.yaml"
    file.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n")
    events: list[object] = []
    with kapply.Client.sandbox() as client:
        for expected in (Action.CREATE, Action.UNCHANGED):
            documents = kapply.load(file)
            assert list(kapply.validate(documents)) == []
            assert list(kapply.validate(documents, client)) == []
            made = kapply.plan(documents, client)
            assert [change.action for change in made.changes] == [expected]
            result = kapply.apply(made, client, on_event=events.append)
            assert result.exit_code == 0
            health = kapply.wait(result, client, timeout=10, on_event=events.append)
            assert (health.exit_code, len(health.ready)) == (0, 1)
    for name in FUNCTIONS:
        assert inspect.isfunction(getattr(kapply, name))
    assert any(isinstance(event, kapply.ObjectDone) for event in events)


def test_typed_results_can_be_resolved() -> None:
    assert kapply.Event is not None
    assert {type_.__name__ for type_ in typing.get_args(kapply.Event)} >= {"ObjectDone"}


@pytest.mark.parametrize(
    "module",
    [kapply, kapply.api.client, kapply.api.verbs, kapply.api.functions],
    ids=lambda m: m.__name__,
)
def test_examples_run(module: ModuleType) -> None:
    with contextlib.chdir(ROOT):
        failed, tried = doctest.testmod(module)
    assert failed == 0
    assert tried > 0


def test_every_public_docstring_has_an_example() -> None:
    public = [getattr(kapply, name) for name in FUNCTIONS]
    public += [kapply, kapply.Client]
    public += [
        getattr(kapply.Client, name)
        for name in METHODS
        if not isinstance(inspect.getattr_static(kapply.Client, name), property)
    ]
    for thing in public:
        assert ">>>" in (thing.__doc__ or ""), thing


def test_what_is_wrong_is_told_at_once_and_nothing_is_written() -> None:
    with kapply.Client.sandbox() as client:
        wrong = {**SETTINGS, "metadata": {"name": "UPPER"}, "datta": {}}
        with pytest.raises(kapply.ValidationError) as caught:
            kapply.apply([SETTINGS, wrong], client)
        assert {problem.field for problem in caught.value.problems} >= {"datta"}
        with pytest.raises(kapply.NotFoundError):
            client.get("configmaps", "settings")


def test_a_refusal_of_the_server_is_an_error_by_reason() -> None:
    with kapply.Client.sandbox() as client:
        missing = {**SETTINGS, "metadata": {"name": "settings", "namespace": "nowhere"}}
        with pytest.raises(kapply.RefusedError, match="nowhere"):
            kapply.apply([missing], client)
        with pytest.raises(kapply.UsageError, match="no resource 'pood'"):
            client.resource("pood")
        with pytest.raises(kapply.UsageError, match="no kind Pood"):
            client.apply({"apiVersion": "v1", "kind": "Pood", "metadata": {"name": "x"}})
        with pytest.raises(kapply.UsageError, match="expected one of merge, json, strategic"):
            client.patch("ns", "default", {}, type="apply")


def test_objects_of_the_caller_stay_the_callers() -> None:
    mine = {**SETTINGS, "metadata": {"name": "settings"}}
    with kapply.Client.sandbox() as client:
        kapply.apply([mine], client)
    assert mine == SETTINGS


def test_a_watch_tells_what_is_there_and_what_comes() -> None:
    with kapply.Client.sandbox() as client:
        client.apply(SETTINGS)
        events = client.watch("configmaps", field_selector="metadata.name=settings")
        first = next(events)
        client.apply({**SETTINGS, "data": {"colour": "red"}})
        second = next(events)
        client.delete("configmaps", "settings")
        third = next(events)
        events.close()  # type: ignore[attr-defined]
    assert [event.type for event in (first, second, third)] == ["ADDED", "MODIFIED", "DELETED"]
    assert second.obj["data"] == {"colour": "red"}


def test_from_a_kubeconfig_and_in_a_pod(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "current-context: c\nclusters: [{name: k, cluster: {server: 'https://127.0.0.1:1'}}]\n"
        "users: [{name: u, user: {token: t}}]\n"
        "contexts: [{name: c, context: {cluster: k, user: u, namespace: team}}]\n"
    )
    with kapply.Client.from_kubeconfig(str(config), env={"HOME": str(tmp_path)}) as client:
        assert (client.server, client.namespace) == ("https://127.0.0.1:1", "team")
        with pytest.raises(kapply.UnreachableError):
            client.version()
    account = tmp_path / "account"
    account.mkdir()
    (account / "token").write_text("t")
    (account / "namespace").write_text("own")
    env = {
        "HOME": str(tmp_path),
        "KUBERNETES_SERVICE_HOST": "10.0.0.1",
        "KUBERNETES_SERVICE_PORT": "443",
    }
    with kapply.Client.in_cluster(env=env, service_account=account) as client:
        assert (client.server, client.namespace) == ("https://10.0.0.1:443", "own")
