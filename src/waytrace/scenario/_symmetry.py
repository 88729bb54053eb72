"""The same scenario in another frame, or with its agents in another order; and the choice of agents behind edits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import Polylines, from_frame, wrap

from .errors import WaytraceError
from .types import Agents, RoadMap, Scenario

Array = NDArray[np.float64]


class EditError(WaytraceError):
    """An edit names something that the scenario does not have, or that may not be changed."""


def transformed(scenario: Scenario, pose: Sequence[float] | Array) -> Scenario:
    """The same scenario in another world frame: rotated by ``pose[2]`` about the origin, then moved by ``pose[:2]``.

    For tests of invariance: the id stays, no edit is noted, and ``origin_xy`` is that of the old frame.
    """
    at = np.asarray(pose, dtype=np.float64)
    turn = np.array([0.0, 0.0, at[2]])
    agents = scenario.agents
    keep = agents.valid[..., None]
    moved = replace(
        agents,
        xy=np.where(keep, from_frame(agents.xy, at), 0.0),
        heading_rad=np.where(agents.valid, wrap(agents.heading_rad + at[2]), 0.0),
        velocity_mps=np.where(keep, from_frame(agents.velocity_mps, turn), 0.0),
    )
    lights = replace(scenario.lights, xy=from_frame(scenario.lights.xy, at))
    scripts = tuple(
        replace(script, at_xy=_moved(script.at_xy, at), to_xy=_moved(script.to_xy, at)) for script in scenario.scripts
    )
    return scenario.with_(map=_moved_map(scenario.map, at), lights=lights, agents=moved, scripts=scripts)


def permuted(scenario: Scenario, order: Sequence[int] | NDArray[Any]) -> Scenario:
    """The same scenario with its agents in another order: agent ``i`` is the old agent ``order[i]``.

    For tests of invariance: the id stays and no edit is noted.
    """
    if sorted(int(i) for i in order) != list(range(len(scenario.agents))):
        raise EditError(f"{list(order)} is no order of {len(scenario.agents)} agents.")
    return selected(scenario, [int(i) for i in order])


def selected(scenario: Scenario, order: list[int]) -> Scenario:
    """A scenario with the agents ``order`` (which holds the ego) in that order."""
    agents = scenario.agents
    new_index = {old: new for new, old in enumerate(order)}
    return scenario.with_(
        agents=Agents(
            agent_id=tuple(agents.agent_id[i] for i in order),
            kind=agents.kind[order],
            size_m=agents.size_m[order],
            xy=agents.xy[order],
            heading_rad=agents.heading_rad[order],
            velocity_mps=agents.velocity_mps[order],
            valid=agents.valid[order],
        ),
        ego_index=new_index[scenario.ego_index],
        scripts=tuple(replace(s, agent=new_index[s.agent]) for s in scenario.scripts if s.agent in new_index),
        agent_route=tuple(scenario.agent_route[i] for i in order) if scenario.agent_route else (),
        assertive=None if scenario.assertive is None else scenario.assertive[order],
    )


def _moved(xy: tuple[float, float], pose: Array) -> tuple[float, float]:
    x, y = from_frame(np.array(xy, dtype=np.float64), pose).tolist()
    return (x, y)


def _moved_map(road: RoadMap, pose: Array) -> RoadMap:
    lines: dict[str, Any] = {
        name: Polylines(from_frame(getattr(road, name).xy, pose), getattr(road, name).start)
        for name in ("centre", "left", "right", "crosswalk", "drivable")
    }
    return replace(road, stop_line_xy=from_frame(road.stop_line_xy, pose), **lines)
