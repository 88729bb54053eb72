"""The recorded drives: replayed exactly, and followed closely through plan and tracker."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from waytrace.formats import find_sources, read
from waytrace.planners import Replay
from waytrace.scenario import Scenario
from waytrace.sim import World

DRIVES = Path(os.environ.get("WAYTRACE_DRIVES", Path(__file__).parents[3] / "shared" / "data"))
FOLDERS = [DRIVES / "av2", DRIVES / "commonroad"]

pytestmark = [
    pytest.mark.drives,
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(f.is_dir() for f in FOLDERS),
        reason=f"no recorded drives in {DRIVES} (set WAYTRACE_DRIVES to a folder with av2/ and commonroad/)",
    ),
]

EXACT_M = 1e-3
MEDIAN_M, P95_M = 0.3, 1.0


@pytest.fixture(scope="module")
def drives() -> list[Scenario]:
    return [s for source in find_sources(FOLDERS).sources for s in read(source)]


def logged(s: Scenario, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Recorded positions [T, N, 2] and validity [T, N] from the start step on."""
    when = slice(s.start_step, s.start_step + rows)
    return s.agents.xy[:, when].transpose(1, 0, 2), s.agents.valid[:, when].T


def test_with_nobody_controlled_every_agent_is_where_it_was(drives):
    world = World(drives, controlled="none", traffic="replay")
    world.advance(int(world.fixed.last_tick.max()))
    for s, r in zip(drives, world.rollouts(), strict=True):
        xy, valid = logged(s, len(r.pose))
        assert len(r.pose) == s.end_step - s.start_step + 1
        np.testing.assert_array_equal(r.valid, valid, err_msg=s.id)
        assert np.abs(r.pose[..., :2] - xy)[valid].max() < EXACT_M, s.id
        assert not r.reactive[valid].any()


def test_through_plan_and_tracker_the_ego_stays_close_to_its_recording(drives):
    errors = defaultdict(list)
    for first in range(0, len(drives), 32):
        part = drives[first : first + 32]
        world, planner, state = World(part, traffic="replay"), Replay(), None
        planner.reset([s.id for s in part], world)
        while world.active.any():
            plan, _, state = planner.plan(world.observe(), state)
            world.step_plans(plan)
        for s, r in zip(part, world.rollouts(), strict=True):
            xy, valid = logged(s, len(r.pose))
            off = np.hypot(*np.moveaxis(xy - r.pose[..., :2], -1, 0))[:, s.ego_index]
            errors[s.source].append(off[valid[:, s.ego_index]])
    for source, parts in errors.items():
        off = np.concatenate(parts)
        figures = f"median {np.median(off):.3f} m, p95 {np.percentile(off, 95):.3f} m, worst {off.max():.3f} m"
        print(f"{source}: {len(parts)} drives, {figures}")
        assert np.median(off) < MEDIAN_M, (source, figures)
        assert np.percentile(off, 95) < P95_M, (source, figures)
