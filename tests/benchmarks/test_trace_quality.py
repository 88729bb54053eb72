"""Figures of causes, calibration and stability: what is counted, that it is right, and what a planner is asked."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from waytrace.evaluate.stability import Said
from waytrace.observe import Reference, ReferenceKind
from waytrace.trace import Cause, sets

A, B, C = (Reference(ReferenceKind.AGENT, k) for k in range(3))


def _trace(*causes: tuple[Reference, str, str]) -> Any:
    made = tuple(Cause(ref, axis, role, "headway", 0, 0) for ref, axis, role in causes)
    return SimpleNamespace(decision=SimpleNamespace(causes=made))


def test_causes_are_compared_as_sets_of_what_a_kind_asks_for() -> None:
    from quality_causes import causes_of

    trace = _trace((A, "longitudinal", "proximate"), (B, "longitudinal", "joint"), (A, "lateral", "enabling"))
    assert causes_of(trace, "cited") == {A, B}
    assert causes_of(trace, "longitudinal") == {A, B}
    assert causes_of(trace, "lateral") == {A}
    assert causes_of(trace, "proximate") == {(A, "longitudinal")}
    assert causes_of(trace, "other roles") == {(B, "longitudinal"), (A, "lateral")}
    assert len(causes_of(trace, "role")) == len(causes_of(trace, "constraint")) == 3
    assert (A, "longitudinal", "headway") in causes_of(trace, "constraint")


@pytest.mark.parametrize(
    ("mine", "theirs", "found"),
    [("ab", "bc", (1, 2, 2)), ("", "c", (0, 0, 1)), ("abc", "abc", (3, 3, 3)), ("", "", (0, 0, 0))],
)
def test_an_overlap_is_counted(mine: str, theirs: str, found: tuple[int, int, int]) -> None:
    from quality_causes import overlap

    assert overlap(mine, theirs) == found


def test_f1_is_over_all_causes_and_by_moment_and_where_nobody_cites_anything_it_is_not_asked() -> None:
    from quality_counting import Counting

    counting = Counting(SimpleNamespace())  # type: ignore[arg-type]
    for mine, theirs in (("ab", "bc"), ("", "c"), ("x", "x"), ("", "")):
        counting._sets("s", "scene", frozenset(mine), frozenset(theirs))
    ledger = counting.ledger
    assert ledger.share("micro/s")[::3] == (pytest.approx((2 * 1 + 0 + 2) / (4 + 1 + 2)), 7)
    assert ledger.share("mean/s")[::3] == (pytest.approx((0.5 + 0.0 + 1.0) / 3), 3)
    assert ledger.share("precision/s")[0] == pytest.approx(2 / 3)
    assert ledger.share("recall/s")[0] == pytest.approx(2 / 4)


def test_a_difference_draws_both_from_the_same_scenes() -> None:
    from figure_counts import Ledger

    ledger = Ledger()
    for k in range(40):
        ledger.add("a", f"{k}", k % 2 + 0.25)
        ledger.add("b", f"{k}", k % 2)
    ledger.add("b", "only here", 1.0)
    found = ledger.difference("a", "b")
    assert (found.value, found.low, found.high, found.of) == (*[pytest.approx(0.25)] * 3, 40)
    assert ledger.difference("a", "never").value is None


GO, STOP = ("set_speed", "keep"), ("stop", "keep")


def _said(*decisions: tuple[str, str]) -> list[Said]:
    return [Said(5 * k, *d, frozenset()) for k, d in enumerate(decisions)]


def test_a_flip_is_unasked_where_the_expert_stayed_around_it() -> None:
    from quality_counting import flips_unasked

    steady = _said(*[GO] * 6)
    assert list(flips_unasked(_said(GO, GO, STOP, STOP, STOP, STOP), steady)) == [True]
    for late in (1, 2, 3):  # the expert half a second before, at the same time, half a second after
        moved = _said(*[GO] * late, *[STOP] * (6 - late))
        assert list(flips_unasked(_said(GO, GO, STOP, STOP, STOP, STOP), moved)) == [False]
    assert list(flips_unasked(_said(GO, GO, STOP, STOP, STOP, STOP), _said(*[GO] * 4, STOP, STOP))) == [True]
    assert list(flips_unasked(_said(GO, STOP, GO, STOP, GO, STOP), steady)) == [True] * 5


def test_a_bin_states_its_middle() -> None:
    from quality_asked import stated

    assert [stated(sets.CONFIDENCE, k) for k in range(6)] == pytest.approx([0.1, 0.3, 0.5, 0.7, 0.875, 0.975])


def test_odds_are_calibrated_by_their_most_probable_value_and_scored_over_all() -> None:
    from quality_asked import Odds
    from quality_odds import OddsBook

    book = OddsBook()
    book.add("slot", "a", Odds("zone", np.array([0.7, 0.3, 0.0]), 0))
    book.add("slot", "b", Odds("zone", np.array([0.2, 0.2, 0.6]), 1))
    found, score = book.calibration("slot"), book.brier("slot")
    assert found is not None
    assert score is not None
    assert (found.stated, found.true) == (pytest.approx(0.65), 0.5)
    assert score.score == pytest.approx(((0.09 + 0.09) + (0.04 + 0.64 + 0.36)) / 2)
    book.state("said", "a", 0.8, True, 3)
    single = book.brier("said")
    assert single is not None
    assert single.score == pytest.approx(2 * 0.04)
    assert book.calibration("never") is None
    assert book.brier("never") is None


@pytest.fixture(scope="module")
def model() -> Any:
    from waytrace.microgpt import Compiled, GPTConfig, initial

    config = GPTConfig.of("nano")
    rng = np.random.default_rng(5)
    weights = {k: v + 0.05 * rng.standard_normal(v.shape).astype(np.float32) for k, v in initial(config).items()}
    return Compiled(weights, config)


@pytest.fixture(scope="module")
def scenario() -> Any:
    from waytrace.catalogue import generate

    return generate("cut-in", 20_000, split="select")


@pytest.fixture(scope="module")
def counted(model: Any, scenario: Any) -> Any:
    """All that is counted of one scene, by a model that has learned nothing; and its moments."""
    from quality_counting import Counting, Course

    class Watching(Counting):
        course: Course

        def _beside(self, scenario: Any, wanted: Any) -> Course:
            self.course = super()._beside(scenario, wanted)
            return self.course

    counting = Watching(model)
    counting.ledger.place(scenario.id, scenario.family)
    assert counting.scene(scenario, [0, 10]) == 2
    return counting


def test_the_planner_is_as_likely_to_say_what_it_says_as_its_odds_are(counted: Any) -> None:
    from quality_asked import label_odds, own_odds

    for kept in counted.course.kept:
        label, said = kept.label.label.trace, kept.given.trace
        own = own_odds(kept.given, label)
        assert {o.slot for o in own} <= {"longitudinal", "lateral"}
        for odds in own:
            assert odds.probability.sum() == pytest.approx(1.0)
            values = {"longitudinal": sets.LONGITUDINAL, "lateral": sets.LATERAL}[odds.slot]
            assert values.values[int(odds.probability.argmax())] == getattr(said.decision, odds.slot)
            assert values.values[odds.label] == getattr(label.decision, odds.slot)
            (entry,) = [w for w in kept.given.written if w.slot.name == odds.slot]
            assert np.log(odds.probability.max()) == pytest.approx(entry.logprob, abs=1e-4)
        told = label_odds(kept.given, label)
        assert told is not None
        assert "changed" not in {o.slot for o in told}
        assert all(o.probability[o.label] > 0.0 for o in told), "what the label says is legal after its own words"
        again = label_odds(kept.given, said)
        assert again is not None
        for mine, odds in zip(own, (o for o in again if o.slot in ("longitudinal", "lateral")), strict=True):
            np.testing.assert_allclose(mine.probability, odds.probability, atol=1e-6)


def test_noise_of_nothing_changes_nothing_and_noise_leaves_the_world_and_the_ego_alone(
    counted: Any, scenario: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import quality_asked
    from waytrace.sim import World

    world = World([scenario])
    world.step_plans(counted.course.kept[0].label.world.plans[0][1])
    plain = world.observe()
    here = world.snapshot()
    shaken = quality_asked.noisy(world, np.random.default_rng(0))
    for mine, kept in zip(world.snapshot().bundles[0], here.bundles[0], strict=True):
        np.testing.assert_array_equal(mine, kept)
    np.testing.assert_array_equal(shaken.scenes[0].ego.pose, plain.scenes[0].ego.pose)
    np.testing.assert_array_equal(shaken.ego, plain.ego)
    order = np.argsort(shaken.scenes[0].agents.index), np.argsort(plain.scenes[0].agents.index)
    moved = shaken.scenes[0].agents.pose[order[0], :2] - plain.scenes[0].agents.pose[order[1], :2]
    assert 0.0 < np.abs(moved).max() < 6 * quality_asked.PLACE_M
    assert (shaken.agents != plain.agents).any()
    monkeypatch.setattr(quality_asked, "PLACE_M", 0.0)
    monkeypatch.setattr(quality_asked, "SPEED_MPS", 0.0)
    still = quality_asked.noisy(world, np.random.default_rng(0))
    np.testing.assert_array_equal(still.agents, plain.agents)
    np.testing.assert_array_equal(still.reference, plain.reference)


def test_the_expert_asked_again_says_its_label(counted: Any) -> None:
    from quality_asked import expert_told
    from waytrace.label import Asker

    for kept in counted.course.kept:
        told = expert_told(kept.label, kept.label.observation, Asker())
        assert told is not None
        assert told.trace == kept.label.label.trace
        np.testing.assert_array_equal(told.plan.waypoints, kept.label.label.plan.waypoints)


def test_agents_in_another_order_are_the_same_scene(counted: Any) -> None:
    ledger = counted.ledger
    assert [ledger.share(f"order {what}")[::3] for what in ("decision", "words", "plan")] == [(1.0, 2.0)] * 3


def test_what_stays_is_told_from_what_does_not(counted: Any) -> None:
    from figure_counts import Ledger
    from quality_asked import Told
    from quality_counting import KNOT_4S, unmoved

    first = counted.course.kept[0].label.label
    own = Told(first.trace, first.plan)
    decision = first.trace.decision
    other = "stop" if decision.longitudinal != "stop" else "proceed"
    waypoints = first.plan.waypoints.copy()
    waypoints[KNOT_4S, 0] += 3.0
    changed = Told(
        replace(first.trace, decision=replace(decision, longitudinal=other, causes=())),
        replace(first.plan, waypoints=waypoints),
    )
    ledger = Ledger()
    unmoved(ledger, "same", "s", own, own)
    unmoved(ledger, "other", "s", own, changed)
    parts = ("decision", "longitudinal", "lateral", "causes", "moved_m")
    assert [ledger.share(f"same {part}").value for part in parts] == [1, 1, 1, 1, 0]
    found = [ledger.share(f"other {part}").value for part in parts]
    assert found == [0, 0, 1, not decision.causes, pytest.approx(3.0)]


def test_what_came_of_forecasts_is_what_driving_on_anew_gives(scenario: Any) -> None:
    from label_forecasts import came_of, outcomes
    from waytrace.label import label_drive

    kept = next(iter(label_drive(scenario, ticks=[10])))
    said = kept.label.trace.predictions
    assert said
    anew = outcomes(kept)
    rollout = kept.world.rollouts("expert")[0]
    along = came_of(said, kept, 10, rollout)
    assert [(p.intent, true) for p, true in zip(said, along, strict=True) if true is not None] == anew
    assert came_of(said, kept, len(rollout.pose) - 10, rollout) == [None] * len(said)


def test_whole_drives_are_counted_of_all_three(counted: Any) -> None:
    ledger, decisions = counted.ledger, len(counted.course.labels)
    assert len(counted.course.said) == decisions > 10
    for who in ("beside", "expert", "alone"):
        assert ledger.share(f"flips/{who}").of > 10
        assert ledger.share(f"apart_4s/{who}").value > 0.0
    assert ledger.share("flips/beside").of == decisions - 1
    shares = [ledger.share(f"alone {verdict}").value for verdict in ("true", "false", "undetermined")]
    assert sum(shares) == pytest.approx(1.0)


def test_the_page_says_not_asked_where_nothing_was(counted: Any) -> None:
    from figure_counts import Ledger
    from quality_odds import OddsBook
    from quality_page import figures, page, pictures

    about = {"command": "c", "digest": "d", "asked": 3, "scenes": 1, "moments": 2, "seed": 1, "decisions": 20}
    assert "not asked" in page(Ledger(), OddsBook(), about)
    assert figures(Ledger(), OddsBook())["calibration own/both"] is None
    assert pictures(OddsBook()) == {}
    made = page(counted.ledger, counted.odds, about)
    assert "| steps that change the decision |" in made
    assert "The other 2 of 3 scenes were not run." in made
    assert "not run" not in page(counted.ledger, counted.odds, about | {"asked": 1})
    assert figures(counted.ledger, counted.odds)["order plan"] == 1.0
    assert {"calibration-longitudinal.svg"} <= set(pictures(counted.odds))
