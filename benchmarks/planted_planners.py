"""Experts with one thing made worse each, for ``planted_regressions.py``: planners as ``module:Class``."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from waytrace.label import from_certificate, setting
from waytrace.observe import Reference
from waytrace.observe.features import ReferenceKind
from waytrace.planners import Expert, ExpertConfig, make_plan
from waytrace.planners.reading import moments
from waytrace.scenario import LightState
from waytrace.scenario.roads import RoadCache
from waytrace.trace import Cause, Present, TraceError, encode


class Worse:
    """The expert, with its controls spoilt by :meth:`spoil`."""

    privileged = False
    config = ExpertConfig()

    def __init__(self) -> None:
        self.inner = Expert(self.config)
        self.name = type(self).__name__
        self.ids: list[str] = []

    def reset(self, ids: Sequence[str], world: Any = None) -> None:
        self.ids = list(ids)
        self.inner.reset(ids)

    def plan(self, observation: Any, state: Any) -> tuple[Any, Any, Any]:
        plan, _, state = self.inner.plan(observation, state)
        accel, curvature = self.spoil(plan, plan.accel_mps2.copy(), plan.curvature_1pm.copy())
        return make_plan(plan.t0_s, plan.start, accel, curvature, self.name), None, state

    def spoil(self, plan: Any, accel: Any, curvature: Any) -> tuple[Any, Any]:
        return accel, curvature


class BrakesLate(Worse):
    """Does not brake within the first second of a plan, and so never before it must."""

    def spoil(self, plan: Any, accel: Any, curvature: Any) -> tuple[Any, Any]:
        gentle = (accel[:, :2] < 0) & (accel[:, :2] > -4.0)
        accel[:, :2] = np.where(gentle, 0.0, accel[:, :2])
        return accel, curvature


class IgnoresLights(Worse):
    """Takes every light for green."""

    def plan(self, observation: Any, state: Any) -> tuple[Any, Any, Any]:
        rows = [
            replace(m, light_state=np.full_like(m.light_state, LightState.GREEN))
            for m in moments(observation, self.inner._roads)
        ]
        plan, _, state = self.inner.plan_moments(rows, state)
        return plan, None, state


class Drifts(Worse):
    """Pulls to the left all the time."""

    def spoil(self, plan: Any, accel: Any, curvature: Any) -> tuple[Any, Any]:
        return accel, curvature + 0.004


class Slower(Worse):
    """Keeps to 6 m/s, whatever is allowed."""

    def spoil(self, plan: Any, accel: Any, curvature: Any) -> tuple[Any, Any]:
        return np.where(plan.start[:, 3:4] > 6.0, np.minimum(accel, -0.5), np.minimum(accel, 0.8)), curvature


class Speeds(Worse):
    """Gains half a metre a second in every plan beyond what the expert wants, when it cruises."""

    def spoil(self, plan: Any, accel: Any, curvature: Any) -> tuple[Any, Any]:
        accel[:, :2] = np.where((accel[:, :2] > -0.3) & (plan.start[:, 3:4] > 5.0), accel[:, :2] + 0.8, accel[:, :2])
        return accel, curvature


class Jerky(Worse):
    """Brakes and accelerates in turn."""

    def spoil(self, plan: Any, accel: Any, curvature: Any) -> tuple[Any, Any]:
        turn = np.where(np.round(plan.t0_s / 0.5).astype(int) % 2 == 0, 2.5, -2.5)
        return accel + np.where(plan.start[:, 3] > 2.0, turn, 0.0)[:, None], curvature


class Crashes(Worse):
    """Raises in one scene in ten, the one it would have scored least in perhaps."""

    def plan(self, observation: Any, state: Any) -> tuple[Any, Any, Any]:
        if any(i.split("@")[0].endswith("3") for i in self.ids):
            raise ArithmeticError("no solution")
        return super().plan(observation, state)


class Forgets(Worse):
    """Never drives twice the same: its noise has no seed."""

    def spoil(self, plan: Any, accel: Any, curvature: Any) -> tuple[Any, Any]:
        noise = np.frombuffer(os.urandom(8 * len(accel)), np.uint64) / 2.0**64 - 0.5
        return accel + 0.02 * noise[:, None], curvature


class ThinksLong(Worse):
    """Takes twice the time."""

    def plan(self, observation: Any, state: Any) -> tuple[Any, Any, Any]:
        began = time.perf_counter()
        answer = super().plan(observation, state)
        end = time.perf_counter() + (time.perf_counter() - began)
        while time.perf_counter() < end:
            pass
        return answer


class CitesNearest(Worse):
    """Drives as the expert and cites whoever is nearest, whatever the reason was."""

    def __init__(self) -> None:
        super().__init__()
        self._roads = RoadCache()

    def plan(self, observation: Any, state: Any) -> tuple[Any, Any, Any]:
        plan, _, after = self.inner.plan(observation, state)
        traces = [self._trace(observation, row) for row in range(len(observation))]
        return plan, traces, after

    def _trace(self, observation: Any, row: int) -> Any:
        made, forecast = self.inner.certificates[row], self.inner.forecasts[row]
        if made is None:
            return None
        label, _ = from_certificate(made, setting(observation, row, forecast, self._roads))
        trace, agents = label.trace, observation.scenes[row].agents
        held = [int(i) for i, known in zip(agents.index, agents.in_arrays, strict=True) if known]
        if not held or not trace.decision.causes:
            return trace
        nearest = Reference(ReferenceKind.AGENT, held[0])
        causes = tuple(_citing(cause, nearest) for cause in trace.decision.causes[:1])
        liar = replace(trace, decision=replace(trace.decision, causes=causes))
        try:
            encode(liar, Present.of(observation, row))
        except TraceError:
            return trace
        return liar


def _citing(cause: Cause, nearest: Reference) -> Cause:
    if cause.ref.kind == ReferenceKind.AGENT:
        return replace(cause, ref=nearest)
    return replace(cause, ref=nearest, constraint="headway")
