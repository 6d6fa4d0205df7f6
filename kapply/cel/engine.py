"""Expressions, compiled and evaluated by the library; the one module that knows it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from kapply.cel.functions import FUNCTIONS

_NO_KEY = re.compile(r'^NOT_FOUND: Key not found in map : "(.*)"$', re.DOTALL)
#: Expressions that are kept compiled: a CRD has a few hundred at most.
_KEPT = 4096


class CelError(Exception):
    """An expression has no value: the library lacks a function, or the evaluation failed.

    Attributes:
        missing_key: the field that the expression reads and the value lacks; "" for the rest.
            Of these the server says the same; what else fails may be a limit of this library.
    """

    def __init__(self, message: str, missing_key: str = "") -> None:
        super().__init__(message)
        self.missing_key = missing_key


@cache
def is_available() -> bool:
    """Whether the library is installed; imports it, which takes a few milliseconds."""
    try:
        import cel_expr_python.cel  # noqa: F401
    except ImportError:
        return False
    return True


def evaluate(expression: str, variables: Mapping[str, Any]) -> Any:
    """The value of an expression as Python has it (bool, int, float, str, list, dict, None).

    Args:
        expression: what the rule says.
        variables: self, and oldSelf where there is one: JSON values as `values.to_cel` makes
            them.

    Raises:
        CelError: it does not compile here, or evaluating it fails.
    """
    engine = _engine()
    compiled = engine.compiled.get(expression)
    try:
        if compiled is None:
            if len(engine.compiled) >= _KEPT:
                engine.compiled.clear()
            compiled = engine.compiled[expression] = engine.environment.compile(expression)
        answer = compiled.eval(data=dict(variables))
        value = answer.plain_value()
    except (RuntimeError, ValueError, TypeError, OverflowError) as error:
        # The library has no errors of its own, and raises these for its limits too.
        raise CelError(str(error)) from None
    if answer.type().name() != "ERROR":
        return value
    text = str(value).strip('"') if not str(value).startswith("NOT_FOUND") else str(value)
    missing = _NO_KEY.match(text)
    raise CelError(text, missing[1] if missing else "")


class _Engine:
    def __init__(self) -> None:
        from cel_expr_python import cel
        from cel_expr_python.ext import (
            ext_bindings,
            ext_encoders,
            ext_math,
            ext_optional,
            ext_strings,
        )

        types = {
            "bool": cel.Type.BOOL,
            "int": cel.Type.INT,
            "double": cel.Type.DOUBLE,
            "string": cel.Type.STRING,
            "list": cel.Type.List(cel.Type.DYN),
            "map": cel.Type.MAP,
            "dyn": cel.Type.DYN,
        }
        declared = [
            cel.FunctionDecl(
                name,
                [
                    cel.Overload(
                        f"kubernetes_{name}_{'_'.join(overload.takes)}",
                        types[overload.gives],
                        [types[kind] for kind in overload.takes],
                        is_member=overload.member,
                        impl=overload.call,
                    )
                    for overload in overloads
                ],
            )
            for name, overloads in FUNCTIONS.items()
        ]
        self.environment = cel.NewEnv(
            variables={"self": cel.Type.DYN, "oldSelf": cel.Type.DYN},
            functions=declared,
            extensions=[
                ext_bindings.ExtBindings(),
                ext_encoders.ExtEncoders(),
                ext_math.ExtMath(),
                ext_optional.ExtOptional(),
                ext_strings.ExtStrings(),
            ],
        )
        self.compiled: dict[str, Any] = {}


@cache
def _engine() -> _Engine:
    return _Engine()
