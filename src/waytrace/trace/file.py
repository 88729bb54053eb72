"""Trace files: JSON lines, one decision a line, read one at a time.

A line holds ``scenario`` (id), ``tick`` (since the scenario's start step) and ``document`` (``to_json``: header and
trace); all else is optional: ``plan`` (the controls that the document's waypoints come from), ``verdicts``, ``ghosts``
(the ways of options that were not taken) and ``audit`` (records of the audit). Other keys are kept as they are.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from waytrace.scenario import PLAN_KNOT_S, PLAN_KNOTS, Plan, WaytraceError

from .document import from_json, to_json
from .types import Header, Trace, TraceError
from .verdicts import Verdict

MOST_LINE_BYTES = 4 << 20
"""A longer line is no decision."""

_KNOWN = ("scenario", "tick", "document", "plan", "verdicts", "ghosts", "audit")
_DIGITS = 6


class TraceFileError(WaytraceError):
    """A trace file that cannot be read. The message says which line, what is wrong, and what would be right."""


@dataclass(frozen=True)
class Ghost:
    """The way of an option that was not taken."""

    axis: str
    option: str
    xy: tuple[tuple[float, float], ...]
    """World frame, metres."""


@dataclass(frozen=True)
class TraceLine:
    """One decision of a trace file."""

    scenario: str
    tick: int
    header: Header
    trace: Trace
    plan: Plan | None = None
    verdicts: tuple[Verdict, ...] = ()
    ghosts: tuple[Ghost, ...] = ()
    audit: tuple[Mapping[str, Any], ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)
    """Other keys of the line, as they are."""


def read_traces(path: Path | str) -> Iterator[TraceLine]:
    """The decisions of a trace file, one in memory at a time. Raises :class:`TraceFileError` that names the line."""
    file = Path(path)
    try:
        stream = file.open("rb")
    except OSError as error:
        raise TraceFileError(f"{file} cannot be read: {error.strerror}") from error
    with stream:
        number = 0
        while text := stream.readline(MOST_LINE_BYTES + 1):
            number += 1
            if len(text) > MOST_LINE_BYTES:
                raise TraceFileError(f"{file}, line {number}: longer than {MOST_LINE_BYTES} bytes: no trace file")
            if text.strip():
                yield parse_line(text, f"{file}, line {number}")


def parse_line(text: str | bytes, where: str = "line") -> TraceLine:
    """One decision. Raises :class:`TraceFileError` for anything else; ``where`` begins its message."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TraceFileError(f"{where} is no JSON: {str(error)[:120]}") from error
    try:
        return from_record(record)
    except TraceError as error:
        raise TraceFileError(f"{where}: {error}") from error


def from_record(record: object) -> TraceLine:
    """A decision from plain JSON values. Raises :class:`TraceError`."""
    if not isinstance(record, dict):
        raise TraceError("a decision is a JSON object with scenario, tick and document")
    for name in ("scenario", "tick", "document"):
        if name not in record:
            raise TraceError(f"{name} is missing; a decision has scenario, tick and document")
    scenario, tick = record["scenario"], record["tick"]
    if not isinstance(scenario, str) or not scenario:
        raise TraceError(f"scenario is {str(scenario)[:40]!r}; it is the id of a scenario")
    if type(tick) is not int or not 0 <= tick < 1 << 31:
        raise TraceError(f"tick is {str(tick)[:40]!r}; it is a whole number, 0 at the scenario's start step")
    header, trace, waypoints = from_json(record["document"])
    return TraceLine(
        scenario, tick, header, trace, plan_of(record.get("plan"), waypoints, tick * header.dt_s),
        tuple(Verdict.from_json(v) for v in _list(record, "verdicts")),
        tuple(_ghost(g) for g in _list(record, "ghosts")), tuple(_audit(a) for a in _list(record, "audit")),
        {str(k): v for k, v in record.items() if k not in _KNOWN},
    )  # fmt: skip


def to_record(line: TraceLine) -> dict[str, Any]:
    """A decision as plain JSON values: what :func:`from_record` reads. Optional parts that are empty are left out."""
    waypoints = None if line.plan is None else _rounded(line.plan.waypoints)
    record: dict[str, Any] = {
        "scenario": line.scenario, "tick": line.tick, "document": to_json(line.header, line.trace, waypoints)
    }  # fmt: skip
    if line.plan is not None:
        record["plan"] = plan_to_json(line.plan)
    if line.verdicts:
        record["verdicts"] = [verdict.to_json() for verdict in line.verdicts]
    if line.ghosts:
        record["ghosts"] = [
            {"axis": g.axis, "option": g.option, "xy": [list(point) for point in g.xy]} for g in line.ghosts
        ]  # fmt: skip
    if line.audit:
        record["audit"] = [dict(entry) for entry in line.audit]
    return {**record, **line.more}


def write_traces(path: Path | str, lines: Iterable[TraceLine]) -> int:
    """Write a trace file, whole or not at all; how many decisions it holds."""
    file, count = Path(path), 0
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8") as stream:
            for line in lines:
                stream.write(json.dumps(to_record(line), separators=(",", ":"), allow_nan=False) + "\n")
                count += 1
        temporary.replace(file)
    except OSError as error:
        raise TraceFileError(f"{file} cannot be written: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return count


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """The controls of a plan of one planner; its waypoints are in the document."""
    return {
        "t0_s": round(float(plan.t0_s), _DIGITS), "start": _rounded(plan.start),
        "accel_mps2": _rounded(plan.accel_mps2), "curvature_1pm": _rounded(plan.curvature_1pm),
        "producer": plan.producer,
    }  # fmt: skip


def plan_of(record: object, waypoints: list[list[float]] | None, t0_s: float) -> Plan | None:
    """The plan of a line: its controls, or what can be told of it from the waypoints alone; None for neither.

    Raises :class:`TraceError`.
    """
    if record is None:
        return None if waypoints is None else _from_waypoints(_array(waypoints, (PLAN_KNOTS, 4), "waypoints"), t0_s)
    if not isinstance(record, dict):
        raise TraceError("plan is an object with start, accel_mps2 and curvature_1pm, or null")
    points = record.get("waypoints", waypoints)
    if points is None:
        raise TraceError("plan has no waypoints: they belong into the document's plan, or beside the controls")
    xy = _array(points, (PLAN_KNOTS, 4), "plan.waypoints")
    if "start" not in record:
        return _from_waypoints(xy, t0_s)
    start = _array(record.get("start"), (4,), "plan.start")
    accel = _array(record.get("accel_mps2"), (PLAN_KNOTS,), "plan.accel_mps2")
    curvature = _array(record.get("curvature_1pm"), (PLAN_KNOTS,), "plan.curvature_1pm")
    t0, producer = record.get("t0_s", t0_s), record.get("producer", "")
    if type(t0) not in (int, float) or not math.isfinite(t0) or not isinstance(producer, str):
        raise TraceError("plan.t0_s is a number of seconds and plan.producer a text")
    return Plan(np.array(float(t0)), start, accel, curvature, xy, producer)


def _from_waypoints(points: np.ndarray[Any, np.dtype[np.float64]], t0_s: float) -> Plan:
    """A plan whose start is taken from its first two waypoints: what came before them is not known exactly."""
    speed = np.concatenate([[2.0 * points[0, 3] - points[1, 3]], points[:, 3]])
    back = 0.5 * (max(speed[0], 0.0) + points[0, 3]) * PLAN_KNOT_S
    heading = float(points[0, 2])
    start = np.array([
        points[0, 0] - back * math.cos(heading), points[0, 1] - back * math.sin(heading), heading, max(speed[0], 0.0)
    ])  # fmt: skip
    accel = np.diff(np.concatenate([start[3:], points[:, 3]])) / PLAN_KNOT_S
    return Plan(np.array(t0_s), start, accel, np.zeros(PLAN_KNOTS), points, "")


def _array(value: object, shape: tuple[int, ...], name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    try:
        array = np.array(value, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise TraceError(f"{name} is a list of numbers") from error
    if array.shape != shape or not np.isfinite(array).all() or (np.abs(array) > 1e9).any():
        raise TraceError(f"{name} has shape {shape} and finite values, got shape {array.shape}")
    return array


def _list(record: Mapping[str, Any], name: str) -> list[Any]:
    value = record.get(name)
    if value is not None and not isinstance(value, list):
        raise TraceError(f"{name} is a list")
    return value or []


def _ghost(record: object) -> Ghost:
    if not isinstance(record, dict) or not {"axis", "option", "xy"} <= set(record):
        raise TraceError("a ghost has axis, option and xy")
    if not isinstance(record["axis"], str) or not isinstance(record["option"], str):
        raise TraceError("a ghost's axis and option are texts")
    points = record["xy"]
    if not isinstance(points, list):
        raise TraceError("a ghost's xy is a list of [x, y]")
    xy = _array(points or np.zeros((0, 2)), (len(points), 2), "ghosts.xy")
    return Ghost(record["axis"], record["option"], tuple((float(x), float(y)) for x, y in xy))


def _audit(record: object) -> Mapping[str, Any]:
    if not isinstance(record, dict):
        raise TraceError("audit is a list of objects")
    return record


def _rounded(array: Any) -> list[Any]:
    values: list[Any] = np.round(np.asarray(array, np.float64), _DIGITS).tolist()
    return values
