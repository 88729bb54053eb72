"""Agreement between answers: kappa worked out by hand, files that are what they say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waytrace.evaluate import Annotation, AnnotationError, agreement, read_annotations
from waytrace.evaluate.agreement import SCHEMA, SLOTS, cohens_kappa
from waytrace.observe import Reference
from waytrace.trace import Cause, Decision, Entity, Header, PlanClaim, Producer, SceneSummary, Segment, Trace, to_json


def answer(k: int, **changes: Any) -> Annotation:
    return replace(Annotation(f"scene-{k}", 5, "follow", "keep", "agent:3", "lead", "ab", 1), **changes)


def test_kappa_as_worked_out_by_hand() -> None:
    """50 cases, 20 and 15 agreed: po = 0.7, pe = 0.5 * 0.6 + 0.5 * 0.4 = 0.5, kappa = 0.4."""
    assert cohens_kappa(np.array([[20.0, 5.0], [10.0, 15.0]])) == pytest.approx(0.4)


def test_kappa_of_three_kinds_worked_out_by_hand() -> None:
    """10 cases, 6 agreed; margins (4, 4, 2) and (5, 3, 2): pe = (20 + 12 + 4) / 100, kappa = 0.24 / 0.64."""
    assert cohens_kappa(np.array([[3.0, 1.0, 0.0], [1.0, 2.0, 1.0], [1.0, 0.0, 1.0]])) == pytest.approx(0.375)


def test_kappa_is_undefined_where_chance_alone_agrees() -> None:
    assert cohens_kappa(np.array([[8.0, 0.0], [0.0, 0.0]])) is None


def test_slots_are_compared_one_by_one() -> None:
    """Four moments: the second pass yields once instead of following, and once cites another agent."""
    a = [answer(k, longitudinal="yield" if k == 3 else "follow") for k in range(4)]
    b = [answer(k, longitudinal="yield" if k in (2, 3) else "follow") for k in range(4)]
    b[0] = replace(b[0], cause=None, relation=None)
    found = {one.slot: one for one in agreement(a, b)}
    assert tuple(found) == SLOTS
    assert found["longitudinal"].raw == 0.75
    assert found["longitudinal"].kappa == pytest.approx((0.75 - 0.5) / 0.5), "pe = 3/4 * 2/4 + 1/4 * 2/4"
    assert (found["lateral"].raw, found["lateral"].kappa) == (1.0, None)
    assert found["cause"].kappa == pytest.approx(0.0), "one side cites one agent always"
    low, high = found["longitudinal"].raw_interval
    assert low < 0.75 <= high


def test_only_shared_moments_count_and_their_scenarios_are_the_same() -> None:
    a, b = [answer(k) for k in range(4)], [answer(k) for k in range(2, 9)]
    assert agreement(a, b)[0].count == 2
    with pytest.raises(AnnotationError, match="no moment in common"):
        agreement(a, [answer(7)])
    with pytest.raises(AnnotationError, match="another content"):
        agreement([answer(1, scenario_hash="x")], [answer(1, scenario_hash="y")])


@given(st.integers(0, 10**6), st.integers(2, 30))
def test_perfect_agreement_is_one_and_order_does_not_matter(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    a = [answer(k, longitudinal=str(rng.choice(["follow", "yield", "stop"]))) for k in range(count)]
    b = [answer(k, longitudinal=str(rng.choice(["follow", "yield", "stop"]))) for k in range(count)]
    same = agreement(a, a, draws=20)[0]
    assert same.raw == 1.0
    assert same.kappa in (1.0, None)
    one, two = agreement(a, b, draws=20)[0], agreement(b, a, draws=20)[0]
    assert one.raw == two.raw
    assert one.kappa == pytest.approx(two.kappa)


def line(**changes: Any) -> dict[str, Any]:
    record = {
        "schema": SCHEMA, "scenario": "s", "tick": 5, "producer": {"kind": "human", "who": "ab", "pass": 1},
        "longitudinal": "follow", "lateral": "keep", "cause": "agent:3", "relation": "lead", "remark": "",
    }  # fmt: skip
    return record | changes


def write(path: Path, *records: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_an_export_is_read_back(tmp_path: Path) -> None:
    records = [line(), line(tick=10, cause=None, relation=None)]
    one, two = read_annotations(write(tmp_path / "a.jsonl", *records))
    assert (one.cause, one.relation, one.who, one.pass_number) == ("agent:3", "lead", "ab", 1)
    assert (two.cause, two.relation, two.value("cause")) == (None, None, "none")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": "other/1"}, "schema is 'other/1'"),
        ({"longitudinal": "fly"}, "longitudinal is 'fly'; it is one of set_speed"),
        ({"cause": "agent"}, "cause"),
        ({"cause": 3}, "cause"),
        ({"cause": "light:1"}, "relation is 'lead'; it is one of signal"),
        ({"tick": -1}, "tick"),
        ({"producer": {"kind": "model", "pass": 1}}, "producer"),
    ],
)
def test_what_is_wrong_with_a_line_is_named(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match=f"line 2.*{message}"):
        read_annotations(write(tmp_path / "a.jsonl", line(), line(**{"tick": 10} | changes)))


def test_a_file_that_cannot_be_compared_says_why(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="cannot be read"):
        read_annotations(tmp_path / "none.jsonl")
    with pytest.raises(AnnotationError, match="holds no answer"):
        read_annotations(write(tmp_path / "empty.jsonl"))
    with pytest.raises(AnnotationError, match="line 2: a second answer about 's'"):
        read_annotations(write(tmp_path / "twice.jsonl", line(), line()))
    (tmp_path / "bad.jsonl").write_text("{")
    with pytest.raises(AnnotationError, match="line 1 is no JSON"):
        read_annotations(tmp_path / "bad.jsonl")


def test_a_labeller_s_trace_is_an_answer_too(tmp_path: Path) -> None:
    light, agent = Reference.parse("light:2"), Reference.parse("agent:4")
    causes = (
        Cause(agent, "longitudinal", "joint", "headway", 1, 1),
        Cause(light, "longitudinal", "proximate", "stop_point", 4, 1),
    )
    trace = Trace(
        SceneSummary("follow_lane", "steady", 4, 5, "road", "red"),
        (Entity(agent, "vehicle", "lead", 2, "steady"), Entity(light, "light", "signal", 3, "none")), (),
        Decision("stop", "keep", "no", causes, (), 3), PlanClaim(0, 4, None, (Segment("8", "stop", "keep_lane"),)),
    )  # fmt: skip
    document = to_json(Header("0", 0, 1.0, 0.1, Producer("expert_certificate")), trace)
    (one,) = read_annotations(write(tmp_path / "t.jsonl", {"scenario": "s", "tick": 5, "document": document}))
    assert [one.value(slot) for slot in SLOTS] == ["stop", "keep", "light:2", "signal"]
    assert one.pass_number == 0
