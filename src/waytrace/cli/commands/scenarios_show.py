"""``waytrace scenarios show``: one scenario in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """Say what a scenario holds: map, agents, ego, route, lights, licence."""

    store: Annotated[Positional[Path], arg(metavar="STORE")]
    """The store."""
    id: Annotated[Positional[str], arg(metavar="ID")]
    """The scenario's id, as `waytrace scenarios list` prints it."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Print the scenario's facts, one a line."""
    import numpy as np

    from waytrace.scenario import AgentKind
    from waytrace.scenario.store import ScenarioStore

    store = ScenarioStore.open(options.store)
    scenario = store[options.id]
    agents, ego, now = scenario.agents, scenario.ego_index, scenario.start_step
    kinds = Counter(AgentKind(int(kind)).name.lower() for kind in agents.kind)
    facts = {
        **store.summary(options.id),
        "dt_s": scenario.dt_s,
        "duration_s": round((scenario.end_step - now) * scenario.dt_s, 3),
        "ego": agents.agent_id[ego],
        "ego_speed_mps": round(float(np.hypot(*agents.velocity_mps[ego, now])), 3),
        "kinds": dict(kinds),
        "lights": len(scenario.lights.lane),
        "route_groups": [[scenario.map.lane_id[lane] for lane in group] for group in scenario.route.groups],
        "scripts": len(scenario.scripts),
    }
    width = max(map(len, facts))
    for name, value in facts.items():
        output.say(f"{name:<{width}}  {value}")
    output.finish(facts)
    return 0
