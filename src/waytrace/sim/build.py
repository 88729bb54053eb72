"""From scenarios to the simulator's arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import jit
from waytrace.observe import recorded_speed
from waytrace.scenario import REAR_AXLE_TO_CENTRE, AgentKind, Scenario, WaytraceError
from waytrace.scenario.index import MAP_INDEX, CompiledMaps, MapIndex
from waytrace.scenario.lanes import locate

from .arrays import MIXED_TRAFFIC, PATH_LANES, REACTIVE_TRAFFIC, REPLAY_TRAFFIC, SCRIPT_NUMBERS, Fixed
from .noise import PURPOSE_ACCEL, PURPOSE_GAP, PURPOSE_HEADWAY, PURPOSE_LANE, PURPOSE_SPEED, agent_key, uniform
from .traffic.lane_change import PHASES

TRAFFIC = {"replay": REPLAY_TRAFFIC, "reactive": REACTIVE_TRAFFIC, "mixed": MIXED_TRAFFIC}

PARKED_M = 1.0
"""A recorded vehicle or thing that never leaves this radius is parked."""

SLOWEST_DESIRED_MPS = 4.0


@dataclass(frozen=True)
class Style:
    """How reactive traffic drives: ranges from which each agent draws its own values."""

    headway_s: tuple[float, float]
    speed_factor: tuple[float, float]
    accel_max_mps2: tuple[float, float]
    brake_comfort_mps2: float
    gap_margin_s: tuple[float, float]
    changes_lanes: bool = False
    """Whether agents without a script change lanes of their own accord."""


STYLES = {
    "normal": Style((1.2, 1.8), (0.9, 1.05), (1.2, 1.8), 2.0, (1.5, 2.5)),
    "assertive": Style((0.7, 1.1), (1.0, 1.2), (1.8, 2.6), 3.0, (0.7, 1.3)),
    "changing": Style((1.2, 1.8), (0.9, 1.05), (1.2, 1.8), 2.0, (1.5, 2.5), changes_lanes=True),
}


class Initial(NamedTuple):
    """What a reset needs beside the :class:`Fixed` arrays."""

    length: NDArray[np.float64]
    width: NDArray[np.float64]
    kind: NDArray[np.uint8]
    path: NDArray[np.int32]
    path_count: NDArray[np.int32]
    light_lane: NDArray[np.int32]
    light_xy: NDArray[np.float64]


@jit("void", MAP_INDEX, "i8", "f8[:]", "f8[:]", "f8[:]", "b1[:]", "i8", "i4[:]", "i4[:]")
def _match_path(
    m: MapIndex, number: int, x: NDArray[np.float64], y: NDArray[np.float64], heading: NDArray[np.float64],
    valid: NDArray[np.bool_], first: int, path: NDArray[np.int32], count: NDArray[np.int32],
) -> None:  # fmt: skip
    """The connected lanes that a recorded track drives from step ``first`` on; lane changes are not followed."""
    n, prefer = 0, -1
    for t in range(first, len(x)):
        if not valid[t]:
            continue
        lane, _, d = locate(m, number, x[t], y[t], heading[t], prefer)
        if lane < 0 or abs(d) > 3.0:
            continue
        prefer = lane
        if n == 0:
            path[0], n = lane, 1
            continue
        last = path[n - 1]
        if lane == last or n + 2 > len(path):
            continue
        for q in range(m.succ_lo[last], m.succ_lo[last + 1]):
            between = m.succ[q]
            if between == lane:
                path[n] = lane
                n += 1
                break
            hit = False
            for k in range(m.succ_lo[between], m.succ_lo[between + 1]):
                hit |= m.succ[k] == lane
            if hit:
                path[n], path[n + 1] = between, lane
                n += 2
                break
    count[0] = n


def build(
    scenarios: Sequence[Scenario],
    maps: CompiledMaps,
    controlled: NDArray[np.bool_],
    traffic: str,
    style: str,
    seed: int,
) -> tuple[Fixed, Initial]:
    """The constants of a world batch. ``controlled`` is [W, A]; raises WaytraceError for an unknown mode or style."""
    if traffic not in TRAFFIC:
        raise WaytraceError(f"unknown traffic mode {traffic!r}; use one of {', '.join(TRAFFIC)}")
    if style not in STYLES:
        raise WaytraceError(f"unknown traffic style {style!r}; use one of {', '.join(STYLES)}")
    worlds, slots = controlled.shape
    steps = max(s.steps for s in scenarios)
    lights = max((s.lights.state.shape[1] for s in scenarios), default=0)
    scripts = max((len(s.scripts) for s in scenarios), default=0)

    def zeros(*shape: int, dtype: Any = np.float64, fill: float = 0) -> NDArray[Any]:
        return np.full((worlds, *shape), fill, dtype)

    f = Fixed(
        map_of=maps.map_of.copy(), agents=zeros(dtype=np.int32), ego=zeros(dtype=np.int32), start=zeros(dtype=np.int32),
        last_tick=zeros(dtype=np.int32), steps=zeros(dtype=np.int32),
        traffic=zeros(dtype=np.uint8, fill=TRAFFIC[traffic]),
        seed=zeros(dtype=np.uint64, fill=seed), key=zeros(slots, dtype=np.uint64), log_x=zeros(slots, steps),
        log_y=zeros(slots, steps), log_heading=zeros(slots, steps), log_speed=zeros(slots, steps),
        log_valid=zeros(slots, steps, dtype=np.bool_), has_future=zeros(slots, dtype=np.bool_),
        parked=zeros(slots, dtype=np.bool_), rear=zeros(slots), desired=zeros(slots), speed_factor=zeros(slots, fill=1),
        headway_s=zeros(slots, fill=1.5), accel_max=zeros(slots, fill=1.5), brake_comfort=zeros(slots, fill=2),
        gap_margin_s=zeros(slots, fill=2), lane_phase=zeros(slots, dtype=np.int32, fill=-1),
        controlled=controlled.copy(),
        script_agent=zeros(scripts, dtype=np.int32, fill=-1), script_trigger=zeros(scripts, dtype=np.uint8),
        script_action=zeros(scripts, dtype=np.uint8), script_number=zeros(scripts, SCRIPT_NUMBERS),
        script_lane=zeros(scripts, dtype=np.int32, fill=-1), light_program=zeros(steps, lights, dtype=np.uint8),
    )  # fmt: skip
    first = Initial(
        zeros(slots, fill=1), zeros(slots, fill=1), zeros(slots, dtype=np.uint8),
        zeros(slots, PATH_LANES, dtype=np.int32),
        zeros(slots, dtype=np.int32), zeros(lights, dtype=np.int32, fill=-1), zeros(lights, 2),
    )  # fmt: skip
    for w, scenario in enumerate(scenarios):
        _fill_world(w, scenario, maps, f, first, style)
    return f, first


def _fill_world(w: int, s: Scenario, maps: CompiledMaps, f: Fixed, first: Initial, style: str) -> None:
    """One scenario's share of the arrays."""
    n, t, start = len(s.agents), s.steps, s.start_step
    base = int(maps.index.lane_lo[maps.map_of[w]])
    f.agents[w], f.ego[w], f.start[w], f.last_tick[w], f.steps[w] = n, s.ego_index, start, s.end_step - start, t
    agents = s.agents
    f.log_x[w, :n, :t], f.log_y[w, :n, :t] = agents.xy[..., 0], agents.xy[..., 1]
    f.log_heading[w, :n, :t] = agents.heading_rad
    f.log_valid[w, :n, :t] = agents.valid
    signed = recorded_speed(agents)
    speed = np.abs(signed)
    f.log_speed[w, :n, :t] = signed
    goes_on: NDArray[np.bool_] = np.any(agents.valid[:, start + 1 :], axis=1)
    # In a recording, an agent that is not recorded any further has left; a generated one is about to drive.
    others: NDArray[np.bool_] = np.not_equal(np.arange(n), s.ego_index)
    f.has_future[w, :n] = goes_on | (others & (s.family == "" and bool(goes_on[others].any())))
    first.length[w, :n], first.width[w, :n] = agents.size_m[:, 0], agents.size_m[:, 1]
    first.kind[w, :n] = agents.kind
    f.rear[w, :n] = np.where(agents.kind <= AgentKind.MOTORCYCLE, REAR_AXLE_TO_CENTRE * agents.size_m[:, 0], 0.0)
    scripted = {q.agent for q in s.scripts}
    for a in range(n):
        f.key[w, a] = agent_key(agents.agent_id[a])
        valid = agents.valid[a]
        seen = agents.xy[a, valid]
        spread = float(np.hypot(*(seen - seen[:1]).T).max()) if len(seen) else 0.0
        given = s.agent_route[a] if a < len(s.agent_route) else ()
        top = float(speed[a, valid].max()) if valid.any() else 0.0
        still = spread < PARKED_M and top < 1.0
        stays = not given and a not in scripted
        thing = agents.kind[a] == AgentKind.STATIC and spread < PARKED_M
        f.parked[w, a] = a != s.ego_index and (thing or (still and stays))
        _character(f, w, a, style if s.assertive is None else ("assertive" if s.assertive[a] else style))
        if f.has_future[w, a] or np.isnan(s.initial_speed_limit_mps):
            f.desired[w, a] = max(top, SLOWEST_DESIRED_MPS)
        else:
            f.desired[w, a] = s.initial_speed_limit_mps * f.speed_factor[w, a]
        if given:
            lanes = np.asarray(given[:PATH_LANES], np.int32) + base
            first.path[w, a, : len(lanes)], first.path_count[w, a] = lanes, len(lanes)
        elif agents.kind[a] < AgentKind.PEDESTRIAN and valid.any():
            _match_path(
                maps.index, int(maps.map_of[w]), f.log_x[w, a], f.log_y[w, a], f.log_heading[w, a], f.log_valid[w, a],
                start, first.path[w, a], first.path_count[w, a : a + 1],
            )  # fmt: skip
    f.lane_phase[w, sorted(scripted)] = -1
    for q, script in enumerate(s.scripts):
        f.script_agent[w, q], f.script_trigger[w, q], f.script_action[w, q] = (
            script.agent,
            script.trigger,
            script.action,
        )
        numbers = (script.trigger_value, script.value, *script.at_xy, *script.to_xy, script.target_speed_mps)
        f.script_number[w, q] = numbers
        f.script_lane[w, q] = script.target_lane + base if script.target_lane >= 0 else -1
    k = s.lights.state.shape[1]
    first.light_lane[w, :k] = s.lights.lane + base
    first.light_xy[w, :k] = s.lights.xy
    rows = len(s.lights.state)
    f.light_program[w, :rows, :k] = s.lights.state[: f.light_program.shape[1]]
    if rows and rows < f.light_program.shape[1]:
        f.light_program[w, rows:, :k] = s.lights.state[-1]


def _character(f: Fixed, w: int, a: int, style: str) -> None:
    """Draw one agent's driving character; the draw depends on the seed and its id only."""
    chosen, seed, key = STYLES[style], f.seed[w], f.key[w, a]

    def draw(bounds: tuple[float, float], purpose: int) -> float:
        return bounds[0] + (bounds[1] - bounds[0]) * float(uniform(seed, key, 0, purpose))

    f.headway_s[w, a] = draw(chosen.headway_s, PURPOSE_HEADWAY)
    f.speed_factor[w, a] = draw(chosen.speed_factor, PURPOSE_SPEED)
    f.accel_max[w, a] = draw(chosen.accel_max_mps2, PURPOSE_ACCEL)
    f.gap_margin_s[w, a] = draw(chosen.gap_margin_s, PURPOSE_GAP)
    f.brake_comfort[w, a] = chosen.brake_comfort_mps2
    if chosen.changes_lanes:
        f.lane_phase[w, a] = int(PHASES * float(uniform(seed, key, 0, PURPOSE_LANE)))
