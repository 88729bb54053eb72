"""Every value has a rule, and nothing that is given to the checker makes it raise anything but what it promises."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waytrace.catalogue import generate
from waytrace.observe import REFERENCE_KIND, Reference, ReferenceKind, Scene
from waytrace.scenario import LightState
from waytrace.sim import World
from waytrace.trace import Present, Trace, TraceError, Verdict, compose, from_json, thresholds, to_json
from waytrace.trace.check import RULES, check, rule_of
from waytrace.trace.check.registry import CLOSED, SUMMARY
from waytrace.trace.file import TraceFileError, parse_line

from .scenes import Sketch, a_bend, a_crossroads, a_lane_that_ends, a_plan, a_ramp, a_road, a_trace, slowing
from .test_document import HEADER

SKETCHES = (
    a_road(), a_road(lanes=3, ego_lane=1).with_lead(20, 8).with_follower(10, 12), a_bend(30, 20),
    a_crossroads(25, "left", line=True).with_light(1, LightState.RED).with_actor(42, -30, 8, heading_deg=90),
    a_lane_that_ends(50).with_actor(3, 3.5, 9), a_ramp().with_crosswalk(20), a_road().driving(0),
)  # fmt: skip
PLANS = (None, a_plan(10), a_plan(0.0), a_plan(slowing(10, 3)), a_plan([-1.0, -2.0]), a_plan(30, offset_m=6.0))
REFS = st.builds(
    Reference, st.sampled_from(ReferenceKind), st.one_of(st.integers(0, 12), st.sampled_from([999, 2**31, 10**25]))
)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    drives = [World([generate(family, 0)]).observe().scenes[0] for family in ("merge", "four-way-stop", "work-zone")]
    return [*(sketch.scene() for sketch in SKETCHES), *drives]


def test_every_value_of_every_set_has_a_rule() -> None:
    for slot, values in CLOSED.items():
        assert [v for v in values.values if not rule_of(slot, v)] == []
    assert all(rule_of("summary", slot) for slot in SUMMARY)
    assert rule_of("relation", "friend") == ""


@given(st.integers(0, 10**6), st.integers(0, 99), st.sampled_from(PLANS), st.booleans())
def test_whatever_the_grammar_lets_through_is_judged(
    scenes: list[Scene], seed: int, which: int, plan: Any, with_previous: bool
) -> None:
    scene = scenes[which % len(scenes)]
    rng = np.random.default_rng(seed)
    trace = compose(Present.of_scene(scene), lambda ask: int(rng.choice(np.flatnonzero(ask.legal))))
    verdicts = check(trace, scene, plan, trace if with_previous else None)
    assert len({v.claim for v in verdicts}) == len(verdicts)
    for v in verdicts:
        assert v.value in ("true", "false", "undetermined") if v.kind == "present" else v.value == "not_judged"
        assert v.kind != "present" or v.rule in RULES
        assert (v.slack < 0.0) == (v.value == "false") or v.value == "undetermined" or v.kind != "present"
        assert v.why.endswith(".")
        assert Verdict.from_json(json.loads(json.dumps(v.to_json(), allow_nan=False))) == v


@given(st.integers(0, 10**6), st.integers(0, 99), REFS, REFS, st.sampled_from(PLANS))
def test_references_to_anything_are_judged(
    scenes: list[Scene], seed: int, which: int, first: Reference, second: Reference, plan: Any
) -> None:
    scene = scenes[which % len(scenes)]
    rng = np.random.default_rng(seed)
    index = np.full(151, -1, np.int32)
    for kind in np.unique(REFERENCE_KIND):
        rows = np.flatnonzero(kind == REFERENCE_KIND)
        index[rows[:3]] = [0, 1, 2]
    trace = compose(
        Present(index, ("vehicle",) * 31), lambda ask: int(rng.choice(np.flatnonzero(ask.legal)))
    )  # fmt: skip
    entities = tuple(replace(e, ref=first) for e in trace.entities)
    causes = tuple(replace(c, ref=second) for c in trace.decision.causes)
    claim = replace(trace.plan, target_lane=first)
    trace = replace(trace, entities=entities, decision=replace(trace.decision, causes=causes), plan=claim)
    if causes and second.kind == ReferenceKind.EGO:
        with pytest.raises(TraceError, match="the ego itself"):
            check(trace, scene, plan)
        return
    verdicts = {v.claim: v for v in check(trace, scene, plan)}
    if entities and first.index > 900:
        assert verdicts["entities[0].ref"].value == "false"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=True) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4), max_leaves=12,
)  # fmt: skip
DOCUMENT = to_json(HEADER, a_trace(), a_plan(10).waypoints.tolist())


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a nest of JSON values."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, inner in items for place in places(inner, (*at, key)))]


def put(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    if not at:
        return new
    out = dict(value) if isinstance(value, dict) else list(value)
    out[at[0]] = put(value[at[0]], at[1:], new)
    return out


@given(st.data(), JSON)
def test_no_document_makes_the_checker_raise_anything_but_a_trace_error(
    scenes: list[Scene], data: st.DataObject, junk: Any
) -> None:
    at = data.draw(st.sampled_from(places(DOCUMENT)))
    try:
        _, trace, _ = from_json(put(DOCUMENT, at, junk))
        check(trace, scenes[0], a_plan(10))
    except TraceError:
        return


@given(st.data(), JSON)
def test_no_line_makes_the_reader_raise_anything_but_its_error(data: st.DataObject, junk: Any) -> None:
    line = {"scenario": "s", "tick": 0, "document": DOCUMENT, "plan": None, "verdicts": [], "ghosts": [
        {"axis": "lateral", "option": "keep", "xy": [[0.0, 1.0]]}], "audit": [{"any": 1}]}  # fmt: skip
    at = data.draw(st.sampled_from(places(line)))
    said = ""
    try:
        parse_line(json.dumps(put(line, at, junk)), "a.jsonl, line 3")
    except TraceFileError as error:
        said = str(error)
    assert said == "" or said.startswith("a.jsonl, line 3")


@given(st.binary(max_size=60))
def test_bytes_that_are_no_line_are_refused(text: bytes) -> None:
    with pytest.raises(TraceFileError):
        parse_line(text)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"longitudinal": "fly"}, "decision.longitudinal"), ({"lateral": ""}, "decision.lateral"),
        ({"confidence_bin": 99}, "decision.confidence_bin"), ({"changed": "maybe"}, "decision.changed"),
    ],
)  # fmt: skip
def test_values_outside_their_sets_are_refused_by_name(change: dict[str, Any], said: str) -> None:
    trace = a_trace()
    wrong: Trace = replace(trace, decision=replace(trace.decision, **change))
    with pytest.raises(TraceError, match=said):
        check(wrong, a_road().scene())


def test_a_plan_that_is_none_is_refused() -> None:
    plan = a_plan(10)
    batch = replace(
        plan, start=plan.start[None], waypoints=plan.waypoints[None], accel_mps2=plan.accel_mps2[None],
        curvature_1pm=plan.curvature_1pm[None],
    )  # fmt: skip
    for bad in (batch, replace(plan, start=plan.start * np.nan)):
        with pytest.raises(TraceError, match="the plan's"):
            check(a_trace(), a_road().scene(), bad)


def test_a_scene_without_any_road_is_judged() -> None:
    sketch: Sketch = replace(a_road(), ego=replace(a_road().ego, x=5000.0, y=5000.0))
    verdicts = check(a_trace(), sketch.scene(), None)
    assert {v.value for v in verdicts} <= {"true", "false", "undetermined", "not_judged"}


def test_every_threshold_is_compared_with_and_has_a_reason() -> None:
    package = Path(thresholds.__file__).parent
    code = "".join(p.read_text() for p in package.rglob("*.py") if p.name != "thresholds.py")
    for name, value, why in thresholds.rows():
        assert f"T.{name}" in code, f"nothing is compared with {name}"
        assert np.isfinite(value)
        assert len(why) > 8
