"""One page of each kind with everything on it: gate, claims, causal figures, traces, causes undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from waytrace.evaluate.compare import SceneDifference
from waytrace.evaluate.compare_said import SaidDifference
from waytrace.evaluate.counterfactuals import Counterfactual
from waytrace.report import Extras, Told, write_comparison, write_report
from waytrace.report.given import Causal, FamilyDifference, Figure, Gate, GateRow
from waytrace.scenario import Rollout, Scenario

from .conftest import make_drive, make_scenario
from .fakes import FakeResult
from .told import told_lines, write_lines

GATE = Gate(
    "regressed", False, -0.021, (-0.03, -0.011), 0.02,
    [
        GateRow("G0", "whole and valid", "passed", "3 of 3 scenes driven to their end", ()),
        GateRow("G1", "the same again", "not judged", "no second result was given", ()),
        GateRow("G3", "collisions and red lights", "inconclusive", "1 new", ("hard: At-fault collision",)),
        GateRow("G4", "scores", "regressed", "0.8 -> 0.7", ()),
        GateRow("G6", "latency", "equivalent", "factor 1.01", ()),
    ],
    [FamilyDifference("cut-in", 40, -0.02, (-0.05, 0.01)), FamilyDifference("merge", 1, 0.1, None)],
)  # fmt: skip
CAUSAL = Causal("expert", [Figure("necessity", 0.81, (0.74, 0.87)), Figure("decisions", 240.0, None)])


def undone(scenario: Scenario, rollout: Rollout, told: Sequence[Told]) -> list[Told]:
    """Made-up plans for every cause: straight on, and to a halt 12 m ahead."""

    def plans(decision: Told) -> tuple[Counterfactual, ...]:
        x, y, heading = rollout.pose[decision.tick, rollout.ego_index]
        ahead = np.array([np.cos(heading), np.sin(heading)])
        free, halted = 10.0 * np.arange(17) * 0.5, np.minimum(10.0 * np.arange(17) * 0.5, 12.0)
        go, stop = (
            np.column_stack([np.array([x, y]) + s[:, None] * ahead, np.full(17, heading)]) for s in (free, halted)
        )
        return tuple(
            Counterfactual((k,), 48.0 if k == 0 else 0.2, 0.1, k == 0, stop, go if k == 0 else stop)
            for k in range(len(decision.trace.decision.causes))
        )

    return [replace(decision, undone=plans(decision)) for decision in told]


def write_pages(folder: Path) -> dict[str, Path]:
    """Index, comparison and a scene's page with traces, in folders of their own."""
    scenarios = [make_scenario(name) for name in ("easy", "hard")]
    results = {}
    for planner in ("expert", "wild"):
        drives = [(s, *make_drive(s, planner, crash=s.id == "hard" and planner == "wild")) for s in scenarios]
        results[planner] = FakeResult.counted(planner, drives)
        (folder / planner).mkdir(parents=True)
        write_lines(folder / planner / "traces.jsonl", [line for s in scenarios for line in told_lines(s)])
    paths = [folder / planner for planner in results]
    extras = Extras(GATE, CAUSAL, undone, 2)
    index = write_report(paths, folder / "report", extras=extras, load=lambda p: results[p.name])
    said = SaidDifference(40, ("yield", "follow"), 3, 40, ("longitudinal headway, agent 3 (proximate)",), (), 4)
    differences = [
        SceneDifference("hard", 0.9, 0.0, {"NC": (1.0, 0.0)}, (), ("6.3 s: struck",), 3, 20, 0, SaidDifference()),
        SceneDifference("easy", 0.9, 0.901, {}, (), (), 3, None, 0, said),
    ]
    compared = write_comparison(
        *paths, differences, folder / "compared", gate=GATE, load=lambda p: results[p.name]
    )  # fmt: skip
    scene = next((folder / "report" / "scenes").glob("hard*"))
    return {"index": index, "comparison": compared, "scene": scene}
