"""Record the wire form of the built-in types: which JSON fields, of which Go type, omitted when.

`python -m tests.scenarios.record_types MODULES` reads the `types.go` files of k8s.io/api,
apimachinery, apiextensions-apiserver and kube-aggregator below MODULES (a Go module cache's
`k8s.io` folder) and writes kapply/sandbox/data/types.json. Only struct fields, their JSON tags
and their types are read: facts of the wire format, no prose and no code.

The file maps "package/version.Type" to the Go type it is another name for (a string), or to its
fields (a list of [JSON name, type, flags]). Types are written as in Go: "[]x", "map[string]x",
"*x"; flags: 1 for omitempty, 2 for omitzero.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.scenarios import DATA

ROOTS = (
    ("api@{}", ""),
    ("apimachinery@{}/pkg/apis/meta/v1", "meta/v1"),
    ("apiextensions-apiserver@{}/pkg/apis/apiextensions/v1", "apiextensions/v1"),
    ("kube-aggregator@{}/pkg/apis/apiregistration/v1", "apiregistration/v1"),
)
VERSION = "v0.37.2"

# Types whose JSON form is not that of their Go fields.
OPAQUE = {
    "resource.Quantity": "quantity",
    "intstr.IntOrString": "intorstring",
    "meta/v1.Time": "time",
    "meta/v1.MicroTime": "microtime",
    "meta/v1.Duration": "duration",
    "meta/v1.FieldsV1": "object",
    "runtime.RawExtension": "raw",
    "runtime.Object": "raw",
    "apiextensions/v1.JSON": "any",
    "apiextensions/v1.JSONSchemaPropsOrArray": "schemaorarray",
    "apiextensions/v1.JSONSchemaPropsOrBool": "schemaorbool",
    "apiextensions/v1.JSONSchemaPropsOrStringArray": "schemaorstrings",
    "types.UID": "types.UID",
    "types.NodeName": "types.NodeName",
    "types.NamespacedName": "object",
}
PRIMITIVE = {"string", "bool", "int", "int32", "int64", "uint16", "uint32", "uint64", "float64"}

Types = dict[str, str | list[list[object]]]

_STRUCT = re.compile(r"^type (\w+) struct ?\{")
_ALIAS = re.compile(r"^type (\w+) (?!struct\b|interface\b)=? ?(\S+)$")
_NUMBER = re.compile(r'protobuf:"\w+,(\d+),')
_FIELD = re.compile(r'^\s*(?:(\w+)\s+)?(\S+)\s+`[^`]*json:"([^"]*)"')
_IMPORT = re.compile(r'^(?:import)?\s*(?:(\w+)\s+)?"(k8s\.io/[^"]+)"')


def package_of(path: str) -> str:
    """The short name of an import path: "core/v1", "meta/v1", "resource", "intstr"."""
    parts = path.split("/")
    if re.fullmatch(r"v\d+((alpha|beta)\d+)?", parts[-1]):
        return f"{parts[-2]}/{parts[-1]}"
    return parts[-1]


def qualify(go_type: str, package: str, imports: dict[str, str]) -> str:
    """A Go type expression with every name qualified by its package."""
    for prefix in ("[]", "*"):
        if go_type.startswith(prefix):
            return prefix + qualify(go_type[len(prefix) :], package, imports)
    if go_type.startswith("map["):
        key, _, value = go_type[4:].partition("]")
        return f"map[{qualify(key, package, imports)}]{qualify(value, package, imports)}"
    if go_type in PRIMITIVE or go_type in ("byte", "interface{}"):
        return "any" if go_type == "interface{}" else go_type
    alias, dot, name = go_type.rpartition(".")
    qualified = f"{imports[alias]}.{name}" if dot else f"{package}.{go_type}"
    return OPAQUE.get(qualified, qualified)


def read_file(path: Path, package: str) -> Types:
    """Every type a Go file declares."""
    types: Types = {}
    imports: dict[str, str] = {}
    fields: list[list[object]] | None = None
    for line in path.read_text().splitlines():
        if fields is None:
            if found := _IMPORT.match(line):
                target = package_of(found[2])
                imports[found[1] or found[2].rsplit("/", 1)[-1]] = target
            elif found := _STRUCT.match(line):
                fields = []
                types[f"{package}.{found[1]}"] = fields
                if line.rstrip().endswith("}"):
                    fields = None
            elif (found := _ALIAS.match(line)) and "func" not in found[2]:
                types[f"{package}.{found[1]}"] = qualify(found[2], package, imports)
        elif line.startswith("}"):
            fields = None
        elif found := _FIELD.match(line.split("//")[0] if "`" not in line else line):
            if line.strip().startswith("//"):
                continue
            name, *options = found[3].split(",")
            go_type = qualify(found[2], package, imports)
            if name == "-":
                continue
            numbered = _NUMBER.search(line)
            number = int(numbered[1]) if numbered else 0
            if "inline" in options or not (name or found[1]):
                fields.append(["", go_type, 0, number])
                continue
            flags = ("omitempty" in options) + 2 * ("omitzero" in options)
            fields.append([name, go_type, flags, number])
    return types


def flatten(types: Types) -> Types:
    """Inline the embedded structs and leave out what is opaque or not reachable as JSON."""

    def fields_of(name: str) -> list[list[object]]:
        flat: list[list[object]] = []
        found = types[name]
        if isinstance(found, str):
            return fields_of(found)
        assert isinstance(found, list), name
        for json_name, go_type, flags, _ in found:
            if json_name:
                flat.append([json_name, go_type, flags])
            else:
                flat.extend(fields_of(str(go_type).lstrip("*")))
        return flat

    result: Types = {}
    for name in sorted(types):
        if name not in OPAQUE:
            found = types[name]
            result[name] = found if isinstance(found, str) else fields_of(name)
    return result


def numbers_of(types: Types, kept: Types) -> dict[str, dict[str, str]]:
    """Protobuf field numbers: to JSON names, or to ">Type" of what is inlined."""
    numbers: dict[str, dict[str, str]] = {}
    waiting = [name for name, found in kept.items() if isinstance(found, list)]
    while waiting:
        name = waiting.pop()
        found = types.get(name)
        if name in numbers or not isinstance(found, list):
            continue
        numbers[name] = {
            str(number): str(json_name) or f">{str(go_type).lstrip('*')}"
            for json_name, go_type, _, number in found
            if number
        }
        waiting += [place[1:] for place in numbers[name].values() if place.startswith(">")]
    return dict(sorted(numbers.items()))


def write_lines(name: str, found: Mapping[str, object]) -> None:
    lines = ",\n".join(
        f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))}" for k, v in found.items()
    )
    (DATA / name).write_text("{\n" + lines + "\n}\n")


def reachable(types: Types) -> Types:
    """The types of the kinds that a server serves by default, and what they are made of."""
    waiting = ["meta/v1.DeleteOptions", "core/v1.Binding", "autoscaling/v1.Scale"]
    for name in ("discovery_api.json", "discovery_apis.json"):
        for group in json.loads((DATA / name).read_text())["items"]:
            package = group["metadata"].get("name", "core").split(".")[0]
            for version in group["versions"]:
                for item in version["resources"]:
                    for kind in (item, *item.get("subresources", ())):
                        response = kind["responseKind"]
                        label = response["group"].split(".")[0] or package
                        number = response["version"] or version["version"]
                        waiting.append(f"{label}/{number}.{response['kind']}")
    kept: Types = {}
    while waiting:
        name = waiting.pop()
        found = types.get(name)
        if found is None or name in kept:
            continue
        kept[name] = found
        for expression in [found] if isinstance(found, str) else [str(f[1]) for f in found]:
            waiting += re.findall(r"[\w/]+\.\w+", expression)
    return dict(sorted(kept.items()))


def main(modules: Path) -> None:
    types: Types = {
        "meta/v1.TypeMeta": [["kind", "string", 1, 1], ["apiVersion", "string", 1, 2]],
        "runtime.TypeMeta": [["apiVersion", "string", 1, 0], ["kind", "string", 1, 0]],
    }
    for folder, package in ROOTS:
        root = modules / folder.format(VERSION)
        for path in sorted(root.rglob("*.go")):
            relative = path.relative_to(root)
            if path.name.startswith("zz_") or path.name.endswith((".pb.go", "_test.go")):
                continue
            if "testdata" in relative.parts or "code" in relative.parts:
                continue
            if package and len(relative.parts) > 1:
                continue
            types.update(read_file(path, package or package_of("k8s.io/" + str(relative.parent))))
    flat = reachable(flatten(types))
    known = set(flat) | set(OPAQUE.values()) | PRIMITIVE
    for name, found in flat.items():
        for expression in [found] if isinstance(found, str) else [str(f[1]) for f in found]:
            inner = re.sub(r"^(\[\]|\*|map\[[^\]]*\])+", "", expression)
            if inner not in known and inner != "byte":
                print(f"{name}: {expression} is not known", file=sys.stderr)
    write_lines("types.json", flat)
    write_lines("protobuf.json", numbers_of(types, flat))
    print(f"{len(flat)} types")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
