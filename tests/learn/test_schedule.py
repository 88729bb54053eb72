"""The learning rate rises, then falls, and depends on nothing but the step."""

from __future__ import annotations

from itertools import pairwise

import pytest

from waytrace.learn.schedule import warmup_cosine


def _rate(step: int) -> float:
    return warmup_cosine(step, steps=1000, warmup=100, end=0.1)


def test_it_rises_over_the_warm_up_and_falls_to_its_end() -> None:
    rates = [_rate(step) for step in range(1000)]
    assert rates[0] == pytest.approx(0.01)
    assert rates[99] == rates[100] == 1.0
    assert all(a < b for a, b in pairwise(rates[:100]))
    assert all(a >= b for a, b in pairwise(rates[100:]))
    assert rates[-1] == pytest.approx(0.1)


def test_halfway_down_it_is_halfway_between() -> None:
    assert warmup_cosine(550, steps=1001, warmup=100, end=0.1) == pytest.approx(0.55)


def test_after_the_last_step_it_stays() -> None:
    assert _rate(5000) == _rate(999)


@pytest.mark.parametrize(("steps", "warmup"), [(1, 0), (2, 1), (3, 2)])
def test_the_shortest_runs_have_a_rate(steps: int, warmup: int) -> None:
    assert all(0.0 < warmup_cosine(k, steps=steps, warmup=warmup, end=0.1) <= 1.0 for k in range(steps))
