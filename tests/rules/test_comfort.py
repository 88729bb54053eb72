from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import savgol_filter

from waytrace.rules import (
    ACCEL,
    COMFORT_ROWS,
    JERK,
    LAT_ACCEL,
    LON_ACCEL,
    LON_JERK,
    SCRATCH_ROWS,
    YAW_ACCEL,
    YAW_RATE,
    comfort_rows,
    is_comfortable,
)


def rows_of(speed, heading):
    n = len(speed)
    out = np.zeros((COMFORT_ROWS, n))
    comfort_rows(np.asarray(speed, float), np.asarray(heading, float), n, 0.1, out, np.zeros((SCRATCH_ROWS, n)))
    return out


def test_the_filters_are_savitzky_golay():
    rng = np.random.default_rng(0)
    speed = 10 + np.cumsum(rng.normal(0, 0.1, 60))
    heading = np.cumsum(rng.normal(0, 0.02, 60))
    out = rows_of(speed, heading)
    yaw_rate = savgol_filter(heading, 5, 2, deriv=1, delta=0.1)
    assert out[YAW_RATE] == pytest.approx(yaw_rate)
    assert out[YAW_ACCEL] == pytest.approx(savgol_filter(heading, 5, 3, deriv=2, delta=0.1))
    raw = np.append(np.diff(speed) / 0.1, np.diff(speed)[-1] / 0.1)
    lon = savgol_filter(raw, 9, 2)
    assert out[LON_ACCEL] == pytest.approx(lon)
    assert out[LAT_ACCEL] == pytest.approx(savgol_filter(speed * yaw_rate, 9, 2))
    norm = savgol_filter(np.hypot(raw, speed * yaw_rate), 9, 2)
    assert out[ACCEL] == pytest.approx(norm)
    assert out[JERK] == pytest.approx(savgol_filter(norm, 15, 2, deriv=1, delta=0.1))
    assert out[LON_JERK] == pytest.approx(savgol_filter(lon, 15, 2, deriv=1, delta=0.1))


def test_jerk_of_a_ramp_in_acceleration():
    # v = 5 + t^2: the change from t to t + 0.1 is (2 t + 0.1) * 0.1, the acceleration 2 t + 0.1, its slope 2. Both
    # filters fit a parabola, so a ramp passes unchanged (but for the end, where the last change is repeated).
    at = 0.1 * np.arange(40)
    out = rows_of(5.0 + at**2, np.zeros(40))
    assert out[LON_ACCEL][:30] == pytest.approx(2 * at[:30] + 0.1)
    assert out[LON_JERK][:28] == pytest.approx(np.full(28, 2.0))


def test_headings_across_the_seam_do_not_jump():
    heading = np.pi - 0.05 + 0.02 * np.arange(20)
    wrapped = (heading + np.pi) % (2 * np.pi) - np.pi
    assert rows_of(np.full(20, 5.0), wrapped)[YAW_RATE] == pytest.approx(np.full(20, 0.2))


def test_a_drive_shorter_than_the_windows_takes_shorter_ones():
    speed = 10 - 0.3 * np.arange(6)
    out = rows_of(speed, np.zeros(6))
    assert out[LON_ACCEL] == pytest.approx(np.full(6, -3.0))
    assert out[LON_JERK] == pytest.approx(np.zeros(6), abs=1e-9)
    assert rows_of(speed[:2], np.zeros(2))[LON_ACCEL] == pytest.approx(np.zeros(2))


@pytest.mark.parametrize(
    ("row", "low", "high"),
    [
        (LON_ACCEL, -4.05, 2.40),
        (LAT_ACCEL, -4.89, 4.89),
        (JERK, -8.37, 8.37),
        (LON_JERK, -4.13, 4.13),
        (YAW_RATE, -0.95, 0.95),
        (YAW_ACCEL, -1.93, 1.93),
    ],
)
def test_bounds(row, low, high):
    rows = np.zeros((COMFORT_ROWS, 4))
    for value, fine in ((low, True), (high, True), (low - 0.01, False), (high + 0.01, False)):
        rows[row, 2] = value
        assert is_comfortable(rows, 4) is fine
    assert is_comfortable(rows, 2)
