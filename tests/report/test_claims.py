"""What a page knows of a trace: every claim, its verdicts at the right line, and not too many bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from waytrace.evaluate.result import SCHEMA
from waytrace.report import codec, scene_page, write_report
from waytrace.report.claims import claims_payload, lines
from waytrace.report.texts import text_of
from waytrace.scenario import Scenario
from waytrace.trace import sentence

from .conftest import make_drive, make_scenario
from .test_scene import data_of
from .told import random_lines, told, told_lines, write_lines

ORIGIN = np.array([3.0, -2.0])


def read(payload: dict[str, Any], decision: int) -> list[tuple[int, str, str, str, list[Any]]]:
    """The lines of a decision with texts in place of their codes."""
    table = payload["texts"]
    rows = payload["decisions"][decision][5]
    text = lambda code: "" if code == -1 else text_of(code, table)  # noqa: E731
    return [(row[0], *(text(code) for code in row[1:4]), row[4] if len(row) > 4 else []) for row in rows]


def test_every_claim_comes_back_as_it_was_said(scenario: Scenario) -> None:
    decisions = told(random_lines(scenario, 6))
    payload = json.loads(json.dumps(claims_payload(decisions, ORIGIN)))
    for k, decision in enumerate(decisions):
        assert [row[:4] for row in read(payload, k)] == lines(decision.trace)
        assert text_of(payload["decisions"][k][4], payload["texts"]) == sentence(decision.trace)


def test_a_verdict_stands_at_its_claim(scenario: Scenario) -> None:
    decisions = told(told_lines(scenario))
    payload = claims_payload(decisions, ORIGIN)
    rows = {
        (row[0], sum(1 for r in read(payload, 10)[:k] if r[0] == row[0])): row
        for k, row in enumerate(read(payload, 10))
    }
    ((code, field, rule, slack, why, evidence),) = rows[1, 2][4]
    text = [text_of(c, payload["texts"]) for c in (field, rule, slack, why, *evidence)]
    assert (code >> 2, code & 3) == (0, 1), "present tense, false"
    assert text[:4] == ["relation", "crossing", "\N{MINUS SIGN}0.35 s", "arrival gap 6.35 s, at most 6 s"]
    assert text[4:6] == ["arrival gap s", "4.3"]
    assert [v[0] >> 2 for v in rows[2, 0][4]] == [1], "a forecast is told apart"
    assert [v[0] >> 2 for v in rows[4, 0][4]] == [2], "so is what the audit found"
    assert len(rows[1, 0][4]) == 2


def test_verdicts_of_unknown_claims_are_not_lost(scenario: Scenario) -> None:
    line = told_lines(scenario)[0]
    line["verdicts"] = [
        {"claim": "entities[7].relation", "kind": "present", "value": "false", "rule": "lead"},
        {"claim": "x", "kind": "present", "value": "true", "rule": ""},
    ]
    payload = claims_payload(told([line]), ORIGIN)
    assert len(payload["decisions"][0][8]) == 2


def test_ghosts_come_back_to_a_centimetre(scenario: Scenario) -> None:
    line = told_lines(scenario)[5]
    (packed,) = claims_payload(told([line]), ORIGIN)["decisions"][0][6]
    back = codec.undelta(codec.unpack(packed[2]).reshape(2, -1), 2).T * 0.01 + ORIGIN
    assert np.abs(back - line["ghosts"][0]["xy"]).max() <= 0.0051


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
    assert len(data["drives"][0]["traces"]["decisions"]) == 18


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
    assert len(data_of(page.read_text())["drives"][0]["traces"]["decisions"]) == 18
