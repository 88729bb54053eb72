"""What a gate may say, and how the words of several gates become one verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from waytrace.scenario import WaytraceError


class GateError(WaytraceError):
    """Two results, a policy or a baseline that cannot be judged. The message says what does not fit."""


class Verdict(StrEnum):
    """How a candidate stands beside its baseline."""

    IMPROVED = "improved"
    EQUIVALENT = "equivalent"
    INCONCLUSIVE = "inconclusive"
    REGRESSED = "regressed"


PASSED, FAILED, NOT_JUDGED = "passed", "failed", "not judged"
"""What gates say that compare nothing (G0 to G2), and any gate that lacks what it needs."""


@dataclass(frozen=True)
class Outcome:
    """What one gate found."""

    gate: str
    """``G0`` to ``G7``."""
    title: str
    state: str
    """A :class:`Verdict`, or ``passed``, ``failed``, ``not judged``."""
    says: str
    """One sentence with the figures that the state rests on."""
    details: tuple[str, ...] = ()
    """A line for every scene, family or figure that matters."""
    figures: dict[str, Any] = field(default_factory=dict)
    """Plain JSON values."""

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "gate": self.gate, "title": self.title, "state": str(self.state), "says": self.says,
            "details": list(self.details), "figures": self.figures,
        }  # fmt: skip


def overall(outcomes: Iterable[Outcome]) -> Verdict:
    """One verdict: regressed where any gate fell, else inconclusive where any is, else improved where the scores are.

    A gate that was not judged takes no part. Speed or traces that improve do not make a planner improved: the
    closed-loop score (G4) or the rare events (G3) have to.
    """
    found = list(outcomes)
    states = {str(o.state) for o in found}
    if states & {Verdict.REGRESSED, FAILED}:
        return Verdict.REGRESSED
    if Verdict.INCONCLUSIVE in states:
        return Verdict.INCONCLUSIVE
    if any(o.state == Verdict.IMPROVED for o in found if o.gate in ("G3", "G4")):
        return Verdict.IMPROVED
    return Verdict.EQUIVALENT
