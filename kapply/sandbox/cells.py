"""The cells of Tables, kind by kind, as kube-apiserver's printers write them.

Column names come from a recording (data/columns.json); a function here gives the cells in that
order. Kinds without one have their name and their age.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kapply.sandbox import cells_cluster as cluster
from kapply.sandbox import cells_network as network
from kapply.sandbox import cells_storage as storage
from kapply.sandbox import cells_workloads as workloads
from kapply.sandbox.cells_common import (
    Cells,
    Object,
    age_of,
    counted,
    fields,
    name_of,
    selector_text,
)
from kapply.sandbox.cells_pods import pod_cells
from kapply.sandbox.strategy import at

__all__ = ["CELLS", "ORDER", "Cells"]

#: By storage name.
CELLS: Mapping[str, Cells] = {
    "configmaps": counted(("data",), ("binaryData",)),
    "endpoints": network.endpoints_cells,
    "events": cluster.event_cells,
    "limitranges": cluster.dated_cells,
    "namespaces": fields(("status", "phase")),
    "nodes": cluster.node_cells,
    "persistentvolumeclaims": storage.claim_cells,
    "persistentvolumes": storage.volume_cells,
    "pods": pod_cells,
    "podtemplates": workloads.pod_template_cells,
    "replicationcontrollers": workloads.controller_cells,
    "resourcequotas": cluster.quota_cells,
    "secrets": lambda obj, now: [
        name_of(obj),
        obj.get("type", ""),
        len(obj.get("data") or ()),
        age_of(obj, now),
    ],
    "services": network.service_cells,
    "apiservices.apiregistration.k8s.io": cluster.api_service_cells,
    "customresourcedefinitions.apiextensions.k8s.io": cluster.crd_cells,
    "controllerrevisions.apps": workloads.revision_cells,
    "daemonsets.apps": workloads.daemon_set_cells,
    "deployments.apps": workloads.deployment_cells,
    "replicasets.apps": workloads.replica_set_cells,
    "statefulsets.apps": workloads.stateful_set_cells,
    "horizontalpodautoscalers.autoscaling": workloads.autoscaler_cells,
    "cronjobs.batch": workloads.cron_job_cells,
    "jobs.batch": workloads.job_cells,
    "certificatesigningrequests.certificates.k8s.io": cluster.signing_request_cells,
    "ingressclasses.networking.k8s.io": network.ingress_class_cells,
    "ingresses.networking.k8s.io": network.ingress_cells,
    "ipaddresses.networking.k8s.io": network.ip_address_cells,
    "networkpolicies.networking.k8s.io": lambda obj, now: [
        name_of(obj),
        selector_text(obj["spec"].get("podSelector") or {}),
        age_of(obj, now),
    ],
    "servicecidrs.networking.k8s.io": lambda obj, now: [
        name_of(obj),
        ",".join(at(obj, ("spec", "cidrs")) or ()),
        age_of(obj, now),
    ],
    "poddisruptionbudgets.policy": workloads.budget_cells,
    "clusterrolebindings.rbac.authorization.k8s.io": cluster.binding_cells,
    "rolebindings.rbac.authorization.k8s.io": cluster.binding_cells,
    "clusterroles.rbac.authorization.k8s.io": cluster.dated_cells,
    "roles.rbac.authorization.k8s.io": cluster.dated_cells,
    "csidrivers.storage.k8s.io": storage.csi_driver_cells,
    "csinodes.storage.k8s.io": counted(("spec", "drivers")),
    "csistoragecapacities.storage.k8s.io": cluster.dated_cells,
    "storageclasses.storage.k8s.io": storage.storage_class_cells,
    "volumeattachments.storage.k8s.io": lambda obj, now: [
        name_of(obj),
        at(obj, ("spec", "attacher")) or "",
        at(obj, ("spec", "source", "persistentVolumeName")) or "",
        at(obj, ("spec", "nodeName")) or "",
        bool(at(obj, ("status", "attached"))),
        age_of(obj, now),
    ],
    "volumeattributesclasses.storage.k8s.io": fields(("driverName",)),
    "mutatingadmissionpolicies.admissionregistration.k8s.io": cluster.policy_cells("mutations"),
    "mutatingadmissionpolicybindings.admissionregistration.k8s.io": cluster.policy_binding_cells,
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": counted(("webhooks",)),
    "validatingadmissionpolicies.admissionregistration.k8s.io": cluster.policy_cells("validations"),
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": cluster.policy_binding_cells,
    "validatingwebhookconfigurations.admissionregistration.k8s.io": counted(("webhooks",)),
    "priorityclasses.scheduling.k8s.io": lambda obj, now: [
        name_of(obj),
        obj.get("value", 0),
        bool(obj.get("globalDefault")),
        age_of(obj, now),
        obj.get("preemptionPolicy") or "",
    ],
    "leases.coordination.k8s.io": fields(("spec", "holderIdentity")),
    "runtimeclasses.node.k8s.io": fields(("handler",)),
    "endpointslices.discovery.k8s.io": network.slice_cells,
    "flowschemas.flowcontrol.apiserver.k8s.io": cluster.flow_schema_cells,
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": cluster.priority_level_cells,
}

#: Kinds whose tables have an order of their own: the key to sort by.
ORDER: Mapping[str, Callable[[Object], Any]] = {
    "flowschemas.flowcontrol.apiserver.k8s.io": lambda obj: (
        at(obj, ("spec", "matchingPrecedence")) or 0,
        name_of(obj),
    ),
}
