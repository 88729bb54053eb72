"""The differentiable plan is the simulator's, its controls keep a plan's bounds, and gradients are finite."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from waytrace.microgpt.heads import squash
from waytrace.model.unicycle import bounded, integrate
from waytrace.sim import integrate as simulated


def controls(seed: int, count: int = 200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    start = np.zeros((count, 4))
    start[:, 0], start[:, 2] = -1.3, random.uniform(-3, 3, count)
    start[:, 3] = random.choice([0.0, 0.2, 3.0, 15.0, 30.0, -2.0], count)
    accel = random.uniform(-8, 3, (count, 16)) * random.integers(0, 2, (count, 16))
    curvature = random.choice([0.0, 1e-12, 1e-4, 0.02, 0.2], (count, 16)) * random.choice([-1, 1], (count, 16))
    return start, accel, curvature


def test_waypoints_are_those_of_the_simulator() -> None:
    start, accel, curvature = controls(0)
    expected = simulated(start, accel, curvature)
    doubles = integrate(*(torch.from_numpy(x) for x in (start, accel, curvature)))
    assert doubles.numpy() == pytest.approx(expected, abs=1e-9)
    singles = integrate(*(torch.from_numpy(x).float() for x in (start, accel, curvature)))
    assert singles.numpy() == pytest.approx(expected, rel=1e-5, abs=1e-4)


def test_gradients_are_those_of_small_differences_also_where_the_ego_stops_or_goes_straight() -> None:
    start = torch.tensor([[0.0, 0.0, 0.0, 5.0], [0.0, 0.0, 0.3, 2.0], [0.0, 0.0, 0.0, 0.0]], dtype=torch.float64)
    accel = torch.tensor([[0.5] * 16, [-1.5] * 16, [1.0] * 16], dtype=torch.float64, requires_grad=True)
    curvature = torch.tensor([[0.0] * 16, [0.02] * 16, [0.15] * 16], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a, c: integrate(start, a, c), (accel, curvature))


def test_float32_gradients_are_finite_everywhere() -> None:
    start, accel, curvature = (torch.from_numpy(x).float() for x in controls(1))
    accel.requires_grad_(), curvature.requires_grad_()
    integrate(start, accel, curvature).abs().sum().backward()
    assert accel.grad is not None
    assert curvature.grad is not None
    assert torch.isfinite(accel.grad).all()
    assert torch.isfinite(curvature.grad).all()


def test_controls_are_those_of_the_numpy_form_and_within_bounds() -> None:
    random = np.random.default_rng(2)
    raw = random.normal(size=(100, 16, 2)) * [8.0, 12.0]
    speed = random.uniform(0, 30, 100)
    accel, curvature = (x.numpy() for x in bounded(torch.from_numpy(raw), torch.from_numpy(speed)))
    expected = [squash(r, v) for r, v in zip(raw, speed, strict=True)]
    assert accel == pytest.approx(np.array([a for a, _ in expected]), abs=1e-9)
    assert curvature == pytest.approx(np.array([c for _, c in expected]), abs=1e-9)
    assert -8.0 <= accel.min() <= accel.max() <= 3.0
    assert np.abs(curvature).max() <= 0.2
    assert np.abs(np.diff(accel)).max() <= 4.0 + 1e-12
    assert np.abs(np.diff(curvature)).max() <= 0.1 + 1e-12


def test_an_answer_of_zero_is_going_on_as_now() -> None:
    accel, curvature = bounded(torch.zeros(1, 16, 2, dtype=torch.float64), torch.tensor([7.0], dtype=torch.float64))
    assert accel.numpy() == pytest.approx(0.0, abs=1e-12)
    assert curvature.numpy() == pytest.approx(0.0, abs=1e-12)
