"""What the differential machine draws from: kinds, and fragments of objects, right and wrong.

A kind has a `base` that makes an object valid, and fragments that are laid over it (as merge
patches), sent as patches, or applied. A fragment that is wrong on purpose is one among many.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]

META: list[Object] = [
    {"metadata": {"labels": {"a": "1"}}},
    {"metadata": {"labels": {"a": "2", "b": "x"}}},
    {"metadata": {"annotations": {"note": "n"}}},
    {"metadata": {"annotations": {"note": "m", "other": ""}}},
    {"metadata": {"labels": {"a": None}}},
    {"metadata": {"labels": {"bad key": "x"}}},
    {"metadata": {"finalizers": ["example.com/hold"]}},
    {"metadata": {"finalizers": None}},
    {"metadata": {"unknown": 1}},
]


@dataclass(frozen=True)
class Kind:
    """A kind the machine plays with.

    Attributes:
        path: of the collection; "$NS" stands for the namespace.
        deletes: a deleted object is gone at once.
        pointers: JSON pointers that JSON Patches aim at.
        strategic: strategic merge patches with directives.
        status: fragments for the status subresource; none without one.
    """

    path: str
    api: str
    kind: str
    base: Object
    fragments: list[Object]
    pointers: dict[str, list[Any]] = field(default_factory=dict)
    strategic: list[Object] = field(default_factory=list)
    status: list[Object] = field(default_factory=list)
    scale: bool = False
    custom: bool = False
    deletes: bool = True


def _core(plural: str, kind: str, base: Object, fragments: list[Object], **more: Any) -> Kind:
    return Kind(f"/api/v1/namespaces/$NS/{plural}", "v1", kind, base, fragments, **more)


def _group(
    group: str, plural: str, kind: str, base: Object, fragments: list[Object], **more: Any
) -> Kind:
    return Kind(f"/apis/{group}/namespaces/$NS/{plural}", group, kind, base, fragments, **more)


def _spec(**spec: Any) -> Object:
    return {"spec": spec}


def _pod(**spec: Any) -> Object:
    return _spec(template={"spec": spec})


_LABELS = {"app": "x"}
_CONTAINER = {"name": "c", "image": "nginx:1"}
_TEMPLATE = {"metadata": {"labels": _LABELS}, "spec": {"containers": [_CONTAINER]}}
_POD_FRAGMENTS: list[Object] = [
    _pod(containers=[{"name": "c", "image": "nginx:2", "env": [{"name": "A", "value": "1"}]}]),
    _pod(
        containers=[
            {
                "name": "c",
                "image": "nginx",
                "ports": [{"containerPort": 80}, {"containerPort": 81, "name": "adm"}],
            }
        ]
    ),
    _pod(
        containers=[_CONTAINER, {"name": "d", "image": "busybox:1", "command": ["sh", "-c", "x"]}]
    ),
    _pod(containers=[{"name": "c"}]),
    _pod(containers=[{"image": "x"}]),
    _pod(
        containers=[
            {
                **_CONTAINER,
                "resources": {
                    "requests": {"cpu": "0.5", "memory": "1000Ki"},
                    "limits": {"memory": "1Gi"},
                },
            }
        ]
    ),
    _pod(
        containers=[{**_CONTAINER, "resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}]
    ),
    _pod(
        containers=[
            {
                **_CONTAINER,
                "livenessProbe": {"httpGet": {"port": 80}},
                "env": [{"name": "", "value": "x"}],
            }
        ]
    ),
    _pod(
        containers=[{**_CONTAINER, "volumeMounts": [{"name": "v", "mountPath": "/v"}]}],
        volumes=[{"name": "v", "emptyDir": {}}],
    ),
    _pod(volumes=[{"name": "v", "configMap": {"name": "cm"}}, {"name": "w"}]),
    _pod(volumes=[{"name": "v", "secret": {"secretName": "s", "defaultMode": 256}}]),
    _pod(nodeSelector={"disk": "ssd"}, tolerations=[{"key": "k", "operator": "Exists"}]),
    _pod(tolerations=[{"key": "k", "operator": "Exists", "value": "v"}]),
    _pod(securityContext={"runAsUser": 1000}, hostNetwork=True),
    _pod(restartPolicy="Never"),
    _pod(terminationGracePeriodSeconds=5, serviceAccountName="default"),
    _pod(
        affinity={
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "weight": 1,
                        "podAffinityTerm": {
                            "topologyKey": "h",
                            "labelSelector": {"matchLabels": _LABELS},
                        },
                    }
                ]
            }
        }
    ),
    _pod(
        topologySpreadConstraints=[{"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "Any"}]
    ),
    _pod(initContainers=[{"name": "i", "image": "i:1"}]),
    {"spec": {"template": {"metadata": {"labels": {"app": "y"}}}}},
    {"spec": {"template": {"metadata": {"annotations": {"t": "1"}}}}},
    {"spec": {"tempate": {}}},
]
_POD_STRATEGIC: list[Object] = [
    _pod(containers=[{"name": "d", "image": "d:1"}]),
    _pod(containers=[{"name": "d", "$patch": "delete"}]),
    _pod(containers=[{"$patch": "replace"}, _CONTAINER]),
    _pod(containers=[{"name": "c", "env": [{"name": "A", "$patch": "delete"}]}]),
    _pod(containers=[{"name": "c", "ports": [{"containerPort": 80, "protocol": "UDP"}]}]),
    {
        "spec": {
            "template": {"spec": {"$setElementOrder/containers": [{"name": "d"}, {"name": "c"}]}}
        }
    },
    _pod(containers=[{"image": "x:1"}]),
    _pod(volumes=[{"name": "v", "$retainKeys": ["name", "emptyDir"], "emptyDir": {}}]),
    _pod(tolerations=[{"key": "z", "operator": "Exists"}]),
    {"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/hold"]}},
]
_POD_POINTERS: dict[str, list[Any]] = {
    "/spec/template/spec/containers/0/image": ["nginx:3", 5],
    "/spec/template/spec/containers/-": [{"name": "d", "image": "d:1"}],
    "/spec/template/metadata/labels/app": ["x", "z"],
    "/spec/replicas": [0, 3, -1, "two"],
}
_SELECTOR: list[Object] = [
    {"spec": {"selector": {"matchLabels": {"app": "y"}}}},
    {"spec": {"selector": None}},
]
_CONDITIONS: list[Object] = [
    {"status": {"conditions": [{"type": "Ready", "status": "True"}]}},
    {"status": {"conditions": [{"type": "Available", "status": "False", "reason": "R"}]}},
]

KINDS: list[Kind] = [
    _core(
        "configmaps",
        "ConfigMap",
        {},
        [
            {"data": {"a": "1"}},
            {"data": {"a": "2", "b": "1"}},
            {"data": {"b": None}},
            {"data": None},
            {"binaryData": {"z": "AAA="}},
            {"data": {"bad/key": "x"}},
            {"immutable": True},
            {"data": {"n": 1}},
            {"extra": {}},
        ],
        pointers={"/data/a": ["x", None, 3], "/data": [{}, {"q": "r"}], "/nope/x": ["y"]},
        strategic=[{"data": {"$patch": "replace", "k": "v"}}, {"$patch": "delete"}],
    ),
    _core(
        "secrets",
        "Secret",
        {},
        [
            {"data": {"a": "YQ=="}},
            {"stringData": {"a": "b", "c": "d"}},
            {"type": "kubernetes.io/tls"},
            {"type": "kubernetes.io/basic-auth", "stringData": {"username": "u"}},
            {"data": {"a": "not base64"}},
            {"immutable": True},
        ],
        pointers={"/data/a": ["eA=="], "/type": ["Opaque", "x"]},
    ),
    _core(
        "services",
        "Service",
        {"spec": {"ports": [{"port": 80}], "selector": _LABELS}},
        [
            {"spec": {"ports": [{"port": 80, "name": "http"}, {"port": 443, "name": "https"}]}},
            {"spec": {"ports": [{"port": 80}, {"port": 81}]}},
            {"spec": {"ports": [{"port": 80, "targetPort": "web"}]}},
            {"spec": {"ports": [{"port": 70000}]}},
            {
                "spec": {
                    "ports": [
                        {"port": 80, "protocol": "TCP"},
                        {"port": 80, "protocol": "UDP", "name": "u"},
                    ]
                }
            },
            {"spec": {"ports": None}},
            {"spec": {"type": "NodePort"}},
            {"spec": {"type": "LoadBalancer"}},
            {"spec": {"type": "ClusterIP"}},
            {"spec": {"type": "ExternalName", "externalName": "example.com"}},
            {"spec": {"type": "Other"}},
            {"spec": {"clusterIP": "None"}},
            {"spec": {"clusterIP": "10.0.0.1"}},
            {"spec": {"selector": {"app": "y"}}},
            {"spec": {"sessionAffinity": "ClientIP"}},
            {"spec": {"externalTrafficPolicy": "Local"}},
            {"spec": {"externalIPs": ["1.2.3.4"]}},
            {"spec": {"loadBalancerSourceRanges": ["10.0.0.0/8"]}},
            {"spec": {"ipFamilyPolicy": "PreferDualStack"}},
            {"spec": {"ipFamilies": ["IPv6"]}},
            {"spec": {"publishNotReadyAddresses": True}},
            {"spec": {"internalTrafficPolicy": "Local"}},
        ],
        pointers={
            "/spec/ports/0/port": [81, 0],
            "/spec/ports/-": [{"port": 90, "name": "n"}],
            "/spec/type": ["NodePort", "ClusterIP"],
            "/spec/clusterIP": ["", "None"],
        },
        strategic=[
            {"spec": {"ports": [{"port": 80, "$patch": "delete"}]}},
            {"spec": {"ports": [{"port": 8080, "name": "alt"}]}},
            {"spec": {"$patch": "replace", "ports": [{"port": 1}]}},
        ],
        status=[{"status": {"loadBalancer": {"ingress": [{"ip": "1.1.1.1"}]}}}, *_CONDITIONS],
    ),
    _core(
        "serviceaccounts",
        "ServiceAccount",
        {},
        [
            {"automountServiceAccountToken": False},
            {"imagePullSecrets": [{"name": "a"}]},
            {"imagePullSecrets": [{"name": "a"}, {"name": "b"}]},
            {"secrets": [{"name": "s"}]},
        ],
        pointers={"/imagePullSecrets": [[], [{"name": "z"}]]},
        strategic=[{"imagePullSecrets": [{"name": "a", "$patch": "delete"}]}],
    ),
    _core(
        "persistentvolumeclaims",
        "PersistentVolumeClaim",
        _spec(accessModes=["ReadWriteOnce"], resources={"requests": {"storage": "1Gi"}}),
        [
            _spec(resources={"requests": {"storage": "2048Mi"}}),
            _spec(resources={"requests": {"storage": "500M"}}),
            _spec(accessModes=["ReadWriteMany"]),
            _spec(accessModes=["Sometimes"]),
            _spec(accessModes=None),
            _spec(storageClassName="fast"),
            _spec(volumeName="v"),
            _spec(volumeMode="Block"),
            _spec(resources={"requests": {"storage": "0"}}),
            _spec(resources=None),
            _spec(selector={"matchLabels": {"a": "b"}}),
        ],
        # The controller that lets go of a claim nobody uses is not there on the server.
        deletes=False,
        status=[{"status": {"phase": "Bound"}}, {"status": {"capacity": {"storage": "1Gi"}}}],
        pointers={"/spec/resources/requests/storage": ["3Gi", "x"]},
    ),
    _core(
        "pods",
        "Pod",
        {"spec": {"containers": [_CONTAINER]}},
        [
            *[
                {"spec": fragment["spec"]["template"]["spec"]}
                for fragment in _POD_FRAGMENTS
                if "spec" in fragment["spec"].get("template", {})
            ],
            {"spec": {"activeDeadlineSeconds": 5}},
            {"spec": {"nodeName": "n"}},
        ],
        status=[{"status": {"phase": "Running", "podIP": "10.1.1.1"}}, *_CONDITIONS],
        pointers={"/spec/containers/0/image": ["x:1"], "/spec/tolerations": [[]]},
        strategic=[
            {"spec": {"containers": [{"name": "c", "image": "z:1"}]}},
            {"spec": {"tolerations": [{"key": "new", "operator": "Exists"}]}},
        ],
    ),
    _core(
        "resourcequotas",
        "ResourceQuota",
        _spec(hard={"pods": "1000"}),
        [
            _spec(hard={"requests.cpu": "1000", "limits.memory": "1000Gi"}),
            _spec(hard={"pods": "1.5"}),
            _spec(scopes=["BestEffort"]),
            _spec(scopes=["Nope"]),
        ],
        status=[{"status": {"hard": {"pods": "1"}}}],
    ),
    _core(
        "limitranges",
        "LimitRange",
        {},
        [
            _spec(limits=[{"type": "PersistentVolumeClaim", "max": {"storage": "1Ti"}}]),
            _spec(limits=[{"type": "Pod", "max": {"cpu": "100"}}]),
            _spec(limits=[{"type": "Pod", "default": {"cpu": "1"}}]),
            _spec(limits=[{"type": "Container", "max": {"cpu": "1"}, "min": {"cpu": "2"}}]),
        ],
    ),
    _group(
        "apps/v1",
        "deployments",
        "Deployment",
        _spec(selector={"matchLabels": _LABELS}, template=_TEMPLATE),
        [
            _spec(replicas=3),
            _spec(replicas=-1),
            _spec(strategy={"type": "Recreate"}),
            _spec(strategy={"type": "Recreate", "rollingUpdate": None}),
            _spec(strategy={"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}),
            _spec(strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}),
            _spec(minReadySeconds=700),
            _spec(paused=True, revisionHistoryLimit=2),
            *_SELECTOR,
            *_POD_FRAGMENTS,
        ],
        pointers=_POD_POINTERS,
        strategic=[
            *_POD_STRATEGIC,
            {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}},
        ],
        status=[
            {"status": {"replicas": 2, "readyReplicas": 1, "observedGeneration": 1}},
            {"status": {"replicas": 1, "readyReplicas": 2}},
            *_CONDITIONS,
        ],
        scale=True,
    ),
    _group(
        "apps/v1",
        "statefulsets",
        "StatefulSet",
        _spec(selector={"matchLabels": _LABELS}, template=_TEMPLATE, serviceName="s"),
        [
            _spec(replicas=2),
            _spec(serviceName="t"),
            _spec(podManagementPolicy="Parallel"),
            _spec(updateStrategy={"type": "OnDelete", "rollingUpdate": None}),
            _spec(updateStrategy={"rollingUpdate": {"partition": 1}}),
            _spec(
                volumeClaimTemplates=[
                    {
                        "metadata": {"name": "v"},
                        "spec": {
                            "accessModes": ["ReadWriteOnce"],
                            "resources": {"requests": {"storage": "1Gi"}},
                        },
                    }
                ]
            ),
            _spec(persistentVolumeClaimRetentionPolicy={"whenDeleted": "Delete"}),
            *_SELECTOR,
            *_POD_FRAGMENTS[:6],
        ],
        pointers=_POD_POINTERS,
        strategic=_POD_STRATEGIC[:4],
        status=[{"status": {"replicas": 1}}, {"status": {"availableReplicas": 1}}, *_CONDITIONS],
        scale=True,
    ),
    _group(
        "apps/v1",
        "daemonsets",
        "DaemonSet",
        _spec(selector={"matchLabels": _LABELS}, template=_TEMPLATE),
        [
            _spec(updateStrategy={"type": "OnDelete"}),
            _spec(updateStrategy={"type": "OnDelete", "rollingUpdate": None}),
            _spec(updateStrategy={"rollingUpdate": {"maxUnavailable": 0}}),
            _spec(updateStrategy={"rollingUpdate": {"maxUnavailable": "10%"}}),
            _spec(minReadySeconds=1),
            *_SELECTOR,
            *_POD_FRAGMENTS[:6],
        ],
        pointers=_POD_POINTERS,
        strategic=_POD_STRATEGIC[:4],
        status=[
            {
                "status": {
                    "currentNumberScheduled": 0,
                    "numberMisscheduled": 0,
                    "desiredNumberScheduled": 1,
                    "numberReady": 0,
                }
            },
            *_CONDITIONS,
        ],
    ),
    _group(
        "apps/v1",
        "replicasets",
        "ReplicaSet",
        _spec(selector={"matchLabels": _LABELS}, template=_TEMPLATE),
        [_spec(replicas=2), _spec(minReadySeconds=-1), *_SELECTOR, *_POD_FRAGMENTS[:4]],
        pointers=_POD_POINTERS,
        status=[{"status": {"replicas": 1}}],
        scale=True,
    ),
    _group(
        "batch/v1",
        "jobs",
        "Job",
        _spec(template={"spec": {"containers": [_CONTAINER], "restartPolicy": "Never"}}),
        [
            _spec(completions=2),
            _spec(parallelism=2),
            _spec(suspend=True),
            _spec(backoffLimit=-1),
            _spec(completionMode="Indexed", completions=1),
            _spec(ttlSecondsAfterFinished=10),
            _spec(activeDeadlineSeconds=10),
            _spec(
                podFailurePolicy={
                    "rules": [
                        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}
                    ]
                }
            ),
            *_POD_FRAGMENTS[:3],
            _pod(restartPolicy="OnFailure"),
            _pod(restartPolicy="Always"),
        ],
        status=[{"status": {"active": 1}}, {"status": {"succeeded": 1}}],
    ),
    _group(
        "batch/v1",
        "cronjobs",
        "CronJob",
        _spec(
            schedule="* * * * *",
            jobTemplate={
                "spec": {
                    "template": {"spec": {"containers": [_CONTAINER], "restartPolicy": "Never"}}
                }
            },
        ),
        [
            _spec(schedule="@daily"),
            _spec(schedule="every day"),
            _spec(schedule="61 * * * *"),
            _spec(suspend=True),
            _spec(timeZone="Europe/Berlin"),
            _spec(timeZone="Mars/Base"),
            _spec(concurrencyPolicy="Forbid"),
            _spec(concurrencyPolicy="Sometimes"),
            _spec(successfulJobsHistoryLimit=0),
            _spec(startingDeadlineSeconds=-5),
        ],
        status=[{"status": {"lastScheduleTime": "2026-01-01T00:00:00Z"}}],
    ),
    _group(
        "networking.k8s.io/v1",
        "ingresses",
        "Ingress",
        _spec(defaultBackend={"service": {"name": "s", "port": {"number": 80}}}),
        [
            _spec(ingressClassName="nginx"),
            _spec(ingressClassName="Bad_Name"),
            _spec(
                rules=[
                    {
                        "host": "a.example.com",
                        "http": {
                            "paths": [
                                {
                                    "path": "/",
                                    "pathType": "Prefix",
                                    "backend": {"service": {"name": "s", "port": {"name": "web"}}},
                                }
                            ]
                        },
                    }
                ]
            ),
            _spec(
                rules=[
                    {
                        "host": "*.example.com",
                        "http": {
                            "paths": [
                                {
                                    "path": "x",
                                    "pathType": "Exact",
                                    "backend": {"service": {"name": "s", "port": {"number": 0}}},
                                }
                            ]
                        },
                    }
                ]
            ),
            _spec(
                rules=[{"http": {"paths": [{"path": "/", "backend": {"service": {"name": ""}}}]}}]
            ),
            _spec(rules=[{"host": "1.2.3.4"}]),
            _spec(tls=[{"hosts": ["a.example.com"], "secretName": "t"}]),
            _spec(tls=[{"hosts": ["A b"]}]),
            _spec(defaultBackend=None),
            _spec(defaultBackend={"resource": {"kind": "K", "name": "n"}}),
            {"metadata": {"annotations": {"kubernetes.io/ingress.class": "nginx"}}},
        ],
        status=[
            {"status": {"loadBalancer": {"ingress": [{"ip": "1.1.1.1"}]}}},
            {"status": {"loadBalancer": {"ingress": [{"ip": "x"}]}}},
        ],
        pointers={"/spec/rules/0/host": ["b.example.com"]},
    ),
    _group(
        "networking.k8s.io/v1",
        "networkpolicies",
        "NetworkPolicy",
        _spec(podSelector={}),
        [
            _spec(policyTypes=["Egress"]),
            _spec(policyTypes=["Both"]),
            _spec(ingress=[{"from": [{"podSelector": {"matchLabels": _LABELS}}]}]),
            _spec(ingress=[{"from": [{}]}]),
            _spec(
                egress=[{"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]}]
            ),
            _spec(egress=[{"to": [{"ipBlock": {"cidr": "10.0.0.0/33"}}]}]),
            _spec(
                egress=[{"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/16"]}}]}]
            ),
            _spec(ingress=[{"ports": [{"port": 80}, {"port": "web", "protocol": "UDP"}]}]),
            _spec(ingress=[{"ports": [{"port": 80, "endPort": 70}, {"protocol": "X"}]}]),
            _spec(podSelector={"matchExpressions": [{"key": "a", "operator": "In"}]}),
        ],
    ),
    _group(
        "policy/v1",
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        _spec(selector={"matchLabels": _LABELS}),
        [
            _spec(minAvailable=1),
            _spec(minAvailable="50%"),
            _spec(minAvailable=None, maxUnavailable="200%"),
            _spec(maxUnavailable=1),
            _spec(maxUnavailable=-1),
            _spec(unhealthyPodEvictionPolicy="AlwaysAllow"),
            _spec(unhealthyPodEvictionPolicy="Maybe"),
            _spec(selector={"matchExpressions": [{"key": "x", "operator": "Eq"}]}),
        ],
        status=[
            {
                "status": {
                    "disruptionsAllowed": 1,
                    "currentHealthy": 1,
                    "desiredHealthy": 1,
                    "expectedPods": 1,
                }
            },
            {"status": {"disruptionsAllowed": -1}},
        ],
    ),
    _group(
        "autoscaling/v2",
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        _spec(
            maxReplicas=3,
            scaleTargetRef={"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"},
        ),
        [
            _spec(minReplicas=2),
            _spec(minReplicas=5),
            _spec(minReplicas=0),
            _spec(maxReplicas=0),
            _spec(maxReplicas=10),
            _spec(
                metrics=[
                    {
                        "type": "Resource",
                        "resource": {
                            "name": "memory",
                            "target": {"type": "AverageValue", "averageValue": "100Mi"},
                        },
                    }
                ]
            ),
            _spec(
                metrics=[
                    {
                        "type": "Resource",
                        "resource": {"name": "cpu", "target": {"type": "Utilization"}},
                    }
                ]
            ),
            _spec(metrics=[{"type": "Pods"}]),
            _spec(behavior={"scaleDown": {"stabilizationWindowSeconds": 60}}),
            _spec(behavior={"scaleUp": {"stabilizationWindowSeconds": 9999}}),
            _spec(scaleTargetRef={"kind": "", "name": "d"}),
        ],
        status=[{"status": {"currentReplicas": 1, "desiredReplicas": 2}}],
    ),
    _group(
        "autoscaling/v1",
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        _spec(maxReplicas=3, scaleTargetRef={"kind": "Deployment", "name": "d"}),
        [
            _spec(minReplicas=2),
            _spec(targetCPUUtilizationPercentage=50),
            _spec(targetCPUUtilizationPercentage=0),
            _spec(maxReplicas=1),
        ],
        status=[{"status": {"currentReplicas": 1, "desiredReplicas": 2}}],
    ),
    _group(
        "rbac.authorization.k8s.io/v1",
        "roles",
        "Role",
        {},
        [
            {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
            {
                "rules": [
                    {
                        "apiGroups": ["apps"],
                        "resources": ["*"],
                        "verbs": ["*"],
                        "resourceNames": ["a"],
                    }
                ]
            },
            {"rules": [{"resources": ["pods"], "verbs": ["get"]}]},
            {"rules": [{"apiGroups": [""], "resources": ["pods"]}]},
            {"rules": [{"nonResourceURLs": ["/x"], "verbs": ["get"]}]},
            {"rules": None},
        ],
    ),
    _group(
        "rbac.authorization.k8s.io/v1",
        "rolebindings",
        "RoleBinding",
        {"roleRef": {"kind": "Role", "name": "r", "apiGroup": "rbac.authorization.k8s.io"}},
        [
            {"subjects": [{"kind": "ServiceAccount", "name": "s", "namespace": "n"}]},
            {"subjects": [{"kind": "User", "name": "u"}]},
            {"subjects": [{"kind": "ServiceAccount", "name": "s"}]},
            {"subjects": [{"kind": "Robot", "name": "u"}]},
            {"roleRef": {"name": "other"}},
            {"roleRef": {"kind": "Sheriff"}},
        ],
    ),
    _group(
        "coordination.k8s.io/v1",
        "leases",
        "Lease",
        {},
        [
            _spec(holderIdentity="a", leaseDurationSeconds=10),
            _spec(leaseDurationSeconds=0),
            _spec(renewTime="2026-01-01T00:00:00.000000Z"),
            _spec(leaseTransitions=-1),
        ],
    ),
    _group(
        "discovery.k8s.io/v1",
        "endpointslices",
        "EndpointSlice",
        {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}]},
        [
            {"ports": [{"port": 80, "name": "http"}]},
            {"ports": [{"port": 80}, {"port": 81}]},
            {"ports": [{"name": "Bad Name", "port": 80}]},
            {"endpoints": [{"addresses": ["10.0.0.2"], "conditions": {"ready": True}}]},
            {"endpoints": [{"addresses": ["x"]}]},
            {"endpoints": [{"addresses": []}]},
            {"addressType": "IPv6"},
        ],
    ),
    Kind(
        "/apis/machine.example.com/v1/namespaces/$NS/widgets",
        "machine.example.com/v1",
        "Widget",
        {},
        [
            _spec(size=3),
            _spec(size=-1),
            _spec(size="big"),
            _spec(size=None),
            _spec(mode="slow"),
            _spec(mode="never"),
            _spec(parts=[{"name": "a"}, {"name": "b", "count": 2}]),
            _spec(parts=[{"name": "a", "count": 5}]),
            _spec(parts=[{"name": "a"}, {"name": "a"}]),
            _spec(parts=[{"count": 1}]),
            _spec(tags=["x", "y"]),
            _spec(tags=["y", "z"]),
            _spec(tags=["x", "x"]),
            _spec(fixed={"k": "v"}),
            _spec(fixed={"l": "w"}),
            _spec(free={"any": {"thing": [1, {"a": None}]}}),
            _spec(port="80"),
            _spec(port=80),
            _spec(port=1.5),
            _spec(unknown=1),
            _spec(byName={"a": {"v": 1}, "b": {}}),
            _spec(byName={"a": {"v": "x"}}),
            _spec(when="2026-01-01T00:00:00Z"),
            _spec(when="today"),
            {"spec": None},
            {"extra": True},
        ],
        pointers={
            "/spec/size": [4, "x"],
            "/spec/parts/0": [{"name": "q"}],
            "/spec/tags/-": ["new", "x"],
            "/spec/free": [{"x": 1}],
        },
        strategic=[{"spec": {"size": 1}}],
        status=[
            {"status": {"state": "on"}},
            {
                "status": {
                    "state": "on",
                    "replicas": 2,
                    "conditions": [{"type": "Ready", "status": "True"}],
                }
            },
            {"status": {"state": 5}},
            {"status": {"nope": 1}},
        ],
        scale=True,
        custom=True,
    ),
]

_COUNT = {"type": "integer", "minimum": 0, "default": 1}
CRD: Object = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.machine.example.com"},
    "spec": {
        "group": "machine.example.com",
        "scope": "Namespaced",
        "names": {
            "kind": "Widget",
            "plural": "widgets",
            "singular": "widget",
            "listKind": "WidgetList",
        },
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {
                    "status": {},
                    "scale": {
                        "specReplicasPath": ".spec.size",
                        "statusReplicasPath": ".status.replicas",
                        "labelSelectorPath": ".status.selector",
                    },
                },
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {
                                    "size": _COUNT,
                                    "mode": {
                                        "type": "string",
                                        "enum": ["fast", "slow"],
                                        "default": "fast",
                                    },
                                    "parts": {
                                        "type": "array",
                                        "x-kubernetes-list-type": "map",
                                        "x-kubernetes-list-map-keys": ["name"],
                                        "items": {
                                            "type": "object",
                                            "required": ["name"],
                                            "properties": {
                                                "name": {"type": "string"},
                                                "count": _COUNT,
                                            },
                                        },
                                    },
                                    "tags": {
                                        "type": "array",
                                        "x-kubernetes-list-type": "set",
                                        "items": {"type": "string"},
                                    },
                                    "fixed": {
                                        "type": "object",
                                        "x-kubernetes-map-type": "atomic",
                                        "additionalProperties": {"type": "string"},
                                    },
                                    "byName": {
                                        "type": "object",
                                        "additionalProperties": {
                                            "type": "object",
                                            "properties": {"v": {"type": "integer", "default": 7}},
                                        },
                                    },
                                    "free": {
                                        "type": "object",
                                        "x-kubernetes-preserve-unknown-fields": True,
                                    },
                                    "port": {"x-kubernetes-int-or-string": True},
                                    "when": {"type": "string", "format": "date-time"},
                                },
                            },
                            "status": {
                                "type": "object",
                                "properties": {
                                    "state": {"type": "string"},
                                    "replicas": {"type": "integer"},
                                    "selector": {"type": "string"},
                                    "conditions": {
                                        "type": "array",
                                        "x-kubernetes-list-type": "map",
                                        "x-kubernetes-list-map-keys": ["type"],
                                        "items": {
                                            "type": "object",
                                            "required": ["type"],
                                            "properties": {
                                                "type": {"type": "string"},
                                                "status": {"type": "string"},
                                            },
                                        },
                                    },
                                },
                            },
                        },
                    }
                },
            }
        ],
    },
}
