"""The figures of traces count what they say they count: hand-made cases, and a planner that is asked for real."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest


def test_a_share_is_hits_over_all_that_was_asked_and_of_its_family_alone() -> None:
    from figure_counts import Ledger

    ledger = Ledger()
    for scene, family, hits, of in (("a", "x", 1, 2), ("b", "x", 3, 4), ("c", "y", 0, 4)):
        ledger.place(scene, family)
        ledger.add("figure", scene, hits, of)
    assert ledger.share("figure")[0] == pytest.approx(4 / 10)
    assert ledger.share("figure").of == 10
    assert ledger.share("figure", "x")[0] == pytest.approx(4 / 6)
    assert ledger.share("figure", "y")[:3] == (0.0, None, None)
    assert ledger.share("never asked")[:3] == (None, None, None)


def test_the_interval_is_over_scenes_and_not_over_moments() -> None:
    from figure_counts import Ledger

    few, many = Ledger(), Ledger()
    for k in range(400):
        few.add("figure", f"scene {k // 100}", (k // 100) % 2)  # four scenes, each all of one kind
        many.add("figure", f"scene {k}", k % 2)
    assert few.share("figure").value == many.share("figure").value == 0.5
    assert few.share("figure").low == 0.0
    assert many.share("figure").low == pytest.approx(0.45, abs=0.015)


def test_macro_f1_gives_every_decision_that_labels_name_the_same_weight() -> None:
    from figure_counts import Ledger

    ledger = Ledger()
    # follow: 3 labels, 2 said so; stop: 1 label, found, and said once too often; hold is said and never a label.
    for label, guess in (("follow", "follow"), ("follow", "follow"), ("follow", "stop"), ("stop", "stop")):
        ledger.decide("longitudinal", "s", "longitudinal", label, guess)
    f_follow, f_stop = 2 * 2 / (3 + 2), 2 * 1 / (1 + 2)
    assert ledger.f1("longitudinal").value == pytest.approx((f_follow + f_stop) / 2)
    ledger.decide("longitudinal", "s", "longitudinal", "follow", "hold")
    assert ledger.f1("longitudinal").value == pytest.approx((2 * 2 / (4 + 2) + f_stop) / 2)
    assert ledger.f1("longitudinal").of == 5


def test_macro_f1_is_that_of_the_figures_of_training() -> None:
    from figure_counts import macro_f1
    from waytrace.learn.tallies import Decisions

    counts = np.random.default_rng(0).integers(0, 9, (10, 10)) * (np.arange(10) != 4)[:, None]
    tally = Decisions([str(k) for k in range(10)])
    tally.counts = counts
    assert macro_f1(counts[None].astype(float))[0] == pytest.approx(tally.figures()["macro_f1"])


def test_other_moments_are_of_other_scenes_and_of_the_same_speed_band() -> None:
    from figure_counts import others

    speeds, scenes = [0.5, 1.0, 7.0, 8.0, 30.0], ["a", "b", "a", "a", "b"]
    for seed in range(20):
        random = np.random.default_rng(seed)
        assert others(speeds, scenes, random, banded=True) == [1, 0, None, None, None]
        found = others(speeds, scenes, random, banded=False)
        assert all(j is not None and scenes[j] != scenes[i] for i, j in enumerate(found))
    assert others([5.0], ["a"], np.random.default_rng(0), banded=False) == [None]


@pytest.mark.parametrize(
    ("claim", "kind", "group"),
    [
        ("decision.longitudinal", "longitudinal", "decision"),
        ("decision.lateral", "lateral", "decision"),
        ("decision.changed", "", "decision"),
        ("decision.causes", "", "causes"),
        ("decision.causes[0].constraint", "", "causes"),
        ("decision.rejected[1].ref", "", "rejected"),
        ("plan.target_speed_bin", "target_speed_bin", "plan"),
        ("plan.target_lane", "target_lane", "plan"),
        ("plan.segments[3].lat", "segments.lat", "plan"),
        ("entities[2].relation", "", "entities"),
        ("scene_summary.zone", "", "scene_summary"),
    ],
)
def test_claims_are_bound_to_the_plan_or_not(claim: str, kind: str, group: str) -> None:
    from figure_counts import claim_group, claim_kind

    assert (claim_kind(claim), claim_group(claim)) == (kind, group)


@pytest.mark.parametrize(
    ("rules", "to_asked_m", "to_own_m", "found"),
    [
        (["true"], 1.0, 4.0, (True, True)),
        (["true", "false"], 1.0, 4.0, (False, True)),
        (["undetermined"], 1.0, 4.0, (False, True)),
        (["true"], 4.0, 1.0, (True, False)),
        (["true"], 5.0, 0.0, (True, False)),
        (["true"], 2.0, 2.0, (True, False)),
        ([], 1.0, 4.0, (False, True)),
    ],
)
def test_obedience_is_the_rule_and_the_way_the_plan_moved(
    rules: list[str], to_asked_m: float, to_own_m: float, found: tuple[bool, bool]
) -> None:
    from figure_counts import obeyed

    assert obeyed(rules, to_asked_m, to_own_m) == found


def _forced(**changed: Any) -> Any:
    from figure_moments import Forced

    made = Forced(
        "runner_up", ("longitudinal",), {"longitudinal": "true", "lateral": "false"},
        {"longitudinal": "false", "lateral": "true"}, {"longitudinal": "true", "lateral": "true"}, 1.0, 4.0, 5.0,
        (2.0, 3.0),
    )  # fmt: skip
    return replace(made, **changed)


def test_obedience_counts_changed_axes_alone_and_leaves_out_plans_that_are_one() -> None:
    from figure_counts import Ledger
    from trace_figures import obedience

    ledger = Ledger()
    obedience(_forced(), "a", ledger)
    obedience(_forced(changed=("longitudinal", "lateral")), "b", ledger)
    obedience(_forced(to_asked_m=0.3, to_own_m=0.1, own_to_asked_m=0.2), "c", ledger)
    obedience(_forced(to_asked_m=5.0, to_own_m=0.0, whole_m=(3.0, 2.0)), "d", ledger)
    found = {name.removeprefix("runner_up/"): ledger.share(name)[::3] for name in ledger.names("runner_up/")}
    assert found["both"] == (pytest.approx(1 / 3), 3)  # a; not b (lateral rule), not d (stayed); c is not asked
    assert found["moved"] == (pytest.approx(2 / 3), 3)
    assert found["rule"] == (pytest.approx(3 / 4), 4)
    assert found["rule_anyway"] == (0.0, 4)
    assert found["moved_whole"] == (pytest.approx(2 / 3), 3)
    assert found["rule_label"] == (1.0, 4)
    assert found["rule_both_axes"] == (0.0, 4)
    assert found["told_apart"] == (pytest.approx(3 / 4), 4)
    assert found["moved_at_all"] == (pytest.approx(2 / 4), 4)
    assert ledger.share("runner_up/both/longitudinal").of == 2


def test_nothing_is_never_the_right_cause() -> None:
    from figure_counts import same

    assert same("agent:1", "agent:1")
    assert not same("agent:1", "agent:2")
    assert not same("agent:1", None)
    assert not same(None, None)


@pytest.fixture(scope="module")
def asked() -> list[Any]:
    """Two moments of a drive, asked of a model that has learned nothing."""
    from figure_moments import moments
    from waytrace.catalogue import generate
    from waytrace.microgpt import Compiled, GPTConfig, initial

    config = GPTConfig.of("nano")
    rng = np.random.default_rng(5)
    weights = {k: v + 0.05 * rng.standard_normal(v.shape).astype(np.float32) for k, v in initial(config).items()}
    return list(moments(Compiled(weights, config), generate("red-light", 20_000, split="select"), [0, 10]))


def test_the_planner_is_asked_beside_the_expert_s_drive_and_remembers_its_own_decision(asked: list[Any]) -> None:
    from waytrace.trace import Present, encode

    assert [m.tick for m in asked] == [0, 10]
    assert asked[0].previous is None
    assert asked[1].previous is not None
    for m in asked:
        encode(m.answer.trace, Present.of(m.label.observation, 0))
        assert {entry.slot.name for entry in m.answer.written} >= {"longitudinal", "lateral", "target_lane"}


def test_what_it_would_drive_is_what_the_planner_drives(asked: list[Any]) -> None:
    from waytrace.microgpt import Learned

    planner = Learned(asked[0].answer.session.prefix.model)
    plan, traces, _ = planner.plan(asked[0].label.observation, None)
    assert traces == [asked[0].answer.trace]
    np.testing.assert_array_equal(plan[0].waypoints, asked[0].answer.plan.waypoints)


def test_a_forced_decision_stands_in_the_trace_and_the_session_it_came_from_is_as_it_was(asked: list[Any]) -> None:
    from figure_moments import force, plan_of, words

    for m in asked:
        before = m.answer.written
        wanted = ("stop", "keep") if words(m.answer.trace) != ("stop", "keep") else ("follow", "keep")
        new = force(m.answer.session, wanted, m.label.observation)
        assert words(new.trace) == wanted
        assert new.trace.entities == m.answer.trace.entities
        assert m.answer.session.written == before
        again = plan_of(m.answer.session, m.label.observation)
        np.testing.assert_array_equal(again.waypoints, m.answer.plan.waypoints)


def test_a_trace_cut_nowhere_is_the_whole_one(asked: list[Any]) -> None:
    from figure_moments import CUTS, PROMPTED

    for m in asked:
        assert set(m.cuts) == {*CUTS, PROMPTED}
        assert m.cuts["plan"][:2] == (0.0, 0.0)


def test_another_trace_s_words_leave_the_references_alone(asked: list[Any]) -> None:
    from figure_moments import verdicts, with_claims, words

    own, other = asked[0].answer.trace, asked[1].answer.trace
    mixed, told = with_claims(own, other)
    assert words(mixed) == words(other)
    assert (mixed.plan.segments, mixed.plan.stop_s_bin) == (other.plan.segments, other.plan.stop_s_bin)
    assert (mixed.entities, mixed.decision.causes) == (own.entities, own.decision.causes)
    assert told == (other.plan.target_lane is None)
    assert verdicts(mixed, asked[0].scene, asked[0].answer.plan, None)


def test_the_page_says_not_asked_where_nothing_was(asked: list[Any]) -> None:
    from figure_counts import Ledger
    from figure_page import figures, page
    from trace_figures import count, shuffle

    about = {
        "command": "c",
        "digest": "d",
        "note": "",
        "scenes": 1,
        "moments": 2,
        "seed": 1,
        "decisions": 20,
        "shuffles": 5,
    }
    ledger = Ledger()
    assert "not asked" in page(ledger, about)
    assert figures(ledger)["obedience"] is None
    for m in asked:
        ledger.place(m.scenario, "red-light")
        count(m, ledger)
    shuffle(asked, ledger)
    assert 0.0 < figures(ledger)["legal_mass"] <= 1.0
    assert figures(ledger)["consistency_shuffled"] is None  # both moments are of one scene
    assert "red-light" in page(ledger, about)
