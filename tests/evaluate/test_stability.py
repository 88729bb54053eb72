"""How steady a planner is: counts beside slow ones written out by hand, and planted planners that waver."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waytrace.catalogue import generate
from waytrace.evaluate import drive, evaluate, mean_interval
from waytrace.evaluate.quality import FIGURES, quality
from waytrace.evaluate.stability import Said, plan_stability, plans_apart, word_stability
from waytrace.observe import Reference, ReferenceKind
from waytrace.planners import Expert
from waytrace.scenario import Plan
from waytrace.scenario.store import ScenarioWriter

LEAD, OTHER = (("longitudinal", Reference(ReferenceKind.AGENT, k)) for k in (1, 2))
STEP = 5


def _drive(*decisions: tuple[str, str], causes: Sequence[Sequence[Any]] = ()) -> list[Said]:
    told = causes or [()] * len(decisions)
    return [Said(STEP * k, *d, frozenset(c)) for k, (d, c) in enumerate(zip(decisions, told, strict=True))]


GO, STOP, ASIDE = ("set_speed", "keep"), ("stop", "keep"), ("set_speed", "nudge_in_lane_left")


def test_a_planner_that_says_the_same_all_along_is_steady() -> None:
    found = word_stability(_drive(*[STOP] * 6, causes=[[LEAD]] * 6), STEP)
    assert (found.steps, found.flips, found.flickers, found.cause_steps, found.causes_kept) == (5, 0, 0, 5, 5.0)


def test_one_that_changes_its_mind_for_good_flips_once_and_does_not_flicker() -> None:
    found = word_stability(_drive(GO, GO, STOP, STOP, STOP), STEP)
    assert (found.flips, found.longitudinal_flips, found.lateral_flips, found.flickers) == (1, 1, 0, 0)


def test_one_that_wavers_flips_at_every_step_and_takes_nearly_all_of_it_back() -> None:
    found = word_stability(_drive(*[GO, STOP] * 4), STEP)
    assert (found.steps, found.flips, found.flickers) == (7, 7, 6)  # nothing comes after the last one


@pytest.mark.parametrize(
    ("away", "flickers"), [(1, 1), (2, 1), (3, 0)], ids=["back after 0.5 s", "after 1 s", "after 1.5 s"]
)
def test_what_comes_back_after_more_than_a_second_has_not_flickered(away: int, flickers: int) -> None:
    assert word_stability(_drive(GO, *[STOP] * away, GO, *[GO] * 3), STEP).flickers == flickers


def test_both_axes_are_one_decision_and_are_counted_apart_too() -> None:
    found = word_stability(_drive(GO, ASIDE, ASIDE, STOP), STEP)
    assert (found.flips, found.longitudinal_flips, found.lateral_flips) == (2, 1, 2)


def test_causes_are_kept_as_sets_and_free_driving_is_not_asked() -> None:
    cited = [[], [], [LEAD], [LEAD, OTHER], [OTHER]]
    found = word_stability(_drive(*[GO] * 5, causes=cited), STEP)
    assert found.cause_steps == 3
    assert found.causes_kept == pytest.approx(0.0 + 1 / 2 + 1 / 2)


def test_a_decision_that_is_missing_makes_no_step() -> None:
    said = _drive(GO, STOP, GO, STOP)
    found = word_stability([said[0], said[2], said[3]], STEP)
    assert (found.steps, found.flips) == (1, 1)
    assert word_stability([], STEP).steps == 0


@given(st.lists(st.tuples(st.sampled_from([GO, STOP, ASIDE]), st.sets(st.sampled_from([LEAD, OTHER]))), max_size=12))
def test_counts_are_those_of_a_slow_one(drawn: list[tuple[tuple[str, str], set[Any]]]) -> None:
    said = [Said(STEP * k, *d, frozenset(c)) for k, (d, c) in enumerate(drawn)]
    flips = flickers = asked = 0
    kept = 0.0
    for k in range(1, len(drawn)):
        (before, had), (after, has) = drawn[k - 1], drawn[k]
        if before != after:
            flips += 1
            if before in [drawn[j][0] for j in (k + 1, k + 2) if j < len(drawn)]:
                flickers += 1
        if had | has:
            asked += 1
            kept += len(had & has) / len(had | has)
    found = word_stability(said, STEP)
    assert (found.flips, found.flickers, found.cause_steps) == (flips, flickers, asked)
    assert found.causes_kept == pytest.approx(kept)


def _straight(speed_mps: float, from_m: float) -> np.ndarray:
    x = from_m + speed_mps * 0.5 * np.arange(1, 17)
    return np.stack([x, 0 * x, 0 * x, 0 * x + speed_mps], -1)


def test_plans_that_lead_on_along_each_other_are_not_apart() -> None:
    for gap in (0.1, 0.5, 1.0, 0.7):
        found = plans_apart(np.array([3.0, 3.0 + gap]), np.stack([_straight(8.0, 0.0), _straight(8.0, 8.0 * gap)]))
        assert found is not None
        assert (found.steps, found.apart_2s_m, found.apart_4s_m) == (1, pytest.approx(0.0), pytest.approx(0.0))


def test_a_plan_that_speeds_up_is_apart_by_what_it_gains_from_then_on() -> None:
    plans = np.stack([_straight(8.0, 0.0), _straight(10.0, 4.0), _straight(10.0, 9.0)])
    found = plans_apart(np.array([0.0, 0.5, 1.0]), plans)
    assert found is not None
    assert (found.apart_2s_m, found.apart_4s_m) == (pytest.approx((4.0 + 0.0) / 2), pytest.approx((8.0 + 0.0) / 2))


def test_too_few_plans_or_too_far_between_say_nothing() -> None:
    assert plans_apart(np.array([0.0]), _straight(8.0, 0.0)[None]) is None
    assert plans_apart(np.array([0.0, 5.0]), np.stack([_straight(8.0, 0.0)] * 2)) is None


class Wavering(Expert):
    """The expert, but every other plan is one that brakes hard."""

    name = "wavering"

    def plan(self, observation: Any, state: Any) -> Any:
        plan, said, state = super().plan(observation, state)
        if int(observation.tick[0]) // STEP % 2:
            slower = plan.waypoints.copy()
            slower[..., :2] = plan.start[:, None, :2] + 0.5 * (slower[..., :2] - plan.start[:, None, :2])
            plan = Plan(plan.t0_s, plan.start, plan.accel_mps2, plan.curvature_1pm, slower, plan.producer)
        return plan, said, state


def test_a_planner_that_wavers_is_shown_to_be_less_steady_than_the_expert() -> None:
    found = {}
    for planner in (Expert(), Wavering()):
        (rollout,) = drive(planner, [generate("lead-braking", 1)])
        found[planner.name] = plan_stability(rollout)
    steady, wavering = found["expert"], found["wavering"]
    assert steady is not None
    assert wavering is not None
    assert wavering.steps == steady.steps > 10
    assert wavering.apart_2s_m > 3.0 + steady.apart_2s_m
    assert wavering.apart_4s_m > wavering.apart_2s_m


def test_an_evaluation_states_them_with_intervals_and_they_are_in_no_hash(tmp_path: Path) -> None:
    store = tmp_path / "store"
    with ScenarioWriter(store) as writer:
        for family in ("ccrm", "merge"):
            writer.add(generate(family, 3))
    plain = evaluate("expert", store, out=tmp_path / "plain")
    traced = evaluate("expert", store, out=tmp_path / "traced", traces=True)
    assert plain.meta["result_hash"] == traced.meta["result_hash"]
    assert set(plain.meta["quality"]) == {"plans_apart_2s_m", "plans_apart_4s_m"}
    assert set(traced.meta["quality"]) == {figure.name for figure in FIGURES}
    for name, found in traced.meta["quality"].items():
        assert found["scenes"] == 2, name
        low, high = found["interval"]
        assert low <= found["value"] <= high, name
    for row in traced.meta["scenarios"]:
        decisions = len(traced.rollout(row["id"]).decision_row)
        assert row["plan_stability"]["steps"] == decisions - 1
        assert 0 < row["trace"]["stability"]["steps"] < row["trace"]["decisions"] <= decisions
    again = json.loads((traced.path / "result.json").read_text())
    assert json.loads(json.dumps(quality(again["scenarios"]))) == again["quality"]


def _row(cluster: str, clean: bool, flips: int, steps: int) -> dict[str, Any]:
    counts = dict.fromkeys(("longitudinal_flips", "lateral_flips", "flickers", "cause_steps", "causes_kept"), 0)
    said = {"true": 8, "false": 1, "undetermined": 1, "plan_true": 0, "plan_false": 0}
    return {
        "cluster": cluster, "oracle": {"clean": clean},
        "trace": said | {"stability": counts | {"flips": flips, "steps": steps}},
    }  # fmt: skip


def test_figures_are_means_over_scenes_and_what_was_not_asked_is_left_out() -> None:
    rows = [_row("a", True, 1, 2), _row("b", True, 0, 10), _row("b", False, 4, 4)]
    found = quality(rows)
    assert found["flips"] == {
        "value": pytest.approx(0.5), "interval": mean_interval([0.5, 0.0, 1.0], ["a", "b", "b"]), "scenes": 3
    }  # fmt: skip
    assert found["claims_true"]["value"] == pytest.approx(0.8)
    assert found["claims_undetermined"]["value"] == pytest.approx(0.1)
    assert not {"causes_kept", "plan_claims_true", "plans_apart_2s_m"} & set(found)
    assert quality(rows, admitted_only=True)["flips"]["value"] == pytest.approx(0.25)
    assert quality([{"cluster": "a", "oracle": {"clean": True}}]) == {}
    assert quality([_row("a", True, 0, 0)]).keys() == {"claims_true", "claims_false", "claims_undetermined"}
