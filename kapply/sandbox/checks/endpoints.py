"""EndpointSlices and Endpoints."""

from __future__ import annotations

from typing import Any

from kapply.sandbox.checks.base import IMMUTABLE, Checks, Found, Object, items
from kapply.sandbox.checks.services import check_endpoint_ip
from kapply.sandbox.fielderr import too_many

__all__ = ["CHECKS"]

_PROTOCOLS = ("SCTP", "TCP", "UDP")
_TYPES = ("FQDN", "IPv4", "IPv6")


def _check_ip(found: Found, path: str, value: str) -> bool:
    own = Found()
    own.ip(path, value)
    found.extend(own)
    return not own


class SliceChecks(Checks):
    """EndpointSlices."""

    def create(self, found: Found, obj: Object) -> None:
        self._check_ports(found, items(obj, "ports"))
        self._check_endpoints(found, obj)
        self._check_declared(found, obj)

    def update(self, found: Found, new: Object, old: Object) -> None:
        self._check_ports(found, items(new, "ports"))
        if new.get("endpoints") != old.get("endpoints"):
            self._check_endpoints(found, new)
        self._check_declared(found, new, old)

    def _check_declared(self, found: Found, obj: Object, old: Object | None = None) -> None:
        kind = obj.get("addressType") or ""
        if not kind:
            found.declared.required("addressType")
        elif kind not in _TYPES:
            found.declared.unsupported("addressType", kind, _TYPES)
        if old is not None and kind != old.get("addressType"):
            found.declared.invalid("addressType", None, IMMUTABLE)
        for index, endpoint in enumerate(items(obj, "endpoints")):
            addresses = items(endpoint, "addresses")
            if not addresses:
                found.declared.required(f"endpoints[{index}].addresses")
            elif len(addresses) > 100:
                path = f"endpoints[{index}].addresses"
                found.declared.append(too_many(path, len(addresses), 100))

    def _check_endpoints(self, found: Found, obj: Object) -> None:
        endpoints, kind = items(obj, "endpoints"), obj.get("addressType") or ""
        if len(endpoints) > 1000:
            found.append(too_many("endpoints", len(endpoints), 1000))
            return
        for index, endpoint in enumerate(endpoints):
            path = f"endpoints[{index}]"
            for position, address in enumerate(items(endpoint, "addresses")):
                where = f"{path}.addresses[{position}]"
                if kind not in ("IPv4", "IPv6"):
                    continue
                if _check_ip(found, where, address):
                    if (kind == "IPv6") != (":" in address):
                        text = f"must be an {kind} address"
                        found.invalid(f"{path}.addresses", address, text)
                    check_endpoint_ip(found, where, address)
            if endpoint.get("nodeName") is not None:
                found.subdomain(f"{path}.nodeName", endpoint["nodeName"])
            topology = endpoint.get("deprecatedTopology")
            found.labels(f"{path}.deprecatedTopology", topology)
            if endpoint.get("hostname") is not None:
                found.label(f"{path}.hostname", endpoint["hostname"])

    def _check_ports(self, found: Found, ports: Any) -> None:
        names: set[str] = set()
        for index, port in enumerate(ports):
            path = f"ports[{index}]"
            name = port.get("name") or ""
            if name:
                found.label(f"{path}.name", name)
            if name in names:
                found.duplicate(f"{path}.name", name)
            names.add(name)
            protocol = port.get("protocol")
            if protocol is None:
                found.required(f"{path}.protocol")
            else:
                found.one_of(f"{path}.protocol", protocol, _PROTOCOLS)
            if port.get("appProtocol") is not None:
                found.qualified(f"{path}.appProtocol", port["appProtocol"])


class EndpointsChecks(Checks):
    """Endpoints."""

    def create(self, found: Found, obj: Object) -> None:
        for index, subset in enumerate(items(obj, "subsets")):
            self._check_subset(found, f"subsets[{index}]", subset)

    def update(self, found: Found, new: Object, old: Object) -> None:
        if new.get("subsets") != old.get("subsets"):
            self.create(found, new)

    def _check_subset(self, found: Found, path: str, subset: Object) -> None:
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            found.required(path, "must specify `addresses` or `notReadyAddresses`")
        for kind in ("addresses", "notReadyAddresses"):
            for index, address in enumerate(items(subset, kind)):
                where = f"{path}.{kind}[{index}]"
                ip = address.get("ip") or ""
                right = _check_ip(found, f"{where}.ip", ip)
                if address.get("hostname"):
                    found.label(f"{where}.hostname", address["hostname"])
                if address.get("nodeName") is not None:
                    found.subdomain(f"{where}.nodeName", address["nodeName"])
                if right:
                    check_endpoint_ip(found, f"{where}.ip", ip)
                else:
                    found.invalid(f"{where}.ip", ip, "must be a valid IP address")
        ports = items(subset, "ports")
        for index, port in enumerate(ports):
            where = f"{path}.ports[{index}]"
            if port.get("name"):
                found.label(f"{where}.name", port["name"])
            elif len(ports) > 1:
                found.required(f"{where}.name")
            found.port(f"{where}.port", port.get("port") or 0)
            found.needed_one_of(f"{where}.protocol", port.get("protocol"), _PROTOCOLS)
            if port.get("appProtocol") is not None:
                found.qualified(f"{where}.appProtocol", port["appProtocol"])

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        return []


CHECKS: dict[str, type[Checks]] = {"EndpointSlice": SliceChecks, "Endpoints": EndpointsChecks}
