"""What is counted of a planner's causes, odds and stability, scene by scene."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from figure_counts import Ledger
from figure_moments import Shadow
from label_forecasts import came_of
from quality_asked import Told, answer, expert_told, label_odds, noisy, own_odds, reordered, stated
from quality_causes import KINDS, causes_of, overlap, trivial
from quality_odds import OddsBook
from waytrace.evaluate.drive import REPLAN_TICKS, drive
from waytrace.evaluate.stability import PlanStability, Said, WordStability, plan_stability, plans_apart, word_stability
from waytrace.evaluate.traces import TraceBook, counts
from waytrace.label import Asker, LabelledMoment, label_drive
from waytrace.microgpt import Learned
from waytrace.microgpt.forcing import Answer, words
from waytrace.microgpt.prefix import Model
from waytrace.scenario import Plan, Scenario, scenario_hash
from waytrace.scenario.roads import RoadCache
from waytrace.trace import encode, sets

KNOT_4S = 7
"""The waypoint 4 s after a plan was made."""


@dataclass
class Kept:
    """One moment that is looked at closely."""

    label: LabelledMoment
    given: Answer
    before: NDArray[np.int8]


@dataclass
class Course:
    """What two say and plan along one drive, in order of time."""

    labels: list[Said] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)
    """The planner's own, none of which was driven."""
    label_plans: list[Plan] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)


class Counting:
    """The planner that is looked at, and all that was counted of it."""

    def __init__(self, model: Model) -> None:
        self.model, self.ledger, self.odds = model, Ledger(), OddsBook()
        self.asker, self.roads = Asker(), RoadCache()

    def scene(self, scenario: Scenario, wanted: Sequence[int]) -> int:
        """Count one scene; how many moments of it were looked at."""
        beside = self._beside(scenario, wanted)
        for kept in beside.kept:
            self._causes(kept, scenario.id)
            self._odds_of(kept, scenario.id)
        if beside.kept:
            self._came(beside.kept, scenario.id)
            self._order(beside.kept, scenario)
        self._steady(beside, scenario.id)
        self._alone(scenario)
        return len(beside.kept)

    def _beside(self, scenario: Scenario, wanted: Sequence[int]) -> Course:
        """The expert drives, every decision labelled; the planner is asked at each."""
        out, shadow = Course(), Shadow(self.model)
        for label in label_drive(scenario, driver=shadow):
            given = shadow.ask(label.observation)
            out.labels.append(Said.of(label.tick, label.label.trace))
            out.said.append(Said.of(label.tick, given.trace))
            out.plans.append(given.plan)
            out.label_plans.append(label.label.plan)
            if label.tick in wanted:
                kept = Kept(label, given, shadow.before.copy())
                out.kept.append(kept)
                self._disturbed(kept, scenario, label.tick)
        return out

    def _disturbed(self, kept: Kept, scenario: Scenario, tick: int) -> None:
        """The same moment told a little otherwise, while its world stands there."""
        seen = noisy(kept.label.world, np.random.default_rng([tick, *scenario.id.encode()]))
        given = answer(self.model, seen, kept.before, self.roads)
        expert = expert_told(kept.label, seen, self.asker)
        unmoved(self.ledger, "noise", scenario.id, kept.given, given)
        if expert is not None:
            own = Told(kept.label.label.trace, kept.label.label.plan)
            unmoved(self.ledger, "noise expert", scenario.id, own, expert)

    def _causes(self, kept: Kept, scene: str) -> None:
        label, said = kept.label.label.trace, kept.given.trace
        for kind in KINDS:
            self._sets(kind, scene, causes_of(said, kind), causes_of(label, kind))
        theirs = causes_of(label, "cited")
        for name, cited in trivial(label, kept.label.at.scene).items():
            self._sets(f"cited/{name}", scene, cited, theirs)
        if kept.label.before is not None:
            self._sets("cited/said", scene, causes_of(said, "cited"), theirs)
            self._sets("cited/last", scene, causes_of(kept.label.before, "cited"), theirs)
        self.ledger.add("causes none", scene, not said.decision.causes)
        self.ledger.add("causes none label", scene, not label.decision.causes)

    def _sets(self, name: str, scene: str, mine: frozenset[object], theirs: frozenset[object]) -> None:
        both, of_mine, of_theirs = overlap(mine, theirs)
        if of_mine + of_theirs:
            self.ledger.add(f"micro/{name}", scene, 2 * both, of_mine + of_theirs)
            self.ledger.add(f"mean/{name}", scene, 2 * both / (of_mine + of_theirs))
            self.ledger.add(f"precision/{name}", scene, both, of_mine)
            self.ledger.add(f"recall/{name}", scene, both, of_theirs)

    def _odds_of(self, kept: Kept, scene: str) -> None:
        label, said = kept.label.label.trace, kept.given.trace
        own = own_odds(kept.given, label)
        for odds in own:
            self.odds.add(f"own/{odds.slot}", scene, odds)
        sure = np.prod([odds.probability.max() for odds in own]) if own else 1.0
        self.odds.state("own/both", scene, float(sure), words(said) == words(label))
        told = label_odds(kept.given, label)
        self.ledger.add("label unsayable", scene, told is None)
        for odds in told or ():
            self.odds.add(f"told/{odds.slot}", scene, odds)
        number = said.decision.confidence_bin
        self.odds.state("confidence", scene, stated(sets.CONFIDENCE, number), words(said) == words(label), number)

    def _came(self, kept: Sequence[Kept], scene: str) -> None:
        """Forecasts beside what then happened."""
        rollout = kept[0].label.world.rollouts("expert")[0]
        for one in kept:
            for name, trace in (("forecasts", one.given.trace), ("label forecasts", one.label.label.trace)):
                found = came_of(trace.predictions, one.label, one.label.tick, rollout)
                for p, true in zip(trace.predictions, found, strict=True):
                    self.ledger.add(f"{name} untold", scene, true is None)
                    if true is not None:
                        self.odds.state(name, scene, stated(sets.PROBABILITY, p.p_bin), true, p.p_bin)

    def _order(self, kept: Sequence[Kept], scenario: Scenario) -> None:
        plans, seed = kept[0].label.world.plans, len(scenario.agents)
        by_tick = {one.label.tick: one for one in kept}
        before = {tick: one.before for tick, one in by_tick.items()}
        for tick, given in reordered(self.model, scenario, plans, before, seed):
            first = by_tick[tick].given
            told = [encode(one.trace, one.session.prefix.present) for one in (first, given)]
            self.ledger.add("order decision", scenario.id, words(first.trace) == words(given.trace))
            self.ledger.add("order words", scenario.id, told[0] == told[1])
            equal = np.array_equal(first.plan.waypoints, given.plan.waypoints)
            self.ledger.add("order plan", scenario.id, equal)

    def _steady(self, beside: Course, scene: str) -> None:
        for name, said, plans in (("beside", beside.said, beside.plans), ("expert", beside.labels, beside.label_plans)):
            self._words(name, scene, word_stability(said, REPLAN_TICKS))
            self._plans(name, scene, _apart(plans))
        for unasked in flips_unasked(beside.said, beside.labels):
            self.ledger.add("flips unasked", scene, unasked)

    def _alone(self, scenario: Scenario) -> None:
        """The planner drives the scene itself, as ``waytrace eval --traces`` has it do."""
        book = TraceBook([scenario_hash(scenario)], 0)
        (rollout,) = drive(Learned(self.model), [scenario], watch=book.take)
        found = counts(book.lines(), REPLAN_TICKS)[scenario.id]
        self._words("alone", scenario.id, WordStability(**found["stability"]))
        self._plans("alone", scenario.id, plan_stability(rollout))
        judged = found["true"] + found["false"] + found["undetermined"]
        for verdict in ("true", "false", "undetermined"):
            self.ledger.add(f"alone {verdict}", scenario.id, found[verdict], judged)
        bound = found["plan_true"] + found["plan_false"]
        self.ledger.add("alone bound", scenario.id, found["plan_true"], bound)

    def _words(self, name: str, scene: str, found: WordStability) -> None:
        one = asdict(found)
        for what in ("flips", "longitudinal_flips", "lateral_flips", "flickers"):
            self.ledger.add(f"{what}/{name}", scene, one[what], found.steps)
        self.ledger.add(f"taken_back/{name}", scene, found.flickers, found.flips)
        self.ledger.add(f"causes_kept/{name}", scene, found.causes_kept, found.cause_steps)

    def _plans(self, name: str, scene: str, apart: PlanStability | None) -> None:
        if apart is not None:
            self.ledger.add(f"apart_2s/{name}", scene, apart.apart_2s_m * apart.steps, apart.steps)
            self.ledger.add(f"apart_4s/{name}", scene, apart.apart_4s_m * apart.steps, apart.steps)


def flips_unasked(said: Sequence[Said], labels: Sequence[Said]) -> Iterator[bool]:
    """Of every flip of a planner whether the expert's decision stayed at that step, the one before and the one after.

    Both were asked at the same moments.
    """
    flipped = [a.decision != b.decision for a, b in pairwise(labels)]
    for k, (a, b) in enumerate(pairwise(said)):
        if b.tick - a.tick == REPLAN_TICKS and a.decision != b.decision:
            yield not any(flipped[max(k - 1, 0) : k + 2])


def unmoved(ledger: Ledger, name: str, scene: str, first: Told | Answer, second: Told | Answer) -> None:
    """Whether what is said and driven stays when a scene is told otherwise; references are those of the scenario."""
    for k, axis in enumerate(("longitudinal", "lateral")):
        ledger.add(f"{name} {axis}", scene, words(first.trace)[k] == words(second.trace)[k])
    ledger.add(f"{name} decision", scene, words(first.trace) == words(second.trace))
    cited = [Said.of(0, one.trace).causes for one in (first, second)]
    ledger.add(f"{name} causes", scene, cited[0] == cited[1])
    apart = first.plan.waypoints[KNOT_4S, :2] - second.plan.waypoints[KNOT_4S, :2]
    ledger.add(f"{name} moved_m", scene, float(np.hypot(*apart)))


def _apart(plans: Sequence[Plan]) -> PlanStability | None:
    if not plans:
        return None
    return plans_apart(np.array([float(p.t0_s) for p in plans]), np.stack([p.waypoints for p in plans]))
