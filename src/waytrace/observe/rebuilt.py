"""What an ego perceived in a drive that is over: scenes made anew from a scenario's recording or from a rollout.

The same kernels look, with the same memory of who was seen, so a scene equals the one that the planner was given
then. No simulator is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import Rollout, Scenario, WaytraceError
from waytrace.scenario.index import compile_maps
from waytrace.scenario.state import AgentState, LightArrays

from .eyes import Eyes, look_back_ticks, recorded_speed
from .scene import Scene, SceneRecord

Array = NDArray[np.float64]


class Drive:
    """Where everybody was at every step of one scenario: as recorded, or, from its start step on, as in a rollout."""

    def __init__(self, scenario: Scenario, rollout: Rollout | None = None) -> None:
        self.scenario = scenario
        agents, start = scenario.agents, scenario.start_step
        self.pose = np.concatenate([agents.xy, agents.heading_rad[..., None]], -1).swapaxes(0, 1).copy()
        """[steps, N, 3]."""
        self.speed = np.ascontiguousarray(recorded_speed(agents).T)
        self.present = np.ascontiguousarray(agents.valid.T)
        self.lights = scenario.lights.state
        self.driven = rollout is not None
        if rollout is not None:
            if rollout.valid.shape[1] != len(agents) or rollout.start_step != start:
                raise WaytraceError(
                    f"{scenario.id}: the rollout has {rollout.valid.shape[1]} agents from step {rollout.start_step} "
                    f"on, the scenario {len(agents)} from step {start}: it is of another scenario"
                )
            self.pose = np.concatenate([self.pose[:start], rollout.pose])
            self.speed = np.concatenate([self.speed[:start], rollout.speed_mps])
            self.present = np.concatenate([self.present[:start], rollout.valid])
            self.lights = np.concatenate([scenario.lights.state[:start], rollout.lights])

    @property
    def ticks(self) -> int:
        """How many ticks there are from the start step on."""
        return len(self.pose) - self.scenario.start_step

    def rates(self, step: int) -> tuple[float, float]:
        """The ego's (acceleration, yaw rate) during the tick before ``step``; 0 where it was not there."""
        s, e = self.scenario, self.scenario.ego_index
        if step == 0 or not self.present[step - 1, e]:
            return 0.0, 0.0
        turned = float(self.pose[step, e, 2] - self.pose[step - 1, e, 2])
        if not self.driven or step <= s.start_step:
            turned = (turned + np.pi) % (2.0 * np.pi) - np.pi
        return float(self.speed[step, e] - self.speed[step - 1, e]) / s.dt_s, turned / s.dt_s

    def light_state(self, step: int) -> NDArray[np.uint8]:
        """[K] what the lights show; after the recording's end the last state."""
        shown: NDArray[np.uint8] = self.lights[min(step, len(self.lights) - 1)]
        return shown

    @cached_property
    def _constant(self) -> tuple[Array, Array, NDArray[np.uint8]]:
        agents = self.scenario.agents
        return agents.size_m[None, :, 0].copy(), agents.size_m[None, :, 1].copy(), agents.kind[None].astype(np.uint8)

    def state(self, step: int) -> AgentState:
        """Everybody at one step, as the kernels take it: one world."""
        length, width, kind = self._constant
        pose, n = self.pose[step], self.pose.shape[1]
        accel, yaw, zero = np.zeros((1, n)), np.zeros((1, n)), np.zeros((1, n))
        accel[0, self.scenario.ego_index], yaw[0, self.scenario.ego_index] = self.rates(step)
        x, y, heading = (np.ascontiguousarray(pose[None, :, i]) for i in range(3))
        return AgentState(
            x, y, heading, np.cos(heading), np.sin(heading), np.ascontiguousarray(self.speed[step][None]), accel, yaw,
            length, width, kind, np.ascontiguousarray(self.present[step][None]), np.full((1, n), -1, np.int32), zero,
            zero.copy(),
        )  # fmt: skip

    def record(self, tick: int, seen: NDArray[np.bool_]) -> SceneRecord:
        """All that the ego could have perceived up to a tick; ``seen`` [steps, N] is whom it saw."""
        s, step = self.scenario, self.scenario.start_step + tick
        accel, yaw = self.rates(step)
        return SceneRecord(
            s.id, s.map, s.route, tick, s.ego_index, s.agents.kind, s.agents.size_m, self.pose[: step + 1],
            self.speed[: step + 1], self.present[: step + 1], seen[: step + 1], accel, yaw, s.lights.lane, s.lights.xy,
            self.light_state(step), s.dt_s,
        )  # fmt: skip


def scenes_of(scenario: Scenario, ticks: Iterable[int], rollout: Rollout | None = None) -> Iterator[tuple[int, Scene]]:
    """(tick, scene) of the ego at every tick asked for, in order of time; each tick once.

    Without a ``rollout`` everybody moves as recorded. Raises ``WaytraceError`` for a tick outside of the drive, and
    where the ego was not there.
    """
    drive = Drive(scenario, rollout)
    wanted = sorted(set(ticks))
    _check(drive, wanted)
    if not wanted:
        return
    one = np.array([0, 1], np.int32)
    ego, start = np.array([scenario.ego_index], np.int32), np.array([scenario.start_step], np.int32)
    n = len(scenario.agents)
    eyes = Eyes(compile_maps([scenario]), one, ego.copy(), ego, start, n, steps=len(drive.pose) + 1)
    first = scenario.start_step

    def at(tick: int) -> tuple[AgentState, NDArray[np.int32]]:
        return drive.state(first + tick), np.array([tick], np.int32)

    eyes.start(at(tick) for tick in look_back_ticks(first, scenario.dt_s))
    xy = scenario.lights.xy
    for tick in range(wanted[-1] + 1):
        state, now = at(tick)
        eyes.see(state, now)
        if tick not in wanted:
            continue
        lights = LightArrays(
            scenario.lights.lane[None].astype(np.int32), drive.light_state(first + tick)[None].copy(),
            np.ascontiguousarray(xy[None, :, 0]), np.ascontiguousarray(xy[None, :, 1]),
        )  # fmt: skip
        eyes.look(state, lights, now, 0, 1)
        yield tick, Scene.of(drive.record(tick, eyes.record.seen[0]), eyes.arrays.reference[0])


def scene_at(scenario: Scenario, tick: int, rollout: Rollout | None = None) -> Scene:
    """The scene of one tick; see :func:`scenes_of`."""
    return next(scene for _, scene in scenes_of(scenario, [tick], rollout))


def _check(drive: Drive, wanted: list[int]) -> None:
    s = drive.scenario
    for tick in wanted:
        if not 0 <= tick < drive.ticks:
            raise WaytraceError(f"{s.id}: tick {tick} is not in the drive, which has ticks 0 to {drive.ticks - 1}")
        if not drive.present[s.start_step + tick, s.ego_index]:
            there = "of a generated scenario nothing is recorded after tick 0: give the rollout" if s.family else ""
            raise WaytraceError(f"{s.id}: the ego is not recorded at tick {tick}" + (f"; {there}" if there else ""))
