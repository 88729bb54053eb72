"""The expert as a planner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import Plan, WaytraceError
from waytrace.scenario.roads import RoadCache

from ..moment import Moment
from ..motion import make_plan, stack_controls
from ..reading import moments
from .certificate import Certificate, Choice
from .certify import certify, choice_of
from .config import ExpertConfig
from .decide import Memory, Seen, decide
from .foresight import Foresight, foresight

if TYPE_CHECKING:
    from waytrace.observe import Observation

Array = NDArray[np.float64]


class Expert:
    """Proposals over lanes, offsets and speeds, driven forward and judged by the score's own rules.

    In the manner of PDM-Closed (Dauner et al. 2023, https://arxiv.org/abs/2306.07962), with these differences: the
    others are forecast along their lanes, keep braking, heed lights and those ahead of them; stops before conflict
    zones, ways round what stands, and lane changes along the route are proposals too; speeds are lowered where people
    stand at the kerb. It sees the history up to now, the map, the frozen route and the lights now, nothing else.
    """

    name = "expert"
    privileged: ClassVar[bool] = False

    def __init__(self, config: ExpertConfig | None = None) -> None:
        self.config = config or ExpertConfig()
        self._roads = RoadCache()
        self._seen: list[Seen | None] = []
        self._certificates: list[Certificate | None] | None = None

    @property
    def certificates(self) -> list[Certificate | None]:
        """Of the last call of :meth:`plan`, one a row, None where no road is in reach; written when asked for."""
        if self._certificates is None:
            self._certificates = [certify(seen) if seen is not None else None for seen in self._seen]
        return self._certificates

    @property
    def forecasts(self) -> list[Foresight | None]:
        """What the last call of :meth:`plan` expected of the others, one a row, None where no road is in reach."""
        return [foresight(seen) if seen is not None else None for seen in self._seen]

    @property
    def rollouts(self) -> list[Array | None]:
        """Of the last call of :meth:`plan`, one a row: every proposal driven forward, [J, 81, 7] each 0.1 s.

        In the order of the certificate's ``considered``; the rear axle's x, y, heading and speed come first.
        """
        return [seen.rollouts if seen is not None else None for seen in self._seen]

    def as_driven(self, row: int, proposal: int, accel_mps2: Array, curvature_1pm: Array) -> Choice:
        """A proposal of the last call of :meth:`plan` as if it had been chosen and driven with these controls [16]."""
        seen = self._seen[row]
        if seen is None:
            raise WaytraceError(f"row {row} has no proposals: no road is in reach")
        return choice_of(seen, proposal, accel_mps2, curvature_1pm)

    def reset(self, ids: Sequence[str], world: Any = None) -> None:
        """Begin new episodes."""
        self._seen, self._certificates = [], None

    def plan(self, observation: Observation, state: Any) -> tuple[Plan, None, Any]:
        """One plan a row."""
        return self.plan_moments(moments(observation, self._roads), state)

    def plan_moments(
        self, rows: Sequence[Moment], state: Any, futures: Sequence[Array] | None = None
    ) -> tuple[Plan, None, Any]:
        """The same from moments. ``futures`` ([A, 41, 4] a row) replaces its own forecast: for the oracle only."""
        memory = state if state is not None else [None] * len(rows)
        controls, after = [], []
        self._seen, self._certificates = [], None
        for i, (moment, mine) in enumerate(zip(rows, memory, strict=True)):
            mine = mine or Memory(-1, max(self.config.unlimited_mps, float(moment.axle[3])))
            accel, curvature, mine, seen = decide(
                moment, mine, self.config, futures[i] if futures is not None else None
            )
            controls.append((accel, curvature))
            after.append(mine)
            self._seen.append(seen)
        accel, curvature = stack_controls(controls)
        start = np.stack([m.axle for m in rows]) if rows else np.zeros((0, 4))
        return make_plan(np.array([m.t_s for m in rows]), start, accel, curvature, self.name), None, after
