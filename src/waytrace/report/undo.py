"""Decisions with what their causes do: the expert is asked for its plan without each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from waytrace.evaluate.counterfactuals import counterfactuals
from waytrace.label import Asker
from waytrace.scenario import Rollout, Scenario

from .scenes import Undo
from .traces import Told


def undoing() -> Undo:
    """What asks about one drive after another, with one expert for all of them."""
    asker = Asker()

    def undo(scenario: Scenario, rollout: Rollout, told: Sequence[Told]) -> list[Told]:
        asked = {decision.tick: decision.trace for decision in told}
        found = dict(counterfactuals(scenario, rollout, asked, asker))
        return [replace(decision, undone=found.get(decision.tick, ())) for decision in told]

    return undo
