"""Whatever the grammar lets through is a trace, and a trace is its tokens."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waytrace.observe import REFERENCE_KIND, ReferenceKind
from waytrace.trace import Ask, Present, Trace, TraceError, compose, decode, encode, filled
from waytrace.trace.sets import AGENT_CLASSES, FREE
from waytrace.trace.slots import SLOTS, offsets


def present(seed: int, share: float = 0.5) -> Present:
    """A scene of which a share of the rows is there, lanes in several pieces each."""
    rng = np.random.default_rng(seed)
    index = np.full(151, -1, np.int32)
    for kind in np.unique(REFERENCE_KIND):
        rows = np.flatnonzero(kind == REFERENCE_KIND)
        count = rng.binomial(len(rows), share)
        pool = 12 if kind == ReferenceKind.LANE else 200
        index[rows[:count]] = rng.choice(pool, count, replace=kind == ReferenceKind.LANE)
    return Present(index, tuple(str(c) for c in rng.choice(AGENT_CLASSES, 31)))


def write(scene: Present, seed: int) -> Trace:
    """A trace at random."""
    rng = np.random.default_rng(seed)
    return compose(scene, lambda ask: int(rng.choice(np.flatnonzero(ask.legal))))


@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_encoding_then_decoding_gives_the_trace_back(seed: int, share: float) -> None:
    scene = present(seed, share)
    trace = write(scene, seed)
    for forced in (True, False):
        tokens = encode(trace, scene, forced=forced)
        assert decode(tokens, scene, forced=forced) == trace
        assert all(0 <= token < offsets()["total"] for token in tokens)
    assert len(encode(trace, scene)) <= 160


@given(st.integers(0, 10**6))
def test_every_question_has_an_answer(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def answer(ask: Ask) -> int:
        assert ask.legal.sum() >= 2, "asked only where there is a choice"
        assert len(ask.legal) == len(ask.slot.values)
        return int(rng.choice(np.flatnonzero(ask.legal)))

    compose(present(seed, float(rng.choice([0.0, 0.05, 0.3]))), answer)


@given(st.integers(0, 10**6), st.lists(st.integers(-5, 900), max_size=200))
def test_no_sequence_raises_anything_but_a_trace_error(seed: int, tokens: list[int]) -> None:
    scene = present(seed)
    try:
        trace = decode(tokens, scene)
    except TraceError:
        return
    assert encode(trace, scene) == tokens


@given(st.integers(0, 10**6))
def test_a_sequence_cut_or_prolonged_is_refused(seed: int) -> None:
    scene = present(seed)
    tokens = encode(write(scene, seed), scene)
    with pytest.raises(TraceError, match="end before slot"):
        decode(tokens[:-1], scene)
    with pytest.raises(TraceError, match="1 tokens after"):
        decode([*tokens, tokens[-1]], scene)


@given(st.integers(0, 10**6))
def test_causes_keep_their_rules(seed: int) -> None:
    decision = write(present(seed), seed).decision
    roles = {axis: [c.role for c in decision.causes if c.axis == axis] for axis in ("longitudinal", "lateral")}
    if decision.longitudinal not in FREE:
        assert {"proximate", "overdetermining"} & set(roles["longitudinal"])
    if decision.lateral != "keep":
        assert roles["lateral"]
    for given_roles in roles.values():
        assert given_roles.count("proximate") <= 1
        assert given_roles.count("overdetermining") != 1
    assert len(decision.causes) <= 4


def test_a_scene_with_nothing_in_it_leaves_only_free_decisions() -> None:
    scene = present(0, 0.0)
    for seed in range(50):
        trace = write(scene, seed)
        assert trace.entities == trace.predictions == trace.decision.causes == ()
        assert trace.decision.longitudinal in FREE
        assert trace.decision.lateral == "keep"


def test_a_trace_that_points_at_what_is_not_there_is_refused_with_what_would_be_legal() -> None:
    scene = present(3)
    trace = next(t for t in (write(scene, k) for k in range(99)) if t.entities)
    gone = Present(np.where(REFERENCE_KIND >= 0, -1, scene.index).astype(np.int32), scene.agent_class)
    with pytest.raises(TraceError, match="cannot hold"):
        encode(trace, gone)
    wrong = replace(trace, entities=(replace(trace.entities[0], class_="tram"), *trace.entities[1:]))
    with pytest.raises(TraceError, match=r"entities.class cannot hold .*; legal: "):
        encode(wrong, scene)
    twice = replace(trace, entities=(trace.entities[0], *trace.entities))
    with pytest.raises(TraceError):
        encode(twice, scene)


def test_every_slot_is_filled_by_some_trace_and_a_typical_one_is_short() -> None:
    seen: Counter[str] = Counter()
    scene = present(5)
    for seed in range(60):
        trace = write(scene, seed)
        seen.update({ask.slot.name for ask, _ in filled(trace, scene)})
    assert set(seen) == {slot.name for slot in SLOTS}
