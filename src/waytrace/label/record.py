"""One labelled decision as a line of JSON, and back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from waytrace.scenario import PLAN_KNOTS, Plan, StoreError
from waytrace.trace import Header, Trace, TraceError, from_json, to_json

from .from_certificate import Label

DIGITS = 6
"""Decimals of a plan's numbers in a file."""


@dataclass(frozen=True)
class Told:
    """A trace with its header and the plan that it is about."""

    header: Header
    trace: Trace
    plan: Plan


@dataclass(frozen=True)
class Labelled:
    """One decision of a labelled drive."""

    scenario: str
    tick: int
    """Since the scenario's start step."""
    chosen: Told
    runner_up: Told | None
    verdicts: tuple[dict[str, Any], ...]


def line_of(
    scenario: str, tick: int, header: Header, label: Label, runner_up: tuple[Header, Label] | None = None,
    verdicts: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The record of a decision: plain JSON values."""
    record = {"scenario": scenario, "tick": tick, **_told(header, label), "verdicts": verdicts or []}
    if runner_up is not None:
        record["runner_up"] = _told(*runner_up)
    return record


def _told(header: Header, label: Label) -> dict[str, Any]:
    return {
        "document": to_json(header, label.trace, _rounded(label.plan.waypoints)), "plan": plan_to_json(label.plan)
    }  # fmt: skip


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """A plan of one planner without its waypoints, which follow from it."""
    return {
        "t0_s": round(float(plan.t0_s), DIGITS), "start": _rounded(plan.start),
        "accel_mps2": _rounded(plan.accel_mps2), "curvature_1pm": _rounded(plan.curvature_1pm),
        "producer": plan.producer,
    }  # fmt: skip


def parse_line(text: str, where: str) -> Labelled:
    """A decision from its line. Raises :class:`StoreError` that says where and what for anything else."""
    try:
        record = json.loads(text)
        scenario, tick = record["scenario"], record["tick"]
        if not isinstance(scenario, str) or type(tick) is not int:
            raise TraceError("scenario is to be a text and tick a whole number")
        other = record.get("runner_up")
        return Labelled(
            scenario, tick, _parse_told(record), _parse_told(other) if other is not None else None,
            tuple(record["verdicts"]),
        )  # fmt: skip
    except (TraceError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{where} is no labelled decision: {type(error).__name__}: {str(error)[:200]}") from error


def _parse_told(record: dict[str, Any]) -> Told:
    header, trace, waypoints = from_json(record["document"])
    return Told(header, trace, _plan(record["plan"], waypoints))


def _plan(record: dict[str, Any], waypoints: list[list[float]] | None) -> Plan:
    start, accel, curvature = (np.array(record[k], np.float64) for k in ("start", "accel_mps2", "curvature_1pm"))
    points = np.array(waypoints, np.float64)
    if start.shape != (4,) or accel.shape != (PLAN_KNOTS,) or curvature.shape != accel.shape:
        raise TraceError("a plan has a start of 4 numbers and 16 knots of acceleration and curvature")
    if points.shape != (PLAN_KNOTS, 4) or not all(np.isfinite(part).all() for part in (start, accel, curvature)):
        raise TraceError("a plan has 16 waypoints of 4 numbers, all finite")
    return Plan(np.array(float(record["t0_s"])), start, accel, curvature, points, str(record.get("producer", "")))


def _rounded(array: Any) -> list[Any]:
    values: list[Any] = np.round(np.asarray(array, np.float64), DIGITS).tolist()
    return values
