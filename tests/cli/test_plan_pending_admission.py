"""Plans of what quotas, limits, policies and webhooks refuse until the same input changes them.

Each is planned, really applied, and planned again: nothing is left to do.
"""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.cli.planlog import Looking
from tests.cli.test_plan_pending import Obj, obj, pod, turn, write
from tests.cli.tool import kapply_tool
from tests.cluster.cluster import TestCluster

ADMISSION = "admissionregistration.k8s.io"


@pytest.fixture
def kapply(apiserver: TestCluster, tmp_path: Path) -> Looking:
    return Looking(kapply_tool(tmp_path, apiserver.kubeconfig))


def test_a_pod_beyond_a_quota_that_the_input_raises(
    cluster: TestCluster, namespace: str, tmp_path: Path
) -> None:
    """What admission reads is the quota's status, which its controller writes a moment later."""
    kapply = Looking(kapply_tool(tmp_path, cluster.kubeconfig))
    quota = obj("ResourceQuota", "q", spec={"hard": {"pods": "0"}})
    assert kapply("apply", "-n", namespace, "-f", write(tmp_path, quota)).code == 0
    path = f"/api/v1/namespaces/{namespace}/resourcequotas/q"
    cluster.wait_for(
        lambda: "used" in cluster.request("GET", path).ok()["status"], "the quota's status"
    )
    refused = kapply("plan", "-n", namespace, "-f", write(tmp_path, quota, pod("p")))
    assert refused.code == 4, refused.screen
    assert "exceeded quota: q" in refused.err
    quota["spec"]["hard"]["pods"] = "1"
    turn(kapply, write(tmp_path, quota, pod("p")), namespace, "ResourceQuota q")


def test_a_pod_beyond_a_limit_that_the_input_raises(
    kapply: Looking, api_namespace: str, tmp_path: Path
) -> None:
    limits = obj("LimitRange", "l", spec={"limits": [{"type": "Container", "max": {"cpu": "1"}}]})
    assert kapply("apply", "-n", api_namespace, "-f", write(tmp_path, limits)).code == 0
    asks = {"resources": {"limits": {"cpu": "2"}}}
    big = pod("p", containers=[{"name": "c", "image": "i", **asks}])
    refused = kapply("plan", "-n", api_namespace, "-f", write(tmp_path, limits, big))
    assert refused.code == 4, refused.screen
    limits["spec"]["limits"][0]["max"]["cpu"] = "4"
    turn(kapply, write(tmp_path, limits, big), api_namespace, "LimitRange l")


def test_what_a_policy_denies_until_the_input_changes_it(
    kapply: Looking, apiserver: TestCluster, api_namespace: str, tmp_path: Path
) -> None:
    name = f"sizes-{api_namespace}"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"],
            "operations": ["CREATE", "UPDATE"]}  # fmt: skip
    here = {"matchLabels": {"kubernetes.io/metadata.name": api_namespace}}
    constraints = {"namespaceSelector": here, "resourceRules": [rule]}
    policy = obj(
        "ValidatingAdmissionPolicy", name, f"{ADMISSION}/v1",
        spec={
            "matchConstraints": constraints,
            "validations": [{"expression": "object.data.size == 'small'"}],
        },
    )  # fmt: skip
    binding = obj(
        "ValidatingAdmissionPolicyBinding", name, f"{ADMISSION}/v1",
        spec={"policyName": name, "validationActions": ["Deny"]},
    )  # fmt: skip
    large = obj("ConfigMap", "a", data={"size": "large"})
    try:
        assert kapply("apply", "-f", write(tmp_path, policy, binding)).code == 0
        both = write(tmp_path, large, policy, binding)
        apiserver.wait_for(
            lambda: kapply("plan", "-n", api_namespace, "-f", both).code == 4, "the policy"
        )
        # A policy that is not changed explains nothing.
        assert f"'{name}' with binding" in kapply("plan", "-n", api_namespace, "-f", both).err
        policy["spec"]["validations"][0]["expression"] = "object.data.size in ['small', 'large']"
        both = write(tmp_path, large, policy, binding)
        turn(kapply, both, api_namespace, f"ValidatingAdmissionPolicy {name}")
    finally:
        for plural in ("validatingadmissionpolicybindings", "validatingadmissionpolicies"):
            apiserver.request("DELETE", f"/apis/{ADMISSION}/v1/{plural}/{name}")


class Allows(BaseHTTPRequestHandler):
    """A webhook that allows everything (admission.k8s.io/v1)."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = {
            "apiVersion": asked["apiVersion"],
            "kind": asked["kind"],
            "response": {"uid": asked["request"]["uid"], "allowed": True},
        }
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def webhook(apiserver: TestCluster, name: str) -> Iterator[int]:
    """The port at which the webhook answers, with a certificate for `name`."""
    pair = apiserver.ca.serving(name, [name])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    with ThreadingHTTPServer(("127.0.0.1", 0), Allows) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_what_a_standing_webhook_refuses_until_the_input_brings_its_service(
    kapply: Looking, apiserver: TestCluster, api_namespace: str, tmp_path: Path
) -> None:
    """The ConfigMap, whose kind goes before Services, is written after this one."""
    hooks = f"/apis/{ADMISSION}/v1/validatingwebhookconfigurations"
    name = f"hook-{api_namespace}"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"],
            "operations": ["*"]}  # fmt: skip
    with webhook(apiserver, f"checker.{api_namespace}.svc") as port:
        calls = {"name": "checker", "namespace": api_namespace, "port": port}
        hook: Obj = {
            "name": "check.plan.kapply.dev",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "rules": [rule],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": api_namespace}},
            "clientConfig": {
                "service": calls,
                "caBundle": base64.b64encode(apiserver.ca_file.read_bytes()).decode(),
            },
        }
        version = f"{ADMISSION}/v1"
        made = {**obj("ValidatingWebhookConfiguration", name, version), "webhooks": [hook]}
        apiserver.request("POST", hooks, made).ok()
        try:
            alone = write(tmp_path, obj("ConfigMap", "a"), name="alone.yaml")
            apiserver.wait_for(
                lambda: kapply("plan", "-n", api_namespace, "-f", alone).code == 4, "the webhook"
            )
            # Nothing routes cluster IPs here; a name outside is called directly.
            service = obj(
                "Service", "checker", spec={"type": "ExternalName", "externalName": "localhost"}
            )
            both = write(tmp_path, obj("ConfigMap", "a"), service)
            turn(kapply, both, api_namespace, "Service checker")
        finally:
            apiserver.request("DELETE", f"{hooks}/{name}")
