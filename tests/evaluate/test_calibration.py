"""Calibration: beside slow figures written out by hand, and for planted ones that are calibrated, or are not."""

from __future__ import annotations

import numpy as np
import pytest

from waytrace.evaluate.calibration import GROUPS, brier, calibration, equal_mass
from waytrace.evaluate.gate.clusters import design


def _answers(random: np.random.Generator, scenes: int, bias: float = 0.0) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Three answers a scene; true as often as is said, less ``bias``."""
    p = random.uniform(0.3, 1.0, 3 * scenes)
    return p, random.random(len(p)) < p - bias, [str(k // 3) for k in range(len(p))]


def test_the_error_is_that_of_a_slow_one() -> None:
    random = np.random.default_rng(0)
    p, true, clusters = _answers(random, 40)
    order = sorted(range(len(p)), key=lambda i: p[i])
    size, more = divmod(len(p), GROUPS)
    slow, at = 0.0, 0
    for k in range(GROUPS):
        part = order[at : at + size + (k < more)]
        at += len(part)
        slow += len(part) / len(p) * abs(sum(p[i] for i in part) / len(part) - sum(true[i] for i in part) / len(part))
    found = calibration(p, true, clusters)
    assert found is not None
    assert found.error == pytest.approx(slow)
    assert [g.count for g in found.groups] == [size + (k < more) for k in range(GROUPS)]
    assert found.over == pytest.approx(p.mean() - true.mean())
    assert (found.count, found.stated, found.true) == (120, pytest.approx(p.mean()), pytest.approx(true.mean()))


def test_whoever_is_calibrated_is_at_the_level_of_chance() -> None:
    random = np.random.default_rng(1)
    found = [calibration(*_answers(random, 200)) for _ in range(40)]
    assert sum(f is not None and f.shown for f in found) <= 5, "about one in 40 is above what 97.5 % are below"
    errors = [f.error for f in found if f is not None]
    assert np.mean(errors) == pytest.approx(np.mean([f.chance for f in found if f is not None]), rel=0.1)
    corrected = [f.corrected for f in found if f is not None]
    assert np.mean(corrected) < 0.7 * np.mean(errors)


def test_whoever_says_too_much_is_found_and_the_interval_holds_by_how_much() -> None:
    random = np.random.default_rng(2)
    held = over = shown = 0
    for _ in range(30):
        found = calibration(*_answers(random, 200, bias=0.12))
        assert found is not None
        assert found.corrected_interval is not None
        assert found.over_interval is not None
        shown += found.shown
        held += found.corrected_interval[0] <= 0.12 <= found.corrected_interval[1]
        over += found.over_interval[0] <= 0.12 <= found.over_interval[1]
    assert shown == 30
    assert held >= 25
    assert over >= 25


def test_answers_that_hang_together_widen_the_interval() -> None:
    random = np.random.default_rng(3)
    p = np.full(300, 0.7)
    true = np.repeat(random.random(30) < 0.7, 10)
    together = calibration(p, true, [str(k // 10) for k in range(300)])
    alone = calibration(p, true, [str(k) for k in range(300)])
    assert together is not None
    assert alone is not None
    assert together.over_interval is not None
    assert alone.over_interval is not None
    assert np.diff(together.over_interval)[0] > 2.0 * np.diff(alone.over_interval)[0]


def test_bins_that_are_stated_stay_together() -> None:
    p = np.array([0.1, 0.1, 0.9, 0.9, 0.9])
    found = calibration(p, [False, True, True, True, False], list("aabbc"), group=np.array([0, 0, 4, 4, 4]))
    assert found is not None
    assert [(g.stated, g.true, g.count) for g in found.groups] == [
        (pytest.approx(0.1), 0.5, 2), (pytest.approx(0.9), pytest.approx(2 / 3), 3)
    ]  # fmt: skip
    assert found.error == pytest.approx((abs(0.2 - 1) + abs(2.7 - 2)) / 5)


def test_nothing_gives_nothing_and_one_scene_no_interval() -> None:
    assert calibration([], [], []) is None
    assert brier(np.zeros((0, 3)), np.zeros(0, np.int64), []) is None
    found = calibration([0.5, 0.7], [True, False], ["a", "a"])
    assert found is not None
    assert (found.over_interval, found.corrected_interval, found.corrected) == (None, None, found.error)
    one = brier(np.array([[0.5, 0.5]]), np.array([1]), ["a"])
    assert one is not None
    assert (one.score, one.reference, one.skill, one.interval) == (0.5, 0.0, None, None)


def test_fewer_answers_than_groups_make_a_group_each() -> None:
    assert equal_mass(np.array([0.4, 0.2, 0.9])).tolist() == [1, 0, 2]


def test_brier_and_its_skill_by_hand() -> None:
    p = np.array([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    found = brier(p, np.array([0, 2, 2, 0]), list("abcd"))
    assert found is not None
    assert found.score == pytest.approx((0.06 + (0.04 + 0.25 + 0.49) + 0.0 + 0.0) / 4)
    assert found.reference == pytest.approx(1 - (0.25 + 0.25))
    assert found.skill == pytest.approx(1 - found.score / 0.5)


def test_stating_the_shares_has_no_skill_and_knowing_has_all() -> None:
    random = np.random.default_rng(4)
    label = random.integers(0, 3, 400)
    clusters = [str(k // 4) for k in range(400)]
    shares = np.bincount(label, minlength=3) / 400
    plain = brier(np.tile(shares, (400, 1)), label, clusters)
    known = brier(np.eye(3)[label], label, clusters)
    assert plain is not None
    assert known is not None
    assert plain.skill == pytest.approx(0.0)
    assert plain.interval is not None
    assert plain.interval[0] <= 0.0
    assert (known.skill, known.interval) == (1.0, (1.0, 1.0))


def test_the_interval_of_the_skill_is_that_of_drawing_scenes_one_by_one() -> None:
    random = np.random.default_rng(5)
    label = random.integers(0, 2, 60)
    p = np.clip(np.eye(2)[label] * 0.5 + random.uniform(0, 0.5, (60, 1)), 0, 1)
    clusters = [str(k // 3) for k in range(60)]
    found = brier(p, label, clusters)
    assert found is not None
    assert len(design(["all"] * 60, clusters).size) == 20
    drawn = []
    for _ in range(2000):
        part = np.concatenate([3 * k + np.arange(3) for k in random.integers(0, 20, 20)])
        one = brier(p[part], label[part], ["x"] * 60)
        assert one is not None
        assert one.skill is not None
        drawn.append(one.skill)
    assert found.interval == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.02)
