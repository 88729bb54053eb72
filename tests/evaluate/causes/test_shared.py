"""Scenes shared out to processes: the order, what is drawn when, and what comes of a process that dies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from waytrace.catalogue import generate
from waytrace.evaluate.causes.shared import AHEAD, shared
from waytrace.evaluate.load import PlannerError
from waytrace.evaluate.pool import THREAD_VARIABLES
from waytrace.scenario import Scenario


class Echo:
    """Says what it was asked, in which process; ends the process at one scene if told to."""

    def __init__(self, dies_at: str = "") -> None:
        """An auditor that takes its own process with it at a scene of that id."""
        self.dies_at = dies_at

    def ready(self) -> None:
        """Note what this process has."""
        self.threads = [os.environ.get(name) for name in THREAD_VARIABLES]

    def __call__(self, scenario: Scenario, closed: bool) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        """A record of where it was asked."""
        if scenario.id == self.dies_at:
            os._exit(9)
        return [{"scene": scenario.id, "process": os.getpid(), "threads": self.threads}], {"of": 1} if closed else None


@pytest.fixture(scope="module")
def scenes() -> list[Scenario]:
    first = generate("lead-braking", 40_000, split="select")
    return [first.with_(id=f"scene-{k}") for k in range(6)]


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_answers_come_in_the_order_of_the_scenes(scenes: list[Scenario], workers: int) -> None:
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    answers = list(shared(Echo(), ((s, k < 2) for k, s in enumerate(scenes)), workers))
    assert [scene for scene, _, _ in answers] == [s.id for s in scenes]
    assert [records[0]["scene"] for _, records, _ in answers] == [s.id for s in scenes]
    assert [driven is not None for _, _, driven in answers] == [True, True, False, False, False, False]
    here = {records[0]["process"] == os.getpid() for _, records, _ in answers}
    assert here == {workers == 0}
    if workers:
        assert all(records[0]["threads"] == ["1"] * len(THREAD_VARIABLES) for _, records, _ in answers)
    assert {name: os.environ.get(name) for name in THREAD_VARIABLES} == before


def test_scenes_are_made_as_they_are_given_out(scenes: list[Scenario]) -> None:
    drawn = []

    def tasks() -> Iterator[tuple[Scenario, bool]]:
        for scene in scenes:
            drawn.append(scene.id)
            yield scene, False

    answers = shared(Echo(), tasks(), 0)
    next(answers)
    assert len(drawn) == 1
    answers = shared(Echo(), tasks(), 2)
    drawn.clear()
    next(answers)
    assert len(drawn) == 2 * AHEAD
    answers.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("workers", "where"), [(1, "at scene-3:.*memory ran out\\.$"), (2, "at or shortly after scene-")]
)
def test_a_process_that_dies_is_told_with_its_scene(scenes: list[Scenario], workers: int, where: str) -> None:
    with pytest.raises(PlannerError, match=f"ended by itself {where}"):
        list(shared(Echo("scene-3"), ((s, False) for s in scenes), workers))
