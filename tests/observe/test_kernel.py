from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from waytrace.geometry import Polylines
from waytrace.observe import copied, fork_memory, pack_elements
from waytrace.observe.features import MAP_ROWS, REFERENCES, ROWS, TABLES, column, markdown
from waytrace.scenario.index import compile_maps


@pytest.mark.parametrize("seed", range(3))
def test_rows_do_not_depend_on_where_the_world_lies_or_how_it_is_turned(make_bench: Any, seed: int) -> None:
    here, there = make_bench(seed), make_bench(seed, turn=0.7, move=(300.0, -150.0))
    for tick in range(5):
        a, b = here.observe(tick), there.observe(tick)
        for name, mine, theirs in zip(a._fields, a, b, strict=True):
            if name == "crosswalks":  # a bounding box's axis may turn by half a circle
                mine, theirs = mine[..., [0, 1, 4, 5]], theirs[..., [0, 1, 4, 5]]
            assert np.allclose(mine, theirs, atol=2e-3), name
        here.drive(np.random.default_rng(tick))
        there.drive(np.random.default_rng(tick))


def test_rows_do_not_depend_on_the_order_of_agents(make_bench: Any) -> None:
    bench, other = make_bench(3, rows=1), make_bench(3, rows=1)
    order = np.concatenate([[0], 1 + np.random.default_rng(0).permutation(11)])
    for mine, theirs in zip(bench.state, other.state, strict=True):
        theirs[:] = mine[:, order]
    a, b = bench.observe(0), other.observe(0)
    assert np.array_equal(a.agents, b.agents)
    assert np.array_equal(a.map, b.map)
    seen = a.reference[:, :31] >= 0
    assert np.array_equal(a.reference[:, :31][seen], order[b.reference[:, :31][seen]])


def test_every_row_shows_what_its_reference_names(make_bench: Any) -> None:
    bench = make_bench(1)
    s, index, road = bench.state, bench.compiled.index, bench.scenario.map
    out = bench.observe(0)
    first, at = {}, 0
    for name, rows in ROWS.items():
        first[name], at = at, at + rows
    assert at == REFERENCES
    places = {
        "agents": lambda w, i: (s.x[w, i], s.y[w, i]),
        "lights": lambda w, i: bench.scenario.lights.xy[i],
        "crosswalks": lambda w, i: road.crosswalk[i].mean(0),
    }
    for c in range(len(bench.row_slot)):
        w, me = c // 4, bench.row_slot[c]
        turn = np.array([[s.cos[w, me], s.sin[w, me]], [-s.sin[w, me], s.cos[w, me]]])
        for name, place in places.items():
            for row in range(ROWS[name]):
                i = out.reference[c, first[name] + row]
                shown = getattr(out, name)[c, row]
                if i < 0:
                    assert not shown.any()
                    continue
                expected = turn @ (np.array(place(w, i)) - [s.x[w, me], s.y[w, me]])
                assert np.allclose(shown[:2], expected, atol=1e-3), name
        for row in range(MAP_ROWS):
            lane = out.reference[c, first["map"] + row]
            shown = out.map[c, row]
            middle = turn.T @ shown[:2] + [s.x[w, me], s.y[w, me]]
            cos, sin = (turn.T @ shown[2:4]).tolist()
            start = middle - 0.5 * shown[column("map", "length")] * np.array([cos, sin])
            points = np.stack([index.point_x, index.point_y], -1)[index.point_lo[lane] : index.point_lo[lane + 1]]
            assert np.hypot(*(points - start).T).min() < 1e-2
            limit = road.speed_limit_mps[lane]
            assert shown[column("map", "limit")] == np.float32(np.nan_to_num(limit))
            assert shown[column("map", "on_route")] == (lane in bench.scenario.route.lanes)
            of_lane = np.flatnonzero(bench.scenario.lights.lane == lane)
            light = 1 + bench.scenario.lights.state[0, of_lane[0]] if len(of_lane) else 0
            assert shown[column("map", "light")] == light
        for row in range(8):
            lane = out.reference[c, first["stop_lines"] + row]
            assert lane in road.stop_line_lane
    on = out.lights[..., column("lights", "on_route")]
    assert (np.diff(on, axis=1) <= 0).all()


def test_a_piece_of_a_bent_lane_is_an_arc_from_end_to_end(make_bench: Any) -> None:
    road = make_bench(0).scenario.map

    def bent(lines: Polylines) -> Polylines:
        out = []
        for line in lines:
            x, y = np.concatenate([np.linspace(a, b, 10) for a, b in pairwise(line)]).T
            out.append(np.stack([(250.0 - y) * np.sin(x / 250.0), (250.0 - y) * np.cos(x / 250.0)], -1))
        return Polylines.of(out)

    road = replace(road, centre=bent(road.centre), left=bent(road.left), right=bent(road.right))
    index = compile_maps([replace(make_bench(0).scenario, map=road)]).index
    cos, sin, length, curvature = pack_elements(index).row[:, :4].astype(np.float64).T
    assert np.abs(curvature).max() > 1 / 250
    for sign, at in ((-0.5, index.element_p0), (0.5, index.element_p1)):
        turn = curvature * length * sign
        ahead, aside = (
            length * sign * np.sinc(turn / np.pi),
            length * sign * np.sin(turn / 2) * np.sinc(turn / 2 / np.pi),
        )
        x, y = index.element_x + cos * ahead - sin * aside, index.element_y + sin * ahead + cos * aside
        assert np.hypot(x - index.point_x[at], y - index.point_y[at]).max() < 0.05


def test_copied_memory_and_cache_go_on_alike(make_bench: Any) -> None:
    bench = make_bench(5)
    for tick in range(6):
        bench.observe(tick)
        bench.drive(np.random.default_rng(tick))
    kept = [copied(part) for part in (bench.state, bench.memory, bench.cache)]

    def on() -> list[Any]:
        out = []
        for tick in range(6, 20):
            out.append(bench.observe(tick))
            bench.drive(np.random.default_rng(tick))
        return out

    first = on()
    for part, copy in zip((bench.state, bench.memory, bench.cache), kept, strict=True):
        for array, old in zip(part, copy, strict=True):
            array[...] = old
    for a, b in zip(first, on(), strict=True):
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_a_forked_memory_is_that_of_the_chosen_worlds(make_bench: Any) -> None:
    bench = make_bench(6)
    bench.observe(0)
    fork = fork_memory(bench.memory, np.array([1, 1]), np.array([4, 5, 6, 7, 4, 5, 6, 7]))
    assert np.array_equal(fork.seen_tick[:4], bench.memory.seen_tick[4:])
    assert np.array_equal(fork.past, bench.memory.past[[1, 1]])
    fork.seen_tick[:] = 9
    assert not (bench.memory.seen_tick == 9).any()


def test_a_controlled_agent_that_is_not_there_sees_nothing(make_bench: Any) -> None:
    bench = make_bench(2)
    bench.observe(0)
    bench.state.present[0, 0] = False
    out = bench.observe(1)
    assert (out.reference[0] == -1).all()
    assert not any(part[0].any() for part in out[:-1])
    assert (out.reference[1, 31 : 31 + MAP_ROWS] >= 0).all()


def test_tables_have_as_many_columns_as_the_arrays(make_bench: Any) -> None:
    out = make_bench(0).out
    for name in ("ego", *ROWS):
        assert getattr(out, name).shape[-1] == len(TABLES[name])

    page = Path(__file__).parents[2] / "docs" / "observation.md"
    assert page.read_text(encoding="utf-8").endswith(markdown()), "docs/observation.md: write its tables anew"
