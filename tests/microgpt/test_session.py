"""A session equals a cold pass, whatever was stepped, forked, rewound or edited on the way there."""

from __future__ import annotations

import numpy as np
import pytest

from waytrace.microgpt import Model, Rule, Session, StaleSceneError
from waytrace.microgpt.branch import MOST_VALUES
from waytrace.microgpt.tokens import SceneTokens
from waytrace.scenario import WaytraceError
from waytrace.trace import Present, Trace, TraceError, decode, encode
from waytrace.trace.slots import token

DRAWN = Rule(temperature=1.0)


def opened(nano: Model, moments, mode: str = "trace", b: int = 0) -> Session:
    return Session.prefill(nano, moments.tokens, moments.present(b), b=b, mode=mode)


def cold(session: Session, moments, numbers: list[int], b: int = 0) -> Session:
    """A new session that gets all of it in one pass."""
    other = Session.prefill(session.prefix.model, moments.tokens, moments.present(b), b=b, mode=session.mode)
    other.append(numbers)
    return other


def values(session: Session) -> list[int]:
    return [w.number for w in session.written if w.chosen]


@pytest.mark.parametrize("mode", ["trace", "decision_only"])
@pytest.mark.parametrize("b", [0, 1, 2])
def test_cached_results_equal_cold_ones(nano, moments, mode: str, b: int) -> None:
    session = opened(nano, moments, mode, b)
    stream = list(session.write(DRAWN, np.random.default_rng(b)))
    other = cold(session, moments, values(session), b)
    assert stream == list(session.written)
    for mine, theirs in zip(session.written, other.written, strict=True):
        assert (mine.slot, mine.number, mine.chosen) == (theirs.slot, theirs.number, theirs.chosen)
        assert mine.logprob == pytest.approx(theirs.logprob, abs=1e-5)
        assert mine.mass == pytest.approx(theirs.mass, abs=1e-5)
    np.testing.assert_allclose(session.raw_controls(), other.raw_controls(), atol=1e-5)
    assert session.said == other.said


def test_what_is_written_is_a_trace_of_the_scene(nano, moments) -> None:
    session = opened(nano, moments)
    list(session.write(DRAWN, np.random.default_rng(5)))
    assert isinstance(session.said, Trace)
    present = moments.present()
    tokens = encode(session.said, present)
    assert tokens == [token(w.slot, w.number) for w in session.written]
    assert decode(tokens, present) == session.said


def test_a_slot_with_one_legal_value_costs_no_pass(nano, moments) -> None:
    session = opened(nano, moments)
    list(session.write(DRAWN, np.random.default_rng(1)))
    forced = [w for w in session.written if not w.chosen]
    assert {"entities.class"} <= {w.slot.name for w in forced}
    assert all(w.logprob == 0.0 and w.mass == 1.0 for w in forced)
    grown = session._cache.length - session.prefix.scene_length
    assert grown == len(session.written) - len(forced)


def test_forks_go_their_own_ways(nano, moments) -> None:
    session = opened(nano, moments)
    stream = session.write()
    for _ in range(10):
        next(stream)
    left, right = session.fork(moments.tokens), session.fork()
    list(left.write(DRAWN, np.random.default_rng(1)))
    list(right.write(DRAWN, np.random.default_rng(2)))
    list(stream)
    assert values(left) != values(right)
    for branch in (session, left, right):
        again = cold(branch, moments, values(branch))
        np.testing.assert_allclose(branch.raw_controls(), again.raw_controls(), atol=1e-5)


def test_truncating_takes_back_exactly_what_came_later(nano, moments) -> None:
    session = opened(nano, moments)
    list(session.write(DRAWN, np.random.default_rng(3)))
    whole = session.written
    session.truncate("decision")
    kept = [w for w in whole if w.slot.stage in ("scene_summary", "entities", "predictions")]
    assert list(session.written) == kept
    held = session._cache.length
    list(session.write(DRAWN, np.random.default_rng(4)))
    assert held == session.prefix.scene_length + sum(w.chosen for w in whole)  # nothing was computed again
    again = cold(session, moments, values(session))
    np.testing.assert_allclose(session.raw_controls(), again.raw_controls(), atol=1e-5)
    assert session.logprob == pytest.approx(again.logprob, abs=1e-4)


def test_a_snapshot_is_come_back_to_even_after_an_edit(nano, moments) -> None:
    session = opened(nano, moments)
    list(session.write(DRAWN, np.random.default_rng(3)))
    kept, controls = session.snapshot(), session.raw_controls()
    session.truncate("entities")
    list(session.write(DRAWN, np.random.default_rng(9)))
    assert session.written != kept.written
    session.restore(kept)
    assert [(w.slot, w.number) for w in session.written] == [(w.slot, w.number) for w in kept.written]
    np.testing.assert_allclose(session.raw_controls(), controls, atol=1e-5)


def test_controls_can_be_asked_for_at_any_time_and_change_nothing(nano, moments) -> None:
    session, quiet = opened(nano, moments), opened(nano, moments)
    for entry in session.write(DRAWN, np.random.default_rng(3)):
        if entry.slot.stage == "entities":
            session.raw_controls()
    list(quiet.write(DRAWN, np.random.default_rng(3)))
    assert values(session) == values(quiet)
    assert session.logprob == pytest.approx(quiet.logprob, abs=1e-5)


def test_controls_depend_on_the_branch_and_on_the_mode(nano, moments) -> None:
    session = opened(nano, moments)
    begun = session.raw_controls()
    list(session.write(DRAWN, np.random.default_rng(3)))
    ended = session.raw_controls()
    assert np.abs(begun - ended).max() > 1e-3
    assert np.abs(ended - session.raw_controls("fast")).max() > 1e-3


def without_agent(tokens: SceneTokens, place: int) -> SceneTokens:
    valid, row = tokens.valid.copy(), tokens.row.copy()
    valid[:, 4 + place], row[:, 4 + place] = False, -1
    return tokens._replace(valid=valid, row=row)


def test_a_prefix_that_attended_to_a_removed_agent_is_never_used_again(nano, moments) -> None:
    session = opened(nano, moments)
    list(session.write(DRAWN, np.random.default_rng(3)))
    removed = without_agent(moments.tokens, 0)
    assert moments.tokens.valid[0, 4]
    with pytest.raises(StaleSceneError, match="Make a new one"):
        session.fork(removed)
    with pytest.raises(StaleSceneError):
        session.prefix.require(removed)
    fresh = Session.prefill(nano, removed, moments.present())
    with pytest.raises(WaytraceError, match="over its own scene"):
        fresh.restore(session.snapshot())
    assert not fresh.prefix.present.rows[0]
    assert np.abs(fresh.raw_controls() - opened(nano, moments).raw_controls()).max() > 1e-4


def test_another_agents_place_alone_makes_it_another_scene(nano, moments) -> None:
    moved = moments.tokens.agent.copy()
    moved[0, 0, 0] += 1e-3
    with pytest.raises(StaleSceneError):
        opened(nano, moments).prefix.require(moments.tokens._replace(agent=moved))


def test_the_order_of_the_elements_does_not_matter(nano, moments) -> None:
    t = moments.tokens
    order = np.arange(t.agent.shape[1])
    count = int(t.valid[0, 4 : 4 + len(order)].sum())
    order[:count] = order[:count][::-1]
    row = t.row.copy()
    row[:, 4 : 4 + len(order)] = t.row[:, 4 : 4 + len(order)][:, order]
    turned = t._replace(agent=t.agent[:, order], row=row)
    one, other = opened(nano, moments), Session.prefill(nano, turned, moments.present())
    list(one.write()), list(other.write())
    assert values(one) == values(other)
    np.testing.assert_allclose(one.raw_controls(), other.raw_controls(), atol=1e-4)


@pytest.mark.parametrize("choose", ["first", "last"])
def test_the_longest_trace_has_room(nano, moments, choose: str) -> None:
    session = opened(nano, moments)
    while session.ask is not None:
        legal = np.flatnonzero(session.ask.legal)
        ends = session.ask.slot.name in ("entities.ref", "predictions.ref", "causes.ref", "rejected.axis")
        session.step(int(legal[0] if choose == "first" or ends else legal[-1]))
    session.raw_controls()
    assert len(session.written) <= MOST_VALUES


def test_what_is_not_legal_is_refused_and_changes_nothing(nano, moments) -> None:
    session = opened(nano, moments)
    session.step(0)
    before = session.written
    with pytest.raises(TraceError, match="ego_motion cannot hold"):
        session.step(99)
    with pytest.raises(TraceError, match="cannot hold"):
        session.append([0, 0, 0, 0, 99])
    assert session.written == before
    with pytest.raises(WaytraceError, match="was not begun"):
        session.truncate("plan")
    with pytest.raises(WaytraceError, match="no mode"):
        Session(session.prefix, "slow")


def test_nothing_is_asked_in_fast_mode(nano, moments) -> None:
    session = opened(nano, moments, "fast")
    assert session.ask is None
    assert list(session.write()) == []
    assert session.raw_controls().shape == (16, 2)
    with pytest.raises(TraceError, match="complete"):
        session.step(0)


def test_a_scene_with_nothing_in_it(nano, moments) -> None:
    """No agent, no lane, no light: free decisions alone, nothing to point at, and still a plan."""
    t = moments.tokens
    empty = t._replace(valid=np.zeros_like(t.valid), row=np.full_like(t.row, -1))
    empty.valid[:, 0] = True
    present = Present(np.full(151, -1, np.int32), ("unknown",) * 31)
    for mode in ("trace", "decision_only", "fast"):
        session = Session.prefill(nano, empty, present, mode=mode)
        list(session.write(DRAWN, np.random.default_rng(0)))
        assert np.isfinite(session.raw_controls()).all()


def test_only_what_has_a_token_for_its_own_row_can_be_pointed_at(nano, moments) -> None:
    """A lane goes by its first row; a token of another piece of it does not stand for it."""
    t, present = moments.tokens, moments.present()
    lanes = np.flatnonzero(present.index[31:127] >= 0) + 31
    lane = next(i for i in present.index[lanes] if (present.index[lanes] == i).sum() > 1)
    first = int(lanes[present.index[lanes] == lane][0])
    row = np.where(t.row == first, -1, t.row)
    session = Session.prefill(nano, t._replace(row=row), present)
    shown = session.prefix.present
    assert present.rows[first]
    assert not (shown.index[lanes] == lane).any()
    assert (shown.rows <= present.rows).all()
