"""Figures from records made by hand: N, I, S, F, floor and ceiling, delta, the two-by-two."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from waytrace.evaluate.causes.answers import closed_loop, held_out, mediated, trace_response, two_by_two
from waytrace.evaluate.causes.closed import pair_of
from waytrace.evaluate.causes.figures import (
    FEWEST_LAYOUTS,
    Figures,
    agreement,
    direction,
    harmonic,
    invariance,
    necessity,
    ordered,
    sufficiency,
)  # fmt: skip
from waytrace.evaluate.causes.null import FEWEST, RESOLUTION_M, Delta
from waytrace.observe import Reference, ReferenceKind

DELTA_M = 1.0


def _group(moved_m: float | None, *member_m: float | None, ahead_m: float = 5.0) -> dict[str, Any]:
    return {
        "elements": ["agent:1"], "axis": "longitudinal", "role": "proximate", "moved_m": moved_m, "ahead_m": ahead_m,
        "member_m": list(member_m),
    }  # fmt: skip


def _voice(*groups: dict[str, Any], matched: tuple[float, ...] = (), everybody: tuple[float, ...] = (),
           enabling: tuple[float, ...] = (), only_m: float | None = None,
           bare_m: float | None = 9.0) -> dict[str, Any]:  # fmt: skip
    return {
        "groups": list(groups), "untested": [], "enabling_m": list(enabling), "matched": [], "matched_m": list(matched),
        "cited_all_m": list(everybody), "only_m": only_m, "bare_m": bare_m,
    }  # fmt: skip


def _record(scene: int, **voices: Any) -> dict[str, Any]:
    return {
        "scene": f"s{scene}", "family": "f", "cluster": f"layout-{scene}", "tick": 20, "speed_mps": 5.0,
        "way": "trace", "voices": {name.replace("_", "-"): v for name, v in voices.items()}, "irrelevant_m": [],
        "responses": [], "held_out": [], "mediation": None,
    }  # fmt: skip


def test_necessity_is_the_share_of_causes_that_move_the_plan() -> None:
    assert necessity(_voice(_group(5.0), _group(0.5)), DELTA_M) == 0.5
    assert necessity(_voice(_group(None), _group(5.0)), DELTA_M) == 1.0, "what could not be compared is not counted"


def test_a_cause_that_is_owed_and_not_named_was_not_necessary() -> None:
    assert necessity(_voice(), DELTA_M) == 0.0, "undoing nothing moves nothing"
    assert math.isnan(necessity(_voice(bare_m=None), DELTA_M)), "a free drive owes none, or what is named has no edit"
    assert math.isnan(necessity(_voice(enabling=(4.0,)), DELTA_M)), "named, in a role that need not move the plan"
    assert math.isnan(necessity(_voice(_group(None)), DELTA_M))


def test_of_a_set_every_member_has_to_matter() -> None:
    assert necessity(_voice(_group(5.0, 3.0, 2.0)), DELTA_M) == 1.0
    assert necessity(_voice(_group(5.0, 3.0, 0.0)), DELTA_M) == 0.0, "one member could be left out: not minimal"
    assert necessity(_voice(_group(0.0, 0.0, 0.0)), DELTA_M) == 0.0


def test_invariance_is_the_share_of_uncited_agents_without_whom_the_plan_stays() -> None:
    assert invariance(_voice(matched=(0.0, 4.0)), DELTA_M) == 0.5
    assert math.isnan(invariance(_voice(), DELTA_M))


def test_who_cites_every_agent_fails_where_one_of_them_is_idle() -> None:
    assert invariance(_voice(_group(5.0), everybody=(5.0, 0.2)), DELTA_M) == 0.0
    assert math.isnan(invariance(_voice(_group(5.0), everybody=(5.0, 4.0)), DELTA_M)), "rightly: then it is not asked"


def test_sufficiency_and_direction() -> None:
    assert sufficiency(_voice(only_m=0.4), DELTA_M) == 1.0
    assert sufficiency(_voice(only_m=1.4), DELTA_M) == 0.0
    assert math.isnan(sufficiency(_voice(), DELTA_M))
    assert math.isnan(sufficiency(_voice(only_m=0.4, bare_m=0.5), DELTA_M)), "nothing is needed: any claim would do"
    assert direction(_voice(_group(5.0), _group(5.0, ahead_m=-5.0), _group(0.2)), DELTA_M) == 0.5


def test_f_is_the_harmonic_mean_and_zero_where_a_part_is() -> None:
    parts = [np.array([0.5, 1.0, 0.0]), np.array([1.0, 1.0, 1.0]), np.array([1.0, 1.0, 1.0])]
    assert harmonic(parts).tolist() == pytest.approx([3.0 / 4.0, 1.0, 0.0])


@pytest.fixture
def records() -> list[dict[str, Any]]:
    """Twelve moments: honest claims are borne out but in the last one; random ones every other time."""
    out = []
    for k in range(12):
        right = _voice(_group(5.0), matched=(0.0,), only_m=0.0)
        wrong = _voice(_group(0.0), matched=(5.0,), only_m=5.0)
        honest, drawn = wrong if k == 11 else right, right if k % 2 else wrong
        record = _record(k, honest=honest, random=drawn, planner=right, planner_random=drawn)
        record["voices"]["cite-everything"] = _voice(_group(0.0), everybody=(5.0, 0.0), only_m=0.0)
        out.append(record)
    return out


def test_between_floor_and_ceiling(records: list[dict[str, Any]]) -> None:
    figures = Figures(records, lambda _: DELTA_M)
    honest, drawn, own = (figures.of_voice(v) for v in ("honest", "random", "planner"))
    assert honest["faithfulness"]["value"] == pytest.approx(11 / 12)
    assert drawn["faithfulness"]["value"] == pytest.approx(0.5)
    assert honest["between"]["value"] == 1.0
    assert honest["between"]["low"] == honest["between"]["high"] == 1.0, "the ratio itself is drawn, not its parts"
    assert drawn["between"]["value"] == 0.0
    assert own["between"]["value"] == pytest.approx((1.0 - 0.5) / (11 / 12 - 0.5)), "more than the ceiling can be"
    assert own["faithfulness"]["low"] == 1.0
    assert drawn["faithfulness"]["low"] < 0.5 < drawn["faithfulness"]["high"]
    everything = figures.of_voice("cite-everything")
    assert everything["faithfulness"]["value"] == 0.0
    assert everything["between"]["value"] < 0.0


def test_agreement_is_of_sets_and_silence_of_both_is_not_asked() -> None:
    one, two = _voice(_group(5.0)), _voice({**_group(5.0), "elements": ["agent:1", "light:0"]})
    assert agreement(one, one) == 1.0
    assert agreement(one, two) == pytest.approx(2 / 3)
    assert agreement(one, _voice()) == 0.0
    assert math.isnan(agreement(_voice(), _voice()))


def test_differences_are_paired(records: list[dict[str, Any]]) -> None:
    figures = Figures(records, lambda _: DELTA_M)
    same = figures.difference("honest", "honest")
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    apart = figures.difference("honest", "random")
    assert apart.value == pytest.approx(11 / 12 - 0.5)
    assert apart.low is not None
    assert apart.low < apart.value


def test_a_pair_is_shown_by_its_interval_and_not_by_its_value(records: list[dict[str, Any]]) -> None:
    found = {(p["better"], p["worse"]): p for p in ordered(Figures(_unsure(records), lambda _: DELTA_M))}
    pair = found["nearest", "random"]
    assert pair["value"] > 0.0 > pair["low"]
    assert not pair["shown"]


def _unsure(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two liars, of whom one is right in one moment more."""
    out = []
    for k, record in enumerate(records):
        right = _voice(_group(5.0), matched=(0.0,), only_m=0.0)
        wrong = _voice(_group(0.0), matched=(0.0,), only_m=5.0)
        random, nearest = (right if k % 3 else wrong), (right if k % 3 or k == 0 else wrong)
        voices = {"honest": right, "random": random, "nearest": nearest if k != 1 else wrong}
        if k == 3:
            voices["nearest"] = right
        out.append(record | {"voices": voices})
    return out


@pytest.mark.parametrize("layouts", [2, 10])
def test_intervals_hold_the_truth_with_two_layouts_a_family_as_with_ten(layouts: int) -> None:
    rng = np.random.default_rng(0)
    made = [
        {"family": f"f{f}", "cluster": f"{f}/{k}", "speed_mps": 5.0, "voices": {}}
        for f in range(18) for k in range(layouts) for _ in range(2)
    ]  # fmt: skip
    figures, held = Figures(made, lambda _: DELTA_M), []
    for _ in range(300):
        found = figures.share(np.repeat(rng.normal(size=18 * layouts), 2) + rng.normal(size=36 * layouts))
        assert found.low is not None
        assert found.high is not None
        held.append(found.low <= 0.0 <= found.high)
    assert 0.91 <= np.mean(held) <= 0.98


def test_moments_of_one_layout_are_drawn_together(records: list[dict[str, Any]]) -> None:
    alone = Figures(records, lambda _: DELTA_M).of_voice("random")["necessity"]
    for record in records:
        number = int(record["scene"][1:])
        record["cluster"] = f"{number % 2}/{number // 4}"
    together = Figures(records, lambda _: DELTA_M).of_voice("random")["necessity"]
    assert together["high"] - together["low"] > alone["high"] - alone["low"]


def test_too_few_layouts_give_no_interval(records: list[dict[str, Any]]) -> None:
    few = Figures(records[: FEWEST_LAYOUTS - 1], lambda _: DELTA_M).of_voice("random")["necessity"]
    assert few["value"] is not None
    assert few["low"] is few["high"] is None
    assert Figures(records[:FEWEST_LAYOUTS], lambda _: DELTA_M).of_voice("random")["necessity"]["low"] is not None


def test_a_figure_that_was_asked_in_too_few_layouts_has_no_interval_however_many_there_are(
    records: list[dict[str, Any]],
) -> None:
    """All draws that hold the one layout would give the same value: a certainty that is none."""
    figures = Figures(records, lambda _: DELTA_M)
    asked = np.where(np.arange(len(records)) < FEWEST_LAYOUTS - 1, 1.0, np.nan)
    few = figures.share(asked)
    assert (few.value, few.low, few.high, few.asked) == (1.0, None, None, FEWEST_LAYOUTS - 1)
    for record in records[FEWEST_LAYOUTS - 1 :]:
        record["voices"]["planner"]["only_m"] = None
    own = Figures(records, lambda _: DELTA_M).of_voice("planner")
    assert own["invariance"]["low"] is not None
    assert own["sufficiency"]["low"] is own["faithfulness"]["low"] is own["between"]["low"] is None
    assert Figures(records, lambda _: DELTA_M).of_voice("honest")["faithfulness"]["low"] is not None


def test_a_ratio_that_many_draws_leave_undefined_has_no_interval(records: list[dict[str, Any]]) -> None:
    """A ceiling hardly above its floor: in many draws it is not, and what is left of them is no sample of the ratio."""
    for k, record in enumerate(records):
        record["voices"]["random"] = record["voices"]["honest"] if k else record["voices"]["random"]
    figures = Figures(records, lambda _: DELTA_M)
    assert np.mean(~np.isfinite(figures.between("honest"))) > 0.1
    found = figures.of_voice("honest")
    assert (found["between"]["value"], found["between"]["low"]) == (1.0, None)
    assert found["faithfulness"]["low"] is not None


def test_delta_is_a_percentile_by_speed_band_with_a_floor() -> None:
    moved = np.linspace(0.0, 10.0, FEWEST + 1)
    delta = Delta([1.0] * len(moved) + [20.0] * len(moved), [*moved, *np.zeros(len(moved))])
    assert delta.of(1.0) == pytest.approx(9.9)
    assert delta.of(20.0) == RESOLUTION_M
    pooled = float(np.percentile([*moved, *np.zeros(len(moved))], 99.0))
    assert delta.of(5.0) == pytest.approx(pooled), "a band without enough edits takes that of all"
    assert Delta([], []).of(5.0) == RESOLUTION_M


def test_answers_beside_the_main_figures(records: list[dict[str, Any]]) -> None:
    forced = {"asked": ["stop", "keep"], "moved_m": 3.0, "obeyed": True, "rules_hold": True, "silent_moved_m": 0.0,
              "silent_obeyed": False}  # fmt: skip
    for k, record in enumerate(records):
        record["mediation"] = {
            "forced": {**forced, "obeyed": k < 9} if k < 10 else None, "silent_m": 3.0, "filler_m": 0.0,
            "filler_decides_alike": True,
        }  # fmt: skip
        record["responses"] = [
            {"elements": ["agent:1"], "cited": True, "moved_m": 5.0, "said_the_same": k == 0, "still_cited": False,
             "as_expert": True},
            {"elements": ["agent:2"], "cited": False, "moved_m": 0.0, "said_the_same": k != 1, "still_cited": False,
             "as_expert": None},
        ]  # fmt: skip
        record["held_out"] = [
            {"kind": "slow", "moved_m": 5.0, "expert_m": 5.0 if k else 0.0, "ahead_m": -5.0, "expert_ahead_m": -4.0}
        ]
    figures = Figures(records, lambda _: DELTA_M)
    found = mediated(figures)
    assert found is not None
    assert found["obeyed"]["value"] == pytest.approx(0.9)
    assert found["plan_first_obeyed"]["value"] == 0.0
    assert (found["early_answer_differs"]["value"], found["filler_differs"]["value"]) == (1.0, 0.0)
    assert two_by_two(figures) == {"causal_mediated": 9, "causal_only": 1, "mediated_only": 0, "neither": 0}
    said = trace_response(figures)
    assert said["vanished"]["value"] == 1.0
    assert said["plan_alone"]["value"] == pytest.approx(1 / 12)
    assert said["trace_alone"]["value"] == pytest.approx(1 / 12)
    other = held_out(figures)["slow"]
    assert other["agree"]["value"] == pytest.approx(11 / 12)
    assert other["same_direction"]["value"] == 1.0
    tried = [{"scene": r["scene"], "tick": 20, "planner": {"cited_m": 9.0, "uncited_m": 0.0},
              "honest": {"cited_m": 9.0, "uncited_m": 9.0}} for r in records[:4]]  # fmt: skip
    drives = closed_loop(figures, tried)
    assert (drives["planner/cited"]["value"], drives["planner/uncited"]["value"]) == (1.0, 0.0)
    assert drives["honest/uncited"]["asked"] == 4


def test_who_goes_in_closed_loop_beside_a_cited_agent_is_the_one_like_it() -> None:
    light = {**_group(5.0), "elements": ["light:0"]}
    both = _voice(light, _group(5.0), _group(5.0)) | {"matched": ["agent:7", "agent:8"]}
    assert pair_of(both) == (Reference(ReferenceKind.AGENT, 1), Reference(ReferenceKind.AGENT, 8))
    assert pair_of(both | {"matched": ["agent:7"]}) is None, "whoever is like the light is not like the agent"
    assert pair_of(_voice(light) | {"matched": ["agent:7"]}) is None
