"""The files of a test cluster: keys, tokens, kubeconfigs and who they stand for."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from tests.cluster.flags import SERVICE_IP, Files
from tests.cluster.kubeconfig import certificate_user, kubeconfig, token_user
from tests.cluster.pki import CertificateAuthority, signing_key

USER, GROUP = "jane", "developers"
SERVER_NAMES = ("127.0.0.1", "localhost", "::1", "kubernetes.default.svc", SERVICE_IP)
AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
"""


class Layout:
    """Writes all files into `folder` for a server at the URL `server`, secret ones with mode 0600.

    `files` is what the command lines need; `ca` issues more certificates.
    """

    def __init__(self, folder: Path, server: str) -> None:
        self._folder, self._server = folder, server
        self.ca = CertificateAuthority(folder, "ca")
        front_proxy_ca = CertificateAuthority(folder, "front-proxy-ca")
        self.admin = self.ca.client("admin", "kapply-admin", ["system:masters"])
        self.user = self.ca.client("user", USER, [GROUP])
        # Its own role is not enough: that is for one which gets each controller's account.
        controller = self.ca.client(
            "controllers", "system:kube-controller-manager", ["system:masters"]
        )
        self.admin_token, self.user_token = secrets.token_hex(16), secrets.token_hex(16)
        tokens = self._secret(
            "tokens.csv",
            f'{self.admin_token},kapply-token-admin,1,"system:masters"\n'
            f'{self.user_token},{USER},2,"{GROUP}"\n',
        )
        self.files = Files(
            folder=folder,
            ca=self.ca.pair,
            serving=self.ca.serving("apiserver", SERVER_NAMES),
            service_account=signing_key(folder, "service-account"),
            front_proxy_ca=front_proxy_ca.pair,
            front_proxy=front_proxy_ca.client("front-proxy", "front-proxy-client"),
            tokens=tokens,
            controller_kubeconfig=self._kubeconfig("controllers", certificate_user(controller)),
        )
        self.files.audit_policy.write_text(AUDIT_POLICY)
        self.kubeconfig = self._kubeconfig("admin", certificate_user(self.admin))
        self.kubeconfig_token = self._kubeconfig("token", token_user(self.admin_token))
        self.kubeconfig_user = self._kubeconfig("user", certificate_user(self.user))
        self.kubeconfig_user_token = self._kubeconfig("user-token", token_user(self.user_token))

    def _kubeconfig(self, name: str, user: dict[str, Any]) -> Path:
        text = kubeconfig(self._server, self.ca.pair.certificate, user)
        return self._secret(f"{name}.kubeconfig", text)

    def _secret(self, name: str, text: str) -> Path:
        path = self._folder / name
        path.touch(mode=0o600)
        path.write_text(text)
        return path
