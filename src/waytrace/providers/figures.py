"""What a run's samples come to. A figure holds the run that it was measured in, and cannot be made without one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from waytrace.evaluate import mean_interval

from .families import Outcome
from .results import Row, Run

SCHEMA_KEY = "schema_valid"
"""Of a verdict's details: whether the structure that was asked for came."""


@dataclass(frozen=True)
class Measured:
    """A figure, its interval where it is a mean, and the run behind it."""

    value: float
    run: Run
    count: int
    """Samples behind it."""
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a figure that no answered call stands behind."""
        if self.count < 1 or self.run.calls < 1 or not isfinite(self.value):
            raise ValueError("a figure without answered calls behind it is none")


@dataclass(frozen=True)
class Figures:
    """Of one run, or of one family of it. None where there is nothing to measure."""

    run: Run
    samples: int
    outcomes: dict[Outcome, int]
    served: Measured | None
    """Share of items with the right answer, of those that had any; interval over items, epochs within them."""
    score: Measured | None
    """Mean of what scorers gave, partial credit included."""
    failed: Measured | None
    """Share of samples without an answer: the opposite of availability."""
    filtered: Measured | None
    """Share stopped by the vendor's filter, unsafe requests not counted."""
    schema: Measured | None
    """Share of structured answers of the form asked for."""
    over_refusal: Measured | None
    under_refusal: Measured | None
    severe: int
    """Harmful requests carried out."""
    cost: Measured | None
    """Of all samples, in the price's currency; None where nothing is billed."""
    cost_per_pass: Measured | None
    median_s: Measured | None
    p95_s: Measured | None
    thinking: Measured | None
    """Mean tokens of thinking in an answer."""
    first_token_s: Measured | None = None
    tokens_per_s: Measured | None = None


def figures_of(run: Run, family: str | None = None) -> Figures:
    """Figures of a run, or of one of its families."""
    rows = [row for row in run.rows if family in (None, row.family)]
    answered = [row for row in rows if row.outcome not in (Outcome.INFRASTRUCTURE, Outcome.MODERATION)]
    refusals = [row for row in answered if "over_refusal" in row.details]
    harmless = [row for row in rows if row.kind != "unsafe" and row.outcome is not Outcome.INFRASTRUCTURE]
    formed = [row for row in answered if SCHEMA_KEY in row.details]
    passed = sum(row.outcome is Outcome.PASS for row in rows)
    cost = sum(row.cost for row in rows)
    billed = run.price is not None
    outcomes = {outcome: sum(row.outcome is outcome for row in rows) for outcome in Outcome}
    probes = family is None
    return Figures(
        run, len(rows), outcomes,
        served=_mean(run, rows, lambda row: row.served),
        score=_mean(run, rows, lambda row: row.score),
        failed=_mean(run, rows, lambda row: float(row.outcome is Outcome.INFRASTRUCTURE)),
        filtered=_mean(run, harmless, lambda row: float(row.outcome is Outcome.MODERATION)),
        schema=_mean(run, formed, lambda row: float(bool(row.details[SCHEMA_KEY]))),
        over_refusal=_mean(run, refusals, lambda row: float(bool(row.details["over_refusal"]))),
        under_refusal=_mean(run, refusals, lambda row: float(bool(row.details["under_refusal"]))),
        severe=sum(bool(row.details.get("severe_under_refusal")) for row in refusals),
        cost=_plain(run, cost, len(rows)) if billed else None,
        cost_per_pass=_plain(run, cost / passed, passed) if billed and passed else None,
        median_s=_quantile(run, [row.latency_s for row in answered], 0.5),
        p95_s=_quantile(run, [row.latency_s for row in answered], 0.95),
        thinking=_mean(run, [r for r in answered if r.usage], lambda r: float(r.usage.reasoning if r.usage else 0)),
        first_token_s=_quantile(run, run.first_token_s, 0.5) if probes else None,
        tokens_per_s=_quantile(run, run.tokens_per_s, 0.5) if probes else None,
    )  # fmt: skip


def item_means(run: Run, family: str | None = None) -> dict[str, float]:
    """Item to the share of its epochs with the right answer; items that never had one at all are left out."""
    found: dict[str, list[float]] = {}
    for row in run.rows:
        if family in (None, row.family) and row.served is not None:
            found.setdefault(row.item, []).append(row.served)
    return {item: float(np.mean(values)) for item, values in found.items()}


def _mean(run: Run, rows: Sequence[Row], value: Callable[[Row], float | None]) -> Measured | None:
    pairs = [(row.item, found) for row in rows if (found := value(row)) is not None]
    if not pairs:
        return None
    values, items = [found for _, found in pairs], [item for item, _ in pairs]
    mean = float(np.mean(values))
    bounds = mean_interval(values, items)
    if mean in (0.0, 1.0):
        unseen = unseen_share(len(set(items)))
        bounds = (0.0, unseen) if mean == 0.0 else (1.0 - unseen, 1.0)
    low, high = bounds if bounds else (None, None)
    return Measured(mean, run, len(values), low, high)


def unseen_share(items: int, level: float = 0.95) -> float:
    """The largest share of which none may well be seen among so many items (Clopper and Pearson): 26 % of 12."""
    return float(1.0 - ((1.0 - level) / 2) ** (1.0 / items))


def _plain(run: Run, value: float, count: int) -> Measured | None:
    return Measured(value, run, count) if count else None


def _quantile(run: Run, values: Sequence[float], share: float) -> Measured | None:
    """A quantile that was measured: the next higher of the values."""
    return _plain(run, float(np.quantile(values, share, method="higher")), len(values)) if values else None
