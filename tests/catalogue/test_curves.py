from __future__ import annotations

import math

import numpy as np
import pytest

from waytrace.catalogue.curves import ReferenceLine, join, side, stations
from waytrace.geometry import arc_lengths, project


def test_a_reference_line_of_constant_curvature_is_a_circle():
    line = ReferenceLine.of((0.0, 0.0, 0.0), 50.0 * math.pi, [(0.0, 0.02), (200.0, 0.02)])
    centre = np.array([0.0, 50.0])
    assert np.hypot(*(line.xy - centre).T) == pytest.approx(50.0, abs=0.02)
    assert line.pose(line.length_m)[2] == pytest.approx(math.pi, abs=1e-9)


def test_an_offset_curve_keeps_its_distance():
    line = ReferenceLine.of((3.0, -2.0, 1.0), 200.0, [(0.0, 0.0), (60.0, 0.01), (200.0, -0.01)])
    _, d = project(line.xy, line.offset(stations(5.0, 195.0), -3.5))
    assert d == pytest.approx(-3.5, abs=2e-3)


@pytest.mark.parametrize("turn_deg", [-120.0, -90.0, -75.0, 60.0, 90.0, 105.0])
def test_a_join_meets_both_poses_with_the_radius_it_names(turn_deg):
    turn = math.radians(turn_deg)
    start = (1.0, 2.0, 0.3)
    corner = np.array([1.0, 2.0]) + 20.0 * np.array([math.cos(0.3), math.sin(0.3)])
    end_heading = 0.3 + turn
    end = (*(corner + 14.0 * np.array([math.cos(end_heading), math.sin(end_heading)])), end_heading)
    xy, heading, radius = join(start, end)
    assert xy[0] == pytest.approx(start[:2], abs=1e-9)
    assert xy[-1] == pytest.approx(end[:2], abs=1e-9)
    assert heading[0] == pytest.approx(start[2])
    assert heading[-1] == pytest.approx(end_heading)
    assert radius == pytest.approx(14.0 / math.tan(abs(turn) / 2))
    assert np.diff(arc_lengths(xy)).max() <= 1.0 + 1e-9
    bend = np.abs(np.diff(heading)) / np.diff(arc_lengths(xy))
    assert bend.max() <= 1.0 / radius * 1.01


def test_a_join_of_parallel_poses_shifts_sideways():
    xy, heading, radius = join((0.0, 0.0, 0.0), (50.0, 3.5, 0.0))
    assert xy[-1] == pytest.approx([50.0, 3.5])
    assert heading[[0, -1]] == pytest.approx([0.0, 0.0], abs=1e-9)
    assert radius > 80.0
    assert side(xy, heading, 1.0)[0] == pytest.approx([0.0, 1.0])
