"""The recorded drives: every file imported, and imports right by the project's own bars."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from waytrace.formats import ReadOptions, connected, find_sources, quality, read
from waytrace.formats.routes import BEYOND_M
from waytrace.geometry import arc_lengths

DRIVES = Path(os.environ.get("WAYTRACE_DRIVES", Path(__file__).parents[3] / "shared" / "data"))
FOLDERS = [DRIVES / "av2", DRIVES / "commonroad"]

pytestmark = [
    pytest.mark.drives,
    pytest.mark.skipif(
        not all(f.is_dir() for f in FOLDERS),
        reason=f"no recorded drives in {DRIVES} (set WAYTRACE_DRIVES to a folder with av2/ and commonroad/)",
    ),
]


@pytest.fixture(scope="module")
def scenarios():
    found = find_sources(FOLDERS)
    assert not found.refused
    assert found.files == sum(len(names) for folder in FOLDERS for _, _, names in os.walk(folder))
    return [s for source in found.sources for s in read(source)]


def test_imports_are_right_by_the_bars(scenarios):
    for source, figures in quality(scenarios).items():
        assert figures["heading_velocity_deg"] < 5.0, source
        assert figures["heading_motion_deg"] < 5.0, source
        assert figures["on_lane_share"] >= 0.95, source
        assert figures["ego_on_lane_share"] >= 0.95, source
        assert figures["routes_connected"] == 1.0, source
        assert figures["start_overlaps"] == 0, source


def test_histories_futures_and_frames(scenarios):
    for s in scenarios:
        valid = s.agents.valid[s.ego_index]
        assert 10 <= s.start_step <= 20, s.id
        assert s.end_step - s.start_step >= 20, s.id
        assert valid[s.start_step - 10 : s.end_step + 1].all(), s.id
        assert np.abs(s.agents.xy).max() < 1000.0, s.id
        assert s.provenance.licence, s.id
        assert s.lights.state.shape == (s.steps, len(s.lights.lane)), s.id


def test_routes_hold_the_way_driven_and_run_on_where_the_map_does(scenarios):
    for s in scenarios:
        assert connected(s.map, s.route), s.id
        last = s.route.groups[-1]
        ends = not any(len(s.map.successors(k)) for k in last)
        end_xy = s.agents.xy[s.ego_index, s.end_step]
        gone = min(np.hypot(*(s.map.centre[k][-1] - end_xy)) for k in last)
        ahead = sum(arc_lengths(s.map.centre[g[0]])[-1] for g in s.route.groups)
        assert ends or ahead >= BEYOND_M, (s.id, gone)


def test_one_road_section_is_one_cluster(scenarios):
    sections = defaultdict(set)
    for s in scenarios:
        sections[s.cluster].add(s.id)
    assert len(sections["us101"]) == 29
    assert len(sections["lankershim"]) == 8


@pytest.mark.slow
def test_every_recorded_vehicle_can_be_the_ego():
    sources = [s for s in find_sources([DRIVES / "commonroad"]).sources if "Lanker-2_8" in s.path.name]
    scenarios = read(sources[0], ReadOptions(egos_per_file=0))
    assert len(scenarios) > 30
    figures = quality(scenarios)["commonroad"]
    assert figures["routes_connected"] == 1.0
    assert figures["ego_start_overlaps"] == 0


def test_planning_problems_are_driven_from_their_initial_state():
    for source in find_sources([DRIVES / "commonroad"]).sources[::4]:
        for s in read(source, ReadOptions(ego="initial-state")):
            assert not s.recorded, s.id
            assert connected(s.map, s.route), s.id
