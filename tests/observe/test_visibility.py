from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from waytrace.geometry import segment_hits_box
from waytrace.observe import NEVER, column

AGE, VISIBLE = column("agents", "age"), column("agents", "visible")


def sees(s: Any, w: int, me: int, a: int) -> bool:
    """The docstring of the room, word by word."""
    ex, ey, x, y = s.x[w, me], s.y[w, me], s.x[w, a], s.y[w, a]
    if np.hypot(x - ex, y - ey) > 120.0:
        return False

    def blocks(k: int, px: float, py: float) -> bool:
        box = (s.x[w, k], s.y[w, k], s.heading[w, k], s.length[w, k], s.width[w, k])
        tall = s.kind[w, k] == 1 or (s.kind[w, k] == 0 and s.kind[w, a] != 1)
        return tall and segment_hits_box(ex, ey, px, py, *box) and not segment_hits_box(ex, ey, ex, ey, *box)

    u, v, c, h = 0.45 * s.length[w, a], 0.45 * s.width[w, a], s.cos[w, a], s.sin[w, a]
    for p, q in ((0, 0), (u, v), (-u, v), (-u, -v), (u, -v)):
        px, py = x + c * p - h * q, y + h * p + c * q
        if not any(blocks(k, px, py) for k in range(s.x.shape[1]) if k not in (me, a) and s.present[w, k]):
            return True
    return False


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), crowd=st.sampled_from([6.0, 25.0, 90.0, 200.0]), agents=st.integers(2, 40))
@example(seed=1, crowd=90.0, agents=140)  # more than the kernel lays out in one block
def test_lines_of_sight_equal_brute_force(make_bench: Any, seed: int, crowd: float, agents: int) -> None:
    rng = np.random.default_rng(seed)
    bench = make_bench(seed, worlds=1, agents=agents, rows=2)
    shape = (1, agents)
    bench.place(rng.uniform(0, crowd, shape), rng.uniform(0, crowd, shape), rng.uniform(-4, 4, shape))
    bench.state.present[:, 2:] = rng.random((1, agents - 2)) < 0.9
    bench.see(0)
    for me in range(2):
        for a in range(agents):
            if a != me and bench.state.present[0, a]:
                assert (bench.memory.seen_tick[me, a] == 0) == sees(bench.state, 0, me, a), (me, a)
            else:
                assert bench.memory.seen_tick[me, a] == NEVER


@pytest.mark.parametrize(("seed", "crowd"), [(0, 30.0), (1, 60.0), (2, 120.0)])
def test_what_was_seen_before_never_changes_who_is_seen_now(make_bench: Any, seed: int, crowd: float) -> None:
    rng = np.random.default_rng(seed)
    bench = make_bench(seed, worlds=1, agents=30, rows=2)
    shape = (1, 30)
    bench.place(rng.uniform(0, crowd, shape), rng.uniform(0, crowd, shape), rng.uniform(-4, 4, shape), 8.0)
    for tick in range(40):
        bench.state.present[:, 2:] = rng.random((1, 28)) < 0.95
        bench.see(tick)
        for me in range(2):
            now = bench.memory.seen_tick[me] == tick
            there = bench.state.present[0] & (np.arange(30) != me)
            expected = [bool(there[a]) and sees(bench.state, 0, me, a) for a in range(30)]
            assert now.tolist() == expected, (tick, me)
        bench.drive(rng)


def behind_a_lorry(make_bench: Any) -> Any:
    """Agent 0 looks east; agent 2 stands behind agent 1, which is 11 m long and stands across."""
    bench = make_bench(0, worlds=1, agents=4, rows=1, kinds=(0,))
    bench.state.kind[0] = (0, 1, 0, 4)
    bench.state.length[0], bench.state.width[0] = (4.5, 11.0, 4.5, 0.7), (1.9, 2.5, 1.9, 0.7)
    bench.place([[0.0, 15.0, 30.0, 0.0]], [[0.0, 0.0, 0.0, -9.0]], [[0.0, np.pi / 2, 0.0, 0.0]])
    return bench


def test_who_stands_behind_a_lorry_is_not_in_the_arrays(make_bench: Any) -> None:
    out = behind_a_lorry(make_bench).observe(0)
    assert out.reference[0, :31].tolist() == [3, 1, *[-1] * 29]
    assert not out.agents[0, 2:].any()


def test_a_lost_agent_stays_where_it_was_seen_and_ages_until_it_is_forgotten(make_bench: Any) -> None:
    bench = behind_a_lorry(make_bench)
    s = bench.state
    s.y[0, 2], s.speed[0, 2] = 12.0, 7.0
    assert 2 in bench.observe(0).reference[0, :31]
    s.y[0, 2], s.speed[0, 2] = 0.0, 1.0
    for tick in range(1, 33):
        out = bench.observe(tick)
        row = np.flatnonzero(out.reference[0, :31] == 2)
        if tick > 30:
            assert len(row) == 0
            continue
        agent = out.agents[0, row[0]]
        assert agent[:2].tolist() == [30.0, 12.0]
        assert agent[4] == 7.0
        assert agent[AGE] == np.float32(0.1 * tick)
        assert agent[VISIBLE] == 0.0
    s.y[0, 2] = 20.0
    agent = bench.observe(33).agents[0]
    assert agent[agent[:, 1] == 20.0, AGE] == 0.0


def test_an_agent_that_is_gone_is_not_remembered(make_bench: Any) -> None:
    bench = behind_a_lorry(make_bench)
    assert 1 in bench.observe(0).reference[0, :31]
    bench.state.present[0, 1] = False
    out = bench.observe(1)
    assert 1 not in out.reference[0, :31]
    assert 2 in out.reference[0, :31]


def test_cars_do_not_hide_lorries_and_people_hide_nobody(make_bench: Any) -> None:
    bench = behind_a_lorry(make_bench)
    s = bench.state
    s.kind[0, 1], s.kind[0, 2] = 0, 1
    assert 2 in bench.observe(0).reference[0, :31]
    s.kind[0, 1], s.kind[0, 2] = 4, 0
    assert 2 in bench.observe(1).reference[0, :31]
