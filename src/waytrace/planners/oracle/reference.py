"""What the oracle makes of a scenario: drivers first, then, where they leave something to be wished for, a search."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import DT_S, Rollout, Scenario
from waytrace.scenario.index import CompiledMaps
from waytrace.scenario.roads import RoadCache
from waytrace.score import drive_terms, total
from waytrace.sim import World

from ..reading import moments_of_world
from .corridors import corridors, most_progress_m
from .drivers import drive_all, drivers
from .result import OracleResult
from .search import NARROW, WIDE, Search, drive_line

Array = NDArray[np.float64]

GATES = ("NC", "DAC", "DDC", "TLC")
GOOD = 0.985
"""A drive of this value is not searched beyond: what is left could not be told from the bound's own slack."""
FAIR = 0.9
"""Below this value the wide search follows the narrow one."""


def oracle_reference(
    scenario: Scenario, *, traffic: str = "mixed", style: str = "normal", seed: int = 0
) -> OracleResult:
    """Drive a scenario as well as anyone could who knows the traffic; about a second on one core.

    Deterministic. Raises :class:`WaytraceError` as the World does for an unknown traffic mode or style.
    """
    origin = World([scenario], traffic=traffic, style=style, seed=seed)
    moment = moments_of_world(origin, RoadCache())[0]
    seconds = float(origin.fixed.last_tick[0]) * DT_S
    ways = corridors(moment, seconds)
    x, y, _, speed = (float(v) for v in moment.axle)
    bound = most_progress_m(ways, x, y, max(speed, 0.0), seconds) if len(ways.samples) else 0.0

    def judged(rollout: Rollout, name: str, kept: bool) -> OracleResult:
        return _judged(scenario, rollout, name, kept, bound, origin.maps)

    best = max((judged(d.rollout, d.name, d.clean) for d in drive_all(scenario, origin, drivers(scenario))), key=_order)
    if not len(ways.samples):
        return best
    lean = World([scenario], traffic=traffic, style=style, seed=seed, record=False, maps=origin.maps)
    for breadth in (NARROW, WIDE):
        if best.clean and best.value >= (GOOD if breadth is NARROW else FAIR):
            break
        floor = best.value if best.clean else -1.0
        search = Search(lean, ways, bound, moment.rear_m, breadth, floor)
        for line in search.run():
            found = judged(drive_line(scenario, origin, ways, line, moment.rear_m), "search", True)
            best = max(best, found, key=_order)
    return best


def _order(result: OracleResult) -> tuple[bool, float, float]:
    return result.clean, 0.0 if result.clean else float(len(result.rollout.pose)), result.value


def _judged(
    scenario: Scenario, rollout: Rollout, name: str, kept: bool, bound_m: float, maps: CompiledMaps
) -> OracleResult:
    """A drive by the score's own measure."""
    progress, terms = drive_terms(scenario, rollout, bound_m, maps=maps)
    terms.pop("MP", None)
    clean = kept and all(terms.get(gate, 1.0) == 1.0 for gate in GATES)
    value = total(terms)
    return OracleResult(progress, clean, rollout, name, value, total(terms | {"EP": 1.0}), bound_m)
