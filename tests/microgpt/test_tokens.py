"""Scene tokens: what they hold, and what they do not depend on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from waytrace.catalogue import families, generate
from waytrace.microgpt import FEATURES, PLACES, TOKENS, SceneTokens, scene_tokens, stack_tokens
from waytrace.microgpt.columns import BEFORE_AT, COLUMNS, PATH_POINTS_M
from waytrace.microgpt.meanings import MEANINGS, markdown, meaning
from waytrace.microgpt.surroundings import pick_rows
from waytrace.observe.features import MAP_AT, MAP_ROWS, column
from waytrace.planners import Idm
from waytrace.scenario import AgentKind, LightState, Route, Scenario, transformed
from waytrace.scenario.edits import remove
from waytrace.sim import World
from waytrace.trace import Present, sets

from ..planners.conftest import scene

NOTHING = np.array([[-1, -1]], np.int8)


def tokens_of(scenario: Scenario, before: Any = NOTHING) -> SceneTokens:
    return scene_tokens(World([scenario]).observe(), before)


def value(tokens: SceneTokens, kind: str, name: str, place: int = 0) -> float:
    return float(getattr(tokens, kind)[0, place, COLUMNS[kind].index(name)])


def metres(near: float) -> float:
    return float(np.sinh(3.0 * near))


def same(a: SceneTokens, b: SceneTokens, within: float = 0.0) -> None:
    for name in a._fields:
        x, y = getattr(a, name), getattr(b, name)
        assert x.shape == y.shape, name
        if name in ("valid", "row"):
            assert (x == y).all(), name
            continue
        off = np.abs(x - y)
        columns = {COLUMNS[name][c] for c in np.argwhere(off > within)[:, -1]}
        assert not columns, f"{name}: {columns}, off by {off.max()}"


def test_every_kind_has_its_places_and_columns_and_no_name_twice():
    tokens = tokens_of(scene())
    assert tuple(PLACES) == tuple(FEATURES) == tuple(COLUMNS) == SceneTokens._fields[:7]
    for kind, names in COLUMNS.items():
        assert getattr(tokens, kind).shape == (1, PLACES[kind], FEATURES[kind])
        assert len(set(names)) == len(names)
    assert tokens.valid.shape == tokens.row.shape == (1, TOKENS) == (1, 99)


@pytest.mark.parametrize("family", ["unprotected-left", "merge", "pedestrian-occluded", "red-light"])
def test_where_on_earth_the_scene_lies_makes_no_difference(family):
    scenario = generate(family, 11)
    plain = tokens_of(scenario)
    for angle, shift in ((1.2, (300.0, -70.0)), (-2.9, (-1000.0, 2000.0))):
        same(plain, tokens_of(transformed(scenario, (*shift, angle))), 1e-4)


def test_the_order_of_the_agents_makes_no_difference():
    others = [(AgentKind.VEHICLE, 90.0, 0.0, 0.0, 8.0), (AgentKind.PEDESTRIAN, 75.0, 4.0, -1.5, 1.0),
              (AgentKind.VEHICLE, 30.0, -3.5, 0.0, 12.0)]  # fmt: skip
    same(tokens_of(scene(*others, lanes=2)), tokens_of(scene(*others[::-1], lanes=2)))


def test_who_is_hidden_leaves_no_trace():
    truck = (AgentKind.LARGE_VEHICLE, 75.0, 0.0, 0.0, 5.0)
    hidden = scene(truck, (AgentKind.VEHICLE, 95.0, 0.0, 0.0, 2.0))
    shown = scene(truck, (AgentKind.VEHICLE, 95.0, 12.0, 0.0, 2.0))
    alone = tokens_of(scene(truck))
    same(tokens_of(hidden), alone)
    assert tokens_of(shown).valid.sum() == alone.valid.sum() + 1


def test_who_is_removed_leaves_no_trace():
    scenario = scene((AgentKind.VEHICLE, 90.0, 0.0, 0.0, 8.0), (AgentKind.VEHICLE, 120.0, 3.0, 0.0, 8.0))
    rest = tokens_of(remove(scenario, ["a1"]))
    same(rest, tokens_of(scene((AgentKind.VEHICLE, 120.0, 3.0, 0.0, 8.0))))
    assert value(rest, "path", "has_lead") == 0.0
    assert value(tokens_of(scenario), "path", "has_lead") == 1.0


def test_the_recorded_future_is_in_no_token():
    scenario = scene((AgentKind.VEHICLE, 90.0, 0.0, 0.0, 8.0), (AgentKind.CYCLIST, 80.0, -3.0, 0.1, 4.0))
    agents, later = scenario.agents, slice(scenario.start_step + 1, None)
    random = np.random.default_rng(1)
    xy, heading, velocity = agents.xy.copy(), agents.heading_rad.copy(), agents.velocity_mps.copy()
    xy[:, later] += random.normal(0.0, 20.0, xy[:, later].shape)
    heading[:, later] = random.uniform(-3.0, 3.0, heading[:, later].shape)
    velocity[:, later] += random.normal(0.0, 5.0, velocity[:, later].shape)
    noisy = scenario.with_(agents=replace(agents, xy=xy, heading_rad=heading, velocity_mps=velocity))
    same(tokens_of(scenario), tokens_of(noisy))


def test_a_batch_is_its_rows():
    scenarios = [generate("merge", 3), generate("four-way-stop", 4), scene()]
    before = np.array([[1, 0], [-1, -1], [6, 5]], np.int8)
    together = scene_tokens(World(scenarios).observe(), before)
    alone = [tokens_of(s, before[b : b + 1]) for b, s in enumerate(scenarios)]
    same(together, stack_tokens(alone))


def test_nothing_around_is_no_error():
    lonely = tokens_of(scene())
    assert not lonely.valid[0, 4 : 4 + PLACES["agent"]].any()
    assert lonely.valid[0, 1]
    assert not lonely.valid[0, 2:4].any()
    astray = scene((AgentKind.VEHICLE, 75.0, 500.0, 0.0, 5.0), ego_y=500.0)
    far = tokens_of(astray)
    assert all(np.abs(getattr(far, kind)).max() < 10.0 for kind in PLACES)
    lost = tokens_of(astray.with_(route=Route(())))
    assert not lost.valid[0, 1:4].any()
    assert lost.valid[0, 0]
    assert lost.valid[0, 4]
    assert not lost.path.any()
    nowhere = tokens_of(scene().with_(route=Route(())))
    assert nowhere.valid[0, 0]
    assert value(nowhere, "ego", "no_route") == 1.0
    assert value(nowhere, "path", "on_route") == 0.0


def test_the_own_path_says_who_is_ahead_and_how_far():
    tokens = tokens_of(scene((AgentKind.VEHICLE, 90.0, 0.2, 0.0, 6.0), (AgentKind.VEHICLE, 40.0, 0.0, 0.0, 12.0)))
    assert metres(value(tokens, "path", "lead_near")) == pytest.approx(90.0 - 60.0 - 4.8, abs=0.02)
    assert value(tokens, "path", "lead_speed") == pytest.approx(0.6)
    assert value(tokens, "path", "lead_closing") == pytest.approx(0.4)
    assert metres(value(tokens, "path", "rear_near")) == pytest.approx(60.0 - 40.0 - 4.8, abs=0.02)
    nearest = [value(tokens, "agent", f"own_is_{who}", place) for place in (0, 1) for who in ("lead", "rear")]
    assert nearest == [0.0, 1.0, 1.0, 0.0]
    assert metres(value(tokens, "agent", "own_gap_near", 1)) == pytest.approx(25.2, abs=0.02)


def test_lanes_beside_have_paths_of_their_own():
    tokens = tokens_of(scene((AgentKind.VEHICLE, 75.0, -3.5, 0.0, 10.0), lanes=2, ego_y=0.3))
    assert tokens.valid[0, 1:4].tolist() == [True, False, True]
    assert value(tokens, "path", "offset") == pytest.approx(0.15, abs=1e-3)
    assert value(tokens, "path", "offset", 2) == pytest.approx(0.5 * 3.8, abs=1e-3)
    assert value(tokens, "path", "has_lead") == 0.0
    assert metres(value(tokens, "path", "lead_near", 2)) == pytest.approx(75.0 - 60.0 - 4.8, abs=0.02)
    assert value(tokens, "agent", "right_is_lead") == 1.0


@pytest.mark.parametrize(("state", "stops"), [(LightState.RED, 1.0), (LightState.GREEN, 0.0)])
def test_a_light_is_stopped_for_where_it_is_closed(state, stops):
    tokens = tokens_of(scene(light=state))
    assert value(tokens, "path", "has_light") == 1.0
    assert value(tokens, "path", f"light_{state.name.lower()}") == 1.0
    assert value(tokens, "path", "has_stop") == stops
    bumper = 60.0 + 2.4
    assert metres(value(tokens, "path", "light_near")) == pytest.approx(140.0 - 0.3 - bumper, abs=1.0)
    assert value(tokens, "light", "own_path") == 1.0


def test_path_points_lie_ahead_at_their_distances():
    tokens = tokens_of(scene())
    at = COLUMNS["path"].index("at_0_x")
    points = tokens.path[0, 0, at:].reshape(len(PATH_POINTS_M), -1)
    rear = 0.28 * 4.8
    assert 50.0 * points[:, 0] == pytest.approx(np.array(PATH_POINTS_M) - rear, abs=1e-3)
    assert (points[:, -1] == 1.0).all()
    assert points[:, COLUMNS["path"].index("at_0_cos") - at] == pytest.approx(1.0)


def test_who_crosses_is_expected_on_the_path_in_time():
    crossing = (AgentKind.PEDESTRIAN, 85.0, 6.0, -np.pi / 2, 1.5)
    tokens = tokens_of(scene(crossing))
    assert value(tokens, "agent", "enters") == 1.0
    seconds = 4.0 * value(tokens, "agent", "enters_s")
    assert seconds == pytest.approx((6.0 - 0.25 - 0.95 - 0.2) / 1.5, abs=0.25)
    away = tokens_of(scene((AgentKind.PEDESTRIAN, 85.0, 6.0, np.pi / 2, 1.5)))
    assert value(away, "agent", "enters") == 0.0


def test_the_last_decision_stands_at_the_end_of_the_ego_token():
    longitudinal, lateral = sets.LONGITUDINAL.number("yield"), sets.LATERAL.number("merge")
    told = tokens_of(scene(), np.array([[longitudinal, lateral]], np.int8))
    plain = tokens_of(scene())
    assert not plain.ego[0, 0, BEFORE_AT:].any()
    names = [COLUMNS["ego"][c] for c in np.flatnonzero(told.ego[0, 0] != plain.ego[0, 0])]
    assert names == ["last_yield", "last_merge"]
    assert (told.ego[0, 0, :BEFORE_AT] == plain.ego[0, 0, :BEFORE_AT]).all()


@pytest.mark.parametrize("family", families("train")[::3])
def test_numbers_stay_small_and_padding_is_empty(family):
    world, planner, state = World([generate(family, 5)]), Idm(), None
    while world.active.any():
        observation = world.observe()
        tokens = scene_tokens(observation, NOTHING)
        at = 0
        for kind, places in PLACES.items():
            rows, valid = getattr(tokens, kind)[0], tokens.valid[0, at : at + places]
            assert np.isfinite(rows).all()
            assert np.abs(rows).max() < 10.0, kind
            assert not rows[~valid].any()
            at += places
        held = np.sort(tokens.row[0][tokens.row[0] >= 0])
        assert (np.diff(held) > 0).all()
        assert (observation.reference[0, held] >= 0).all()
        agents = observation.scenes[0].agents
        known = agents.index[agents.in_arrays]
        assert observation.reference[0, : len(known)].tolist() == known.tolist()
        pointable = np.flatnonzero(Present.of(observation, 0).rows)
        lanes = pointable[(pointable >= MAP_AT) & (pointable < MAP_AT + MAP_ROWS)]
        assert len(lanes) > PLACES["map"] or np.isin(lanes, held).all()
        plan, _, state = planner.plan(observation, state)
        world.step_plans(plan, ticks=20)


def test_of_too_many_pieces_of_lanes_the_first_of_each_and_the_route_are_kept():
    lanes = np.array([0, 1, 0, 2, 2, 3, 1, 0, 4, -1], np.int32)
    rows = np.zeros((10, 15), np.float32)
    rows[:, column("map", "on_route")] = lanes == 0
    rows[:, column("map", "route_ahead")] = [0, 0, 30, 0, 0, 0, 0, 20, 0, 0]
    picked, first, used = np.zeros(6, np.int16), np.zeros(10, np.bool_), np.zeros(10, np.int64)
    on_route, ahead = column("map", "on_route"), column("map", "route_ahead")
    pick_rows(lanes, rows, on_route, ahead, picked, first, used)
    assert picked.tolist() == [0, 1, 3, 5, 7, 8]
    assert np.flatnonzero(first).tolist() == [0, 1, 3, 5, 8]
    few = np.zeros(2, np.int16)
    pick_rows(lanes, rows, on_route, ahead, few, first, used)
    assert few.tolist() == [0, 1]
    many = np.zeros(12, np.int16)
    pick_rows(lanes, rows, on_route, ahead, many, first, used)
    assert many.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, -1, -1, -1]


def _steered(tokens: SceneTokens, way: str, speed: float, heading: float = 0.0) -> float:
    """How far aside the first three knots of a way lead at this speed."""
    y, run = 0.0, 0.5 * speed
    for knot in range(3):
        bend = 4.0 * value(tokens, "path", f"{way}_{knot}") / speed**2
        y += run * np.sin(heading + 0.5 * bend * run)
        heading += bend * run
    return y


def test_a_path_token_says_how_to_come_back_to_its_middle():
    for off in (0.8, -0.5):
        tokens = tokens_of(scene(ego_y=off))
        u = 15.0 / 25.0  # three half seconds at 10 m/s, of 2.5 s
        expected = -off * (10.0 * u**3 - 15.0 * u**4 + 6.0 * u**5)
        assert _steered(tokens, "settle", 10.0) == pytest.approx(expected, abs=0.04)
        hurried = 15.0 / (0.55 * 25.0)
        assert hurried > 1.0
        assert _steered(tokens, "hurry", 10.0) == pytest.approx(-off, abs=0.1)
    assert [value(tokens_of(scene()), "path", f"settle_{k}") for k in range(3)] == pytest.approx([0.0] * 3, abs=1e-6)


def test_a_path_token_says_how_to_pass_what_stands():
    stands = tokens_of(scene((AgentKind.VEHICLE, 85.0, 0.0, 0.0, 0.0), speed=8.0))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        assert value(stands, "path", f"has_way_{side}") == 1.0
        assert 3.0 * value(stands, "path", f"way_{side}_beside") == pytest.approx(1.9, abs=1e-3)
        reached = metres(value(stands, "path", f"way_{side}_from_near"))
        assert 15.0 < reached < 85.0 - 2.4 - 60.0
        assert metres(value(stands, "path", f"way_{side}_to_near")) > 25.0
        wide, tight = _steered(stands, f"way_{side}", 8.0), _steered(stands, f"tight_{side}", 8.0)
        assert sign * wide > sign * tight > 0.5
        assert sign * wide < 2.5
    aside = tokens_of(scene((AgentKind.VEHICLE, 85.0, -1.0, 0.0, 0.0), speed=8.0))
    assert _steered(aside, "way_left", 8.0) < _steered(stands, "way_left", 8.0)
    assert _steered(aside, "way_right", 8.0) < _steered(stands, "way_right", 8.0)


def test_who_drives_or_is_not_in_the_way_has_no_way_round():
    for other in ((85.0, 0.0, 0.0, 2.0), (85.0, 4.0, 0.0, 0.0), (40.0, 0.0, 0.0, 0.0)):
        tokens = tokens_of(scene((AgentKind.VEHICLE, *other), lanes=3))
        assert value(tokens, "path", "has_way_left") == value(tokens, "path", "has_way_right") == 0.0


def test_nobody_is_passed_who_waits_for_a_light():
    waits = (AgentKind.VEHICLE, 130.0, 0.0, 0.0, 0.0)
    assert value(tokens_of(scene(waits, light=LightState.RED)), "path", "has_way_left") == 0.0
    assert value(tokens_of(scene(waits, light=LightState.GREEN)), "path", "has_way_left") == 1.0


def test_every_column_is_explained_and_the_page_is_up_to_date():
    for kind, names in COLUMNS.items():
        assert {meaning(kind, name) for name in names} == set(range(len(MEANINGS[kind])))
    page = Path(__file__).parents[2] / "docs" / "samples.md"
    assert page.read_text(encoding="utf-8").endswith(markdown()), "docs/samples.md: write its tables anew"
