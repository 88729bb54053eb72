"""The smallest set of agents with which a planner still fails a scene in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from waytrace.scenario import Scenario, WaytraceError
from waytrace.scenario.edits import keep_only
from waytrace.score import ScenarioScore, score_rollout

from .drive import REPLAN_TICKS, drive
from .load import load_planner
from .task import BATCH

TRIED_AT_MOST = 400
"""Subsets of one size that are all tried; larger numbers of them are searched by halves instead."""

FAILURES: dict[str, str] = {
    "NC": "an at-fault collision", "DAC": "off the road", "DDC": "against the traffic", "TLC": "a red light",
    "MP": "no progress",
}  # fmt: skip
"""Terms that make a drive a failure, the gravest first."""

Fails = Callable[[Sequence[Sequence[int]]], list[bool]]
"""Whether the planner fails with each of several sets of agents."""


@dataclass(frozen=True)
class Shrunk:
    """A scene with as few agents as the failure needs."""

    scenario: Scenario
    kept: tuple[str, ...]
    """Ids of the agents that stay beside the ego."""
    agents: int
    """How many there were."""
    failure: str
    """The term that fails, such as ``NC``."""
    drives: int
    """Scenes that were driven to find out."""
    smallest: bool
    """Whether no smaller set fails; else no set with one agent less does."""


def shrink(
    scenario: Scenario, planner: str, *, traffic: str = "mixed", style: str = "normal", seed: int = 0,
    replan_ticks: int = REPLAN_TICKS, reference_m: float | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Shrunk:  # fmt: skip
    """Drive ``planner`` through ever fewer agents of ``scenario`` for as long as it fails in the same way.

    Sets are tried from the smallest on, all of a size at once, where they are few enough; otherwise agents are taken
    away by halves (Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002). The simulator's
    noise does not depend on who else is there, so what is taken away changes nothing but by being gone.

    ``reference_m`` is the oracle's progress, without which "no progress" is no failure.
    Raises ``WaytraceError`` where the planner does not fail in the whole scene.
    """
    driven: dict[tuple[int, ...], ScenarioScore] = {}
    others = [k for k in range(len(scenario.agents)) if k != scenario.ego_index]

    def judge(sets: Sequence[Sequence[int]]) -> list[ScenarioScore]:
        keys = [tuple(sorted(s)) for s in sets]
        todo = list(dict.fromkeys(k for k in keys if k not in driven))
        for at in range(0, len(todo), BATCH):
            part = todo[at : at + BATCH]
            scenes = [keep_only(scenario, key) if len(key) < len(others) else scenario for key in part]
            rollouts = drive(
                load_planner(planner), scenes, traffic=traffic, style=style, seed=seed, replan_ticks=replan_ticks,
                pad_to=BATCH,
            )  # fmt: skip
            for key, scene, rollout in zip(part, scenes, rollouts, strict=True):
                driven[key] = score_rollout(scene, rollout, reference_m)
            if progress:
                progress(len(driven), 0, f"{len(part[-1])} agents")
        return [driven[key] for key in keys]

    failure = failure_of(judge([others])[0])
    if not failure:
        raise WaytraceError(
            f"{planner} does not fail in {scenario.id}: no {', '.join(FAILURES.values())}. Nothing to shrink."
        )
    kept, smallest = search(others, lambda sets: [failure_of(s) == failure for s in judge(sets)])
    small = keep_only(scenario, kept) if len(kept) < len(others) else scenario
    names = tuple(scenario.agents.agent_id[k] for k in kept)
    return Shrunk(small, names, len(others), failure, len(driven), smallest)


def failure_of(score: ScenarioScore) -> str:
    """The gravest term that the drive fails (0, or a collision with what stands), or nothing."""
    return next((term for term in FAILURES if score.terms.get(term, 1.0) < (1.0 if term == "NC" else 0.5)), "")


def search(agents: Sequence[int], fails: Fails) -> tuple[tuple[int, ...], bool]:
    """(a smallest set of ``agents`` for which ``fails`` holds, whether no smaller one exists).

    ``fails`` must hold for all of them. All sets of a size are tried from none on, as long as there are no more than
    :data:`TRIED_AT_MOST`; beyond, halves are, and the outcome can lose no single agent.
    """
    by_halves: tuple[int, ...] | None = None
    for size in range(len(agents) + 1):
        bound = len(by_halves) if by_halves is not None else len(agents)
        if size == bound:
            return (by_halves if by_halves is not None else tuple(agents)), True
        if _choose(len(agents), size) > TRIED_AT_MOST:
            return (by_halves if by_halves is not None else _halves(list(agents), fails)), False
        for part in _parts(combinations(agents, size)):
            found = [s for s, failed in zip(part, fails(part), strict=True) if failed]
            if found:
                return found[0], True
        if by_halves is None and size == 1:
            by_halves = _halves(list(agents), fails)
    return tuple(agents), True


def _choose(n: int, k: int) -> int:
    from math import comb

    return comb(n, k)


def _parts(sets: Iterator[tuple[int, ...]]) -> Iterator[list[tuple[int, ...]]]:
    part: list[tuple[int, ...]] = []
    for one in sets:
        part.append(one)
        if len(part) == BATCH:
            yield part
            part = []
    if part:
        yield part


def _halves(agents: list[int], fails: Fails) -> tuple[int, ...]:
    """A set that fails and of which every agent is needed: delta debugging."""
    pieces = 2
    while len(agents) > 1:
        length = -(-len(agents) // pieces)
        parts = [agents[k : k + length] for k in range(0, len(agents), length)]
        rests = [[a for a in agents if a not in part] for part in parts]
        failed = fails([*parts, *rests])
        smaller = [s for s, f in zip([*parts, *rests], failed, strict=True) if f and len(s) < len(agents)]
        if smaller:
            agents, pieces = min(smaller, key=len), 2
        elif length == 1:
            break
        else:
            pieces = min(len(agents), 2 * pieces)
    return tuple(agents)
