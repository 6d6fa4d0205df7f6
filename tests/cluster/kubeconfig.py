"""The kubeconfig files a test cluster hands out. Pure."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.pki import KeyPair


def kubeconfig(server: str, ca: Path, user: dict[str, Any], *, name: str = "kapply-test") -> str:
    """A kubeconfig text with one cluster, one user, one context and that context current."""
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": name, "cluster": {"server": server, "certificate-authority": str(ca)}}
            ],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        },
        sort_keys=False,
    )


def certificate_user(pair: KeyPair) -> dict[str, Any]:
    """A user with certificate and key inside the kubeconfig, as most tools write them."""
    return {
        "client-certificate-data": _base64(pair.certificate),
        "client-key-data": _base64(pair.key),
    }


def token_user(token: str) -> dict[str, Any]:
    """A user with a bearer token."""
    return {"token": token}


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
