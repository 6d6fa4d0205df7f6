"""Where the published schema asks for more than the API server does. Data.

Types by the last three words of their name. Found by asking kube-apiserver 1.37: each of these
was left out, or given an odd value, and taken (tests/contract/test_validation_differential.py).
"""

from __future__ import annotations

from collections.abc import Mapping

#: Fields that `required` names and the server can do without: their zero value is fine, or what
#: they stand in is looked at in some places only (rules check those).
NOT_REQUIRED: Mapping[str, frozenset[str]] = {
    name: frozenset(fields.split())
    for name, fields in {
        "apiextensions.v1.CustomResourceDefinitionVersion": "served storage",
        "batch.v1.PodFailurePolicy": "rules",
        "core.v1.ConfigMapNodeConfigSource": "namespace name kubeletConfigKey",
        "core.v1.Event": "involvedObject",
        "core.v1.HTTPHeader": "value",
        "core.v1.ISCSIVolumeSource": "lun",
        "core.v1.LimitRangeSpec": "limits",
        "core.v1.PreferredSchedulingTerm": "preference",
        "core.v1.ScaleIOVolumeSource": "secretRef",
        "core.v1.SleepAction": "seconds",
        "core.v1.Sysctl": "value",
        "core.v1.TypedLocalObjectReference": "kind name",
        "meta.v1.FieldSelectorRequirement": "operator",
        "meta.v1.LabelSelectorRequirement": "operator",
        "meta.v1.OwnerReference": "apiVersion kind name uid",
        "resource.v1.Counter": "value",
        "resource.v1.DeviceCapacity": "value",
        "resource.v1.ResourcePool": "generation",
        "resource.v1beta1.Counter": "value",
        "resource.v1beta1.DeviceCapacity": "value",
        "resource.v1beta1.ResourcePool": "generation",
        "resource.v1beta2.Counter": "value",
        "resource.v1beta2.DeviceCapacity": "value",
        "resource.v1beta2.ResourcePool": "generation",
        "storage.v1.CSIDriver": "spec",
        "storage.v1.CSINode": "spec",
        "storage.v1.CSINodeSpec": "drivers",
        "storage.v1.TokenRequest": "audience",
        "meta.v1.GroupResource": "group",
    }.items()
}

#: Fields behind a feature gate that is off by default: the server decodes and drops them, so
#: only the types of what is in them count.
GATED: Mapping[str, frozenset[str]] = {
    name: frozenset(fields.split())
    for name, fields in {
        "batch.v1.JobSpec": "scheduling",
        "core.v1.GRPCAction": "mode",
        "core.v1.HTTPGetAction": "protocol",
        "core.v1.Lifecycle": "stopSignal",
        "core.v1.PodSpec": "evictionResponders",
        "core.v1.PersistentVolumeClaimSpec": "dataSource",
        "resource.v1.DeviceSubRequest": "derivedAttributes",
        "resource.v1.ExactDeviceRequest": "derivedAttributes",
        "resource.v1.ResourceSliceSpec": "skipNodeOperations",
        "resource.v1beta1.DeviceRequest": "derivedAttributes",
        "resource.v1beta1.DeviceSubRequest": "derivedAttributes",
        "resource.v1beta1.ResourceSliceSpec": "skipNodeOperations",
        "resource.v1beta2.DeviceSubRequest": "derivedAttributes",
        "resource.v1beta2.ExactDeviceRequest": "derivedAttributes",
        "resource.v1beta2.ResourceSliceSpec": "skipNodeOperations",
    }.items()
}


def short_type(component: str) -> str:
    """The last three words of a component's name: core.v1.PodSpec, meta.v1.LabelSelector."""
    return ".".join(component.rsplit(".", 3)[-3:])


def required_of(component: str, required: object) -> tuple[str, ...]:
    """What the server asks of a type, out of what its schema requires."""
    if not isinstance(required, list):
        return ()
    spared = NOT_REQUIRED.get(short_type(component), frozenset())
    return tuple(field for field in required if field not in spared)


def is_gated(component: str, field: str) -> bool:
    """Whether the server drops a field of a type unless a feature gate is on."""
    return field in GATED.get(short_type(component), frozenset())


#: Types that OpenAPI shows without fields and that hold any; others without fields have none.
OPEN_TYPES = frozenset({"meta.v1.FieldsV1", "meta.v1.Patch", "pkg.runtime.RawExtension"})
