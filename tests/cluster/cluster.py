"""A real Kubernetes control plane on loopback, for tests and for trying things out.

    with TestCluster(controllers=True) as cluster:
        run("kapply", "apply", "-f", "x.yaml", KUBECONFIG=cluster.kubeconfig)

etcd, kube-apiserver and, when asked, kube-controller-manager run in a temporary folder with keys,
tokens and ports of their own. Without the controller manager nothing acts on objects: namespaces
get no ServiceAccount and never finish terminating, Deployments make no Pods. Pods would then all
be refused for want of a ServiceAccount, so the ServiceAccount admission plugin is off there. Nor
are the aggregated ClusterRoles (view, edit, admin) filled: bind Roles of one's own.
"""

from __future__ import annotations

import http.client
import secrets
import shutil
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.cluster import flags
from tests.cluster.build import Assets, find_assets
from tests.cluster.client import Answer, Client
from tests.cluster.host import accepts, hold_port, temporary_folder
from tests.cluster.kubelet import Kubelet
from tests.cluster.layout import GROUP, USER, Layout
from tests.cluster.processes import Daemon, Processes, StartError
from tests.cluster.sweep import empty_namespace

START_DEADLINE_S = 90.0
STOP_GRACE_S = 15.0
# At the end nothing is worth waiting for: an API server whose etcd has just gone may take long.
END_GRACE_S = 2.0
POLL_S = 0.03


class TestCluster:
    """A running control plane; `start()` it, or use it as a context manager.

    Args:
        assets: the programs; by default those of `find_assets()`, which may build them.
        controllers: run kube-controller-manager too.
        kubelet: play the kubelet and the scheduler (useful with controllers only).
        port: the API server's port; by default a free one.
        audit: write each request to `audit_log` (level Metadata, JSON lines).
        apiserver_args, controller_args: more flags, such as `--emulated-version=1.35`.
        keep: leave the folder with logs and data behind.

    After the start: `server` (URL), `ca_file`, `version`; `kubeconfig` (administrator by
    certificate), `kubeconfig_token` (administrator by token), `kubeconfig_user` and
    `kubeconfig_user_token` (the user `jane` of group `developers`, who may nothing but look at
    discovery until a test binds a role); `admin_token`, `user_token`; `kubectl` if there is one.
    """

    __test__ = False  # pytest takes classes named Test* for collections of tests

    USER, GROUP = USER, GROUP

    def __init__(
        self,
        assets: Assets | None = None,
        *,
        controllers: bool = False,
        kubelet: bool = False,
        port: int | None = None,
        audit: bool = False,
        apiserver_args: Sequence[str] = (),
        controller_args: Sequence[str] = (),
        keep: bool = False,
    ) -> None:
        self.assets = assets or find_assets()
        if self.assets.minor < flags.OLDEST_MINOR:
            raise StartError(
                f"kube-apiserver {self.assets.version} is older than 1.{flags.OLDEST_MINOR}"
            )
        self._with_controllers = controllers
        self._with_kubelet = kubelet
        self._audit = audit
        self._apiserver_args = tuple(apiserver_args)
        self._controller_args = tuple(controller_args)
        self._wanted_port = port
        self._keep = keep
        self._daemons: dict[str, Daemon] = {}
        self._processes: Processes | None = None
        self._held_port: socket.socket | None = None
        self._kubelet: Kubelet | None = None

    # -- life ------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Start everything and wait until it is ready.

        StartError with the end of the log when it does not get there, PortError when the port that
        was asked for is taken. Nothing is left running then.
        """
        self.folder = temporary_folder()
        try:
            self._processes = Processes(self.folder)
        except BaseException:
            shutil.rmtree(self.folder)
            raise
        try:
            self._held_port = hold_port(self._wanted_port)
            self.port: int = self._held_port.getsockname()[1]
            self.server = f"https://127.0.0.1:{self.port}"
            self._hand_out(Layout(self.folder, self.server))
            self.start_etcd()
            self.start_apiserver()
            if self._with_controllers:
                self.start_controllers()
            if self._with_kubelet:
                self._kubelet = Kubelet(self._client(kept=True), self._client(kept=True))
                self._kubelet.start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End what was started and remove the folder; more than once does no harm."""
        try:
            if self._kubelet is not None:
                self._kubelet.stop()
                self._kubelet = None
        finally:
            processes, self._processes = self._processes, None
            self._daemons.clear()
            if processes is not None:
                processes.close(END_GRACE_S, keep=self._keep)
            if self._held_port is not None:
                self._held_port.close()
                self._held_port = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    # -- facts -----------------------------------------------------------------------------------

    @property
    def version(self) -> str:
        """What kube-apiserver reports, without the v: "1.37.2"."""
        return self.assets.version

    @property
    def kubectl(self) -> Path | None:
        return self.assets.kubectl

    @property
    def audit_log(self) -> Path:
        """One JSON line per request, with `audit=True`; complete when the answer is there."""
        return self._files.audit_log

    @property
    def kubelet(self) -> Kubelet:
        """The played kubelet; its `errors` say what it could not do."""
        assert self._kubelet is not None, "the cluster was made without kubelet=True"
        return self._kubelet

    def pids(self) -> dict[str, int]:
        """The process ids by program name, of those that run."""
        return {name: daemon.pid for name, daemon in self._daemons.items() if daemon.running()}

    def log(self, name: str) -> Path:
        """The log of `etcd`, `kube-apiserver` or `kube-controller-manager`."""
        return self.folder / f"{name}.log"

    # -- requests --------------------------------------------------------------------------------

    def client(
        self, *, token: str | None = None, kept: bool = False, timeout: float = 30.0
    ) -> Client:
        """A client as the administrator, or as whoever owns the token ("" for nobody)."""
        if token is None:
            return self._client(kept=kept, timeout=timeout)
        return Client(self.server, self.ca_file, token=token or None, kept=kept, timeout=timeout)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request as the administrator, without any of kapply's code; see Client.request."""
        return self._client().request(
            method, path, body, query=query, content_type=content_type, headers=headers
        )

    def create_namespace(self, prefix: str = "test") -> str:
        """Make a namespace with a fresh name; with controllers its ServiceAccount is there too."""
        name = f"{prefix}-{secrets.token_hex(4)}"
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        self.request("POST", "/api/v1/namespaces", body).ok()
        if "kube-controller-manager" in self._daemons:
            self.wait_for(
                lambda: self._exists(f"/api/v1/namespaces/{name}/serviceaccounts/default"),
                f"the default ServiceAccount of {name}",
            )
        return name

    def delete_namespace(self, name: str, *, wait: bool = False) -> None:
        """Remove a namespace. It takes the namespace controller 5 s at least, 20 s with Pods.

        Without controllers it is emptied here and is gone on return.
        """
        path = f"/api/v1/namespaces/{name}"
        answer = self.request("DELETE", path)
        if answer.code == 404:
            return
        found = answer.ok()
        if "kube-controller-manager" not in self._daemons:
            empty_namespace(self._client(kept=True), name)
            found["spec"] = {"finalizers": []}
            self.request("PUT", f"{path}/finalize", found).ok()
        elif wait:
            self.wait_for(lambda: not self._exists(path), f"the end of namespace {name}")

    def wait_for(
        self, condition: Callable[[], object], what: str, timeout: float = START_DEADLINE_S
    ) -> None:
        """Poll until `condition()` is true; StartError says what was waited for in vain.

        No answer counts as not yet; a program that has ended ends the wait.
        """
        deadline = time.monotonic() + timeout
        trouble: Exception | None = None
        while True:
            try:
                if condition():
                    return
                trouble = None
            except (OSError, http.client.HTTPException) as error:
                trouble = error
            for daemon in self._daemons.values():
                daemon.check()
            if time.monotonic() > deadline:
                logs = (daemon.log_tail() for daemon in self._daemons.values())
                reason = f" ({trouble})" if trouble else ""
                raise StartError(
                    "\n".join((f"waited {timeout:.0f} s in vain for {what}{reason}", *logs))
                )
            time.sleep(POLL_S)

    # -- faults ----------------------------------------------------------------------------------

    def start_etcd(self) -> None:
        self._files.etcd_socket.unlink(missing_ok=True)  # left behind by a kill
        self._run("etcd", flags.etcd(self.assets.etcd, self._files))
        self.wait_for(lambda: accepts(self._files.etcd_socket), "etcd's socket")

    def stop_etcd(self) -> None:
        self._end("etcd", STOP_GRACE_S)

    def kill_etcd(self) -> None:
        self._end("etcd", 0)

    def start_apiserver(self) -> None:
        """Start kube-apiserver on the same port as ever and wait for /readyz."""
        argv = flags.apiserver(
            self.assets.kube_apiserver,
            self.assets.minor,
            self._files,
            self.port,
            service_accounts=self._with_controllers,
            audit=self._audit,
            extra=self._apiserver_args,
        )
        self._run("kube-apiserver", argv)
        client = self._client(timeout=5.0)
        self.wait_for(lambda: client.request("GET", "/readyz").code == 200, "/readyz")
        # Older minors are ready a moment before they have made it.
        self.wait_for(lambda: self._exists("/api/v1/namespaces/default"), "namespace default")

    def stop_apiserver(self) -> None:
        """SIGTERM: what is under way is finished, watches are closed. The port then refuses.

        Before 1.27 the server would wait for watches, and is killed after a while.
        """
        self._end("kube-apiserver", STOP_GRACE_S if self.assets.minor >= 27 else 3.0)

    def kill_apiserver(self) -> None:
        """SIGKILL: connections are reset."""
        self._end("kube-apiserver", 0)

    def restart_apiserver(self) -> None:
        self.stop_apiserver()
        self.start_apiserver()

    def pause_apiserver(self) -> None:
        """SIGSTOP: connections are taken by the kernel, and nobody answers."""
        self._daemons["kube-apiserver"].signal(signal.SIGSTOP)

    def resume_apiserver(self) -> None:
        self._daemons["kube-apiserver"].signal(signal.SIGCONT)

    def start_controllers(self) -> None:
        """Start kube-controller-manager and wait until it acts.

        In a cluster made without controllers the ServiceAccount admission plugin stays off: Pods
        get no token volume.
        """
        program = self.assets.kube_controller_manager
        if program is None:
            raise StartError("there is no kube-controller-manager among the test assets")
        # What a controller makes anew is the proof that this one, not an earlier one, is at work.
        proof = "/api/v1/namespaces/kube-public/configmaps/kube-root-ca.crt"
        self.request("DELETE", proof)
        self._run(
            "kube-controller-manager",
            flags.controller_manager(program, self._files, self._controller_args),
        )
        self.wait_for(lambda: self._exists(proof), "the controllers")
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        self.wait_for(lambda: self._exists(account), "the default ServiceAccount")

    def stop_controllers(self) -> None:
        self._end("kube-controller-manager", STOP_GRACE_S)

    # -- inside ----------------------------------------------------------------------------------

    def _hand_out(self, layout: Layout) -> None:
        self._files = layout.files
        self.ca, self.ca_file = layout.ca, layout.ca.pair.certificate
        self.admin, self.user = layout.admin, layout.user
        self.admin_token, self.user_token = layout.admin_token, layout.user_token
        self.kubeconfig = layout.kubeconfig
        self.kubeconfig_token = layout.kubeconfig_token
        self.kubeconfig_user = layout.kubeconfig_user
        self.kubeconfig_user_token = layout.kubeconfig_user_token

    def _run(self, name: str, argv: Sequence[str]) -> None:
        assert self._processes is not None, "the cluster is not started"
        if name in self._daemons:
            raise StartError(f"{name} is running already")
        self._daemons[name] = self._processes.start(name, argv)

    def _end(self, name: str, grace: float) -> None:
        assert self._processes is not None, "the cluster is not started"
        self._processes.end(self._daemons.pop(name), grace)

    def _client(self, *, kept: bool = False, timeout: float = 30.0) -> Client:
        return Client(self.server, self.ca_file, certificate=self.admin, kept=kept, timeout=timeout)

    def _exists(self, path: str) -> bool:
        return self.request("GET", path).code == 200
