"""The defaults of built-in types (k8s.io/kubernetes pkg/apis/*/v1/defaults.go, as facts)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from kapply.sandbox.defaulting import Rule
from kapply.values.quantity import Quantity

__all__ = ["RULES", "image_tag"]

Object = dict[str, Any]


def image_tag(image: str) -> str:
    """The tag of an image reference: "latest" when it has neither tag nor digest."""
    name, at, _ = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return tag or ("" if at else "latest")


def _container(obj: Object) -> None:
    if not obj.get("imagePullPolicy"):
        latest = image_tag(obj.get("image") or "") == "latest"
        obj["imagePullPolicy"] = "Always" if latest else "IfNotPresent"
    _fill(obj, terminationMessagePath="/dev/termination-log", terminationMessagePolicy="File")


def _fill(obj: Object, **values: Any) -> None:
    for name, value in values.items():
        if obj.get(name) in (None, ""):
            obj[name] = value


def _volume(obj: Object) -> None:
    if len(obj) <= 1:  # the name alone
        obj["emptyDir"] = {}
    image = obj.get("image")
    if image is not None and not image.get("pullPolicy"):
        latest = image_tag(image.get("reference") or "") == "latest"
        image["pullPolicy"] = "Always" if latest else "IfNotPresent"


def _pod_spec(obj: Object) -> None:
    account = obj.get("serviceAccountName") or obj.get("serviceAccount")
    if account:
        obj["serviceAccountName"] = obj["serviceAccount"] = account
    _fill(
        obj,
        dnsPolicy="ClusterFirst",
        restartPolicy="Always",
        securityContext={},
        terminationGracePeriodSeconds=30,
        schedulerName="default-scheduler",
    )
    obj["securityContext"] = dict(obj["securityContext"])


def _pod(obj: Object) -> None:
    spec = obj["spec"]
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        spec["terminationGracePeriodSeconds"] = 1
    for kind in ("containers", "initContainers"):
        for container in spec.get(kind) or ():
            resources = container["resources"]
            limits = resources.get("limits")
            if limits:
                resources["requests"] = {**limits, **(resources.get("requests") or {})}
    if spec.get("enableServiceLinks") is None:
        spec["enableServiceLinks"] = True
    if spec.get("hostNetwork"):
        host_network_ports(spec)


def host_network_ports(spec: Object) -> None:
    """In the host's network a container's ports are the host's."""
    for kind in ("containers", "initContainers"):
        for container in spec.get(kind) or ():
            for port in container.get("ports") or ():
                if not port.get("hostPort"):
                    port["hostPort"] = port.get("containerPort", 0)


def _template_host_ports(obj: Object) -> None:
    """Workloads default their template's ports as a Pod's (conversion of PodTemplateSpec)."""
    spec = obj.get("spec") or {}
    template = spec.get("template")
    if template and (template.get("spec") or {}).get("hostNetwork"):
        host_network_ports(template["spec"])


def _pod_status(obj: Object) -> None:
    if obj.get("podIP"):
        if (obj.get("podIPs") or [{}])[0].get("ip") != obj["podIP"]:
            obj["podIPs"] = [{"ip": obj["podIP"]}]
    elif obj.get("podIPs"):
        obj["podIP"] = obj["podIPs"][0].get("ip", "")


def _service(obj: Object) -> None:
    spec = obj["spec"]
    _fill(spec, sessionAffinity="None", type="ClusterIP")
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        client = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        if client.get("timeoutSeconds") is None:
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": 10800}}
    for port in spec.get("ports") or ():
        _fill(port, protocol="TCP")
        if port.get("targetPort") in (0, "", None):
            port["targetPort"] = port.get("port", 0)
    external = spec["type"] in ("LoadBalancer", "NodePort") or (
        spec["type"] == "ClusterIP" and spec.get("externalIPs")
    )
    if external:
        _fill(spec, externalTrafficPolicy="Cluster")
    if spec["type"] in ("NodePort", "LoadBalancer", "ClusterIP"):
        _fill(spec, internalTrafficPolicy="Cluster")
    if spec["type"] == "LoadBalancer":
        if spec.get("allocateLoadBalancerNodePorts") is None:
            spec["allocateLoadBalancerNodePorts"] = True
        balancer = (obj.get("status") or {}).get("loadBalancer") or {}
        for ingress in balancer.get("ingress") or ():
            if ingress.get("ip"):
                _fill(ingress, ipMode="VIP")


def _namespace(obj: Object) -> None:
    name = obj["metadata"].get("name")
    if name:
        labels = obj["metadata"].setdefault("labels", {})
        labels["kubernetes.io/metadata.name"] = name


def _replication_controller(obj: Object) -> None:
    template = obj["spec"].get("template") or {}
    labels = (template.get("metadata") or {}).get("labels")
    if labels:
        if not obj["spec"].get("selector"):
            obj["spec"]["selector"] = dict(labels)
        if not obj["metadata"].get("labels"):
            obj["metadata"]["labels"] = dict(labels)


def _persistent_volume(obj: Object) -> None:
    _fill(obj["spec"], persistentVolumeReclaimPolicy="Retain", volumeMode="Filesystem")
    _fill(obj["status"], phase="Pending")


def _claim(obj: Object) -> None:
    _fill(obj["status"], phase="Pending")


def _limit_range_item(obj: Object) -> None:
    if obj.get("type") != "Container":
        return
    default = {**(obj.get("max") or {}), **(obj.get("default") or {})}
    request = {**(obj.get("min") or {}), **default, **(obj.get("defaultRequest") or {})}
    if default:
        obj["default"] = default
    if request:
        obj["defaultRequest"] = request


def _node(obj: Object) -> None:
    spec = obj["spec"]
    if spec.get("podCIDR") and not spec.get("podCIDRs"):
        spec["podCIDRs"] = [spec["podCIDR"]]
    elif spec.get("podCIDRs") and not spec.get("podCIDR"):
        spec["podCIDR"] = spec["podCIDRs"][0]


def _node_status(obj: Object) -> None:
    if obj.get("allocatable") is None and obj.get("capacity"):
        obj["allocatable"] = dict(obj["capacity"])


def _milli(obj: Object) -> None:
    """Quantities of a ResourceList are rounded up to a thousandth."""
    for name, text in obj.items():
        quantity = Quantity.parse(text)
        if quantity.exponent < -3:
            obj[name] = Quantity.parse(f"{quantity.scaled(-3)}m").canonical


def _deployment(obj: Object) -> None:
    spec = obj["spec"]
    if spec.get("replicas") is None:
        spec["replicas"] = 1
    strategy = spec["strategy"]
    _fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        for name in ("maxUnavailable", "maxSurge"):
            if rolling.get(name) is None:
                rolling[name] = "25%"
    for name, value in (("revisionHistoryLimit", 10), ("progressDeadlineSeconds", 600)):
        if spec.get(name) is None:
            spec[name] = value


def _daemon_set(obj: Object) -> None:
    spec = obj["spec"]
    strategy = spec["updateStrategy"]
    _fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        if rolling.get("maxUnavailable") is None:
            rolling["maxUnavailable"] = 1
        if rolling.get("maxSurge") is None:
            rolling["maxSurge"] = 0
    elif strategy.get("rollingUpdate") is not None:
        # The server's own struct has no unset numbers there.
        for name in ("maxUnavailable", "maxSurge"):
            strategy["rollingUpdate"].setdefault(name, 0)
    if spec.get("revisionHistoryLimit") is None:
        spec["revisionHistoryLimit"] = 10


def _stateful_set(obj: Object) -> None:
    spec = obj["spec"]
    for claim in spec.get("volumeClaimTemplates") or ():
        claim.update(kind="PersistentVolumeClaim", apiVersion="v1")
    _fill(spec, podManagementPolicy="OrderedReady")
    strategy = spec["updateStrategy"]
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
        strategy.setdefault("rollingUpdate", {})
    rolling = strategy.get("rollingUpdate")
    updating = strategy["type"] == "RollingUpdate" and rolling is not None
    for name, value in (("partition", 0), ("maxUnavailable", 1)) if updating else ():
        if rolling.get(name) is None:
            rolling[name] = value
    policy = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    _fill(policy, whenDeleted="Retain", whenScaled="Retain")
    for name, value in (("replicas", 1), ("revisionHistoryLimit", 10)):
        if spec.get(name) is None:
            spec[name] = value


def _job(obj: Object) -> None:
    spec = obj["spec"]
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    if spec.get("parallelism") is None:
        spec["parallelism"] = 1
    if spec.get("backoffLimit") is None:
        spec["backoffLimit"] = 2**31 - 1 if spec.get("backoffLimitPerIndex") is not None else 6
    labels = (spec["template"].get("metadata") or {}).get("labels")
    if labels and not obj["metadata"].get("labels"):
        obj["metadata"]["labels"] = dict(labels)
    _fill(spec, completionMode="NonIndexed")
    for name in ("suspend", "manualSelector"):
        if spec.get(name) is None:
            spec[name] = False
    failed = spec.get("podFailurePolicy") is not None
    _fill(spec, podReplacementPolicy="Failed" if failed else "TerminatingOrFailed")


def _cron_job(obj: Object) -> None:
    spec = obj["spec"]
    _fill(spec, concurrencyPolicy="Allow")
    for name, value in (
        ("suspend", False),
        ("successfulJobsHistoryLimit", 3),
        ("failedJobsHistoryLimit", 1),
    ):
        if spec.get(name) is None:
            spec[name] = value


def _autoscaler_v1(obj: Object) -> None:
    spec = obj["spec"]
    annotations = obj["metadata"].get("annotations") or {}
    told = "autoscaling.alpha.kubernetes.io/metrics" in annotations
    if spec.get("targetCPUUtilizationPercentage") is None and not told:
        spec["targetCPUUtilizationPercentage"] = 80


_SCALE_UP: Object = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
}
_SCALE_DOWN: Object = {
    "selectPolicy": "Max",
    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
}


def _autoscaler(obj: Object) -> None:
    spec = obj["spec"]
    if spec.get("minReplicas") is None:
        spec["minReplicas"] = 1
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    behavior = spec.get("behavior")
    if behavior is not None:
        for name, rules in (("scaleUp", _SCALE_UP), ("scaleDown", _SCALE_DOWN)):
            given = {k: v for k, v in (behavior.get(name) or {}).items() if v is not None}
            behavior[name] = {**copy.deepcopy(rules), **given}


def _network_policy(obj: Object) -> None:
    spec = obj["spec"]
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", *(["Egress"] if spec.get("egress") else [])]


def _ingress_class(obj: Object) -> None:
    parameters = (obj.get("spec") or {}).get("parameters")
    if parameters is not None and parameters.get("scope") is None:
        parameters["scope"] = "Cluster"


def _role_binding(obj: Object) -> None:
    _fill(obj["roleRef"], apiGroup="rbac.authorization.k8s.io")


def _subject(obj: Object) -> None:
    if not obj.get("apiGroup") and obj.get("kind") in ("User", "Group"):
        obj["apiGroup"] = "rbac.authorization.k8s.io"


_WEBHOOK: Mapping[str, Any] = {
    "failurePolicy": "Fail",
    "matchPolicy": "Equivalent",
    "namespaceSelector": dict,
    "objectSelector": dict,
    "timeoutSeconds": 10,
}
_MATCH: Mapping[str, Any] = {
    "matchPolicy": "Equivalent",
    "namespaceSelector": dict,
    "objectSelector": dict,
}
_DEVICES: Rule


def _devices(obj: Object) -> None:
    _fill(obj, allocationMode="ExactCount")
    if obj["allocationMode"] == "ExactCount" and not obj.get("count"):
        obj["count"] = 1


def _crd(obj: Object) -> None:
    spec = obj["spec"]
    names = spec["names"]
    if not names.get("singular"):
        names["singular"] = (names.get("kind") or "").lower()
    if not names.get("listKind") and names.get("kind"):
        names["listKind"] = f"{names['kind']}List"
    if spec.get("conversion") is None:
        spec["conversion"] = {"strategy": "None"}
    webhook = (spec["conversion"].get("webhook") or {}).get("clientConfig") or {}
    service = webhook.get("service")
    if service is not None and service.get("port") is None:
        service["port"] = 443


def _api_service(obj: Object) -> None:
    service = (obj.get("spec") or {}).get("service")
    if service is not None and service.get("port") is None:
        service["port"] = 443


_SCALE_IO = {"storageMode": "ThinProvisioned", "fsType": "xfs"}
_RBD = {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"}
_MODE = {"defaultMode": 420}
_TCP = {"protocol": "TCP"}

RULES: Mapping[str, tuple[Rule, ...]] = {
    "core/v1.AzureDiskVolumeSource": (
        {"cachingMode": "ReadWrite", "fsType": "ext4", "readOnly": False, "kind": "Shared"},
    ),
    "core/v1.ConfigMapVolumeSource": (_MODE,),
    "core/v1.Container": (_container,),
    "core/v1.ContainerPort": (_TCP,),
    "core/v1.DownwardAPIVolumeSource": (_MODE,),
    "core/v1.EndpointPort": (_TCP,),
    "core/v1.EphemeralContainer": (_container,),
    "core/v1.FileKeySelector": ({"optional": False},),
    "core/v1.GRPCAction": ({"service": ""},),
    "core/v1.HTTPGetAction": ({"path": "/", "scheme": "HTTP"},),
    "core/v1.HostPathVolumeSource": ({"type": ""},),
    "core/v1.ISCSIPersistentVolumeSource": ({"iscsiInterface": "default"},),
    "core/v1.ISCSIVolumeSource": ({"iscsiInterface": "default"},),
    "core/v1.LimitRangeItem": (_limit_range_item,),
    "core/v1.Namespace": (_namespace,),
    "core/v1.NamespaceStatus": ({"phase": "Active"},),
    "core/v1.Node": (_node,),
    "core/v1.NodeStatus": (_node_status,),
    "core/v1.ObjectFieldSelector": ({"apiVersion": "v1"},),
    "core/v1.PersistentVolume": (_persistent_volume,),
    "core/v1.PersistentVolumeClaim": (_claim,),
    "core/v1.PersistentVolumeClaimSpec": ({"volumeMode": "Filesystem"},),
    "core/v1.Pod": (_pod,),
    "core/v1.PodSpec": (_pod_spec,),
    "core/v1.PodStatus": (_pod_status,),
    "core/v1.Probe": (
        {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3},
    ),
    "core/v1.ProjectedVolumeSource": (_MODE,),
    "core/v1.RBDPersistentVolumeSource": (_RBD,),
    "core/v1.RBDVolumeSource": (_RBD,),
    "core/v1.ReplicationController": (_replication_controller, _template_host_ports),
    "core/v1.ReplicationControllerSpec": ({"replicas": 1},),
    "core/v1.ResourceList": (_milli,),
    "core/v1.ScaleIOPersistentVolumeSource": (_SCALE_IO,),
    "core/v1.ScaleIOVolumeSource": (_SCALE_IO,),
    "core/v1.Secret": ({"type": "Opaque"},),
    "core/v1.SecretVolumeSource": (_MODE,),
    "core/v1.Service": (_service,),
    "core/v1.ServiceAccountTokenProjection": ({"expirationSeconds": 3600},),
    "core/v1.Volume": (_volume,),
    "apps/v1.DaemonSet": (_daemon_set, _template_host_ports),
    "apps/v1.Deployment": (_deployment, _template_host_ports),
    "apps/v1.ReplicaSet": (_template_host_ports,),
    "apps/v1.ReplicaSetSpec": ({"replicas": 1},),
    "apps/v1.StatefulSet": (_stateful_set, _template_host_ports),
    "batch/v1.CronJob": (_cron_job,),
    "batch/v1.Job": (_job, _template_host_ports),
    "batch/v1.PodFailurePolicyOnPodConditionsPattern": ({"status": "True"},),
    "autoscaling/v1.HorizontalPodAutoscaler": (_autoscaler_v1,),
    "autoscaling/v1.HorizontalPodAutoscalerSpec": ({"minReplicas": 1},),
    "autoscaling/v2.HorizontalPodAutoscaler": (_autoscaler,),
    "networking/v1.IngressClass": (_ingress_class,),
    "networking/v1.NetworkPolicy": (_network_policy,),
    "networking/v1.NetworkPolicyPort": (_TCP,),
    "rbac/v1.ClusterRoleBinding": (_role_binding,),
    "rbac/v1.RoleBinding": (_role_binding,),
    "rbac/v1.Subject": (_subject,),
    "storage/v1.StorageClass": ({"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"},),
    "storage/v1.CSIDriverSpec": (
        {
            "attachRequired": True,
            "podInfoOnMount": False,
            "storageCapacity": False,
            "fsGroupPolicy": "ReadWriteOnceWithFSType",
            "volumeLifecycleModes": lambda: ["Persistent"],
            "requiresRepublish": False,
            "seLinuxMount": False,
            "preventPodSchedulingIfMissing": False,
        },
    ),
    "scheduling/v1.PriorityClass": ({"preemptionPolicy": "PreemptLowerPriority"},),
    "admissionregistration/v1.ValidatingWebhook": (_WEBHOOK,),
    "admissionregistration/v1.MutatingWebhook": ({**_WEBHOOK, "reinvocationPolicy": "Never"},),
    "admissionregistration/v1.RuleWithOperations": ({"scope": "*"},),
    "admissionregistration/v1.NamedRuleWithOperations": ({"scope": "*"},),
    "admissionregistration/v1.ServiceReference": ({"port": 443},),
    "admissionregistration/v1.ValidatingAdmissionPolicySpec": ({"failurePolicy": "Fail"},),
    "admissionregistration/v1.MutatingAdmissionPolicySpec": ({"failurePolicy": "Fail"},),
    "admissionregistration/v1.MatchResources": (_MATCH,),
    "flowcontrol/v1.FlowSchemaSpec": ({"matchingPrecedence": 1000},),
    "flowcontrol/v1.ExemptPriorityLevelConfiguration": (
        {"nominalConcurrencyShares": 0, "lendablePercent": 0},
    ),
    "flowcontrol/v1.LimitedPriorityLevelConfiguration": (
        {"nominalConcurrencyShares": 30, "lendablePercent": 0},
    ),
    "flowcontrol/v1.QueuingConfiguration": ({"handSize": 8, "queues": 64, "queueLengthLimit": 50},),
    "discovery/v1.EndpointPort": ({"name": "", "protocol": "TCP"},),
    "resource/v1.ExactDeviceRequest": (_devices,),
    "resource/v1.DeviceSubRequest": (_devices,),
    "apiextensions/v1.CustomResourceDefinition": (_crd,),
    "apiregistration/v1.APIService": (_api_service,),
}
