"""The gate: eight looks at a result beside its baseline, one verdict."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from waytrace.evaluate.result import Result

from .events import g3
from .pairs import Pairs, judged, pair
from .policy import Policy
from .said import g5, g6
from .scores import g4, g7
from .sound import g0, g1, g2
from .verdict import NOT_JUDGED, Outcome, Verdict, overall


@dataclass(frozen=True)
class Decision:
    """What the gate says."""

    verdict: Verdict
    outcomes: tuple[Outcome, ...]
    """G0 to G7, in their order."""
    pairs: Pairs
    allowed: bool
    """Whether a merge may go on: improved, equivalent, or what the policy allows."""

    @property
    def scores(self) -> dict[str, Any]:
        """The figures of G4: difference, interval, margin, detectable effect."""
        return self.of("G4").figures

    def of(self, gate: str) -> Outcome:
        """One gate's outcome."""
        return next(outcome for outcome in self.outcomes if outcome.gate == gate)


def gate(
    candidate: Result,
    baseline: Result,
    *,
    policy: Policy | None = None,
    release: Result | None = None,
    again: Result | None = None,
) -> Decision:
    """Judge ``candidate`` beside ``baseline``: G0 to G7, one of four verdicts.

    ``release`` is the last release's result (G7; else the policy's), ``again`` a second evaluation of the candidate
    (G1). Raises :class:`GateError` or ``StoreError`` where the results cannot be compared.
    """
    policy = policy or Policy()
    checked = judged(candidate)
    pairs = pair(checked, judged(baseline), partial=policy.partial)
    if release is None and policy.release is not None:
        release = _release(policy.release)
    outcomes = (
        g0(pairs, policy),
        g1(pairs, judged(again) if again else None, policy),
        g2(pairs, policy),
        g3(pairs, policy),
        g4(pairs, policy),
        g5(pairs, policy),
        g6(pairs, policy),
        g7(pair(checked, judged(release), partial=policy.partial, called="release"), policy)
        if release
        else Outcome("G7", "scores beside the last release", NOT_JUDGED, "no release was given (--release)"),
    )
    verdict = overall(outcomes)
    allowed = verdict in (Verdict.IMPROVED, Verdict.EQUIVALENT) or str(verdict) in policy.allow
    return Decision(verdict, outcomes, pairs, allowed)


def _release(path: Path) -> Result:
    from .baseline import load_baseline

    return load_baseline(path)
