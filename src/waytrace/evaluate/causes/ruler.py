"""How far apart plans of one moment are, and how far a planner's plan moves under edits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import Scene
from waytrace.scenario import PLAN_KNOT_S, Plan
from waytrace.trace.measure import PlanMeasured, measure

from .edits import NONE, Edit
from .rerun import Answer

KNOT_6S = 12


class Ruler:
    """Plans of one moment laid along the ego's path, each measured once."""

    def __init__(self, scene: Scene) -> None:
        self._measured = measure(scene)
        self._laid: dict[int, tuple[Plan, PlanMeasured]] = {}

    def apart(self, one: Plan, other: Plan) -> tuple[float, float]:
        """(the largest displacement within 6 s, how much further the other one gets along the lane), metres."""
        a, b = self._lay(one), self._lay(other)
        away = np.hypot(a.s - b.s, a.d - b.d)[: KNOT_6S + 1]
        return float(away.max()), float(b.s[KNOT_6S] - a.s[KNOT_6S])

    @staticmethod
    def driven_apart(one: Plan, other: Plan) -> tuple[float, float]:
        """(the largest difference between the ways driven within 6 s, how much further the other one drives), metres.

        For plans on roads of different shape: whoever drives on at the same speeds has not moved.
        """
        a, b = _driven(one), _driven(other)
        return float(np.abs(a - b).max()), float(b[-1] - a[-1])

    def _lay(self, plan: Plan) -> PlanMeasured:
        if id(plan) not in self._laid:
            self._laid[id(plan)] = plan, PlanMeasured.of(self._measured, plan)
        return self._laid[id(plan)][1]


class Moves:
    """How far a planner's plan moves under edits."""

    def __init__(self, ruler: Ruler, answers: Mapping[Edit, Answer]) -> None:
        self._ruler, self.answers = ruler, dict(answers)

    def add(self, answers: Mapping[Edit, Answer]) -> None:
        """More edits; the answer without an edit stays the first one given."""
        self.answers = {**answers, **self.answers}

    def moved(self, edit: Edit, than: Edit = NONE) -> float | None:
        """Metres between the plans after two edits; None where nothing can be compared."""
        found = self._apart(than, edit)
        return None if found is None else found[0]

    def ahead(self, edit: Edit) -> float | None:
        """How much further the plan gets within 6 s after an edit."""
        found = self._apart(NONE, edit)
        return None if found is None else found[1]

    def _apart(self, than: Edit, edit: Edit) -> tuple[float, float] | None:
        before, after = self.answers.get(than), self.answers.get(edit)
        if before is None or after is None:
            return None
        ruled = self._ruler.driven_apart if than.straightens or edit.straightens else self._ruler.apart
        return ruled(before.plan, after.plan)


def _driven(plan: Plan) -> NDArray[np.float64]:
    """[13] way driven by a plan of one planner, each 0.5 s up to 6 s: between its points it accelerates evenly."""
    speed = np.concatenate([plan.start[3:4], plan.waypoints[:KNOT_6S, 3]])
    return np.concatenate([[0.0], np.cumsum(0.5 * PLAN_KNOT_S * (speed[1:] + speed[:-1]))])
