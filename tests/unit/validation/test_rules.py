"""Rules, a row each: what is changed in an object that the server takes, and where it is wrong."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from kapply.validation.paths import path_text
from tests.unit.validation.samples import container, deployment, found_in, pod_spec

POD = "spec.template.spec"
C = f"{POD}.containers[0]"


def pod(**fields: Any) -> dict[str, Any]:
    """A Deployment whose pods have `fields`."""
    obj = deployment()
    pod_spec(obj).update(fields)
    return obj


def volume(**source: Any) -> dict[str, Any]:
    return pod(volumes=[{"name": "v", **source}])


def service(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s"},
        "spec": {"ports": [{"port": 80}], **spec},
    }


def ingress(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "i"},
        "spec": spec or {"defaultBackend": backend()},
    }


def backend(**port: Any) -> dict[str, Any]:
    return {"service": {"name": "s", "port": port or {"number": 80}}}


def path(**fields: Any) -> dict[str, Any]:
    given = {"path": "/", "pathType": "Prefix", "backend": backend(), **fields}
    return ingress(rules=[{"http": {"paths": [given]}}])


def cron_job(schedule: str = "0 0 * * *", **spec: Any) -> dict[str, Any]:
    job = {"containers": [{"name": "c", "image": "i"}], "restartPolicy": "Never"}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "c"},
        "spec": {
            "schedule": schedule,
            "jobTemplate": {"spec": {"template": {"spec": job}}},
            **spec,
        },
    }


def stateful_set(**spec: Any) -> dict[str, Any]:
    obj = deployment(**spec)
    obj["kind"] = "StatefulSet"
    return obj


def secret(kind: str = "Opaque", **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "type": kind,
        "data": {key.replace("_", "."): value for key, value in data.items()},
    }


def config_map(**fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, **fields}


def crd(schema: dict[str, Any] | None = None, **version: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "names": {"kind": "Widget", "plural": "widgets"},
            "scope": "Namespaced",
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {"spec": schema or {"type": "object"}},
                        }
                    },
                    **version,
                }
            ],
        },
    }


FINE = [
    deployment(),
    deployment(strategy={"type": "Recreate"}),
    deployment(strategy={"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}}),
    container(
        ports=[{"name": "http", "containerPort": 80}],
        env=[
            {"name": "A B", "value": "x"},
            {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['a/b']"}}},
            {"name": "C", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
        ],
        livenessProbe={"httpGet": {"port": "http"}, "periodSeconds": 0},
        resources={
            "limits": {"cpu": "2", "memory": "1Gi", "hugepages-2Mi": "4Mi", "example.com/gpu": 1},
            "requests": {"cpu": 1, "hugepages-2Mi": "4Mi", "example.com/gpu": "1"},
        },
        lifecycle={"preStop": {"sleep": {"seconds": 5}}},
    ),
    volume(),
    volume(emptyDir={}),
    volume(projected={"sources": [{"secret": {"name": "s"}}, {"configMap": {"name": "c"}}]}),
    pod(tolerations=[{"operator": "Exists"}]),
    pod(
        affinity={
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}
                    ]
                }
            }
        }
    ),
    service(),
    service(clusterIP="None", ports=[]),
    service(type="ExternalName", externalName="example.com.", ports=[]),
    service(ports=[{"name": "a", "port": 80}, {"name": "b", "port": 80, "protocol": "UDP"}]),
    service(type="NodePort", ports=[{"port": 80, "nodePort": 30080, "targetPort": "http"}]),
    ingress(),
    path(),
    path(pathType="ImplementationSpecific", path=""),
    cron_job(),
    cron_job("@every 1h30m"),
    cron_job("*/5 0-23/2 1,15 jan-dec MON-fri", timeZone="Europe/Berlin"),
    stateful_set(
        volumeClaimTemplates=[
            {
                "metadata": {"name": "data"},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": "1Gi"}},
                },
            }
        ],
        template={
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "containers": [
                    {
                        "name": "c",
                        "image": "i",
                        "volumeMounts": [{"name": "data", "mountPath": "/d"}],
                    }
                ]
            },
        },
    ),
    secret(),
    secret("kubernetes.io/tls", tls_crt="YQ==", tls_key="YQ=="),
    secret("kubernetes.io/dockerconfigjson", _dockerconfigjson="e30="),
    config_map(data={"a.b": "x"}, binaryData={"c": "YQ=="}),
    crd(),
    crd({"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}),
    crd({"type": "string", "pattern": "^(?i)(a|b)$", "default": "a"}),
    crd({"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
    crd(
        {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}},
            },
        }
    ),
]


@pytest.mark.parametrize("obj", FINE, ids=range(len(FINE)))
def test_nothing_is_found_in_what_the_server_takes(obj: dict[str, Any]) -> None:
    assert found_in(obj) == []


WRONG: list[tuple[dict[str, Any], str, str]] = [
    (deployment(replicas=-1), "spec.replicas", "must not be negative"),
    (deployment(selector={}), "spec.selector", "is empty"),
    (
        deployment(selector={"matchLabels": {"app": "other"}}),
        "spec.template.metadata.labels",
        "does not match",
    ),
    (
        deployment(strategy={"type": "Rolling"}),
        "spec.strategy.type",
        "is not one of Recreate, RollingUpdate",
    ),
    (
        deployment(strategy={"type": "Recreate", "rollingUpdate": {}}),
        "spec.strategy.rollingUpdate",
        "may not be set",
    ),
    (
        deployment(strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}),
        "spec.strategy.rollingUpdate.maxUnavailable",
        "may not be 0",
    ),
    (
        deployment(strategy={"rollingUpdate": {"maxSurge": "25"}}),
        "spec.strategy.rollingUpdate.maxSurge",
        "neither a number nor a percentage",
    ),
    (deployment(minReadySeconds=600), "spec.minReadySeconds", "must be more than"),
    (pod(restartPolicy="Never"), f"{POD}.restartPolicy", "must be Always"),
    (pod(containers=[]), f"{POD}.containers", "required"),
    (
        pod(containers=[{"name": "a", "image": "i"}, {"name": "a", "image": "i"}]),
        f"{POD}.containers[1]",
        "another item has the same name",
    ),
    (
        pod(initContainers=[{"name": "web", "image": "i"}]),
        f"{POD}.initContainers[0].name",
        "another container",
    ),
    (
        pod(initContainers=[{"name": "a", "image": "i", "lifecycle": {}}]),
        f"{POD}.initContainers[0].lifecycle",
        "restartPolicy: Always",
    ),
    (
        pod(ephemeralContainers=[{"name": "a", "image": "i"}]),
        f"{POD}.ephemeralContainers",
        "not to a template",
    ),
    (pod(nodeSelector={"a": "-"}), f"{POD}.nodeSelector.a", "start and end with"),
    (pod(hostname="A"), f"{POD}.hostname", "may hold only"),
    (pod(dnsPolicy="None"), f"{POD}.dnsConfig.nameservers", "required"),
    (pod(os={"name": "beos"}), f"{POD}.os.name", "is not one of linux, windows"),
    (pod(tolerations=[{}]), f"{POD}.tolerations[0].operator", "must be Exists"),
    (
        pod(tolerations=[{"key": "a", "operator": "Exists", "value": "b"}]),
        f"{POD}.tolerations[0].value",
        "must be empty",
    ),
    (
        pod(
            topologySpreadConstraints=[
                {"maxSkew": 0, "topologyKey": "t", "whenUnsatisfiable": "DoNotSchedule"}
            ]
        ),
        f"{POD}.topologySpreadConstraints[0].maxSkew",
        "at least 1",
    ),
    (
        pod(
            affinity={
                "podAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [
                        {"topologyKey": "t", "matchLabelKeys": ["a"]}
                    ]
                }
            }
        ),
        f"{POD}.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]"
        ".matchLabelKeys",
        "needs a labelSelector",
    ),
    (pod(hostAliases=[{"ip": "1.2.3"}]), f"{POD}.hostAliases[0].ip", "is no IP address"),
    (container(image=""), f"{C}.image", "required"),
    (container(name="A"), f"{C}.name", "may hold only"),
    (container(ports=[{"containerPort": 0}]), f"{C}.ports[0].containerPort", "required"),
    (container(ports=[{"containerPort": 70000}]), f"{C}.ports[0].containerPort", "is no port"),
    (
        container(ports=[{"containerPort": 80, "name": "A"}]),
        f"{C}.ports[0].name",
        "single dashes",
    ),
    (
        container(volumeMounts=[{"name": "v", "mountPath": "/m"}]),
        f"{C}.volumeMounts[0].name",
        'there is no volume "v" (volumes: none)',
    ),
    (container(env=[{"name": "A=B"}]), f"{C}.env[0].name", "no ="),
    (
        container(env=[{"name": "A", "valueFrom": {}}]),
        f"{C}.env[0].valueFrom",
        "needs source: one of",
    ),
    (
        container(env=[{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]),
        f"{C}.env[0].valueFrom.fieldRef.fieldPath",
        "is not one of",
    ),
    (container(envFrom=[{}]), f"{C}.envFrom[0]", "needs source"),
    (container(livenessProbe={}), f"{C}.livenessProbe", "needs handler"),
    (
        container(livenessProbe={"exec": {"command": ["a"]}, "successThreshold": 2}),
        f"{C}.livenessProbe.successThreshold",
        "must be 1",
    ),
    (
        container(readinessProbe={"exec": {"command": ["a"]}, "terminationGracePeriodSeconds": 1}),
        f"{C}.readinessProbe.terminationGracePeriodSeconds",
        "readinessProbe",
    ),
    (
        container(readinessProbe={"httpGet": {"port": "a_b"}}),
        f"{C}.readinessProbe.httpGet.port",
        "single dashes",
    ),
    (
        container(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}),
        f"{C}.resources.requests.cpu",
        "more than the limit",
    ),
    (
        container(resources={"limits": {"foo": "1"}}),
        f"{C}.resources.limits.foo",
        "is no resource of containers",
    ),
    (
        container(resources={"limits": {"memory": "-1"}}),
        f"{C}.resources.limits.memory",
        "must not be negative",
    ),
    (
        container(resources={"requests": {"example.com/gpu": "1"}}),
        f"{C}.resources.limits[example.com/gpu]",
        "needs a limit",
    ),
    (
        container(securityContext={"privileged": True, "allowPrivilegeEscalation": False}),
        f"{C}.securityContext.allowPrivilegeEscalation",
        "may not be false",
    ),
    (
        container(securityContext={"seccompProfile": {"type": "Localhost"}}),
        f"{C}.securityContext.seccompProfile.localhostProfile",
        "required",
    ),
    (volume(hostPath={"path": "a/../b"}), f"{POD}.volumes[0].hostPath.path", "may not hold .."),
    (volume(secret={}), f"{POD}.volumes[0].secret.secretName", "required"),
    (
        volume(emptyDir={}, secret={"secretName": "s"}),
        f"{POD}.volumes[0].secret",
        "only one volume source",
    ),
    (
        volume(configMap={"name": "c", "items": [{"key": "k", "path": "/p"}]}),
        f"{POD}.volumes[0].configMap.items[0].path",
        "must be a relative path",
    ),
    (
        volume(configMap={"name": "c", "defaultMode": 0o1000}),
        f"{POD}.volumes[0].configMap.defaultMode",
        "between 0 and 511",
    ),
    (pod(volumes=[{"name": "A"}]), f"{POD}.volumes[0].name", "may hold only"),
    (service(ports=[]), "spec.ports", "required"),
    (service(type="Loadbalancer"), "spec.type", "is not one of"),
    (service(ports=[{"port": 80}, {"port": 81}]), "spec.ports[0].name", "names each"),
    (
        service(ports=[{"port": 80, "nodePort": 30000}]),
        "spec.ports[0].nodePort",
        "may not be set for type ClusterIP",
    ),
    (service(ports=[{"port": 0}]), "spec.ports[0].port", "is no port"),
    (service(clusterIP="None", type="NodePort"), "spec.clusterIP", "may not be None"),
    (service(type="ExternalName"), "spec.externalName", "required"),
    (
        service(loadBalancerSourceRanges=["10.0.0.0/8"]),
        "spec.loadBalancerSourceRanges",
        "needs type LoadBalancer",
    ),
    (
        service(type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.0"]),
        "spec.loadBalancerSourceRanges[0]",
        "is no network",
    ),
    (service(externalTrafficPolicy="Local"), "spec.externalTrafficPolicy", "from outside"),
    (service(externalIPs=["127.0.0.1"]), "spec.externalIPs[0]", "loopback"),
    (path(pathType="prefix"), "spec.rules[0].http.paths[0].pathType", "is not one of Exact"),
    (path(path="a"), "spec.rules[0].http.paths[0].path", "must start with /"),
    (path(path="/a//b"), "spec.rules[0].http.paths[0].path", "may not hold //"),
    (
        path(backend=backend(name="http", number=80)),
        "spec.rules[0].http.paths[0].backend.service.port",
        "needs name or number",
    ),
    (ingress(rules=[{"host": "1.2.3.4"}]), "spec.rules[0].host", "not an IP address"),
    (ingress(rules=[{"host": "a.*.b"}]), "spec.rules[0].host", "whole first part"),
    (ingress(tls=[{"hosts": ["A"]}], rules=[{}]), "spec.tls[0].hosts[0]", "may hold only"),
    (ingress(ingressClassName="nginx"), "spec", "needs rules or a defaultBackend"),
    (cron_job("* * * *"), "spec.schedule", "has 4 fields"),
    (cron_job("60 * * * *"), "spec.schedule", "has a minute that is out of range"),
    (cron_job("@hourli"), "spec.schedule", "is no known word"),
    (cron_job("CRON_TZ=UTC * * * * *"), "spec.schedule", "use the field timeZone"),
    (cron_job(timeZone="Mars/Base"), "spec.timeZone", "is no time zone"),
    (cron_job(concurrencyPolicy="Never"), "spec.concurrencyPolicy", "is not one of"),
    (stateful_set(serviceName="A"), "spec.serviceName", "may hold only"),
    (
        stateful_set(updateStrategy={"rollingUpdate": {"maxUnavailable": 0}}),
        "spec.updateStrategy.rollingUpdate.maxUnavailable",
        "may not be 0",
    ),
    (secret(**{"a b": "YQ=="}), "data[a b]", "may hold only"),
    (secret("kubernetes.io/tls", tls_crt="YQ=="), "data[tls.key]", "required"),
    (
        secret("kubernetes.io/dockerconfigjson", _dockerconfigjson="YQ=="),
        "data[.dockerconfigjson]",
        "must be a JSON object",
    ),
    (secret("kubernetes.io/basic-auth"), "data.username", "required"),
    (config_map(data={"a": "x"}, binaryData={"a": "YQ=="}), "data.a", "also a key of binaryData"),
    (config_map(data={"a": "x" * 1_100_000}), "", "holds 1100000 bytes"),
    (
        crd({"type": "objekt"}),
        "spec.versions[0].schema.openAPIV3Schema.properties.spec.type",
        "is not one of array",
    ),
    (
        crd({"properties": {}}),
        "spec.versions[0].schema.openAPIV3Schema.properties.spec.type",
        "required",
    ),
    (
        crd({"type": "array"}),
        "spec.versions[0].schema.openAPIV3Schema.properties.spec.items",
        "required",
    ),
    (
        crd({"type": "string", "pattern": "(?=a)"}),
        "spec.versions[0].schema.openAPIV3Schema.properties.spec.pattern",
        "do not have",
    ),
    (
        crd({"type": "string", "default": 5}),
        "spec.versions[0].schema.openAPIV3Schema.properties.spec.default",
        "does not fit",
    ),
    (
        crd({"type": "object", "anyOf": [{"type": "object"}]}),
        "spec.versions[0].schema.openAPIV3Schema.properties.spec.anyOf[0].type",
        "value validation",
    ),
    (
        crd({"type": "object", "allOf": [{"properties": {"a": {"minimum": 1}}}]}),
        "spec.versions[0].schema.openAPIV3Schema.properties.spec.allOf[0].properties.a",
        "does not have",
    ),
    (crd(storage=False), "spec.versions", "exactly one version has storage"),
    (crd(name="V1"), "spec.versions[0].name", "must start with a letter"),
    (
        crd(deprecationWarning="x"),
        "spec.versions[0].deprecationWarning",
        "needs deprecated: true",
    ),
    (
        crd(additionalPrinterColumns=[{"name": "a", "type": "text", "jsonPath": ".a"}]),
        "spec.versions[0].additionalPrinterColumns[0].type",
        "is not one of integer",
    ),
    (
        crd(selectableFields=[{"jsonPath": ".spec.no"}]),
        "spec.versions[0].selectableFields[0].jsonPath",
        "is no path of a field",
    ),
]


@pytest.mark.parametrize(("obj", "field", "words"), WRONG, ids=[row[1] for row in WRONG])
def test_what_is_wrong_is_found_where_it_is(obj: dict[str, Any], field: str, words: str) -> None:
    found = [(path_text(finding.path), finding.message) for finding in found_in(obj)]
    assert any(place == field and words in message for place, message in found), found


def test_a_crd_is_named_by_its_plural_and_group() -> None:
    obj = crd()
    obj["metadata"]["name"] = "widget.example.com"
    (finding,) = found_in(obj)
    assert finding.path == ("metadata", "name")


def test_groups_of_kubernetes_need_an_approval() -> None:
    obj = crd()
    obj["spec"]["group"] = "widgets.k8s.io"
    obj["metadata"]["name"] = "widgets.widgets.k8s.io"
    assert [finding.path[:2] for finding in found_in(obj)] == [("metadata", "annotations")]
    obj["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved, a test"}
    assert found_in(obj) == []


def test_owners_finalizers_and_managed_fields() -> None:
    obj = deployment()
    obj["metadata"].update(
        finalizers=["stay"],
        ownerReferences=[{"apiVersion": "v1", "kind": "Pod", "name": "a"}],
        managedFields=[],
    )
    assert {path_text(finding.path) for finding in found_in(obj)} == {
        "metadata.finalizers[0]",
        "metadata.ownerReferences[0].uid",
        "metadata.managedFields",
    }


def test_annotations_have_a_limit_together() -> None:
    obj = deployment()
    obj["metadata"]["annotations"] = {"a": "x" * 200_000, "b": "x" * 100_000}
    (finding,) = found_in(obj)
    assert "together 300002 bytes" in finding.message


def test_rules_take_null_for_absent() -> None:
    for obj in FINE:
        nulled = copy.deepcopy(obj)
        nulled["metadata"].update(labels=None, annotations=None, ownerReferences=None)
        assert found_in(nulled) == []
