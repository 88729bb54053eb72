"""The clock that planners are timed with: a reference beside every decision, no time spent in line for a processor."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from waytrace.evaluate import timing
from waytrace.evaluate.timing import Clock


class Machine:
    """A machine whose time and whose queue for processors are told, in place of the real ones."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """At 100 s, with a second spent in line before."""
        self.queue, self.now_s, self.waited_s = folder / "schedstat", 100.0, 0.0
        self.goes_on(0.0, 1.0)
        monkeypatch.setattr(timing, "_QUEUE", str(self.queue))
        monkeypatch.setattr(time, "perf_counter", lambda: self.now_s)

    def goes_on(self, by_s: float, waiting_s: float = 0.0) -> None:
        """Time passes, some of it in line."""
        self.now_s, self.waited_s = self.now_s + by_s, self.waited_s + waiting_s
        self.queue.write_text(f"123 {round(1e9 * self.waited_s)} 7\n")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_time_in_line_for_a_processor_is_not_the_planners(machine: Machine) -> None:
    clock = Clock()
    clock.around(lambda *_: machine.goes_on(10.0, waiting_s=4.0))(None, None)
    assert clock.record()["median_ms"] == pytest.approx(6000.0)


def test_time_spent_waiting_for_something_else_is(machine: Machine) -> None:
    clock = Clock()
    planned = clock.around(lambda *_: machine.goes_on(2.0))
    planned(None, None)
    planned(None, None)
    assert clock.record() == {"decisions": 2, "median_ms": 2000.0, "most_ms": 2000.0, "reference_ms": 0.0}


def test_a_wait_at_the_very_look_at_the_clock_goes_to_neither_side(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = [0.5]

    def interrupted() -> float:
        if waits:  # put in line between the look at the queue and the one at the clock
            machine.goes_on(0.5, waiting_s=waits.pop())
        return machine.now_s

    clock = Clock()
    planned = clock.around(lambda *_: machine.goes_on(3.0))
    monkeypatch.setattr(time, "perf_counter", interrupted)
    planned(None, None)
    assert clock.record()["median_ms"] == 3000.0
    assert clock.record()["reference_ms"] == 0.0


def test_the_planner_is_asked_and_the_reference_is_timed() -> None:
    clock = Clock()
    planned = clock.around(lambda observation, state: (observation, state))
    assert planned(1, 2) == (1, 2)
    record = clock.record()
    assert record["decisions"] == 1
    assert 0.0 < record["median_ms"] <= record["most_ms"]
    assert record["reference_ms"] > 0.0


def test_without_a_queue_to_read_the_wall_clock_is_taken(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "_QUEUE", "/nowhere/at/all")
    clock = Clock()
    clock.around(lambda *_: machine.goes_on(10.0, waiting_s=4.0))(None, None)
    assert clock.record()["median_ms"] == 10_000.0


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs a list of open files")
def test_clocks_leave_no_file_open() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        Clock()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
