"""A trace as JSON, and back: the lossless form that others read and write, checked against what it says of itself."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any, TypeVar

from waytrace.observe import Reference

from . import types as t
from .slots import vocabulary_hash
from .types import Header, Trace, TraceError

T = TypeVar("T")

_NESTED: dict[tuple[type, str], tuple[type, bool]] = {
    (Trace, "scene_summary"): (t.SceneSummary, False),
    (Trace, "entities"): (t.Entity, True),
    (Trace, "predictions"): (t.Prediction, True),
    (Trace, "decision"): (t.Decision, False),
    (Trace, "plan"): (t.PlanClaim, False),
    (t.Decision, "causes"): (t.Cause, True),
    (t.Decision, "rejected"): (t.Rejection, True),
    (t.PlanClaim, "segments"): (t.Segment, True),
    (Header, "producer"): (t.Producer, False),
}
"""Fields that hold a type of their own, and whether a list of it."""
_MAY_BE_NONE = {(t.Rejection, "ref"), (t.PlanClaim, "target_lane")}


def to_json(header: Header, trace: Trace, waypoints: list[list[float]] | None = None) -> dict[str, Any]:
    """Header, stages, and the plan's waypoints ([16][4]: x, y, heading, speed) as plain JSON values."""
    out = {"header": asdict(header), **_plain(trace)}
    if waypoints is not None:
        out["plan"]["waypoints"] = waypoints
    return out


def from_json(record: object) -> tuple[Header, Trace, list[list[float]] | None]:
    """What :func:`to_json` wrote. Raises :class:`TraceError` that names the field for anything else."""
    if not isinstance(record, dict):
        raise TraceError("a trace is a JSON object")
    rest = dict(record)
    header: Header = _built(Header, rest.pop("header", None), "header")
    if header.schema != t.SCHEMA:
        raise TraceError(f"header.schema is {header.schema!r}; this version reads {t.SCHEMA!r}")
    for name, value, allowed in (
        ("kind", header.producer.kind, t.PRODUCERS), ("mode", header.producer.mode, t.MODES),
    ):  # fmt: skip
        if value not in allowed:
            raise TraceError(f"header.producer.{name} is {value!r}; it is one of {', '.join(allowed)}")
    written = header.producer.vocabulary
    if written and written != vocabulary_hash():
        raise TraceError(
            f"header.producer.vocabulary is {written[:12]!r}; this version has {vocabulary_hash()[:12]!r}: the same "
            "names and bins could mean something else. Write the trace again with this version"
        )
    plan = rest.get("plan")
    waypoints = None
    if isinstance(plan, dict):
        rest["plan"] = {k: v for k, v in plan.items() if k != "waypoints"}
        waypoints = _waypoints(plan.get("waypoints"))
    return header, _built(Trace, rest, "trace"), waypoints


def _waypoints(value: object) -> list[list[float]] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(
        isinstance(row, list) and len(row) == 4 and all(type(v) in (int, float) and abs(v) < 1e9 for v in row)
        for row in value
    ):
        raise TraceError("plan.waypoints is a list of [x, y, heading, speed]")
    return [[float(v) for v in row] for row in value]


def _plain(value: Any) -> Any:
    if isinstance(value, Reference):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {field.name.rstrip("_"): _plain(getattr(value, field.name)) for field in fields(value)}
    return value


def _built(kind: type[T], value: object, where: str) -> T:
    """An instance of a trace's type from JSON values, every field present and of its type, and none besides."""
    if not isinstance(value, dict):
        raise TraceError(f"{where} is to be an object")
    names = {field.name.rstrip("_"): field for field in fields(kind)}  # type: ignore[arg-type]
    for name in value.keys() - names.keys():
        raise TraceError(f"{where} has no field {str(name)[:40]!r}; it has {', '.join(names)}")
    made: dict[str, Any] = {}
    for name, field in names.items():
        if name not in value:
            raise TraceError(f"{where}.{name} is missing")
        made[field.name] = _field(kind, field.name, str(field.type), value[name], f"{where}.{name}")
    return kind(**made)


def _field(kind: type, name: str, annotation: str, value: object, where: str) -> Any:
    nested = _NESTED.get((kind, name))
    if nested is not None:
        inner, many = nested
        if not many:
            return _built(inner, value, where)
        if not isinstance(value, list):
            raise TraceError(f"{where} is to be a list")
        return tuple(_built(inner, item, f"{where}[{k}]") for k, item in enumerate(value))
    if annotation.startswith("Reference"):
        return _reference(value, where, may_be_none=(kind, name) in _MAY_BE_NONE)
    if annotation == "float" and type(value) in (int, float):
        return float(value)  # type: ignore[arg-type]
    expected = {"str": str, "int": int}.get(annotation)
    if expected is None or type(value) is not expected:
        raise TraceError(f"{where} is to be of type {annotation}, not {str(value)[:40]!r}")
    return value


def _reference(value: object, where: str, *, may_be_none: bool) -> Reference | None:
    if value is None and may_be_none:
        return None
    if not isinstance(value, str):
        raise TraceError(f"{where} is to be a reference such as agent:17")
    try:
        return Reference.parse(value)
    except ValueError as error:
        raise TraceError(f"{where}: {error}") from error
