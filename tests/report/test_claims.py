"""What a page knows of a trace: every claim, its verdicts at the right line, and not too many bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from waytrace.evaluate.counterfactuals import Counterfactual
from waytrace.evaluate.result import SCHEMA
from waytrace.report import codec, scene_page, write_report
from waytrace.report.claims import claims_payload, lines
from waytrace.report.texts import read_text
from waytrace.scenario import Scenario
from waytrace.trace import sentence

from .conftest import make_drive, make_scenario
from .test_scene import data_of
from .told import random_lines, told, told_lines, write_lines

ORIGIN = np.array([3.0, -2.0])


@dataclass
class Read:
    """One decision as it comes out of the stream."""

    row: int
    lon: str
    sentence: str
    lines: list[tuple[int, str, str, str]] = field(default_factory=list)
    verdicts: list[list[tuple[int, list[str], list[str]]]] = field(default_factory=list)
    """Of each line, and in the end of none: code, texts, evidence."""
    ghosts: list[tuple[str, str, Any]] = field(default_factory=list)
    undone: list[tuple[list[int], bool, tuple[float, float], list[Any]]] = field(default_factory=list)
    """Lines of the causes, whether the plan moves, metres along and across, two plans."""
    audit: list[str] = field(default_factory=list)


def read(payload: dict[str, Any]) -> list[Read]:
    """What the page's script reads, written a second time."""
    stream = iter(int(v) for v in codec.unpack(payload["stream"]))
    table = payload["texts"]

    def text() -> str:
        return read_text(stream, table)

    def verdicts() -> list[tuple[int, list[str], list[str]]]:
        out = []
        for _ in range(next(stream)):
            code, texts = next(stream), [text() for _ in range(4)]
            out.append((code, texts, [text() for _ in range(2 * next(stream))]))
        return out

    def plan(n: int) -> Any:
        xy = codec.undelta(np.array([next(stream) for _ in range(2 * n)]).reshape(2, n), 2) * codec.CM
        heading = codec.undelta(np.array([next(stream) for _ in range(n)])) * codec.DECIDEGREE
        return np.column_stack([*xy, heading])

    def undone() -> tuple[list[int], bool, tuple[float, float], list[Any]]:
        causes, moves = [next(stream) for _ in range(next(stream))], bool(next(stream))
        moved, n = (next(stream) * codec.CM, next(stream) * codec.CM), next(stream)
        return causes, moves, moved, [plan(n), plan(n)]

    found = []
    for _ in range(payload["decisions"]):
        row, lon, _, _ = next(stream), payload["longitudinal"][next(stream)], text(), next(stream)
        one = Read(row, lon, text())
        for _ in range(next(stream)):
            one.lines.append((next(stream), text(), text(), text()))
            one.verdicts.append(verdicts())
        for _ in range(next(stream)):
            option, violates, n = text(), text(), next(stream)
            xy = np.array([next(stream) for _ in range(2 * n)]).reshape(2, n)
            one.ghosts.append((option, violates, codec.undelta(xy, 2).T * 0.01))
        one.undone = [undone() for _ in range(next(stream))]
        one.audit = [text() for _ in range(next(stream))]
        one.verdicts.append(verdicts())
        found.append(one)
    assert next(stream, None) is None
    return found


def test_every_claim_comes_back_as_it_was_said(scenario: Scenario) -> None:
    decisions = told(random_lines(scenario, 6))
    for decision, one in zip(decisions, read(json.loads(json.dumps(claims_payload(decisions, ORIGIN)))), strict=True):
        assert one.lines == lines(decision.trace)
        assert one.sentence == sentence(decision.trace)
        assert one.row == decision.tick
        assert one.lon == decision.trace.decision.longitudinal.replace("_", " ")
        assert sum(map(len, one.verdicts)) == len(decision.verdicts)


def test_a_verdict_stands_at_its_claim(scenario: Scenario) -> None:
    one = read(claims_payload(told(told_lines(scenario)), ORIGIN))[10]
    at = {(line[0], sum(1 for other in one.lines[:k] if other[0] == line[0])): k for k, line in enumerate(one.lines)}
    ((code, texts, evidence),) = one.verdicts[at[1, 2]]
    assert (code >> 2, code & 3) == (0, 1), "present tense, false"
    assert texts == ["relation", "crossing", "\N{MINUS SIGN}0.35 s", "arrival gap 6.35 s, at most 6 s"]
    assert evidence == ["arrival gap", "4.3 s", "heading", "88 \N{DEGREE SIGN}"]
    assert [v[0] >> 2 for v in one.verdicts[at[2, 0]]] == [1], "a forecast is told apart"
    assert [v[0] >> 2 for v in one.verdicts[at[4, 0]]] == [2], "so is what the audit found"
    assert len(one.verdicts[at[1, 0]]) == 2


def test_verdicts_of_unknown_claims_are_not_lost(scenario: Scenario) -> None:
    line = told_lines(scenario)[0]
    line["verdicts"] = [
        {"claim": "entities[7].relation", "kind": "present", "value": "false", "rule": "lead"},
        {"claim": "x", "kind": "present", "value": "true", "rule": ""},
    ]
    assert len(read(claims_payload(told([line]), ORIGIN))[0].verdicts[-1]) == 2


def test_ghosts_come_back_to_a_centimetre_with_what_they_violate(scenario: Scenario) -> None:
    line = told_lines(scenario)[5]
    del line["ghosts"][0]["violates"]
    ((option, violates, xy),) = read(claims_payload(told([line]), ORIGIN))[0].ghosts
    assert (option, violates) == ("lane change left", "merge gap"), "from the trace, where the ghost does not say"
    assert np.abs(xy + ORIGIN - line["ghosts"][0]["xy"]).max() <= 0.0051


def test_eighteen_decisions_add_less_than_60_kb() -> None:
    scenario = make_scenario(lane_copies=5)
    drives = [make_drive(scenario)]
    without = len(scene_page(scenario, drives).encode())
    assert without < 200_000
    for made in (told_lines, random_lines):
        added = len(scene_page(scenario, drives, traces=[told(made(scenario))]).encode()) - without
        assert 0 < added < 60_000


def test_decisions_after_the_end_of_the_drive_are_left_out(scenario: Scenario) -> None:
    late = {**told_lines(scenario)[0], "tick": 10_000}
    data = data_of(scene_page(scenario, [make_drive(scenario)], traces=[told([late, *told_lines(scenario)])]))
    assert data["drives"][0]["traces"]["decisions"] == 18


@pytest.mark.parametrize("text", ["</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\x01\x01"])
def test_a_trace_cannot_break_out_of_the_page(text: str, scenario: Scenario) -> None:
    line = told_lines(scenario)[9]
    for verdict in line["verdicts"]:
        verdict.update(rule=text, why=text, unit=text, evidence={text: text}, claim=text)
    line["ghosts"][0].update(option=text, violates=text)
    line["audit"] = [{"why": text}, {text: [text]}]
    page = scene_page(scenario, [make_drive(scenario)], traces=[told([line])])
    assert not set("<>&") & set(page.split('id="data">')[1].split("</script>")[0])
    assert "<img" not in page


class _Result:
    """A result of one drive, as far as a report reads it."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario, self._drive = scenario, make_drive(scenario)
        self.meta = {"schema": SCHEMA, "planner": "expert", "scenarios": [{"id": scenario.id, "score": 0.9}]}
        self.ids = (scenario.id,)

    def scenario(self, _: str) -> Scenario:
        return self._scenario

    def rollout(self, _: str) -> Any:
        return self._drive[0]

    def score(self, _: str) -> Any:
        return self._drive[1]


def test_a_result_folder_with_traces_has_them_in_its_report(scenario: Scenario, tmp_path: Path) -> None:
    write_lines(tmp_path / "traces.jsonl", told_lines(scenario))
    write_report([tmp_path], tmp_path / "report", load=lambda _: _Result(scenario))
    (page,) = (tmp_path / "report" / "scenes").iterdir()
    assert data_of(page.read_text())["drives"][0]["traces"]["decisions"] == 18


def test_causes_undone_come_back_at_their_lines_with_both_plans(scenario: Scenario) -> None:
    decision = told(told_lines(scenario))[10]
    heading = np.linspace(3.0, 3.4, 17)
    cited = np.column_stack([np.linspace(0.0, 20.0, 17), np.linspace(0.0, -3.0, 17), heading])
    undone = Counterfactual((0, 2), 8.123, 0.017, True, cited, cited + np.array([1.0, 2.0, 0.0]))
    one = read(claims_payload([replace(decision, undone=(undone,))], ORIGIN))[0]
    ((causes, moves, moved, plans),) = one.undone
    first = next(k for k, line in enumerate(one.lines) if line[0] == 4)
    assert (causes, moves) == ([first, first + 2], True)
    assert moved == pytest.approx((8.12, 0.02))
    for plan, poses in zip(plans, (undone.cited, undone.undone), strict=True):
        assert np.abs(plan[:, :2] + ORIGIN - poses[:, :2]).max() <= 0.0051
        assert np.abs(plan[:, 2] - heading).max() <= codec.DECIDEGREE
