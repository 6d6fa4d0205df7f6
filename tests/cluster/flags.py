"""The command lines of etcd, kube-apiserver and kube-controller-manager. Pure.

Flags come and go with minors; each one used here exists from Kubernetes 1.22 (where server-side
apply became stable) to 1.37, unless the minor is asked about below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.pki import KeyPair

OLDEST_MINOR = 22
SERVICE_CIDR = "10.96.0.0/16"
SERVICE_IP = "10.96.0.1"  # of the Service "kubernetes", always the first of the range
# Controllers of a node's life that have nothing to do here: the only Node is played, sends no
# heartbeats, and is well as long as nothing contradicts.
NODE_GRACE = "24h"


@dataclass(frozen=True, slots=True)
class Files:
    """The files in a cluster's folder that the command lines name."""

    folder: Path
    ca: KeyPair
    serving: KeyPair
    service_account: KeyPair
    front_proxy_ca: KeyPair
    front_proxy: KeyPair
    tokens: Path
    controller_kubeconfig: Path

    @property
    def etcd_socket(self) -> Path:
        return self.folder / "etcd.sock"

    @property
    def audit_log(self) -> Path:
        return self.folder / "audit.log"

    @property
    def audit_policy(self) -> Path:
        return self.folder / "audit-policy.yaml"


def etcd(program: Path, files: Files) -> list[str]:
    """etcd for one member on a Unix socket: no port to lose to others, nobody else gets in."""
    return [
        str(program),
        f"--data-dir={files.folder / 'etcd'}",
        f"--listen-client-urls=unix://{files.etcd_socket}",
        # Nobody reads the advertised address, but etcd before 3.6 refuses a unix one.
        "--advertise-client-urls=http://127.0.0.111:0",
        "--listen-peer-urls=http://127.0.0.1:0",
        "--unsafe-no-fsync",  # what is lost with the machine is lost with the cluster anyway
        "--quota-backend-bytes=4294967296",
        "--log-level=warn",
    ]


def apiserver(
    program: Path,
    minor: int,
    files: Files,
    port: int,
    *,
    service_accounts: bool,
    audit: bool,
    extra: Sequence[str] = (),
) -> list[str]:
    """kube-apiserver on 127.0.0.1:port, RBAC, tokens and certificates.

    `service_accounts` keeps the ServiceAccount admission plugin: it refuses Pods until the
    controller manager has made the namespace's default ServiceAccount.
    """
    argv = [
        str(program),
        f"--etcd-servers=unix://{files.etcd_socket}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        # The cluster holds its port with a socket that does not listen.
        "--permit-port-sharing=true",
        f"--cert-dir={files.folder}",
        f"--tls-cert-file={files.serving.certificate}",
        f"--tls-private-key-file={files.serving.key}",
        f"--client-ca-file={files.ca.certificate}",
        f"--token-auth-file={files.tokens}",
        "--authorization-mode=RBAC",
        f"--service-cluster-ip-range={SERVICE_CIDR}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={files.service_account.certificate}",
        f"--service-account-signing-key-file={files.service_account.key}",
        f"--requestheader-client-ca-file={files.front_proxy_ca.certificate}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={files.front_proxy.certificate}",
        f"--proxy-client-key-file={files.front_proxy.key}",
        # A loopback address is no valid endpoint for the kubernetes Service.
        "--endpoint-reconciler-type=none",
        "--allow-privileged=true",
        "--profiling=false",
    ]
    if not service_accounts:
        argv.append("--disable-admission-plugins=ServiceAccount")
    if audit:
        argv += [
            f"--audit-log-path={files.audit_log}",
            f"--audit-policy-file={files.audit_policy}",
            "--audit-log-mode=blocking-strict",
        ]
    if minor >= 27:
        # Else SIGTERM waits a minute for watches, which do not end by themselves.
        argv.append("--shutdown-watch-termination-grace-period=2s")
    return [*argv, *extra]


def controller_manager(program: Path, files: Files, extra: Sequence[str] = ()) -> list[str]:
    """kube-controller-manager with all its ordinary controllers and generous client limits."""
    return [
        str(program),
        f"--kubeconfig={files.controller_kubeconfig}",
        f"--service-account-private-key-file={files.service_account.key}",
        f"--root-ca-file={files.ca.certificate}",
        f"--cluster-signing-cert-file={files.ca.certificate}",
        f"--cluster-signing-key-file={files.ca.key}",
        "--leader-elect=false",
        "--secure-port=0",
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        f"--node-monitor-grace-period={NODE_GRACE}",
        f"--node-startup-grace-period={NODE_GRACE}",
        "--profiling=false",
        *extra,
    ]
