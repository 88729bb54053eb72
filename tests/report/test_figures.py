"""The figures of a run report: by family, of claims, latency, and what other commands found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from waytrace.evaluate import mean_interval
from waytrace.report import IndexRow, PlannerSummary, RunFigures, index_page, read_causal, read_gate
from waytrace.report.figures import Cell, group_rows, latency_rows, quality_rows
from waytrace.report.given import Figure
from waytrace.report.tally import Tally
from waytrace.scenario import Scenario, WaytraceError

from .told import told, told_lines


def _meta(**families: float) -> dict[str, Any]:
    groups = {name: {"score": v, "score_interval": [v - 0.1, v + 0.1], "count": 3} for name, v in families.items()}
    rows = [{"family": name, "source": "catalogue"} for name in families] + [{"family": "", "source": "logs"}]
    sources = {
        "catalogue": {"score": 0.7, "score_interval": None, "count": 6},
        "logs": {"score": None, "score_interval": None, "count": 9},
    }
    return {"scenarios": rows, "families": groups, "sources": sources}


def test_families_stand_below_their_source_with_the_intervals_that_the_result_states() -> None:
    rows = group_rows([_meta(merge=0.5, **{"cut-in": 0.9}), _meta(merge=0.6)])
    assert [(r.name, r.inside) for r in rows] == [
        ("logs", False), ("catalogue", False), ("cut-in", True), ("merge", True)
    ]  # fmt: skip
    assert rows[0].cells == [None, None]
    assert rows[2].cells == [Cell(0.9, (0.8, 1.0), 3), None]
    assert rows[3].cells[1] == Cell(0.6, (0.5, 0.7), 3)


def test_latency_is_the_median_over_scenes_and_the_longest_of_all() -> None:
    taken = [(4.0, 9.0, 2.0), (6.0, 30.0, 1.0), (5.0, 7.0, 5.0)]
    rows = [{"latency": {"median_ms": m, "most_ms": most, "reference_ms": r}} for m, most, r in taken]
    (row,) = latency_rows(["a", "b"], [{"scenarios": [*rows, {"latency": None}]}, {"scenarios": [{}]}])
    assert (row.planner, row.scenes, row.median_ms, row.most_ms, row.multiple) == ("a", 3, 5.0, 30.0, 2.0)


def test_figures_of_traces_and_plans_are_those_that_the_results_state_one_column_a_planner() -> None:
    stated = {"flips": {"value": 0.125, "interval": [0.1, 0.2], "scenes": 4}}
    moved = {"plans_apart_4s_m": {"value": 1.25, "interval": None, "scenes": 4}}
    first, second = quality_rows([{"quality": stated | moved}, {"quality": moved}])
    assert (first.about, first.unit) == ("steps that change the decision", "")
    assert first.cells == [Cell(0.125, (0.1, 0.2), 4), None]
    assert (second.unit, second.cells) == ("m", [Cell(1.25, None, 4)] * 2)
    assert quality_rows([{}, {"quality": {}}]) == []
    page = index_page(
        [], [PlannerSummary("a", 0.5), PlannerSummary("b", 0.5)], figures=RunFigures(quality=[first, second])
    )
    assert "0.125 <small>0.100 to 0.200</small>" in page
    assert "1.25 m" in page


def test_claims_are_counted_by_kind_and_their_share_is_a_mean_over_scenes(scenario: Scenario) -> None:
    lines = told_lines(scenario)
    for line in lines:
        line["verdicts"] = [
            {"claim": "decision.longitudinal", "kind": "present", "value": "true", "rule": "yield"},
            {"claim": "entities[0].relation", "kind": "present", "value": "false", "rule": "lead_of_lead"},
            {"claim": "predictions[0].intent", "kind": "forecast", "value": "not_judged", "rule": "forecast"},
        ]
    decisions = told(lines)
    tally = Tally()
    tally.add(decisions[:4], "one", "scenes/a.html", 0.1)
    for decision in decisions[4:6]:
        tally.add([decision], "two", "scenes/b.html", 0.1)
    bound = {"cluster": "one", "trace": {"plan_true": 3, "plan_false": 1}}
    scene, plan = tally.claims([bound, {"cluster": "two", "trace": None}])
    assert (tally.decisions, scene.kind, scene.true, scene.false, scene.undetermined) == (6, "about the scene", 6, 6, 0)
    assert scene.share == Cell(0.5, mean_interval([0.5] * 3, ["one", "two", "two"]), 3)
    assert (plan.kind, plan.true, plan.false, plan.undetermined) == ("about the plan", 3, 1, None)
    assert plan.share is not None
    assert (plan.share.value, plan.share.interval) == (0.75, None)
    (rule,) = tally.false_rules()
    assert (rule.rule, rule.false, rule.judged, rule.href) == ("lead of lead", 6, 6, "scenes/a.html#t=0.0&follow=1")


GATE = {
    "verdict": "regressed", "allowed": False, "difference": -0.02, "interval": [-0.03, -0.01],
    "detectable_effect": None,
    "gates": [
        {
            "gate": "G4", "title": "scores", "state": "regressed", "says": "0.8 -> 0.7", "details": ["cut-in fell"],
            "figures": {"families": [{"family": "cut-in", "scenes": 4, "difference": -0.2, "interval": None}]},
        }
    ],
}  # fmt: skip


def test_what_a_gate_said_is_read_from_its_last_line(tmp_path: Path) -> None:
    file = tmp_path / "gate.json"
    file.write_text("note\n" + json.dumps(GATE) + "\n")
    gate = read_gate(file)
    assert (gate.verdict, gate.grade, gate.interval) == ("regressed", "poor", (-0.03, -0.01))
    assert (gate.rows[0].gate, gate.rows[0].grade, gate.rows[0].details) == ("G4", "poor", ["cut-in fell"])
    assert gate.families[0].family == "cut-in"
    assert gate.reach == 0.2


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "no", json.dumps(GATE | {"gates": [1]}), json.dumps(GATE | {"gates": 3})]
)
def test_what_is_no_outcome_of_a_gate_is_refused_with_the_command(tmp_path: Path, text: str) -> None:
    file = tmp_path / "gate.json"
    file.write_text(text)
    with pytest.raises(WaytraceError, match=r"gate\.json.*waytrace gate RESULT"):
        read_gate(file)


def test_causal_figures_are_every_number_with_the_interval_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "causes.json"
    record = {
        "planner": "mine", "ok": True, "necessity": {"value": 0.8, "interval": [0.7, 0.9]}, "ratio": 0.5,
        "ratio_interval": [0.4, 0.6], "open loop": {"sufficiency_rate": 1}, "none": None, "odd": {"interval": [1, 2]},
        "broken_interval": [1], "broken": 2.0,
    }  # fmt: skip
    file.write_text(json.dumps(record))
    causal = read_causal(file)
    assert causal.planner == "mine"
    assert list(causal.figures) == [
        Figure("necessity", 0.8, (0.7, 0.9)), Figure("ratio", 0.5, (0.4, 0.6)),
        Figure("open loop, sufficiency rate", 1.0, None), Figure("broken", 2.0, None),
    ]  # fmt: skip
    file.write_text('{"planner": "mine"}')
    with pytest.raises(WaytraceError, match="holds no figures"):
        read_causal(file)


@pytest.mark.parametrize("printed", [False, True])
def test_of_a_causal_audit_there_is_a_row_for_each_claimant_the_planner_first(tmp_path: Path, printed: bool) -> None:
    def voice(value: float) -> dict[str, object]:
        parts = ("necessity", "invariance", "sufficiency", "faithfulness", "between", "direction", "cause_set_f1")
        figure = {"value": value, "low": value - 0.1, "high": value + 0.1, "asked": 9}
        return dict.fromkeys(parts, figure) | {"direction": {**figure, "value": None}, "cited": 7, "untested": 0}

    liars = [f"liar-{k}" for k in range(7)]
    names = ["honest", *liars, "planner", "planner-random", "plan-first"]
    voices = {name: voice(0.3 + 0.05 * k) for k, name in enumerate(names)}
    file = tmp_path / "causes.json"
    record = {"planner": "mine", "sound": True}
    record |= {"voices": voices} if printed else {"at": {"delta": {"voices": voices}}}
    file.write_text(json.dumps(record))
    causal = read_causal(file)
    assert [c.name for c in causal.claimants] == [
        "the planner", "ceiling: the expert", "floor: its plans, causes at random",
        *(f"liar: {name}" for name in (*liars, "plan-first")),
    ]  # fmt: skip
    found = dict(zip(causal.columns, causal.claimants[0].figures, strict=True))
    assert found["N"] == Figure("necessity", pytest.approx(0.7), pytest.approx((0.6, 0.8)))
    assert found["direction"] is None
    assert causal.sound
    row, planner = (
        IndexRow("s", "catalogue", "merge", 0, 0.5, {"NC": 1.0}, "horizon", "x.html"),
        PlannerSummary("m", 0.5),
    )
    nothing = "these figures mean nothing"
    assert nothing not in index_page([row], [planner], figures=RunFigures(causal=causal))
    file.write_text(json.dumps(record | {"sound": False}))
    assert nothing in index_page([row], [planner], figures=RunFigures(causal=read_causal(file)))


def test_a_score_is_rounded_once_where_it_is_shown() -> None:
    """Rounded to four digits here and to three there, .72848 became .729, beside a table that says .728."""
    row = IndexRow("s", "catalogue", "merge", 0, 0.72848, {"NC": 1.0}, "horizon", "x.html")
    page = index_page([row], [PlannerSummary("mine", 0.72848, (0.12348, 0.98748))])
    assert page.count("0.72848") == 2
    assert "0.12348,0.98748" in page


def test_what_is_given_is_on_the_page_and_what_is_not_is_left_out(tmp_path: Path) -> None:
    row = IndexRow("s", "catalogue", "merge", 0, 0.5, {"NC": 1.0}, "horizon", "x.html")
    planner = PlannerSummary("mine", 0.5)
    bare = index_page([row], [planner])
    for heading in ("Score by source", "Gate ", "Causal figures", "Time for a decision", "Claims of"):
        assert heading not in bare
    file = tmp_path / "gate.json"
    file.write_text(json.dumps(GATE | {"verdict": "<b>regressed</b>"}))
    page = index_page([row], [planner], figures=RunFigures(groups=group_rows([_meta(merge=0.5)]), gate=read_gate(file)))
    assert "0.400 to 0.600" in page
    assert "&lt;b&gt;regressed&lt;/b&gt;" in page
    assert "<b>regressed</b>" not in page
