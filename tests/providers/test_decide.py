"""The decision rule on planted models: gates, what is certainly worse, cost, latency, and what cannot be told apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from waytrace.providers import Book, choose, figures_of, html, load_book, markdown, report_of
from waytrace.providers.decide import MARGIN, difference
from waytrace.providers.families import Outcome

from .planted import PRICE, run_of

TODAY = date(2026, 11, 26)
BOOK = load_book()


def _items(share: float, count: int = 100, seed: int = 0, family: str = "tools") -> dict[str, float]:
    drawn = np.random.default_rng(seed).random(count) < share
    return {f"{family}/{n:03}": float(right) for n, right in enumerate(drawn)}


def test_the_cheapest_of_those_not_certainly_worse_is_taken() -> None:
    good = _items(0.9)
    best = run_of("a big", good, cost=0.02)
    cheap = run_of("b small", good | {"tools/000": 0.0}, cost=0.001)
    awful = run_of("c tiny", dict.fromkeys(good, 0.0) | {"tools/001": 1.0}, cost=0.0001)
    choice = choose([best, cheap, awful], BOOK, TODAY)
    assert choice.run is cheap
    assert any("c tiny is out: " in line for line in choice.why)
    assert any("b small beside a big: no measurable difference" in line for line in choice.why)


def test_an_equal_cost_is_decided_by_latency() -> None:
    items = _items(0.9)
    runs = [run_of("a slow", items, latency_s=3.0), run_of("b fast", items, latency_s=0.5)]
    assert choose(runs, BOOK, TODAY).run is runs[1]
    assert choose(runs[::-1], BOOK, TODAY).run is runs[1]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"outcomes": {f"tools/{n:03}": Outcome.INFRASTRUCTURE for n in range(5)}}, "5.0% of its samples"),
        ({"details": {"schema_valid": False}}, "0.0% of its structured answers are valid"),
        ({"details": {"over_refusal": False, "under_refusal": True, "severe_under_refusal": True}}, "harmful requests"),
    ],
)  # fmt: skip
def test_a_gate_takes_out_even_the_best_and_cheapest(change: Any, says: str) -> None:
    first = run_of("a best", _items(1.0), cost=0.0001, **change)
    second = run_of("b other", _items(0.5), cost=0.1)
    choice = choose([first, second], BOOK, TODAY)
    assert choice.run is second
    assert any("a best is out" in line and says in line for line in choice.why)
    assert choose([first], BOOK, TODAY).run is None


def test_four_percent_without_an_answer_pass_the_gate() -> None:
    run = run_of("a best", _items(1.0), outcomes={f"tools/{n:03}": Outcome.INFRASTRUCTURE for n in range(4)})
    assert choose([run], BOOK, TODAY).run is run


def test_only_runs_of_the_same_items_are_compared() -> None:
    runs = [run_of("a x", _items(0.9)), run_of("b y", _items(0.9, count=50))]
    choice = choose(runs, BOOK, TODAY)
    assert choice.run is None
    assert choice.why == ("the runs asked different items, or were scored by different versions",)


def test_dry_and_incomplete_runs_decide_nothing() -> None:
    items = _items(0.9)
    dry = run_of("a x", items, mode="dry-run")
    half = run_of("b y", items)
    half = replace(half, rows=half.rows[:-1])
    assert choose([dry, half], BOOK, TODAY).run is None
    assert "(incomplete" in report_of([half], BOOK, TODAY).live[0].rows[0][0].text


def test_a_price_too_old_leaves_cost_out_of_the_decision() -> None:
    items = _items(0.9)
    old = run_of("a cheap", items, cost=0.0001, latency_s=2.0, price=PRICE | {"checked_on": "2026-08-01"})
    fresh = run_of("b fast", items, cost=0.1, latency_s=0.5)
    choice = choose([old, fresh], BOOK, TODAY)
    assert choice.run is fresh
    assert "cost decides nothing, since the price of a cheap was checked 117 days ago" in choice.why[-1]


def test_currencies_are_set_side_by_side_by_the_rate_or_not_at_all() -> None:
    items = _items(0.9)
    yuan = run_of("a yuan", items, cost=0.005, price=PRICE | {"currency": "CNY"}, latency_s=9.0)
    dollar = run_of("b dollar", items, cost=0.001)
    assert choose([yuan, dollar], BOOK, TODAY).run is yuan
    without = Book(BOOK.providers, BOOK.prices, ())
    choice = choose([yuan, dollar], without, TODAY)
    assert choice.run is dollar
    assert "no rate is known from CNY to USD" in choice.why[-1]


def test_a_family_is_decided_on_its_own() -> None:
    good, bad = _items(1.0, 40), dict.fromkeys(_items(1.0, 40), 0.0) | {"tools/000": 1.0}
    more = _items(1.0, 40, family="coding")
    less = dict.fromkeys(more, 0.0) | {"coding/000": 1.0}
    first, second = run_of("a tools", good | less), run_of("b coding", bad | more)
    assert choose([first, second], BOOK, TODAY, "tools").run is first
    assert choose([first, second], BOOK, TODAY, "coding").run is second
    assert [use[0] for use in report_of([first, second], BOOK, TODAY).uses] == ["coding", "tools"]


def test_an_unsafe_request_that_the_filter_stops_counts_as_right_and_a_harmless_one_does_not() -> None:
    items = {"refusal/0": 1.0, "refusal/1": 1.0}
    filtered = dict.fromkeys(items, Outcome.MODERATION)
    run = run_of("a x", items, outcomes=filtered, kinds={"refusal/0": "unsafe", "refusal/1": "benign"})
    found = figures_of(run)
    assert found.served is not None
    assert found.filtered is not None
    assert (found.served.value, found.filtered.value, found.filtered.count) == (0.5, 1.0, 1)


def test_epochs_of_an_item_are_no_more_items() -> None:
    """Asked ten times with the same answers, the interval is as wide as asked once."""
    items = _items(0.7, 40)
    once, often = (figures_of(run_of("a x", items, epochs=n)).served for n in (1, 10))
    assert once is not None
    assert often is not None
    assert (once.low, once.high) == (often.low, often.high)


@pytest.mark.parametrize("gap", [0.0, 0.15])
def test_the_interval_of_a_difference_holds_the_planted_one(gap: float) -> None:
    """Pairs of models with a known difference: 95 % intervals hold it nearly always, and 0 only without one."""
    held = certain = 0
    trials = 40
    for seed in range(trials):
        drawn = np.random.default_rng(seed).random(120)
        first = run_of("a x", {f"tools/{n:03}": float(u < 0.8) for n, u in enumerate(drawn)})
        noise = np.random.default_rng(10_000 + seed).random(120)
        fell = (drawn < 0.8) & (noise < gap / 0.8)
        second = run_of("b y", {f"tools/{n:03}": float(right) for n, right in enumerate((drawn < 0.8) & ~fell)})
        found = difference(second, first)
        held += found.low <= -gap <= found.high
        certain += found.certainly_worse
    assert held >= 0.9 * trials
    assert certain >= 0.5 * trials if gap > 2 * MARGIN else certain == 0


def test_the_share_of_right_items_lies_in_its_interval_on_planted_models() -> None:
    held = 0
    for seed in range(100):
        served = figures_of(run_of("a x", _items(0.7, 60, seed))).served
        assert served is not None
        assert served.low is not None
        assert served.high is not None
        held += served.low <= 0.7 <= served.high
    assert held >= 90


def test_what_could_have_been_seen_shrinks_with_the_items() -> None:
    few, many = (
        difference(run_of("b y", _items(0.7, n, 1)), run_of("a x", _items(0.7, n, 2))).detectable for n in (30, 400)
    )
    assert few > 2 * many > 0


def test_runs_without_an_item_in_common_are_not_compared() -> None:
    items = _items(0.9, 4)
    half = {"tools/000": Outcome.INFRASTRUCTURE, "tools/001": Outcome.INFRASTRUCTURE}
    other = {"tools/002": Outcome.INFRASTRUCTURE, "tools/003": Outcome.INFRASTRUCTURE}
    with pytest.raises(ValueError, match="no scenes"):
        difference(run_of("a x", items, outcomes=half), run_of("b y", items, outcomes=other))
    assert choose([run_of("a x", items, outcomes=half), run_of("b y", items, outcomes=other)], BOOK, TODAY).run is None


def test_all_right_of_twelve_is_not_certainty() -> None:
    served = figures_of(run_of("a x", {f"tools/{n}": 1.0 for n in range(12)}, epochs=3)).served
    assert served is not None
    assert served.low == pytest.approx(0.7354, abs=1e-4)  # Clopper and Pearson, 12 of 12
    assert served.high == 1.0
    alike = [run_of(name, {f"tools/{n}": 1.0 for n in range(12)}) for name in ("a x", "b y")]
    found = difference(*alike)
    assert (found.mean, found.measurable, found.certainly_worse) == (0.0, False, False)
    assert found.detectable >= found.high > 0.25


def test_the_pages_of_live_runs_show_choice_chart_and_uses() -> None:
    items = _items(0.9, 40) | _items(0.6, 20, family="coding")
    runs = [run_of("glm big", items, cost=0.02), run_of("minimax <b>small</b>", items, cost=0.001)]
    report = report_of(runs, BOOK, TODAY)
    page, text = html(report), markdown(report)
    assert page.count("<circle") == 2
    assert "Default: minimax &lt;b&gt;small" in page
    assert "<b>small" not in page
    assert "## When to use each" in text
    assert "no measurable difference" in text
    assert "| doubao | not run (ARK_API_KEY unset) |" in text
    assert "Dry runs" not in text
