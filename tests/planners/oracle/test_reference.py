import numpy as np
import pytest

from waytrace.catalogue import generate
from waytrace.planners import Idm, oracle_reference
from waytrace.planners.oracle import reference
from waytrace.planners.oracle.drivers import drive_all, drivers
from waytrace.scenario import AgentKind
from waytrace.score import score_rollout
from waytrace.sim import World

from ..conftest import LIMIT_MPS, drive, scene

CAR, WALKER = AgentKind.VEHICLE, AgentKind.PEDESTRIAN


def late_swerve():
    """A car stands 22 m ahead of an ego at 20 m/s; braking takes longer, the lane beside is free."""
    return scene((CAR, 86.8, 0.0, 0.0, 0.0), speed=20.0, lanes=2)


def only_followers(monkeypatch):
    monkeypatch.setattr(reference, "drivers", lambda scenario: [("idm", Idm())])


def test_it_finds_the_same_drive_every_time():
    first, again = (oracle_reference(generate("unprotected-left", 3)) for _ in range(2))
    assert (first.progress_m, first.value, first.proposal) == (again.progress_m, again.value, again.proposal)
    np.testing.assert_array_equal(first.rollout.pose, again.rollout.pose)
    np.testing.assert_array_equal(first.rollout.plan_accel_mps2, again.rollout.plan_accel_mps2)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["lead-braking", "unprotected-left"])
def test_it_is_never_worth_less_than_its_best_driver(family, monkeypatch):
    seen = []
    judged = reference._judged

    def noted(*given):
        seen.append(judged(*given))
        return seen[-1]

    monkeypatch.setattr(reference, "_judged", noted)
    best = oracle_reference(generate(family, 3))
    by_drivers = [r for r in seen if r.proposal != "search"]
    assert len(by_drivers) == len(drivers(generate(family, 3)))
    assert best.clean
    assert best.value >= max(r.value for r in by_drivers if r.clean)


def test_it_solves_what_none_of_its_drivers_solves(monkeypatch):
    only_followers(monkeypatch)
    made = late_swerve()
    driven = drive_all(made, World([made], traffic="replay"), reference.drivers(made))
    assert not any(d.clean for d in driven)
    found = oracle_reference(made, traffic="replay")
    assert found.clean
    assert found.proposal == "search"
    assert found.rollout.pose[-1, 0, 0] > 150.0


def test_its_figures_are_those_of_the_score(monkeypatch):
    only_followers(monkeypatch)
    made = scene((WALKER, 77.0, -3.0, np.pi / 2, 1.5), speed=12.0)
    found = oracle_reference(made, traffic="replay")
    scored = score_rollout(made, found.rollout, found.progress_m)
    assert found.clean
    assert float(found) == found.progress_m == scored.figures["progress_m"]
    assert found.score == scored.score
    assert found.value <= found.score


def test_progress_does_not_come_from_speeding():
    made = scene(speed=8.0)
    found = oracle_reference(made, traffic="replay")
    assert found.rollout.speed_mps[:, 0].max() < LIMIT_MPS + 0.3
    assert 0.97 * found.bound_m < found.progress_m < 1.03 * found.bound_m


def test_it_says_so_where_nothing_helps():
    wall = [(CAR, 72.0, y, 0.0, 0.0) for y in (1.0, -1.5)]
    found = oracle_reference(scene(*wall, speed=20.0), traffic="replay")
    assert not found.clean
    assert found.score == 0.0


@pytest.mark.slow
def test_it_is_no_worse_than_the_follower():
    made = scene((CAR, 100.0, 0.0, 0.0, 5.0))
    found = oracle_reference(made, traffic="replay")
    pose = drive(Idm(), [made]).rollouts()[0].pose[:, 0]
    assert found.clean
    assert found.progress_m >= pose[-1, 0] - pose[0, 0] - 0.5
