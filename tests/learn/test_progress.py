"""What a run says while it goes, and batches that are read ahead."""

from __future__ import annotations

import threading

import pytest

from waytrace.learn.prefetch import prefetch
from waytrace.learn.progress import Pace, duration


def test_the_pace_counts_steps_and_leaves_out_looks() -> None:
    now, said = [0.0], list[str]()
    pace = Pace(steps=100, batch=8, note=said.append, clock=lambda: now[0])
    pace.start()
    for step in range(1, 51):
        now[0] += 1.0
        pace.step(step, 2.5, 1e-3)
    assert pace.samples_per_s == pytest.approx(8.0)
    assert said[-1] == "step 41 of 100: loss 2.5000, lr 1.00e-03, 8 samples/s, 59 s left"
    assert len(said) == 5
    pace.stop()
    now[0] += 1000.0
    assert pace.samples_per_s == pytest.approx(8.0)


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.2, "3 s"), (89.0, "89 s"), (90.0, "2 min"), (3599.0, "1 h 00 min"), (7500.0, "2 h 05 min")]
)
def test_durations_are_said_in_words(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_batches_come_in_order_and_no_more_than_needed_are_made() -> None:
    made: list[int] = []
    assert list(prefetch(lambda k: made.append(k) or k * k, 3, 9, ahead=2)) == [9, 16, 25, 36, 49, 64]
    assert made == [3, 4, 5, 6, 7, 8]
    assert list(prefetch(lambda k: k, 5, 5)) == []


def test_what_a_batch_raises_is_raised_at_its_turn() -> None:
    def make(k: int) -> int:
        if k == 2:
            raise OSError("the disk is gone")
        return k

    batches = prefetch(make, 0, 9)
    assert [next(batches), next(batches)] == [0, 1]
    with pytest.raises(OSError, match="the disk is gone"):
        next(batches)


def test_who_stops_early_leaves_no_thread() -> None:
    batches = prefetch(lambda k: k, 0, 1_000_000)
    assert next(batches) == 0
    batches.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("samples")]
