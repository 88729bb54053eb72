"""The gate as a whole: one sentence a test about what it must say of two results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from waytrace.evaluate import Result, load_result
from waytrace.evaluate.gate import Decision, GateError, Policy, Verdict, gate, markdown_summary
from waytrace.evaluate.gate.scores import default_margin
from waytrace.scenario import StoreError

from .conftest import Make, row

Scores = dict[str, float]


def _shaken(scores: Scores, by: float, drop: float = 0.0) -> Scores:
    """Each scene a little better or worse, in turn; all lower by ``drop``."""
    return {scene: s + by * (-1) ** (k // 2 + k // 3) - drop for k, (scene, s) in enumerate(scores.items())}


def _states(decision: Decision) -> dict[str, str]:
    return {outcome.gate: str(outcome.state) for outcome in decision.outcomes}


def test_a_result_beside_itself_is_equivalent(make: Make, scores: Scores) -> None:
    decision = gate(make("a", scores), make("b", scores))
    assert decision.verdict == Verdict.EQUIVALENT
    assert decision.allowed
    assert decision.scores["difference"] == 0.0
    assert decision.scores["detectable_effect"] > 0.0, "even then not everything would be found"


def test_small_changes_to_and_fro_are_equivalent(make: Make, scores: Scores) -> None:
    decision = gate(make("a", _shaken(scores, 0.02)), make("b", scores))
    assert decision.verdict == Verdict.EQUIVALENT
    low, high = decision.scores["interval"]
    assert low < 0 < high
    assert -decision.scores["margin"] < low


@pytest.mark.parametrize(("lower", "verdict"), [(1, "equivalent"), (2, "equivalent"), (4, "equivalent")])
def test_a_few_lower_scenes_among_many_that_stay_are_no_regression(
    make: Make, scores: Scores, lower: int, verdict: str
) -> None:
    fell = dict.fromkeys(list(scores)[:: 40 // lower][:lower], 0.1)
    decision = gate(make("a", {s: v - fell.get(s, 0.0) for s, v in scores.items()}), make("b", scores))
    assert decision.verdict == verdict
    low, high = decision.scores["interval"]
    assert -0.05 < low < 0.0 < high


def test_many_lower_scenes_among_many_that_stay_are_one(make: Make, scores: Scores) -> None:
    fell = dict.fromkeys(list(scores)[::20], 0.5)
    decision = gate(make("a", {s: v - fell.get(s, 0.0) for s, v in scores.items()}), make("b", scores))
    assert len(fell) == 8
    assert decision.verdict == Verdict.REGRESSED


def test_large_changes_to_and_fro_are_inconclusive_unless_the_policy_allows_it(make: Make, scores: Scores) -> None:
    before = dict.fromkeys(scores, 0.5)
    a, b = make("a", _shaken(before, 0.45)), make("b", before)
    assert gate(a, b).verdict == Verdict.INCONCLUSIVE
    assert not gate(a, b).allowed
    assert gate(a, b, policy=Policy(allow=("inconclusive",))).allowed


def test_a_wide_alpha_makes_nothing_equivalent(make: Make, scores: Scores) -> None:
    """At alpha 0.4 the interval of the difference is that of 20 %: equivalence takes the one of 95 % all the same."""
    before = dict.fromkeys(scores, 0.5)
    b = make("b", before)
    shaken = _shaken(before, 0.45)
    seen = gate(make("a", shaken), b).scores["difference"]
    a = make("c", {scene: min(1.0, max(0.0, score - seen)) for scene, score in shaken.items()})
    wide = Policy.model_validate({"alpha": {"scores": 0.4}})
    assert _states(gate(a, b))["G4"] == "inconclusive"
    assert _states(gate(a, b, policy=wide))["G4"] == "inconclusive"


def test_a_drop_of_the_detectable_effect_everywhere_is_a_regression(make: Make, scores: Scores) -> None:
    reach = gate(make("a", _shaken(scores, 0.05)), make("b", scores)).scores["detectable_shift"]
    decision = gate(make("c", _shaken(scores, 0.05, drop=1.3 * reach)), load_result(Path(make("d", scores).path)))
    assert decision.verdict == Verdict.REGRESSED
    assert gate(make("e", scores), make("f", _shaken(scores, 0.05, drop=1.3 * reach))).verdict == Verdict.IMPROVED


def test_a_regression_in_one_family_is_found_where_the_mean_hides_it(make: Make, scores: Scores) -> None:
    after = {s: v - 0.09 if s.startswith("merge") else v + 0.03 for s, v in _shaken(scores, 0.02).items()}
    decision = gate(make("a", after), make("b", scores))
    assert decision.scores["difference"] == pytest.approx(0.0, abs=0.01)
    assert decision.verdict == Verdict.REGRESSED
    assert [f["family"] for f in decision.scores["families"] if f["p_holm"] < 0.01] == ["merge"]


def test_two_layouts_that_lost_the_same_term_are_no_regression_of_a_family(make: Make) -> None:
    families = [f"f{k}" for k in range(18)]
    before = {f"{family}/{k}": 1.0 for family in families for k in (0, 2)}
    after = {scene: 0.875 if scene.startswith("f3") else 1.0 for scene in before}
    decision = gate(make("a", after), make("b", before))
    (row,) = [f for f in decision.scores["families"] if f["family"] == "f3"]
    assert row["p"] == 0.25
    assert row["detectable_effect"] is None, "no drop in two layouts is certain enough"
    assert decision.verdict == Verdict.EQUIVALENT


def test_a_crash_never_raises_a_score(make: Make, scores: Scores) -> None:
    before = scores | {"cut-in/000": 0.01}
    after = {s: v + 0.05 for s, v in scores.items() if s != "cut-in/000"}
    crashed = gate(make("a", after, errors=("cut-in/000",)), make("b", before))
    assert crashed.verdict == Verdict.REGRESSED
    assert _states(crashed)["G0"] == "failed"
    assert "cut-in/000" in crashed.of("G0").details[0]
    finished = gate(make("c", after | {"cut-in/000": 0.005}), make("d", before))
    assert crashed.scores["after"] <= finished.scores["after"]
    assert crashed.of("G3").figures["at_fault"]["new_scenes"] == ["cut-in/000"]


@pytest.mark.parametrize("holder", ["candidate", "baseline"])
def test_a_missing_scene_is_refused(make: Make, scores: Scores, holder: str) -> None:
    fewer = {s: v for s, v in scores.items() if s != "merge/007"}
    a, b = (fewer, scores) if holder == "candidate" else (scores, fewer)
    with pytest.raises(GateError, match=r"lacks 1 scene: merge/007"):
        gate(make("a", a), make("b", b))


@pytest.mark.parametrize("counted", [float("nan"), None, 0.0])
def test_a_collision_that_the_figures_hide_is_refused(make: Make, scores: Scores, counted: float | None) -> None:
    struck = row("merge/007", 0.5, at_fault=True)
    hidden = struck | {"figures": struck["figures"] | {"at_fault": counted}}
    with pytest.raises(GateError, match=r"merge/007.*at_fault"):
        gate(make("a", scores | {"merge/007": hidden}), make("b", scores))


def test_a_scene_scored_without_a_term_that_it_has_is_refused(make: Make, scores: Scores) -> None:
    made = row("merge/007", 0.6)
    for term, refused in (("EP", True), ("SL", False)):
        terms = {name: value for name, value in made["terms"].items() if name != term}
        a = make(f"a-{term}", scores | {"merge/007": made | {"terms": terms}})
        b = make(f"b-{term}", scores | {"merge/007": made})
        if refused:
            with pytest.raises(GateError, match="has EP in one of"):
                gate(a, b)
        else:
            assert gate(a, b).verdict == Verdict.EQUIVALENT


def test_a_planner_that_fails_twice_is_a_regression_and_no_bad_input(make: Make, scores: Scores) -> None:
    fewer = {s: v for s, v in scores.items() if s != "merge/007"}
    same = {"result_hash": "1" * 64}
    a = make("a", fewer, errors=("merge/007",), **same)
    decision = gate(a, make("b", scores), again=make("c", fewer, errors=("merge/007",), **same))
    assert decision.verdict == Verdict.REGRESSED
    assert _states(decision)["G0"] == "failed"
    assert _states(decision)["G1"] == "passed"
    once = gate(a, load_result(Path(make("d", scores).path)), again=make("e", scores, result_hash="2" * 64))
    assert once.of("G1").details == ("failed one time of two: merge/007",)


def test_a_result_is_no_second_evaluation_of_itself(make: Make, scores: Scores) -> None:
    a = make("a", scores)
    with pytest.raises(GateError, match="the candidate itself"):
        gate(a, make("b", scores), again=load_result(a.path))


def test_a_copy_is_no_second_evaluation(make: Make, scores: Scores) -> None:
    """A baseline is a copy of a result: beside it nothing was run twice."""
    made = {s: row(s, v, seconds=0.1 + k / 7) for k, (s, v) in enumerate(scores.items())}
    same = {"planner": "p", "planner_digest": "d", "result_hash": "1" * 64, "seconds": 12.34}
    a, copy = make("a", made, **same), make("copy", made, **same)
    assert _states(gate(a, copy))["G1"] == "not judged"
    with pytest.raises(GateError, match="the candidate itself"):
        gate(a, make("b", scores), again=copy)
    later = make("later", {s: r | {"seconds": 0.2} for s, r in made.items()}, **same)
    assert _states(gate(a, later))["G1"] == "passed"


def test_rows_that_differ_under_one_hash_are_not_the_same_again(make: Make, scores: Scores) -> None:
    same = {"result_hash": "1" * 64}
    a, again = make("a", scores, **same), make("b", scores | {"merge/007": 0.61}, **same)
    found = gate(a, make("c", scores), again=again).of("G1")
    assert (found.state, found.details) == ("failed", ("differs: merge/007",))


def test_traces_that_the_baseline_lacks_are_no_difference_and_those_that_the_rerun_lacks_are(
    make: Make, scores: Scores
) -> None:
    same = {"planner": "p", "planner_digest": "d", "result_hash": "1" * 64}
    a, bare = make("a", scores, **same, traces_hash="2" * 64), make("b", scores, **same)
    assert _states(gate(a, bare))["G1"] == "passed"
    found = gate(a, bare, again=make("c", scores, **same)).of("G1")
    assert found.state == "failed"
    assert "one of the two has no traces" in found.details[0]


def test_traces_of_some_decisions_alone_are_not_whole(make: Make, scores: Scores) -> None:
    steady = {"steps": 29, "apart_2s_m": 0.1, "apart_4s_m": 0.1}
    whole = {s: r | {"plan_stability": steady} for s, r in _traced(scores, 0).items()}
    for made in whole.values():
        made["trace"] = made["trace"] | {"decisions": 30}
    part = whole | {"merge/007": whole["merge/007"] | {"trace": whole["merge/007"]["trace"] | {"decisions": 3}}}
    base = make("base", whole)
    assert _states(gate(make("a", whole), base))["G0"] == "passed"
    found = gate(make("b", part), base).of("G0")
    assert (found.state, found.details) == ("failed", ("traces of 3 decisions of 29 or more: merge/007",))


def test_fewer_scenes_than_were_asked_for_are_refused_in_whatever_part(make: Make, scores: Scores) -> None:
    a, b = (make(name, scores, asked=161, suite_hash=None) for name in "ab")
    with pytest.raises(GateError, match="160 scenes of 161 that were asked for"):
        gate(a, b, policy=Policy(partial=True))


def test_scores_by_another_oracle_are_refused(make: Make, scores: Scores) -> None:
    made = row("merge/007", 0.6)
    slower = made | {"oracle": made["oracle"] | {"progress_m": 0.5}}
    with pytest.raises(GateError, match=r"merge/007: the oracle"):
        gate(make("a", scores | {"merge/007": slower}), make("b", scores))


@pytest.mark.parametrize("value", ["Infinity", "NaN", "-1.0", "0.0"])
def test_times_that_none_can_take_are_refused(make: Make, scores: Scores, value: str) -> None:
    clock = {"decisions": 9, "median_ms": 1.0, "most_ms": 9.0, "reference_ms": 1.0}
    for key in ("median_ms", "reference_ms"):
        a = make(f"a-{key}", scores | {"merge/007": row("merge/007", 0.6, latency=clock | {key: json.loads(value)})})
        with pytest.raises(StoreError, match=key):
            gate(a, a)


def test_no_drop_beyond_one_is_called_detectable(make: Make) -> None:
    decision = gate(make("a", {"merge/0": 0.9, "merge/2": 0.2}), make("b", {"merge/0": 0.4, "merge/2": 0.9}))
    assert decision.scores["detectable_effect"] is None
    assert "none as outright failures" in markdown_summary(decision)


def test_scenes_that_both_lack_are_refused_too(make: Make, scores: Scores) -> None:
    a, b = make("a", scores, suite_scenes=165), make("b", scores, suite_scenes=165)
    with pytest.raises(GateError, match="suite made-up has 5 more"):
        gate(a, b)
    assert gate(a, b, policy=Policy(partial=True)).verdict == Verdict.EQUIVALENT


def test_a_baseline_that_failed_is_none(make: Make, scores: Scores) -> None:
    fewer = {s: v for s, v in scores.items() if s != "merge/007"}
    with pytest.raises(GateError, match="has to finish"):
        gate(make("a", scores), make("b", fewer, errors=("merge/007",)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"suite_hash": "9" * 64}, "suite"),
        ({"traffic": "replay"}, "traffic"),
        ({"seed": 1}, "seed"),
        ({"replan_ticks": 1}, "replan_ticks"),
        ({"suite_hash": None}, "suite"),
    ],
)
def test_results_of_other_conditions_are_refused(make: Make, scores: Scores, change: dict[str, Any], said: str) -> None:
    with pytest.raises(GateError, match=said):
        gate(make("a", scores, **change), make("b", scores))


def test_an_edited_score_is_refused(make: Make, scores: Scores) -> None:
    edited = row("merge/007", 0.5) | {"score": 0.9}
    with pytest.raises(GateError, match="was edited: scene merge/007"):
        gate(make("a", scores | {"merge/007": edited}), make("b", scores))


@pytest.mark.parametrize("key", ["score", "terms", "cluster", "oracle", "digest"])
def test_a_row_without_a_key_is_refused_by_name(make: Make, scores: Scores, key: str) -> None:
    damaged = {k: v for k, v in row("merge/007", 0.5).items() if k != key}
    with pytest.raises(StoreError, match=key):
        gate(make("a", scores | {"merge/007": damaged}), make("b", scores))


def test_a_never_fail_scene_fails_the_gate_whatever_the_baseline_did(make: Make, scores: Scores) -> None:
    struck = scores | {"cut-in/000": row("cut-in/000", 0.8, at_fault=True)}
    a, b = make("a", struck), make("b", struck)
    assert gate(a, b).verdict == Verdict.EQUIVALENT
    decision = gate(a, b, policy=Policy(never_fail=("cut-in/000", "merge/000")))
    assert decision.verdict == Verdict.REGRESSED
    assert decision.of("G3").figures["never_fail"] == ["cut-in/000"]
    with pytest.raises(GateError, match="no scene of made-up"):
        gate(a, b, policy=Policy(never_fail=("cut-in/999",)))


def test_new_collisions_are_listed_and_many_are_a_regression(make: Make, scores: Scores) -> None:
    def struck(count: int) -> dict[str, Any]:
        return scores | {s: row(s, 0.8, at_fault=True) for s in list(scores)[: 4 * count : 4]}

    few = gate(make("few", struck(2)), make("base", scores))
    assert _states(few)["G3"] != "regressed"
    assert few.of("G3").details == tuple(
        f"new at-fault collision: {s} at 0.3 s: It struck 7." for s in ("cut-in/000", "cut-in/004")
    )
    many = gate(make("many", struck(10)), load_result(few.pairs.baseline.result.path))
    assert _states(many)["G3"] == "regressed"


def test_the_same_planner_twice_has_to_give_the_same_hash(make: Make, scores: Scores) -> None:
    same = {"planner": "p", "planner_digest": "d"}
    a = make("a", scores, **same, result_hash="1" * 64)
    assert _states(gate(a, make("b", scores, **same, result_hash="1" * 64)))["G1"] == "passed"
    moved = scores | {"merge/007": 0.61}
    decision = gate(a, make("c", moved, **same, result_hash="2" * 64))
    assert decision.verdict == Verdict.REGRESSED
    assert decision.of("G1").details == ("differs: merge/007",)
    assert _states(gate(a, make("d", scores)))["G1"] == "not judged"
    assert (
        _states(gate(a, make("e", scores), policy=Policy.model_validate({"rerun": {"required": True}})))["G1"]
        == "failed"
    )
    assert _states(gate(a, make("f", scores), again=make("g", scores, result_hash="1" * 64)))["G1"] == "passed"


def test_a_planner_that_fails_again_on_the_same_scene_is_judged(make: Make, scores: Scores) -> None:
    fewer = {scene: score for scene, score in scores.items() if scene != "merge/007"}
    same, base = {"result_hash": "1" * 64}, make("base", scores)
    a = make("a", fewer, errors=("merge/007",), **same)
    decision = gate(a, base, again=make("b", fewer, errors=("merge/007",), **same))
    assert decision.verdict == Verdict.REGRESSED
    assert (_states(decision)["G0"], _states(decision)["G1"]) == ("failed", "passed")
    once = gate(a, base, again=make("c", scores, **same))
    assert _states(once)["G1"] == "failed"
    assert once.of("G1").details == ("failed one time of two: merge/007",)
    with pytest.raises(GateError, match="lacks"):
        gate(a, base, again=make("d", fewer, **same))


def _traced(scores: Scores, false: int, spread: bool = True) -> dict[str, Any]:
    return {
        s: row(s, v, trace={
            "decisions": 10, "true": 90 + k % 5 - false, "false": 5 - k % 5 + false, "undetermined": 0,
            "plan_true": 20, "plan_false": k % 3 if spread else 0,
        })
        for k, (s, v) in enumerate(scores.items())
    }  # fmt: skip


def test_traces_that_say_more_that_is_false_are_a_regression(make: Make, scores: Scores) -> None:
    honest = make("honest", _traced(scores, 0))
    assert _states(gate(make("again", _traced(scores, 0)), honest))["G5"] == "equivalent"
    decision = gate(make("liar", _traced(scores, 20)), honest)
    assert _states(decision)["G5"] == "regressed"
    assert decision.verdict == Verdict.REGRESSED


def test_a_ceiling_puts_a_floor_under_traces(make: Make, scores: Scores) -> None:
    expert = make("expert", _traced(scores, 0, spread=False))
    a, b = make("a", _traced(scores, 30)), make("b", _traced(scores, 30))
    policy = {"ceiling": expert.path, "floor": 0.9}
    assert _states(gate(a, b, policy=Policy.model_validate({"traces": policy})))["G5"] == "regressed"
    policy["floor"] = 0.5
    assert _states(gate(a, b, policy=Policy.model_validate({"traces": policy})))["G5"] == "equivalent"
    with pytest.raises(GateError, match="no traces"):
        gate(make("c", scores), b, policy=Policy.model_validate({"traces": {"required": True}}))


def test_claims_that_can_no_longer_be_told_are_a_regression(make: Make, scores: Scores) -> None:
    """What was false and is undetermined now is no progress: undetermined is never a pass."""
    honest, vague = _traced(scores, 10), _traced(scores, 10)
    for made in vague.values():
        said = made["trace"]
        made["trace"] = said | {"false": 0, "undetermined": said["false"]}
    decision = gate(make("vague", vague), make("honest", honest))
    assert _states(decision)["G5"] == "regressed"
    assert "can be told: 1.0000 -> 0." in decision.of("G5").details[1]


def test_traces_of_a_few_layouts_that_fell_alike_are_not_judged(make: Make) -> None:
    """Two equal planners would be called regressed in one comparison of ten, were two scenes enough."""
    few = {"merge/0": 0.9, "merge/2": 0.9}
    decision = gate(make("b", _traced(few, 30)), make("a", _traced(few, 0)))
    assert _states(decision)["G5"] == "not judged"
    assert "too few layouts to find any drop" in decision.of("G5").details[0]
    assert [row["detectable_effect"] for row in decision.of("G5").figures["figures"]] == [None] * 3


def test_a_floor_with_nothing_to_hold_to_it_is_refused(make: Make, scores: Scores) -> None:
    a, b, silent = make("a", _traced(scores, 0)), make("b", _traced(scores, 0)), make("silent", scores)
    floor = {"traces": {"floor": 0.9}}
    with pytest.raises(GateError, match="floor under the traces"):
        gate(a, b, policy=Policy.model_validate(floor))
    for candidate, ceiling in ((a, silent), (silent, a)):
        policy = Policy.model_validate({"traces": {"floor": 0.9, "ceiling": ceiling.path}})
        with pytest.raises(GateError, match="floor under the traces"):
            gate(candidate, b, policy=policy)


def _struck(scores: Scores, scenes: list[str]) -> dict[str, Any]:
    return {s: row(s, v, at_fault=s in scenes) for s, v in scores.items()}


def test_new_events_of_one_kind_are_tested_together_with_the_other_kind(make: Make, scores: Scores) -> None:
    base, layouts = make("base", scores), list(scores)[::2]
    seven, eight = (make(f"{n}", _struck(scores, layouts[:n])) for n in (7, 8))
    found = gate(seven, base).of("G3")
    assert found.figures["at_fault"]["p_more"] == 2.0**-7 < Policy().alpha.events < found.figures["at_fault"]["p_holm"]
    assert found.state == "inconclusive"
    assert gate(eight, base).of("G3").state == "regressed"


def test_events_that_come_and_go_are_not_equivalent_unless_their_rate_is_known_well(make: Make, scores: Scores) -> None:
    layouts = list(scores)[::2]
    before, after = make("a", _struck(scores, layouts[:10])), make("b", _struck(scores, layouts[10:20]))
    assert gate(after, before).of("G3").state == "inconclusive"
    wide = Policy.model_validate({"events": {"margin": 0.1}})
    assert gate(after, before, policy=wide).of("G3").state == "equivalent"


def test_fewer_collisions_do_not_pay_for_red_lights_that_may_be_more(make: Make, scores: Scores) -> None:
    layouts = list(scores)[::2]

    def lit(name: str, struck: list[str], red: list[str]) -> Result:
        made = {s: row(s, v, at_fault=s in struck, red_light=s in red) for s, v in scores.items()}
        return make(name, {s: r | {"terms": {"NC": 1.0, "TLC": 1.0} | r["terms"]} for s, r in made.items()})

    before, after = lit("a", layouts[:12], []), lit("b", [], layouts[20:26])
    found = gate(after, before).of("G3")
    assert found.figures["at_fault"]["p_fewer"] < 0.001
    assert 0.01 < found.figures["red_light"]["p_holm"] < 0.05
    assert found.state == "inconclusive"
    assert gate(lit("c", [], []), before).of("G3").state == "improved"


def test_the_release_has_a_share_of_the_error_of_its_own(make: Make, scores: Scores) -> None:
    """A drop of 2.3 standard errors is certain enough for G4's 0.025 and not for G7's 0.005."""
    seen = gate(make("a", _shaken(scores, 0.05)), make("b", scores)).scores
    drop = seen["difference"] + 2.3 * seen["standard_error"]
    lower, base = make("c", _shaken(scores, 0.05, drop=drop)), make("d", scores)
    states = _states(gate(lower, base, release=load_result(base.path)))
    assert (states["G4"], states["G7"]) == ("regressed", "equivalent")
    strict = Policy.model_validate({"alpha": {"release": 0.025}})
    assert _states(gate(lower, base, policy=strict, release=load_result(base.path)))["G7"] == "regressed"


def test_a_slower_planner_is_one_and_a_slower_machine_is_not(make: Make, scores: Scores) -> None:
    def timed(planner_ms: float, reference_ms: float) -> dict[str, Any]:
        clock = {"decisions": 9, "median_ms": planner_ms, "most_ms": 9.0 * planner_ms, "reference_ms": reference_ms}
        return {s: row(s, v, latency=clock) for s, v in scores.items()}

    base = make("base", timed(10.0, 1.0))
    assert _states(gate(make("machine", timed(30.0, 3.0)), base))["G6"] == "equivalent"
    assert _states(gate(make("planner", timed(14.0, 1.0)), base))["G6"] == "regressed"


def test_slow_creep_is_found_beside_the_last_release(make: Make, scores: Scores) -> None:
    last, before = make("release", scores), make("before", _shaken(scores, 0.005, drop=0.02))
    now = make("now", _shaken(scores, -0.005, drop=0.0203))
    assert _states(gate(now, before))["G4"] == "equivalent"
    decision = gate(now, before, release=last)
    assert _states(decision)["G7"] == "regressed"
    assert decision.verdict == Verdict.REGRESSED


def test_planners_of_known_order_have_to_be_in_it(make: Make, scores: Scores) -> None:
    best, worst = make("best", scores), make("worst", {s: v - 0.3 for s, v in _shaken(scores, 0.1).items()})
    a, b = make("a", scores), make("b", scores)

    def order(*results: Result) -> Policy:
        return Policy.model_validate({"metrics": {"order": [str(r.path) for r in results]}})

    assert _states(gate(a, b, policy=order(worst, best)))["G2"] == "passed"
    assert _states(gate(a, b, policy=order(best, worst)))["G2"] == "failed"


def test_planted_liars_have_to_be_below_the_honest_expert(make: Make, scores: Scores, tmp_path: Path) -> None:
    a, b = make("a", scores), make("b", scores)

    def causes(**f: float) -> Policy:
        voices = {name.replace("_", "-"): {"faithfulness": {"value": value}} for name, value in f.items()}
        (tmp_path / "causes.json").write_text(json.dumps({"at": {"delta": {"voices": voices}}}))
        return Policy.model_validate({"metrics": {"causes": str(tmp_path / "causes.json")}})

    lies = {
        "proximate_only": 0.8,
        "nearest": 0.6,
        "random": 0.5,
        "always_lead": 0.5,
        "lead_or_front": 0.5,
        "cite_everything": 0.0,
    }
    assert _states(gate(a, b, policy=causes(honest=0.9, **lies)))["G2"] == "passed"
    assert _states(gate(a, b, policy=causes(honest=0.8, **lies)))["G2"] == "failed"
    assert _states(gate(a, b, policy=causes(honest=float("nan"), **lies)))["G2"] == "failed"
    with pytest.raises(GateError, match="holds no figures of `waytrace causes`"):
        gate(a, b, policy=causes(honest=0.9))


def test_one_cluster_of_scenes_shows_nothing(make: Make) -> None:
    rows = {f"cut-in/{k:03d}": row(f"cut-in/{k:03d}", 0.5, cluster="one") for k in range(6)}
    decision = gate(make("a", rows), make("b", rows))
    assert decision.verdict == Verdict.INCONCLUSIVE
    assert decision.scores["detectable_effect"] is None


def test_a_handful_of_scenes_gives_students_interval_within_what_scores_can_be(make: Make) -> None:
    before = {f"{family}/{k:03d}": 0.5 for family in ("cut-in", "merge") for k in range(0, 8, 2)}
    after = {scene: 0.5 + 0.49 * (k % 2) for k, scene in enumerate(before)}
    decision = gate(make("a", after), make("b", before))
    # Two families of four clusters at 0 and 0.49 in turn: variance of each mean 0.08003 / 4, weights 1/2, and
    # as many degrees of freedom as clusters that carry the scatter: 4 (all eight would have 6).
    half = 2.776445105 * np.sqrt(0.080033333 / 8)
    assert decision.scores["interval"] == pytest.approx([0.245 - half, 0.245 + half], abs=1e-6)
    wild = gate(make("c", {s: float(k == 0) for k, s in enumerate(before)}), make("d", dict.fromkeys(before, 0.9)))
    assert -1.0 <= wild.scores["interval"][0] < wild.scores["interval"][1] <= 1.0


def test_the_summary_holds_verdict_effect_gates_and_no_markup_of_others(make: Make, scores: Scores) -> None:
    struck = scores | {"cut-in/000": row("cut-in/000", 0.8, at_fault=True)}
    struck["cut-in/000"]["events"][0]["cause"] = "<script>| It `struck`\n7."
    text = markdown_summary(gate(make("a", struck), make("b", scores)))
    assert "Waytrace gate: " in text
    assert "Smallest detectable effect: " in text
    assert all(f"| G{k} |" in text for k in range(8))
    assert "<script>" not in text
    assert "| merge | 40 |" in text


def test_the_decision_is_plain_json(make: Make, scores: Scores) -> None:
    decision = gate(make("a", scores), make("b", scores))
    text = json.dumps([o.to_json() for o in decision.outcomes], allow_nan=False)
    assert [o["gate"] for o in json.loads(text)] == [f"G{k}" for k in range(8)]


def test_only_admitted_scenes_count_in_means(make: Make, scores: Scores) -> None:
    refused = row("merge/007", 0.9)
    refused["oracle"] = refused["oracle"] | {"clean": False}
    base, worse = (
        scores | {"merge/007": refused},
        scores | {"merge/007": refused | row("merge/007", 0.1) | {"oracle": refused["oracle"]}},
    )
    decision = gate(make("a", worse), make("b", base))
    assert decision.scores["difference"] == 0.0
    assert decision.scores["scenes"] == len(scores) - 1
    assert decision.verdict == Verdict.EQUIVALENT


def test_who_falls_silent_is_told_of(make: Make, scores: Scores) -> None:
    traced = make("a", _traced(scores, 0))
    found = gate(make("b", scores), traced).of("G5")
    assert found.state == "not judged"
    assert f"the baseline has them of {len(scores)} scenes" in found.says
    rows = _traced(scores, 0)
    first = next(iter(rows))
    rows[first] = row(first, scores[first])
    found = gate(make("c", rows), traced).of("G5")
    assert [line.rpartition("; ")[2] for line in found.details] == [
        "1 scene left out, where the baseline alone has such claims"
    ] * 3


def test_the_margin_follows_the_number_of_scenes_and_is_a_tenth_at_most() -> None:
    assert default_margin(3) == default_margin(38) == 0.1
    assert [round(default_margin(n), 3) for n in (50, 600, 3000)] == [0.088, 0.025, 0.011]
