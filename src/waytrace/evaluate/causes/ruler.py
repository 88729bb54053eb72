"""How far apart plans of one moment are, and how far a planner's plan moves under edits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from waytrace.observe import Scene
from waytrace.scenario import Plan
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
        pair = self.answers.get(than), self.answers.get(edit)
        return None if pair[0] is None or pair[1] is None else self._ruler.apart(pair[0].plan, pair[1].plan)[0]

    def ahead(self, edit: Edit) -> float | None:
        """How much further the plan gets within 6 s after an edit."""
        found = self.answers.get(edit)
        return None if found is None else self._ruler.apart(self.answers[NONE].plan, found.plan)[1]
