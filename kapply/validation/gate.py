"""The gate: an object and its schema in, valid or not out, as fast as Python can say it.

A schema becomes nested closures, compiled type by type when an object first reaches them. The
gate answers yes or no; what is wrong and where is the explainer's work, which only runs after
a no. This module reads built-in types, which the server decodes into Go structs:

* null means absent, and in a list the zero value; list-maps and sets take no null;
* a field that the struct does not have is refused (fieldValidation=Strict);
* integers must fit (server-side apply would wrap an int32 silently);
* list-type map and set refuse duplicates, and items without any key (structured-merge-diff);
* a string enum takes "" for "not given", where a default follows;
* status of a new object is decoded, then dropped: its types count, what it requires does not.

Custom resources follow other rules (kapply.validation.custom).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kapply.meta import JsonObject
from kapply.openapi import ref_name
from kapply.validation.exceptions import GATED, OPEN_TYPES, is_gated, required_of, short_type
from kapply.validation.formats import is_base64, is_date_time, is_micro_time, is_quantity

Check = Callable[[Any], bool]

_INT32 = (-(2**31), 2**31 - 1)
_INT64 = (-(2**63), 2**63 - 1)

#: Status: nothing is required there and enums do not count.
LENIENT = 1
#: Inside a type with its own JSON decoder, which drops unknown fields without a word.
LOOSE = 2

_APIEXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."
JSON_SCHEMA_PROPS = _APIEXTENSIONS + "JSONSchemaProps"
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
RAW_EXTENSION = "io.k8s.apimachinery.pkg.runtime.RawExtension"
MICRO_TIME = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime"


class Compiler:
    """Compiles the types of one document; what is compiled is kept.

    Args:
        components: components.schemas of an OpenAPI v3 document.
    """

    def __init__(self, components: Mapping[str, JsonObject]) -> None:
        self._components = components
        self._named: dict[tuple[str, int], Check] = {}
        # Types that OpenAPI describes less exactly than Go decodes them.
        self._special: dict[str, Callable[[int], Check]] = {
            QUANTITY: lambda mode: check_quantity,
            INT_OR_STRING: lambda mode: check_int_or_string,
            MICRO_TIME: lambda mode: _string_check(is_micro_time),
            RAW_EXTENSION: lambda mode: check_anything,
            _APIEXTENSIONS + "JSON": lambda mode: check_anything,
            _APIEXTENSIONS + "JSONSchemaPropsOrBool": self._schema_or_bool,
            _APIEXTENSIONS + "JSONSchemaPropsOrArray": self._schema_or_array,
            _APIEXTENSIONS + "JSONSchemaPropsOrStringArray": self._schema_or_strings,
        }

    def kind(self, name: str) -> Check:
        """The check for a whole object whose type is the component `name`."""
        return self._named_type(name, 0)

    def compile(self, schema: Mapping[str, Any], mode: int = 0, component: str = "") -> Check:
        """The check for one schema, of the type `component` if it has a name.

        A $ref to an unknown type accepts anything.
        """
        name = ref_name(schema)
        if name:
            return self._named_type(name, mode)
        if schema.get("format") == "int-or-string" or schema.get("x-kubernetes-int-or-string"):
            return check_int_or_string
        alternatives = schema.get("oneOf") or schema.get("anyOf")
        if alternatives:
            return _any_of([self.compile(part, mode) for part in alternatives])
        kind = schema.get("type")
        if kind == "object" or "properties" in schema:
            return self._object(schema, mode, component)
        if kind == "array":
            return self._array(schema, mode)
        if kind == "string":
            return _string(schema, mode)
        return _SCALARS.get(
            (kind, schema.get("format")), _SCALARS.get((kind, None), check_anything)
        )

    def _named_type(self, name: str, mode: int) -> Check:
        key = (name, mode)
        found = self._named.get(key)
        if found is not None:
            return found
        special = self._special.get(name)
        schema = self._components.get(name)
        if special is not None:
            check = special(mode)
        elif schema is None:
            check = check_anything
        else:
            check = self.compile(schema, mode, name)
        self._named[key] = check
        return check

    def _lazy(self, name: str, mode: int) -> Check:
        # Recursive types (JSONSchemaProps) must not be compiled while they are compiled.
        return lambda value: self._named_type(name, mode)(value)

    def _object(self, schema: Mapping[str, Any], mode: int, component: str) -> Check:
        properties = schema.get("properties")
        if not isinstance(properties, dict):
            values = schema.get("additionalProperties")
            if isinstance(values, dict):
                return _mapping(self.compile(values, mode))
            if component and short_type(component) not in OPEN_TYPES:
                return check_empty
            return check_object
        if "apiVersion" in properties and "kind" in properties and "status" in properties:
            status_mode = mode | LENIENT
        else:
            status_mode = mode
        required = () if mode & LENIENT else required_of(component, schema.get("required"))
        loose = bool(mode & LOOSE)
        gated = short_type(component) in GATED
        compiled: dict[str, Check] = {}

        def check(value: Any) -> bool:
            if type(value) is not dict:
                return False
            for key, member in value.items():
                if member is None:
                    if key in properties or loose:
                        continue
                    return False
                part = compiled.get(key)
                if part is None:
                    field = properties.get(key)
                    if field is None:
                        if loose:
                            continue
                        return False
                    inner = status_mode if key == "status" else mode
                    if gated and is_gated(component, key):
                        inner |= LENIENT
                    part = compiled[key] = self.compile(field, inner)
                if not part(member):
                    return False
            for key in required:  # noqa: SIM110 - a generator would double the time
                if value.get(key) is None:
                    return False
            return True

        return check

    def _array(self, schema: Mapping[str, Any], mode: int) -> Check:
        items = schema.get("items") or {}
        item = self.compile(items, mode)
        target = self.resolve(items)
        list_type = schema.get("x-kubernetes-list-type")
        if list_type == "map":
            keys = tuple(schema.get("x-kubernetes-list-map-keys", ()))
            return _list_map(item, keys, key_defaults(target, keys))
        if list_type == "set":
            return _list_set(item)

        def check(value: Any) -> bool:
            if type(value) is not list:
                return False
            for member in value:  # noqa: SIM110
                # Go decodes a null item as the zero value.
                if member is not None and not item(member):
                    return False
            return True

        return check

    def resolve(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """`schema` itself, or the type that it refers to."""
        name = ref_name(schema)
        return self._components.get(name, {}) if name else schema

    def _schema_or_bool(self, mode: int) -> Check:
        schema = self._lazy(JSON_SCHEMA_PROPS, mode | LOOSE)
        return lambda value: type(value) is bool or schema(value)

    def _schema_or_array(self, mode: int) -> Check:
        schema = self._lazy(JSON_SCHEMA_PROPS, mode | LOOSE)
        # Its decoder looks at lists and mappings, and passes over anything else.
        return lambda value: (
            all(part is None or schema(part) for part in value)
            if type(value) is list
            else type(value) is not dict or schema(value)
        )

    def _schema_or_strings(self, mode: int) -> Check:
        schema = self._lazy(JSON_SCHEMA_PROPS, mode | LOOSE)
        return lambda value: (
            all(type(part) is str for part in value) if type(value) is list else schema(value)
        )


def key_defaults(item: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """The defaults of the key fields of a list-map's items (ports: protocol TCP)."""
    properties = item.get("properties") or {}
    return {key: properties.get(key, {}).get("default") for key in keys}


def check_anything(value: Any) -> bool:
    """Whatever JSON holds."""
    return True


def check_object(value: Any) -> bool:
    """A JSON object with any members."""
    return type(value) is dict


def check_empty(value: Any) -> bool:
    """A JSON object without members."""
    return type(value) is dict and not value


def check_quantity(value: Any) -> bool:
    """A resource.Quantity: text, or a JSON number."""
    return is_quantity(value) if type(value) is str else check_number(value)


def check_number(value: Any) -> bool:
    """A JSON number; integers beyond 64 bits may come as a subclass of int."""
    kind = type(value)
    return kind is int or kind is float or (isinstance(value, int) and kind is not bool)


def check_int_or_string(value: Any) -> bool:
    """An intstr.IntOrString: text, or an int32."""
    return type(value) is str or is_int32(value)


def is_int32(value: Any) -> bool:
    """A whole number of 32 bits; 1.0 is 1, as sigs.k8s.io/yaml writes it."""
    if type(value) is int:
        return _INT32[0] <= value <= _INT32[1]
    return type(value) is float and value.is_integer() and _INT32[0] <= value <= _INT32[1]


def is_int64(value: Any) -> bool:
    """A whole number of 64 bits."""
    if type(value) is int:
        return _INT64[0] <= value <= _INT64[1]
    return type(value) is float and value.is_integer() and _INT64[0] <= value <= _INT64[1]


_SCALARS: dict[tuple[Any, Any], Check] = {
    ("boolean", None): lambda value: type(value) is bool,
    ("number", None): check_number,
    ("integer", None): is_int64,
    ("integer", "int32"): is_int32,
}


def _string(schema: Mapping[str, Any], mode: int) -> Check:
    enum = schema.get("enum")
    if enum and not mode & LENIENT:
        known = frozenset(enum) | {""}
        return lambda value: type(value) is str and value in known
    form = schema.get("format")
    if form == "byte":
        return _string_check(is_base64)
    if form == "date-time":
        return _string_check(is_date_time)
    return lambda value: type(value) is str


def _string_check(check: Callable[[str], bool]) -> Check:
    return lambda value: type(value) is str and check(value)


def _any_of(checks: list[Check]) -> Check:
    return lambda value: any(check(value) for check in checks)


def _mapping(member: Check) -> Check:
    def check(value: Any) -> bool:
        if type(value) is not dict:
            return False
        for part in value.values():  # noqa: SIM110
            if part is not None and not member(part):
                return False
        return True

    return check


def _list_map(item: Check, keys: tuple[str, ...], defaults: Mapping[str, Any]) -> Check:
    single = keys[0] if len(keys) == 1 else None
    keyless = all(default is None for default in defaults.values())

    def check(value: Any) -> bool:
        if type(value) is not list:
            return False
        for member in value:
            if not item(member) or type(member) is not dict:
                return False
            if keyless and not any(key in member for key in keys):
                return False
        if len(value) < 2:
            return True
        if single is not None:
            names = {member.get(single) for member in value}
            return len(names) == len(value)
        return len({list_key(member, keys, defaults) for member in value}) == len(value)

    return check


def list_key(
    member: Mapping[str, Any], keys: tuple[str, ...], defaults: Mapping[str, Any]
) -> tuple[Any, ...]:
    """What identifies an item of a list-map: its key fields, defaults filled in."""
    return tuple(defaults.get(key) if member.get(key) is None else member[key] for key in keys)


def _list_set(item: Check) -> Check:
    def check(value: Any) -> bool:
        if type(value) is not list:
            return False
        for member in value:
            if not item(member):
                return False
        # Items of a set are scalars; were they not, the server would say so first.
        return len(value) < 2 or not has_duplicates(value)

    return check


def has_duplicates(items: list[Any]) -> bool:
    """Whether two items are the same JSON value; 1 and true are not."""
    try:
        return len({(type(item), item) for item in items}) != len(items)
    except TypeError:
        return any(
            items[i] == items[j] and type(items[i]) is type(items[j])
            for i in range(len(items))
            for j in range(i)
        )
