"""The ego's past in an edited drive, so that its braking does not betray what was taken away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from waytrace.evaluate.drive import REPLAN_TICKS
from waytrace.sim import World

Array = NDArray[np.float64]


class Past:
    """While it lasts, every ego has come to its present state as the expert would have driven it there.

    ``gains`` [W] each: by how much more the expert accelerates than in the drive without an edit, one for each
    decision before this moment, oldest first. Place and speed now stay; what was before is shifted along the ego's
    heading.
    """

    def __init__(self, world: World, gains: Sequence[Array]) -> None:
        """Of a world and the gains so far."""
        self._world, self._gains = world, gains

    def __enter__(self) -> None:
        world, now = self._world, int(self._world.tick[0])
        self._accel = world.state.accel.copy()
        self._pose, self._speed = world.record.pose.copy(), world.record.speed.copy()
        if not self._gains:
            return
        gain = np.zeros((now, len(world)))
        for back, each in enumerate(reversed(self._gains)):
            end = now - back * REPLAN_TICKS
            gain[max(end - REPLAN_TICKS, 0) : end] = each
        dt_s = world.scenarios[0].dt_s
        for row, slot in _egos(world):
            if not gain[:, row].any():
                continue
            speed = self._speed[row, : now + 1, slot]
            # Reverse sums: what is still to be gained before now was missing then.
            missing = np.concatenate([np.cumsum(gain[::-1, row])[::-1], [0.0]]) * dt_s
            changed = np.where(speed >= 0.0, np.maximum(speed - missing, 0.0), speed)
            further = np.concatenate([np.cumsum((changed - speed)[:-1][::-1])[::-1], [0.0]]) * dt_s
            heading = self._pose[row, : now + 1, slot, 2]
            world.record.speed[row, : now + 1, slot] = changed
            world.record.pose[row, : now + 1, slot, 0] -= further * np.cos(heading)
            world.record.pose[row, : now + 1, slot, 1] -= further * np.sin(heading)
            world.state.accel[row, slot] += gain[-1, row]

    def __exit__(self, *_: object) -> None:
        world = self._world
        world.state.accel[...] = self._accel
        world.record.pose[...], world.record.speed[...] = self._pose, self._speed


def _egos(world: World) -> Iterator[tuple[int, int]]:
    """(world, slot) of every ego."""
    return zip(world.rows.world.tolist(), world.rows.slot.tolist(), strict=True)
