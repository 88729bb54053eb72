"""The score beside a second implementation that shares no code with it, over random drives.

pytest tests/score/test_against_slow.py -m slow -s      1,000 drives; prints how often each term was not 1
"""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from waytrace.score import epdms, pdms, score_rollout

from .random_drives import Case, cases
from .slow_navsim import LEAST_ROWS, SlowPlanScore
from .slow_road import Road
from .slow_score import judged, score, track_of

TOLERANCE = 1e-7
"""Metres, seconds, SI units and terms alike. Savitzky-Golay weights come from two algebra routines."""
COMPARED = (
    "ttc_s", "off_road_m", "wrong_way_m", "overspeed_mps", "progress_m", "lon_accel_mps2", "lat_accel_mps2",
    "jerk_mps3", "lon_jerk_mps3", "yaw_rate_radps", "yaw_accel_radps2",
)  # fmt: skip
LEAST_COUNT = 5
"""In 1,000 drives every term is below 1 at least so often; else they would not be a test of it."""


def compare(case: Case, below_one: Counter[str]) -> None:
    """Assert that both judges say the same of one case, and count the terms that are below 1."""
    road = Road(case.scenario)
    track = track_of(case.scenario, road, case.rollout)
    fast, slow = score_rollout(case.scenario, case.rollout, case.reference_m), judged(track, case.reference_m)
    at = f"{case.sort} on {case.scenario.id}"
    assert fast.terms == pytest.approx(slow.terms, abs=TOLERANCE), at
    assert fast.score == pytest.approx(score(slow.terms), abs=TOLERANCE), at
    rows = len(track.cars)
    for key in COMPARED:
        expected = np.array(slow.ticks[key])
        if key == "off_road_m":
            expected = np.minimum(expected, 4.0)
        got = np.nan_to_num(fast.ticks[key][:rows], nan=-1.0, posinf=1e6)
        np.testing.assert_allclose(
            got, np.nan_to_num(expected - (expected[0] if key == "progress_m" else 0.0), nan=-1.0, posinf=1e6),
            atol=TOLERANCE, err_msg=f"{at}: {key}",
        )  # fmt: skip
    ids = case.scenario.agents.agent_id
    met = {(e.row, e.agent_id, e.kind, e.at_fault) for e in fast.events if e.kind != "red_light"}
    assert met == {(t, ids[i], kind, fault) for t, i, kind, fault in slow.contacts}, at
    red = {(e.row, e.agent_id) for e in fast.events if e.kind == "red_light"}
    assert red == {(t, case.scenario.map.lane_id[lane]) for t, lane in slow.red_lights}, at
    below_one.update(f"score {k}" for k, v in slow.terms.items() if v < 1.0)
    below_one.update(f"contact {kind}" for _, _, kind, _ in slow.contacts)
    below_one.update(["score NC 0.5"] if slow.terms["NC"] == 0.5 else [])
    below_one.update(["score DDC 0.5"] if slow.terms["DDC"] == 0.5 else [])
    compare_plans(case, below_one)


def compare_plans(case: Case, below_one: Counter[str]) -> None:
    """The same for PDMS and EPDMS of one plan."""
    slow = SlowPlanScore(case.recorded, Road(case.recorded), case.plan, case.following)
    v1, v2 = pdms(case.recorded, case.plan), epdms(case.recorded, case.plan, following=case.following)
    if slow.rows < LEAST_ROWS:
        assert v1 is None
        assert v2 is None
        below_one["too short for a plan"] += 1
        return
    for name, fast, (total, terms) in (("PDMS", v1, slow.pdms()), ("EPDMS", v2, slow.epdms())):
        assert fast is not None
        at = f"{name} of {case.sort} on {case.scenario.id}"
        assert fast.terms == pytest.approx(terms, abs=TOLERANCE), at
        assert fast.score == pytest.approx(total, abs=TOLERANCE), at
        below_one.update(f"{name} {k}" for k, v in terms.items() if v < 1.0)


def test_two_judges_agree_over_some_random_drives() -> None:
    below_one: Counter[str] = Counter()
    for case in cases(40, seed=7):
        compare(case, below_one)
    assert below_one


@pytest.mark.slow
def test_two_judges_agree_over_a_thousand_random_drives() -> None:
    below_one: Counter[str] = Counter()
    for case in cases(1000, seed=2024):
        compare(case, below_one)
    print("\n".join(f"{name:24s} {count:4d}" for name, count in sorted(below_one.items())))
    wanted = [f"score {k}" for k in ("NC", "DAC", "MP", "DDC", "TLC", "EP", "TTC", "SL", "C")]
    wanted += [f"PDMS {k}" for k in ("NC", "DAC", "EP", "TTC", "C")]
    wanted += [f"EPDMS {k}" for k in ("NC", "DAC", "DDC", "TLC", "EP", "TTC", "LK", "HC", "EC")]
    assert {k: below_one[k] for k in wanted if below_one[k] < LEAST_COUNT} == {}
    assert not math.isnan(sum(below_one.values()))
