"""What a drive leaves behind: rollouts for the score and the report, records for typed scenes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from waytrace.observe import SceneRecord
from waytrace.scenario import PLAN_KNOTS, Rollout, WaytraceError
from waytrace.scenario.hashing import scenario_hash

from .arrays import PRESENT, SEEN, SIMULATED

if TYPE_CHECKING:
    from .world import World


def scene_record(world: World, row: int, tick: int) -> SceneRecord:
    """Everything that controlled agent ``row`` could have perceived up to now (see ``waytrace.observe``)."""
    w, a = int(world.rows.world[row]), int(world.rows.slot[row])
    if tick != world.moving.tick[w]:
        raise WaytraceError(
            f"the scene of tick {tick} was asked for at tick {world.moving.tick[w]}: ask an observation for its "
            "scenes before the world is stepped, reset or restored"
        )
    s, rec, f = world.scenarios[w], world.record, world.fixed
    n, k, start, steps = len(s.agents), s.lights.state.shape[1], s.start_step, s.start_step + tick + 1
    pose = np.empty((steps, n, 3))
    pose[:start, :, 0], pose[:start, :, 1] = f.log_x[w, :n, :start].T, f.log_y[w, :n, :start].T
    pose[:start, :, 2] = f.log_heading[w, :n, :start].T
    pose[start:] = rec.pose[w, : tick + 1, :n]
    return SceneRecord(
        scenario_id=s.id, map=s.map, route=s.route, tick=tick, ego=a, kind=world.state.kind[w, :n],
        size_m=np.stack([world.state.length[w, :n], world.state.width[w, :n]], -1), pose=pose,
        speed_mps=np.concatenate([f.log_speed[w, :n, :start].T, rec.speed[w, : tick + 1, :n]]),
        present=np.concatenate([f.log_valid[w, :n, :start].T, (rec.flags[w, : tick + 1, :n] & PRESENT) > 0]),
        seen=world.eyes.record.seen[row, :steps, :n], accel_mps2=float(world.state.accel[w, a]),
        yaw_rate_radps=float(world.state.yaw_rate[w, a]),
        light_lane=np.asarray(world.lights.lane[w, :k] - world.maps.index.lane_lo[f.map_of[w]], np.int32),
        light_xy=np.stack([world.lights.x[w, :k], world.lights.y[w, :k]], -1), light_state=world.lights.state[w, :k],
        dt_s=s.dt_s,
    )  # fmt: skip


def rollout_of(world: World, w: int, planner: str) -> Rollout:
    """What the ego of world ``w`` has driven so far."""
    s, rec, n = world.scenarios[w], world.record, len(world.scenarios[w].agents)
    ticks = int(world.moving.tick[w]) + 1
    flags = rec.flags[w, :ticks, :n]
    of_ego = np.flatnonzero((world.rows.world == w) & (world.rows.slot == s.ego_index))
    plans = [(tick, plan[int(of_ego[0])]) for tick, plan in world.plans if len(of_ego) and tick < ticks]
    accel, curvature = np.zeros(ticks), np.zeros(ticks)
    if len(of_ego):
        accel[:-1] = rec.accel[of_ego[0], : ticks - 1]
        curvature[:-1] = rec.curvature[of_ego[0], : ticks - 1]
    k = s.lights.state.shape[1]

    def stacked(name: str, width: tuple[int, ...]) -> NDArray[np.float64]:
        return np.array([getattr(plan, name) for _, plan in plans]).reshape(len(plans), *width)

    return Rollout(
        scenario_id=s.id, scenario_hash=scenario_hash(s), planner=planner, traffic=world.traffic, seed=world.seed,
        dt_s=s.dt_s, start_step=s.start_step, ego_index=s.ego_index, pose=rec.pose[w, :ticks, :n].copy(),
        speed_mps=rec.speed[w, :ticks, :n].copy(), valid=(flags & PRESENT) > 0, reactive=(flags & SIMULATED) > 0,
        visible=(flags & SEEN) > 0, ego_accel_mps2=accel, ego_curvature_1pm=curvature,
        lights=rec.lights[w, :ticks, :k].copy(), decision_row=np.array([t for t, _ in plans], np.int32),
        plan_waypoints=stacked("waypoints", (PLAN_KNOTS, 4)), plan_accel_mps2=stacked("accel_mps2", (PLAN_KNOTS,)),
        plan_curvature_1pm=stacked("curvature_1pm", (PLAN_KNOTS,)),
        end="recording_end" if s.recorded and not world.moving.active[w] else "horizon",
        info={"style": world.style},
    )  # fmt: skip
