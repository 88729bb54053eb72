"""Edits: a scenario with one thing changed, and nothing else. Pure functions; the original is left as it was.

Each edit gives the new scenario a readable id (``<id>+without-12``) and notes itself in
``provenance.details["edits"]``. Agents are named by id (str) or by index (int). What refers to agents (the ego's
index, scripts, agent routes, assertive) follows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import wrap

from ._symmetry import EditError, permuted, selected, transformed
from .types import Action, LaneControl, Lights, LightState, Scenario, Script, Trigger

__all__ = [
    "AgentName",
    "EditError",
    "delay",
    "index_of",
    "keep_only",
    "permuted",
    "raise_limit",
    "remove",
    "remove_stop_line",
    "set_light",
    "shift",
    "slow",
    "transformed",
]

AgentName = int | str
Array = NDArray[np.float64]


def index_of(scenario: Scenario, agent: AgentName) -> int:
    """Index of an agent given by id or index. Raises :class:`EditError` where there is none."""
    if isinstance(agent, str):
        if agent in scenario.agents.agent_id:
            return scenario.agents.agent_id.index(agent)
    elif 0 <= agent < len(scenario.agents):
        return int(agent)
    raise EditError(f"Scenario {scenario.id!r} has no agent {agent!r} among its {len(scenario.agents)}.")


def remove(scenario: Scenario, agents: Iterable[AgentName]) -> Scenario:
    """Without these agents. The ego cannot be removed (:class:`EditError`)."""
    gone = sorted({index_of(scenario, agent) for agent in agents})
    if scenario.ego_index in gone:
        raise EditError(f"The ego of scenario {scenario.id!r} cannot be removed.")
    names = [scenario.agents.agent_id[i] for i in gone]
    kept = [i for i in range(len(scenario.agents)) if i not in set(gone)]
    return noted(selected(scenario, kept), f"without-{_listed(names)}", edit="remove", agents=names)


def keep_only(scenario: Scenario, agents: Iterable[AgentName]) -> Scenario:
    """With no agents but these and the ego."""
    kept = sorted({index_of(scenario, agent) for agent in agents} | {scenario.ego_index})
    names = [scenario.agents.agent_id[i] for i in kept if i != scenario.ego_index]
    return noted(selected(scenario, kept), f"only-{_listed(names)}", edit="keep_only", agents=names)


def shift(scenario: Scenario, agent: AgentName, along_m: float, across_m: float = 0.0) -> Scenario:
    """An agent moved as a whole: forward and to the left, by its heading at the start step.

    Headings and velocities stay. (Where it is not valid at the start step, its first valid step counts.) The places
    in its scripts move along.
    """
    i = index_of(scenario, agent)
    agents = scenario.agents
    steps = np.flatnonzero(agents.valid[i])
    if len(steps) == 0:
        raise EditError(f"Agent {agent!r} of scenario {scenario.id!r} is valid at no step and cannot be shifted.")
    step = scenario.start_step if agents.valid[i, scenario.start_step] else steps[0]
    cos, sin = np.cos(agents.heading_rad[i, step]), np.sin(agents.heading_rad[i, step])
    by = np.array([cos * along_m - sin * across_m, sin * along_m + cos * across_m])
    xy = agents.xy.copy()
    xy[i, agents.valid[i]] += by
    moved = scenario.with_(
        agents=replace(agents, xy=xy),
        scripts=tuple(_shifted(s, by) if s.agent == i else s for s in scenario.scripts),
    )
    name = agents.agent_id[i]
    suffix = f"shift-{name}-{along_m:+g}-{across_m:+g}"
    return noted(moved, suffix, edit="shift", agent=name, along_m=float(along_m), across_m=float(across_m))


def slow(scenario: Scenario, agent: AgentName, factor: float) -> Scenario:
    """An agent at ``factor`` times its speed on its own path (0 stands still, above 1 is faster).

    It is where it was at the start step (where not valid then, at its first valid step); its history is slowed too,
    so that its speed has no jump. Above 1 its recording ends sooner. Its scripts are retimed with it; one that
    stands still does none of them.
    """
    i = index_of(scenario, agent)
    if not 0.0 <= factor < np.inf:
        raise EditError(f"A speed factor must be 0 or more, not {factor}.")
    valid = scenario.agents.valid[i]
    pivot = scenario.start_step if valid[scenario.start_step] else int(np.argmax(valid))
    source_step = pivot + (np.arange(scenario.steps, dtype=np.float64) - pivot) * factor
    edited = _retimed(scenario, i, source_step, factor)
    scripts = tuple(
        _slowed(script, factor) if script.agent == i else script
        for script in edited.scripts
        if script.agent != i or factor > 0
    )
    name = scenario.agents.agent_id[i]
    return noted(
        edited.with_(scripts=scripts), f"slow-{name}-{factor:g}", edit="slow", agent=name, factor=float(factor)
    )


def delay(scenario: Scenario, agent: AgentName, seconds: float) -> Scenario:
    """An agent that does everything ``seconds`` later (earlier where negative) on its own path.

    Where its recording does not reach back far enough, it comes at its first recorded velocity, straight; it is
    seen from the same step as before. Scripts set off by time move along.
    """
    i = index_of(scenario, agent)
    if not np.isfinite(seconds):
        raise EditError(f"A delay must be a finite number of seconds, not {seconds}.")
    edited = _retimed(scenario, i, np.arange(scenario.steps, dtype=np.float64) - seconds / scenario.dt_s, 1.0)
    scripts = tuple(
        replace(s, trigger_value=max(0.0, s.trigger_value + seconds))
        if s.agent == i and s.trigger is Trigger.TIME
        else s
        for s in edited.scripts
    )
    name = scenario.agents.agent_id[i]
    return noted(
        edited.with_(scripts=scripts), f"delay-{name}-{seconds:+g}s", edit="delay", agent=name, seconds=float(seconds)
    )


def set_light(scenario: Scenario, light: int, state: LightState, from_step: int = 0) -> Scenario:
    """A traffic light that shows ``state`` from ``from_step`` on."""
    lights = scenario.lights
    if not 0 <= light < len(lights.lane):
        raise EditError(f"Scenario {scenario.id!r} has no light {light} among its {len(lights.lane)}.")
    states = lights.state.copy()
    states[max(0, from_step) :, light] = int(state)
    edited = scenario.with_(lights=Lights(lights.lane, lights.xy, states))
    suffix = f"light-{light}-{state.name.lower()}"
    return noted(edited, suffix, edit="set_light", light=int(light), state=state.name, from_step=int(from_step))


def raise_limit(scenario: Scenario, by_mps: float, lanes: Iterable[int] | None = None) -> Scenario:
    """Speed limits higher by ``by_mps`` on ``lanes`` (on all where None). A lane without a limit stays without."""
    chosen = list(range(len(scenario.map))) if lanes is None else sorted({_lane(scenario, lane) for lane in lanes})
    limits = scenario.map.speed_limit_mps.copy()
    limits[chosen] += by_mps
    initial = scenario.initial_speed_limit_mps + (by_mps if lanes is None else 0.0)
    if initial <= 0 or (limits[chosen] <= 0).any() or not np.isfinite(by_mps):
        raise EditError(f"A speed limit of scenario {scenario.id!r} would not be positive: {by_mps:+g} m/s.")
    edited = scenario.with_(map=replace(scenario.map, speed_limit_mps=limits), initial_speed_limit_mps=initial)
    of = None if lanes is None else [scenario.map.lane_id[i] for i in chosen]
    suffix = f"limit-{by_mps:+g}" if of is None else f"limit-{_listed(of)}-{by_mps:+g}"
    return noted(edited, suffix, edit="raise_limit", by_mps=float(by_mps), lanes=of)


def remove_stop_line(scenario: Scenario, line: int) -> Scenario:
    """Without a stop line, and without the duty to stop on the connectors behind it (unless another line is left)."""
    road = scenario.map
    if not 0 <= line < len(road.stop_line_lane):
        raise EditError(f"Scenario {scenario.id!r} has no stop line {line} among its {len(road.stop_line_lane)}.")
    lane = int(road.stop_line_lane[line])
    rest = np.delete(road.stop_line_lane, line)
    control = road.lane_control.copy()
    if lane not in rest:
        behind = road.successors(lane)
        control[behind[control[behind] == LaneControl.STOP]] = LaneControl.NONE
    edited = scenario.with_(
        map=replace(
            road, stop_line_xy=np.delete(road.stop_line_xy, line, axis=0), stop_line_lane=rest, lane_control=control
        )
    )
    return noted(edited, f"without-stop-line-{line}", edit="remove_stop_line", line=int(line))


def _retimed(scenario: Scenario, i: int, source_step: Array, factor: float) -> Scenario:
    """Agent ``i`` at step t in the state it had at ``source_step[t]`` (fractional), its velocity times ``factor``.

    Before its first valid step it is extrapolated; after its last, and in gaps, it is not valid.
    """
    agents = scenario.agents
    steps = np.flatnonzero(agents.valid[i])
    if len(steps) == 0:
        raise EditError(f"Agent {i} of scenario {scenario.id!r} is valid at no step and cannot be retimed.")
    first, last = int(steps[0]), int(steps[-1])
    whole = np.rint(source_step)
    source_step = np.where(np.abs(source_step - whole) < 1e-9, whole, source_step)
    lead = np.minimum(source_step - first, 0.0) * scenario.dt_s
    inside = np.clip(source_step, first, last)
    low = np.floor(inside).astype(np.int64)
    high = np.minimum(low + 1, last)
    t = inside - low
    high[t == 0] = low[t == 0]
    since = np.arange(scenario.steps) >= first
    valid = agents.valid[i, low] & agents.valid[i, high] & (source_step <= last) & (since | (source_step >= first))

    def between(array: Array) -> Array:
        weight = t.reshape(-1, *[1] * (array.ndim - 1))
        mixed: Array = array[low] * (1 - weight) + array[high] * weight
        return mixed

    heading = agents.heading_rad[i]
    velocity = between(agents.velocity_mps[i])
    columns = {
        "xy": between(agents.xy[i]) + velocity * lead[:, None],
        "heading_rad": np.where(t == 0, heading[low], wrap(heading[low] + t * wrap(heading[high] - heading[low]))),
        "velocity_mps": velocity * factor,
    }
    changed: dict[str, Any] = {"valid": agents.valid.copy()}
    changed["valid"][i] = valid
    for name, column in columns.items():
        changed[name] = getattr(agents, name).copy()
        column[~valid] = 0.0
        changed[name][i] = column
    edited = scenario.with_(agents=replace(agents, **changed))
    if i == scenario.ego_index and scenario.recorded:
        after = np.flatnonzero(valid)
        end = min(scenario.end_step, int(after[-1])) if len(after) else -1
        if end <= scenario.start_step or not valid[scenario.start_step]:
            raise EditError(f"The ego of scenario {scenario.id!r} would not be there after its start.")
        edited = edited.with_(end_step=end)
    return edited


def _slowed(script: Script, factor: float) -> Script:
    paced = script.action in (Action.WALK, Action.CHANGE_LANE)
    timed = script.trigger in (Trigger.TIME, Trigger.AFTER)
    return replace(
        script,
        trigger_value=script.trigger_value / factor if timed else script.trigger_value,
        value=script.value * factor if paced else script.value,
        target_speed_mps=script.target_speed_mps * factor,
    )


def _shifted(script: Script, by: Array) -> Script:
    def moved(xy: tuple[float, float]) -> tuple[float, float]:
        return (float(xy[0] + by[0]), float(xy[1] + by[1]))

    return replace(script, at_xy=moved(script.at_xy), to_xy=moved(script.to_xy))


def _lane(scenario: Scenario, lane: int) -> int:
    if not 0 <= lane < len(scenario.map):
        raise EditError(f"Scenario {scenario.id!r} has no lane {lane} among its {len(scenario.map)}.")
    return int(lane)


def _listed(names: list[str]) -> str:
    """Up to three names as they are, more as a count and a digest."""
    if len(names) <= 3:
        return "-".join(names) or "none"
    return f"{len(names)}-{hashlib.sha256(chr(0).join(names).encode()).hexdigest()[:8]}"


def noted(scenario: Scenario, suffix: str, **note: Any) -> Scenario:
    """An edited scenario under its new id, with the edit noted in its provenance."""
    provenance = scenario.provenance
    edits = [*provenance.details.get("edits", []), note]
    details = {**provenance.details, "edits": edits}
    return scenario.with_(id=f"{scenario.id}+{suffix}", provenance=replace(provenance, details=details))
