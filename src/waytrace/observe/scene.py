"""The typed form of an observation: what rule planners, the checker and the labeller read.

A scene is made from a :class:`SceneRecord`, which ends with the present moment, and keeps only what the controlled
agent has perceived of it: no scenario, no recorded future and no state of an agent at a time when it was hidden.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import DT_S, AgentKind, LightState, RoadMap, Route

from .features import FORGET_S, REFERENCE_KIND, ReferenceKind
from .references import Reference

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SceneRecord:
    """What the simulator hands over for one controlled agent: everything up to now, nothing after it.

    Legend: t ticks so far, of which the last is now; N agents of the scenario; K lights. World frame, metres.
    """

    scenario_id: str
    map: RoadMap
    route: Route
    tick: int
    """Ticks since the scenario's start step; row -1 of the arrays."""
    ego: int
    """Index of the controlled agent."""
    kind: NDArray[np.uint8]
    """[N]."""
    size_m: Array
    """[N, 2] length, width."""
    pose: Array
    """[t, N, 3] box centre x, y and heading."""
    speed_mps: Array
    """[t, N] signed along the heading."""
    present: NDArray[np.bool_]
    """[t, N]."""
    seen: NDArray[np.bool_]
    """[t, N] whether the controlled agent saw the agent then."""
    accel_mps2: float
    """The controlled agent's change of speed during the last tick."""
    yaw_rate_radps: float
    light_lane: NDArray[np.int32]
    """[K] controlled lane of the scenario's map."""
    light_xy: Array
    light_state: NDArray[np.uint8]
    """[K] now."""
    dt_s: float = DT_S


class SceneSource(Protocol):
    """Where an observation gets its scenes from when somebody asks for one."""

    def scene_record(self, row: int, tick: int) -> SceneRecord:
        """The record of a controlled agent as it stood at ``tick``.

        Raises ``WaytraceError`` where that moment was overwritten since (the world was reset or restored).
        """
        ...


@dataclass(frozen=True)
class SceneEgo:
    """The controlled agent. ``pose_history[-1]`` is now."""

    index: int
    kind: AgentKind
    length_m: float
    width_m: float
    pose: Array
    """[3] box centre x, y, heading."""
    speed_mps: float
    accel_mps2: float
    yaw_rate_radps: float
    pose_history: Array
    """[t, 3]; 0 where ``history_valid`` is false."""
    speed_history_mps: Array
    history_valid: NDArray[np.bool_]
    """[t]."""


@dataclass(frozen=True)
class SceneAgents:
    """The other agents that the controlled one knows of, nearest first; ties by index. n agents, t ticks."""

    index: NDArray[np.int32]
    """[n] number among the scenario's agents."""
    kind: NDArray[np.uint8]
    size_m: Array
    """[n, 2] length, width."""
    pose: Array
    """[n, 3] where last seen: box centre x, y, heading."""
    speed_mps: Array
    age_s: Array
    """[n] time since then: 0 for those in sight."""
    in_arrays: NDArray[np.bool_]
    """[n] whether the observation's arrays hold the agent."""
    pose_history: Array
    """[t, n, 3]; 0 where the agent was not seen. ``[-1]`` is now."""
    speed_history_mps: Array
    history_valid: NDArray[np.bool_]
    """[t, n] whether it was seen."""

    def __len__(self) -> int:
        return len(self.index)

    @property
    def visible(self) -> NDArray[np.bool_]:
        """[n] in sight now."""
        now: NDArray[np.bool_] = self.age_s == 0.0
        return now

    def rate(self, window_s: float, dt_s: float = DT_S) -> tuple[Array, Array]:
        """(acceleration m/s2 [n], yaw rate rad/s [n]) over the last ``window_s`` before each was last seen.

        From the first and the last sighting inside the window; 0 for those seen only once in it.
        """
        ticks = len(self.history_valid)
        accel, yaw = np.zeros(len(self)), np.zeros(len(self))
        for i in range(len(self)):
            last = ticks - 1 - round(float(self.age_s[i]) / dt_s)
            rows = np.flatnonzero(self.history_valid[max(0, last - round(window_s / dt_s)) : last + 1, i])
            if len(rows) < 2:
                continue
            first = rows[0] + max(0, last - round(window_s / dt_s))
            span = (last - first) * dt_s
            turn = self.pose_history[last, i, 2] - self.pose_history[first, i, 2]
            accel[i] = (self.speed_history_mps[last, i] - self.speed_history_mps[first, i]) / span
            yaw[i] = ((turn + np.pi) % (2.0 * np.pi) - np.pi) / span
        return accel, yaw


@dataclass(frozen=True)
class Scene:
    """What one controlled agent knows at one moment. World frame, metres, radians, seconds."""

    scenario_id: str
    tick: int
    time_s: float
    """Since the scenario's start step."""
    dt_s: float
    map: RoadMap
    route: Route
    light_lane: NDArray[np.int32]
    """[K] controlled lanes; a light's number is its reference."""
    light_xy: Array
    light_state: NDArray[np.uint8]
    """[K] :class:`LightState` now."""
    ego: SceneEgo
    agents: SceneAgents
    reference: NDArray[np.int32]
    """[151] the observation's reference row: what the arrays hold."""

    @classmethod
    def of(cls, record: SceneRecord, reference: NDArray[np.int32]) -> Scene:
        """The scene in a record; copies, so that it stays as it is when the simulator goes on."""
        e = record.ego
        ego = SceneEgo(
            e, AgentKind(record.kind[e]), float(record.size_m[e, 0]), float(record.size_m[e, 1]),
            record.pose[-1, e].copy(), float(record.speed_mps[-1, e]), record.accel_mps2, record.yaw_rate_radps,
            np.where(record.present[:, e, None], record.pose[:, e], 0.0),
            np.where(record.present[:, e], record.speed_mps[:, e], 0.0), record.present[:, e].copy(),
        )  # fmt: skip
        return cls(
            record.scenario_id, record.tick, record.tick * record.dt_s, record.dt_s, record.map, record.route,
            record.light_lane.copy(), record.light_xy.copy(), record.light_state.copy(), ego,
            _known(record, reference), reference.copy(),
        )  # fmt: skip

    @cached_property
    def _held(self) -> frozenset[Reference]:
        return frozenset(self.elements())

    def elements(self) -> tuple[Reference, ...]:
        """References to everything that the arrays hold, in their order, each once."""
        rows = np.flatnonzero(self.reference >= 0)
        kinds = REFERENCE_KIND[rows]
        found = (Reference(ReferenceKind(k), int(i)) for k, i in zip(kinds, self.reference[rows], strict=True))
        return tuple(dict.fromkeys(found))

    def truncated(self, ref: Reference) -> bool:
        """Whether the arrays do not hold ``ref``, so that a learned planner could not point at it."""
        return ref.kind != ReferenceKind.EGO and ref not in self._held

    def light_of(self, lane: int) -> LightState:
        """What the light at a lane's entry shows now; ``OFF`` where there is none."""
        at = np.flatnonzero(self.light_lane == lane)
        return LightState(int(self.light_state[at[0]])) if len(at) else LightState.OFF


def _known(record: SceneRecord, reference: NDArray[np.int32]) -> SceneAgents:
    """The agents in sight, and those lost for at most ``FORGET_S``."""
    seen = record.seen & record.present
    ticks = len(seen)
    window = round(FORGET_S / record.dt_s) + 1
    recent = seen[-window:]
    age = np.where(recent.any(0), np.argmax(recent[::-1], axis=0), -1)
    gone = ~record.present[-len(recent) :]
    since = np.arange(len(recent))[::-1, None] < age[None]
    known = (age >= 0) & ~(gone & since).any(0)
    known[record.ego] = False
    index = np.flatnonzero(known)
    at = ticks - 1 - age[index]
    pose, speed = record.pose[at, index], record.speed_mps[at, index]
    away = pose[:, :2] - record.pose[-1, record.ego, :2]
    order = np.lexsort((index, away[:, 0] * away[:, 0] + away[:, 1] * away[:, 1]))
    index = index[order]
    valid = seen[:, index]
    held = set(reference[REFERENCE_KIND == ReferenceKind.AGENT].tolist())
    return SceneAgents(
        index=index.astype(np.int32), kind=record.kind[index].copy(), size_m=record.size_m[index].copy(),
        pose=pose[order].copy(), speed_mps=speed[order].copy(), age_s=age[index] * record.dt_s,
        in_arrays=np.array([i in held for i in index.tolist()], np.bool_),
        pose_history=np.where(valid[..., None], record.pose[:, index], 0.0),
        speed_history_mps=np.where(valid, record.speed_mps[:, index], 0.0), history_valid=valid,
    )  # fmt: skip
