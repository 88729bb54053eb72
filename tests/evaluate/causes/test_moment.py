"""One moment of a catalogue scene from end to end, with the planner of the package."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from waytrace.catalogue import generate
from waytrace.evaluate.causes import RECORDS, Found, audit_planner, read_records
from waytrace.evaluate.causes.audited import ticks_of
from waytrace.evaluate.causes.liars import LIARS
from waytrace.scenario import Scenario


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return generate("lead-braking", 40_000, split="select")


@pytest.fixture(scope="module")
def found(scenario: Scenario) -> Found:
    return audit_planner("shipped", [scenario], moments=2, closed=1)


def test_a_moment_holds_every_voice_and_is_plain_json(found: Found) -> None:
    assert len(found.records) == 2
    for record in found.records:
        assert set(record["voices"]) == {"honest", *LIARS, "planner", "planner-random", "plan-first"}
        assert record["way"] == "trace"
        assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_every_field_of_a_moment_is_in_the_documentation(found: Found) -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "causes.md").read_text()
    for record in (found.records[0], found.records[0]["voices"]["planner"]):
        assert [name for name in record if f"`{name}`" not in text] == []


def test_plan_first_says_what_the_planner_says_and_never_obeys(found: Found) -> None:
    asked = [record["mediation"]["forced"] for record in found.records if record["mediation"]["forced"] is not None]
    assert asked, "a runner-up that can be told apart"
    for forced in asked:
        assert forced["silent_moved_m"] == 0.0
        assert not forced["silent_obeyed"]
        assert forced["moved_m"] > 0.0
    for record in found.records:
        own, told = record["voices"]["planner"], record["voices"]["plan-first"]
        assert [g["elements"] for g in own["groups"]] == [g["elements"] for g in told["groups"]]


def test_plan_first_of_somebody_elses_trace_writer_says_what_shipped_says(
    scenario: Scenario, found: Found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its plans are those of `shipped`, so the claims have to be, and not those of the planner that is audited."""
    source = "from waytrace.microgpt import Learned\n\n\nclass Mute(Learned):\n"
    source += "    def plan(self, observation, state):\n        plan, said, state = super().plan(observation, state)\n"
    source += "        return plan, [replace(t, decision=replace(t.decision, causes=())) for t in said], state\n\n\n"
    source += "def mute():\n    return Mute('shipped', second_thoughts=8)\n"
    (tmp_path / "somebody.py").write_text(f"from dataclasses import replace\n\n{source}")
    monkeypatch.syspath_prepend(tmp_path)
    theirs = audit_planner("somebody:mute", [scenario], moments=2, closed=0)
    for mine, record in zip(found.records, theirs.records, strict=True):
        assert record["way"] == "trace"
        assert not record["voices"]["planner"]["groups"]
        assert record["voices"]["plan-first"] == mine["voices"]["plan-first"]


def test_an_agent_that_is_gone_is_cited_by_no_trace(found: Found) -> None:
    gone = [r for record in found.records for r in record["responses"] if r["elements"][0].startswith("agent:")]
    assert gone
    assert not any(response["still_cited"] for response in gone)


@pytest.mark.slow
def test_processes_give_the_records_that_one_gives() -> None:
    scenes = [generate("lead-braking", 40_000 + k, split="select") for k in range(5)]
    alone = audit_planner("expert", scenes, moments=1, closed=2, workers=1)
    together = audit_planner("expert", scenes, moments=1, closed=2, workers=2)
    assert (together.records, together.closed) == (alone.records, alone.closed)
    assert len(alone.closed) == 2


def test_the_same_audit_gives_the_same_records(scenario: Scenario, found: Found, tmp_path: Path) -> None:
    again = audit_planner("shipped", [scenario], moments=2, closed=1, found=Found(keep=tmp_path / RECORDS))
    assert again.records == found.records
    assert again.closed == found.closed
    kept = read_records(tmp_path)
    assert (kept.records, kept.closed) == (found.records, found.closed), "written as they were found"


def test_moments_are_drawn_from_the_scene_and_leave_a_past(scenario: Scenario) -> None:
    ticks = ticks_of(scenario, 5)
    assert ticks == sorted(set(ticks))
    assert len(ticks) == 5
    assert min(ticks) >= 10
    short: Any = scenario.with_(end_step=scenario.start_step + 12)
    assert ticks_of(short, 5) == []
