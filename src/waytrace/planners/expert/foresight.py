"""What the expert expected of the others when it decided, and where that lies on the way it chose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .decide import Seen

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Foresight:
    """The forecast behind one decision. A others; times 0, 0.2, ... 8 s."""

    index: NDArray[np.int32]
    """[A] number of each among the scenario's agents."""
    poses: Array
    """[A, 41, 4] x, y, heading, speed."""
    changes: NDArray[np.bool_]
    """[A] who is taken to be changing lanes."""
    place: Array
    """[41, A, 6] on the lane of the chosen way: s, d, half extent along and across, speed along and across."""
    front_s: float
    """Where the ego's front bumper is on that lane now."""
    half_width_m: float


def foresight(seen: Seen) -> Foresight:
    """The forecast of a decision."""
    base = seen.all_bases[seen.options[seen.proposals.path[seen.best]].base]
    moment = seen.moment
    return Foresight(
        moment.other_index, seen.others, seen.changes, base.place, base.s0 + moment.front_m, 0.5 * moment.width_m
    )
