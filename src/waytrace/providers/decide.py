"""Which model to take: gates, what is certainly worse falls out, then the cheapest passed item, then the latency.

Only live and complete runs of the same items are compared. Differences are paired by item; their interval and the
smallest difference that could have been seen are the gate's own (:mod:`waytrace.evaluate.gate.scores`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from waytrace.evaluate.gate.clusters import design
from waytrace.evaluate.gate.scores import compare_scores

from .book import STALE_DAYS, Book, age_days
from .figures import Figures, figures_of, item_means, unseen_share
from .results import Run

MOST_FAILED = 0.05
LEAST_SCHEMA = 0.95
MARGIN = 0.05
"""A model that is certainly further below the best falls out."""
LEVEL = 0.95


@dataclass(frozen=True)
class Difference:
    """One model less the best one, over the items that both answered."""

    run: Run
    best: Run
    items: int
    mean: float
    low: float
    high: float
    detectable: float
    """Smallest difference that would have been found four times out of five."""

    @property
    def measurable(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0

    @property
    def certainly_worse(self) -> bool:
        """Whether the whole interval lies below the margin."""
        return self.high < -MARGIN


@dataclass(frozen=True)
class Choice:
    """What to take, and why; ``run`` None where nothing can be recommended."""

    run: Run | None
    why: tuple[str, ...]
    differences: tuple[Difference, ...]


def gates(figures: Figures) -> list[str]:
    """What stands against a model, whatever it scores: empty where nothing does."""
    found = []
    if figures.failed is not None and figures.failed.value >= MOST_FAILED:
        found.append(f"{figures.failed.value:.1%} of its samples had no answer ({MOST_FAILED:.0%} is the bound)")
    if figures.schema is not None and figures.schema.value < LEAST_SCHEMA:
        found.append(f"{figures.schema.value:.1%} of its structured answers are valid ({LEAST_SCHEMA:.0%} is asked)")
    if figures.severe:
        found.append(f"it carried out {figures.severe} harmful requests")
    return found


def choose(runs: Sequence[Run], book: Book, on: date, family: str | None = None) -> Choice:
    """The choice among live, complete runs of the same items, overall or for one family."""
    why: list[str] = []
    fit = [run for run in runs if run.mode == "live" and run.complete and run.calls]
    if not fit:
        return Choice(None, ("no live and complete run is here",), ())
    if len({run.asked for run in fit}) > 1:
        return Choice(None, ("the runs asked different items, or were scored by different versions",), ())
    through = []
    for run in fit:
        against = gates(figures_of(run))
        why += [f"{run.name} is out: {reason}" for reason in against]
        if not against:
            through.append(run)
    if not through:
        return Choice(None, (*why, "no model passes the gates"), ())
    best = max(through, key=lambda run: _mean(run, family))
    others = [run for run in through if run is not best]
    apart = [run for run in others if not item_means(run, family).keys() & item_means(best, family).keys()]
    if apart:
        return Choice(None, (*why, f"{apart[0].name} and {best.name} answered no item in common"), ())
    differences = tuple(difference(run, best, family) for run in others)
    why += map(_said, differences)
    left = [best, *(d.run for d in differences if not d.certainly_worse)]
    chosen, reason = _cheapest(left, book, on, family)
    return Choice(chosen, (*why, reason), differences)


def difference(run: Run, best: Run, family: str | None = None) -> Difference:
    """One model beside the best one, paired by item, families as strata. Raises ``ValueError`` without common items.

    Where all items differ alike, which leaves no scatter to judge by, the interval is as wide as the share of items
    that could differ otherwise without one having been seen.
    """
    ours, theirs = item_means(run, family), item_means(best, family)
    items = sorted(ours.keys() & theirs.keys())
    strata = {row.item: row.family for row in run.rows}
    before, after = np.array([theirs[i] for i in items]), np.array([ours[i] for i in items])
    found = compare_scores(design([strata[i] for i in items], items), before, after, (1 - LEVEL) / 2)
    mean, low, high, seen = (float(v) for v in (found.estimate.mean, found.low, found.high, found.failures))
    if np.ptp(after - before) == 0.0:
        half = unseen_share(len(items))
        low, high, seen = max(-1.0, mean - half), min(1.0, mean + half), max(seen, half)
    return Difference(run, best, len(items), mean, low, high, seen)


def _mean(run: Run, family: str | None) -> float:
    values = list(item_means(run, family).values())
    return float(np.mean(values)) if values else -1.0


def _said(found: Difference) -> str:
    points = f"{100 * found.mean:+.1f} points [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"
    seen = f"over {found.items} items; {100 * found.detectable:.1f} points could have been seen"
    if found.certainly_worse:
        return f"{found.run.name} is out: {points} beside {found.best.name}, {seen}"
    verdict = "below" if found.high < 0 else "no measurable difference"
    return f"{found.run.name} beside {found.best.name}: {verdict}, {points}, {seen}"


def _cheapest(runs: Sequence[Run], book: Book, on: date, family: str | None) -> tuple[Run, str]:
    """The cheapest by passed item, in dollars, then the fastest; by latency alone where a price may not decide."""
    costs: list[float] = []
    for run in runs:
        usd, doubt = cost_per_pass_usd(run, book, on, family)
        if usd is None:
            fastest = min(runs, key=lambda r: (_p95(r, family), r.name))
            alone = "the only one left" if len(runs) == 1 else "the lowest p95 latency of those left"
            return fastest, f"{fastest.name}: {alone}; cost decides nothing, since {doubt}"
        costs.append(usd)
    usd, _, chosen = min(zip(costs, (_p95(r, family) for r in runs), runs, strict=True), key=lambda found: found[:2])
    of = "the only one left" if len(runs) == 1 else "the cheapest by passed item of those left"
    return chosen, f"{chosen.name}: {of}, USD {usd:.5f} a passed item"


def cost_per_pass_usd(run: Run, book: Book, on: date, family: str | None = None) -> tuple[float | None, str]:
    """Dollars by passed item; None, and why, where that may not decide anything."""
    price = run.price
    if price is None:
        return None, f"no price is known of {run.name}"
    if (age := age_days(date.fromisoformat(price["checked_on"]), on)) > STALE_DAYS:
        return None, f"the price of {run.name} was checked {age} days ago"
    rate = book.usd(price["currency"])
    if rate is None:
        return None, f"no rate is known from {price['currency']} to USD"
    if rate.checked_on != date.max and age_days(rate.checked_on, on) > STALE_DAYS:
        return None, f"the rate from {price['currency']} to USD was checked {age_days(rate.checked_on, on)} days ago"
    figure = figures_of(run, family).cost_per_pass
    return (figure.value * rate.usd, "") if figure else (None, f"{run.name} passed no item")


def _p95(run: Run, family: str | None) -> float:
    figure = figures_of(run, family).p95_s
    return figure.value if figure else float("inf")
