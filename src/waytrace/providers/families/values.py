"""JSON values compared: with what was expected, and with a schema."""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose
from typing import Any

MOST = 1e15
"""No expected number is larger; a whole number with hundreds of digits cannot even be compared with one that is not."""


def same(value: Any, expected: Any) -> bool:
    """Whether a JSON value is the expected one; numbers to one part in a million, true and false are no numbers."""
    if isinstance(expected, bool) or expected is None or isinstance(expected, str):
        return type(value) is type(expected) and value == expected
    if isinstance(expected, int | float):
        number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < MOST
        return number and isclose(value, expected, rel_tol=1e-6, abs_tol=1e-6)
    if isinstance(expected, list):
        return (
            isinstance(value, list) and len(value) == len(expected)
            and all(same(v, e) for v, e in zip(value, expected, strict=True))
        )  # fmt: skip
    alike = isinstance(value, Mapping) and value.keys() == expected.keys()
    return alike and all(same(value[key], expected[key]) for key in expected)


def leaves(value: Any, at: str = "") -> dict[str, Any]:
    """The plain values of a JSON value by their path; an empty list or object counts as one."""
    if isinstance(value, Mapping) and value:
        return {p: v for key, inner in value.items() for p, v in leaves(inner, f"{at}.{key}" if at else key).items()}
    if isinstance(value, list) and value:
        return {p: v for k, inner in enumerate(value) for p, v in leaves(inner, f"{at}[{k}]").items()}
    return {at: value}


def schema_error(value: Any, schema: Mapping[str, Any]) -> str:
    """The first breach of a JSON Schema (draft 2020-12) in words, or nothing."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    try:
        error = best_match(Draft202012Validator(schema).iter_errors(value))
    except RecursionError:
        return "nested too deeply"
    if error is None:
        return ""
    return f"{error.json_path}: {error.message[:200]}"
