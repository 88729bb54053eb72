"""Trace files, and what tells one moment from another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from waytrace.trace import Header, Producer, TraceError, Verdict, check_header, scene_hash, vocabulary_hash
from waytrace.trace.diff import diff, diff_files
from waytrace.trace.file import (
    Ghost,
    TraceFileError,
    TraceLine,
    from_record,
    parse_line,
    read_traces,
    to_record,
    write_traces,
)

from .scenes import a_cause, a_plan, a_road, a_trace, checked

SCENE = a_road().with_lead(20, 8).with_follower(12, 10).scene()


def header(**changes: object) -> Header:
    made = Header(scene_hash(SCENE), 0, 2.0, 0.1, Producer("human", vocabulary=vocabulary_hash()))
    return replace(made, **changes)  # type: ignore[arg-type]


def a_line(tick: int = 0, **changes: object) -> TraceLine:
    plan = a_plan(10)
    rounded = replace(plan, start=plan.start.round(6), waypoints=plan.waypoints.round(6))
    verdicts = checked(a_road().with_lead(20, 8), a_trace(), plan).verdicts
    line = TraceLine(
        "by-hand", tick, header(), a_trace("follow", "keep", a_cause("agent:1", "headway")), rounded, verdicts,
        (Ghost("lateral", "keep", ((0.0, 1.0), (2.0, 3.0))),), ({"kind": "removed", "moved_m": 2.5},), {"mine": [1, 2]},
    )  # fmt: skip
    return replace(line, **changes)  # type: ignore[arg-type]


def same(a: TraceLine, b: TraceLine) -> bool:
    return to_record(a) == to_record(b) and (a.plan is None) == (b.plan is None)


def test_what_is_written_is_read_one_line_at_a_time(tmp_path: Path) -> None:
    lines = [a_line(t) for t in (0, 5, 10)]
    file = tmp_path / "a.jsonl"
    assert write_traces(file, iter(lines)) == 3
    assert list(tmp_path.iterdir()) == [file]
    read = read_traces(file)
    assert isinstance(read, Iterator)
    again = list(read)
    assert all(same(a, b) for a, b in zip(lines, again, strict=True))
    assert again[0].verdicts == lines[0].verdicts
    assert again[0].plan is not None
    assert np.array_equal(again[0].plan.waypoints, lines[0].plan.waypoints)  # type: ignore[union-attr]


def test_all_but_scenario_tick_and_document_may_be_missing() -> None:
    bare = a_line(plan=None, verdicts=(), ghosts=(), audit=(), more={})
    record = to_record(bare)
    assert set(record) == {"scenario", "tick", "document"}
    assert same(from_record(record), bare)
    assert same(from_record({**record, "plan": None, "verdicts": None}), bare)


def test_waypoints_alone_make_a_plan_whose_start_is_taken_from_them() -> None:
    record = to_record(a_line())
    del record["plan"]
    plan = from_record(record).plan
    assert plan is not None
    assert plan.start == pytest.approx(a_plan(10).start, abs=1e-5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tick": 1.5}, "tick"), ({"tick": -1}, "tick"), ({"scenario": ""}, "scenario"), ({"document": {}}, "header"),
        ({"plan": 3}, "plan"), ({"plan": {"start": [1], "accel_mps2": [], "curvature_1pm": []}}, "plan.start"),
        ({"verdicts": [{}]}, "verdict"), ({"verdicts": {}}, "verdicts is a list"), ({"ghosts": [{"axis": 1}]}, "ghost"),
        ({"audit": [3]}, "audit"),
    ],
)  # fmt: skip
def test_damage_is_an_error_that_names_line_and_field(tmp_path: Path, change: dict[str, object], said: str) -> None:
    file = tmp_path / "a.jsonl"
    good = json.dumps(to_record(a_line()))
    file.write_text(good + "\n\n" + json.dumps({**to_record(a_line()), **change}) + "\n")
    lines = read_traces(file)
    next(lines)
    with pytest.raises(TraceFileError, match=f"a.jsonl, line 3.*{said}"):
        next(lines)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"scenario": "s"}', "[" * 3000])
def test_what_is_no_decision_is_refused(text: str) -> None:
    with pytest.raises(TraceFileError, match=r"^here"):
        parse_line(text, "here")


def test_a_file_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(TraceFileError, match="cannot be read"):
        next(read_traces(tmp_path / "none.jsonl"))
    with pytest.raises(TraceFileError, match="cannot be written"):
        write_traces(tmp_path / "none" / "a.jsonl", [])


@pytest.mark.parametrize(
    "record", [{}, {"claim": "a", "kind": "guess", "value": "true", "rule": "r"}, 3,
               {"claim": "a", "kind": "present", "value": "true", "rule": "r", "slack": float("nan")},
               {"claim": "a", "kind": "present", "value": "true", "rule": "r", "evidence": {"a": [1]}},
               {"claim": 4, "kind": "present", "value": "true", "rule": "r"}],
)  # fmt: skip
def test_a_record_that_is_no_verdict_is_refused(record: object) -> None:
    with pytest.raises(TraceError, match="verdict"):
        Verdict.from_json(record)


def test_the_hash_of_a_scene_depends_on_what_the_ego_knows_and_on_nothing_else() -> None:
    road = a_road().with_lead(20, 8).with_follower(12, 10)
    assert scene_hash(road.scene()) == scene_hash(SCENE)
    others = [
        a_road().with_lead(20.1, 8).with_follower(12, 10), a_road().with_lead(20, 8.1).with_follower(12, 10),
        a_road(2).with_lead(20, 8).with_follower(12, 10), road.driving(10.5), a_road().with_lead(20, 8),
        road.with_limit(9.0),
    ]  # fmt: skip
    hashes = {scene_hash(sketch.scene()) for sketch in others}
    assert scene_hash(SCENE) not in {scene_hash(sketch.scene()) for sketch in others[:-1]}
    assert len(hashes) == len(others)
    agents = SCENE.agents
    order = np.array([1, 0])
    turned = replace(
        agents, index=agents.index[order], kind=agents.kind[order], size_m=agents.size_m[order],
        pose=agents.pose[order], speed_mps=agents.speed_mps[order], age_s=agents.age_s[order],
    )  # fmt: skip
    assert scene_hash(replace(SCENE, agents=turned)) == scene_hash(SCENE)
    assert scene_hash(replace(SCENE, ego=replace(SCENE.ego, accel_mps2=9.0))) == scene_hash(SCENE)


def test_a_header_of_another_moment_is_refused_with_what_to_do() -> None:
    check_header(header(), SCENE)
    check_header(header(scene_hash=""), SCENE)
    check_header(header(scene_hash="of the scenario"), SCENE, "of the scenario")
    with pytest.raises(TraceError, match=r"scene_hash is 'abcd'.*rollouts"):
        check_header(header(scene_hash="abcd"), SCENE)
    with pytest.raises(TraceError, match="another moment"):
        check_header(header(t0_us=100_000), SCENE)
    with pytest.raises(TraceError, match="other slots"):
        check_header(header(producer=Producer("human", vocabulary="v")), SCENE)


def test_the_difference_of_two_traces_names_the_fields() -> None:
    one = a_line()
    assert diff(one, one) == ()
    other = replace(one, trace=a_trace("stop", "keep", a_cause("agent:2", "headway")), plan=a_plan(9))
    found = {d.field: (d.left, d.right) for d in diff(one, other)}
    assert found["decision.longitudinal"] == ("follow", "stop")
    assert found["decision.causes[agent:1].constraint"] == ("headway", "-")
    assert found["decision.causes[agent:2].constraint"] == ("-", "headway")
    assert found["plan.waypoints"][1] == "up to 8.00 m apart"
    assert not any(name.startswith("header") for name in found)
    missing = [(d.tick, d.left, d.right) for d in diff_files([one, a_line(5)], [one, a_line(10)])]
    assert missing == [(10, "-", "is there"), (5, "is there", "-")]
