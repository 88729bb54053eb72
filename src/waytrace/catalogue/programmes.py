"""Light programmes of a junction of two crossing streets: never two streets open at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import DT_S, Lights, LightState, RoadMap

from .cast import START_STEP


@dataclass(frozen=True)
class Programme:
    """Two streets take turns. ``changes``: (time in s from the start, street) at which a street turns green.

    Each green ends in ``yellow_s`` of yellow and ``clearance_s`` of red for everybody before the next one begins.
    """

    changes: tuple[tuple[float, int], ...]
    yellow_s: float
    clearance_s: float
    streets: tuple[tuple[int, ...], ...]
    """Connector lanes of each street."""

    def state(self, street: int, at_s: NDArray[np.float64]) -> NDArray[np.uint8]:
        """What a street is shown at each time."""
        shown = np.full(len(at_s), LightState.RED, np.uint8)
        for k, (begin, who) in enumerate(self.changes):
            if who != street:
                continue
            end = self.changes[k + 1][0] if k + 1 < len(self.changes) else np.inf
            yellow = end - self.clearance_s - self.yellow_s
            shown[(at_s >= begin) & (at_s < yellow)] = LightState.GREEN
            shown[(at_s >= yellow) & (at_s < end - self.clearance_s)] = LightState.YELLOW
        return shown

    def lights(self, road_map: RoadMap, steps: int) -> Lights:
        """The lights of every connector over ``steps`` steps."""
        at = np.round((np.arange(steps) - START_STEP) * DT_S, 3)
        lanes = [lane for street in self.streets for lane in street]
        states = [self.state(k, at) for k, street in enumerate(self.streets) for _ in street]
        return Lights(
            np.array(lanes, np.int32),
            np.array([road_map.centre[lane][0] for lane in lanes]).reshape(-1, 2),
            np.ascontiguousarray(np.stack(states, axis=1)),
        )


def two_streets(
    green_from_s: float, green_s: float, other_green_s: float, yellow_s: float, clearance_s: float,
    streets: Sequence[Sequence[int]], until_s: float,
) -> Programme:  # fmt: skip
    """A programme in which street 0 turns green at ``green_from_s`` (may lie before the start), and so on round."""
    turn = (green_s + yellow_s + clearance_s, other_green_s + yellow_s + clearance_s)
    cycle = sum(turn)
    first = green_from_s - cycle * np.ceil((green_from_s + 2.0) / cycle)
    changes, at, street = [], float(first), 0
    while at < until_s + cycle:
        changes.append((round(at, 3), street))
        at += turn[street]
        street = 1 - street
    return Programme(tuple(changes), yellow_s, clearance_s, tuple(tuple(s) for s in streets))
