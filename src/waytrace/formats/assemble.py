"""From map, tracks and an ego to a scenario: what all readers end with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import arc_lengths
from waytrace.scenario import REAR_AXLE_TO_CENTRE, Agents, Provenance, Scenario

from .coverage import cut_beyond_map, front_beyond_map
from .routes import Locator, route_along
from .tracks import part, select

Array = NDArray[np.float64]

BEHIND_M = 8.0
"""A route begins this far (of the ego's own way) behind the start, so that the rear axle stands on it too."""


@dataclass(frozen=True)
class Terms:
    """Where a drive comes from and on what terms."""

    source: str
    reader: str
    file: str
    sha256: str
    licence: str
    attribution: str
    cluster: str
    details: dict[str, Any] = field(default_factory=dict)


def box_centre(rear_axle_xy: Array, heading_rad: Array, length_m: float) -> Array:
    """Box centres [n, 2] of a vehicle whose rear axle stands at ``rear_axle_xy`` [n, 2]."""
    ahead = REAR_AXLE_TO_CENTRE * length_m
    return rear_axle_xy + ahead * np.stack([np.cos(heading_rad), np.sin(heading_rad)], axis=-1)


def last_step(valid: NDArray[np.bool_], start: int) -> int:
    """Last step of the unbroken run of valid steps that ``start`` lies in."""
    gaps = np.flatnonzero(~valid[start:])
    return int(start + gaps[0] - 1) if len(gaps) else len(valid) - 1


def recorded_scenario(
    id: str, locator: Locator, lights: Any, agents: Agents, ego: int, start: int, origin_xy: Array,
    terms: Terms, notes: Counter[str], end: int | None = None,
) -> Scenario | None:  # fmt: skip
    """A scenario in which recorded agent ``ego`` is to drive from step ``start``; None where it is on no lane.

    It ends at step ``end``, by default with the ego's unbroken recording or where it comes to the end of the map.
    """
    if end is None:
        end = last_step(agents.valid[ego], start)
        alone = select(agents, np.arange(len(agents)) == ego)
        end = max(start + 1, min(end, last_step(~front_beyond_map(locator, alone)[0], start)))
    notes = Counter(notes)
    agents = cut_beyond_map(agents, ego, locator, notes)
    present = np.asarray(agents.valid.any(axis=1), dtype=np.bool_)
    agents, ego = select(agents, present), int(present[:ego].sum())
    agents, ego = part(agents, ego, start, notes)
    first = start
    while first > 0 and agents.valid[ego, first - 1]:
        first -= 1
    way = agents.xy[ego, first : start + 1]
    behind = arc_lengths(way)[-1] - arc_lengths(way)
    first += int(np.argmax(behind <= BEHIND_M))
    route = route_along(locator, agents.xy[ego, first : end + 1], agents.heading_rad[ego, first : end + 1])
    if route is None:
        return None
    return Scenario(
        id=id,
        source=terms.source,
        map=locator.road,
        lights=lights,
        agents=agents,
        ego_index=ego,
        route=route,
        start_step=start,
        end_step=end,
        provenance=provenance(terms, origin_xy, notes),
        cluster=terms.cluster,
    )


def provenance(terms: Terms, origin_xy: Array, notes: Counter[str]) -> Provenance:
    """Provenance with everything that was repaired or left out in its details."""
    return Provenance(
        licence=terms.licence,
        attribution=terms.attribution,
        file=terms.file,
        sha256=terms.sha256,
        reader=terms.reader,
        origin_xy=(float(origin_xy[0]), float(origin_xy[1])),
        details={**terms.details, **{k: int(v) for k, v in sorted(notes.items()) if v}},
    )
