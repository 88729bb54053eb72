"""A trace as JSON, by its schema, and in words."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waytrace.observe import Reference
from waytrace.trace import (
    Cause,
    Header,
    Producer,
    Trace,
    TraceError,
    from_json,
    json_schema,
    paragraphs,
    sentence,
    sets,
    to_json,
    vocabulary_hash,
)
from waytrace.trace.words import _BECAUSE, _LATERAL, _LONGITUDINAL, _VIOLATES

from .test_codec import present, write

HEADER = Header("0" * 64, 1_000_000, 1.0, 0.1, Producer("expert_certificate", vocabulary=vocabulary_hash(), code="c"))
WAYPOINTS = [[0.5 * k, 0.0, 0.0, 8.0] for k in range(16)]


def record(seed: int) -> tuple[Trace, dict[str, Any]]:
    trace = write(present(seed), seed)
    return trace, json.loads(json.dumps(to_json(HEADER, trace, WAYPOINTS)))


@given(st.integers(0, 10**6))
def test_json_is_lossless_and_fits_the_schema(seed: int) -> None:
    trace, made = record(seed)
    assert from_json(made) == (HEADER, trace, WAYPOINTS)
    jsonschema.validate(made, json_schema())


def _paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at] * bool(at) + [path for key, item in items for path in _paths(item, (*at, key))]


@given(st.integers(0, 300), st.data())
def test_damage_is_a_trace_error_that_names_the_field(seed: int, data: st.DataObject) -> None:
    _, made = record(seed)
    damaged = copy.deepcopy(made)
    path = data.draw(st.sampled_from(_paths(made)))
    at = damaged
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = data.draw(st.sampled_from([None, True, -1, 1.5, "", "agent:x", "keep", [], {}, [[]], 10**30]))
    try:
        header, trace, waypoints = from_json(damaged)
    except TraceError:
        return
    assert from_json(to_json(header, trace, waypoints))[1] == trace


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda r: r.pop("decision"), "trace.decision is missing"),
        (lambda r: r.update(extra=1), "no field 'extra'"),
        (lambda r: r["header"].update(schema="adtrace/9"), "adtrace/9"),
        (lambda r: r["header"]["producer"].update(kind="oracle"), "header.producer.kind"),
        (lambda r: r["header"]["producer"].update(vocabulary="0" * 64), "vocabulary is '000000000000'"),
        (lambda r: r["plan"].update(target_lane="street:1"), "trace.plan.target_lane"),
        (lambda r: r["plan"]["waypoints"].append([1, 2]), "plan.waypoints"),
        (lambda r: r["decision"].update(confidence_bin="high"), "trace.decision.confidence_bin"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(change: Any, says: str) -> None:
    _, made = record(7)
    change(made)
    with pytest.raises(TraceError, match=says):
        from_json(made)


def test_every_value_has_its_words() -> None:
    assert set(_LONGITUDINAL) == set(sets.LONGITUDINAL.values)
    assert set(_LATERAL) == set(sets.LATERAL.values)
    assert set(_BECAUSE) == set(sets.CONSTRAINT.values)
    assert set(_VIOLATES) == set(sets.VIOLATES.values)


@given(st.integers(0, 10**6))
def test_a_trace_can_be_said(seed: int) -> None:
    trace, _ = record(seed)
    said = sentence(trace)
    assert said.startswith("The ego ")
    assert said.endswith(".")
    lines = paragraphs(trace)
    d = trace.decision
    assert len(lines) == 3 + sum(
        map(len, (trace.entities, trace.predictions, d.causes, d.rejected, trace.plan.segments))
    )
    assert not any("{" in line or "_" in line for line in lines)


def test_a_reason_is_said_once() -> None:
    """Someone who crosses may be why the ego both slows down and moves aside."""
    trace, _ = record(3)
    who = Reference.parse("agent:4")
    both = tuple(Cause(who, axis, "proximate", "cross_conflict", 3, 1) for axis in ("longitudinal", "lateral"))
    decision = replace(trace.decision, longitudinal="yield", lateral="nudge_in_lane_left", causes=both)
    assert sentence(replace(trace, decision=decision, entities=())).count("crosses") == 1
