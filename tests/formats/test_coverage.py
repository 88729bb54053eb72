"""What lies beyond the end of a map, and what merely beside it."""

from __future__ import annotations

from collections import Counter

import numpy as np

from waytrace.formats import LaneDraft, Locator, Surroundings, build_road_map
from waytrace.formats.coverage import beyond_map, cut_beyond_map, open_ends
from waytrace.formats.tracks import Track, build_agents
from waytrace.scenario import AgentKind


def locator():
    drafts = []
    for name, x0, x1 in (("a", 0, 100), ("b", 100, 200)):
        left = np.array([[x0, 1.75], [x1, 1.75]], dtype=float)
        drafts.append(LaneDraft(name, left, left - [0, 3.5]))
    return Locator(build_road_map(drafts, Surroundings(), np.zeros(2), "test")[0])


def test_open_ends_are_the_rim_and_not_the_joints():
    assert sorted(open_ends(locator().road)[:, 0, 0]) == [0.0, 200.0]


def test_beyond_is_past_an_end_and_beside_is_not():
    points = np.array([[150.0, 0.0], [205.0, 0.5], [-3.0, 9.0], [100.0, 12.0], [199.0, 4.0], [200.2, 0.0]])
    assert list(beyond_map(locator(), points)) == [False, True, True, False, False, False]


def test_only_driving_vehicles_far_from_the_ego_lose_states():
    def car(id, x, speed, y=0.0, kind=AgentKind.VEHICLE):
        xy = np.stack([x + 0.1 * speed * np.arange(60), np.full(60, y)], axis=-1)
        unknown = np.full((60, 2), np.nan)
        return Track(id, kind, 4.5, 1.8, np.arange(60), xy, np.zeros(60), unknown)

    tracks = [
        car("ego", 20, 0.0), car("leaves", 180, 10.0), car("parked", 230, 0.0),
        car("walks", 210, 1.0, kind=AgentKind.PEDESTRIAN),
        car("drive", 150, 5.0, y=20.0), car("behind", -10, 1.0),
    ]  # fmt: skip
    agents = build_agents(tracks, 0, 60, np.zeros(2), Counter())
    notes: Counter[str] = Counter()
    cut = cut_beyond_map(agents, 0, locator(), notes)
    gone = agents.valid.sum(1) - cut.valid.sum(1)
    assert list(gone) == [0, 39, 0, 0, 0, 0]
    assert notes["states_beyond_map"] == 39
    assert not cut.xy[1, ~cut.valid[1]].any()
    alone = cut_beyond_map(agents, 1, locator(), Counter())
    assert alone.valid[1].all()
