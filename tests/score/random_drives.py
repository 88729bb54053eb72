"""Drives of every sort on generated scenes, good ones and absurd ones, drawn from a seed.

Three sorts: a planner whose controls are disturbed (IDM, or straight on); random controls; a path laid over the
recording from outside (along lanes in either direction, anywhere, or at somebody), which no simulator had to agree to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from waytrace.catalogue import families, generate
from waytrace.geometry import arc_lengths, resample, wrap
from waytrace.planners import make, make_plan
from waytrace.scenario import AgentKind, Lights, LightState, Plan, Rollout, Scenario
from waytrace.sim import World, integrate_dense

BATCH = 8
KNOT_ROWS = 5
AXLE_SHARE = 0.28
SORTS = ("driven", "random", "lanes", "anywhere", "aimed")


@dataclass(frozen=True)
class Case:
    sort: str
    scenario: Scenario
    rollout: Rollout
    reference_m: float | None
    recorded: Scenario
    """The same as a recording that goes on, for the scores of one plan."""
    plan: Plan
    """From the recording's start step."""
    following: Plan | None


def cases(count: int, seed: int) -> Iterator[Case]:
    """``count`` cases; five to each simulated scene."""
    names, made, batch = families("train"), 0, 0
    while made < count:
        random = np.random.default_rng([seed, batch])
        scenes = [
            _altered(generate(names[(batch * BATCH + k) % len(names)], seed + batch), random) for k in range(BATCH)
        ]
        for scenario, driven, wild in zip(scenes, _simulated(scenes, random, wild=False),
                                          _simulated(scenes, random, wild=True), strict=True):  # fmt: skip
            for sort in SORTS:
                if made < count:
                    yield _case(sort, scenario, wild if sort == "random" else driven, random)
                    made += 1
        batch += 1


def _altered(scenario: Scenario, random: np.random.Generator) -> Scenario:
    """Some who stand become things, some lanes lose their limit or get a light, so that these rules have work too."""
    kind = scenario.agents.kind.copy()
    still = np.hypot(*scenario.agents.velocity_mps[:, scenario.start_step].T) < 0.1
    for i in np.flatnonzero(still | (random.random(len(kind)) < 0.1)):
        if i != scenario.ego_index and random.random() < 0.5:
            kind[i] = AgentKind.STATIC
    road = scenario.map
    if random.random() < 0.3:
        bare = random.random(len(road)) < 0.5
        road = replace(road, speed_limit_mps=np.where(bare, np.nan, road.speed_limit_mps))
    lights = scenario.lights
    entries = sorted({int(i) for lane in scenario.route.lanes for i in road.successors(lane)})
    if not len(lights.lane) and entries and random.random() < 0.6:
        chosen = random.permutation(entries)[:3]
        inside = random.choice([0.0, 2.0, 12.0], len(chosen))  # the stop point lies a little into the lane, or far
        xy = np.stack([resample(road.centre[i], np.array([m]))[0] for i, m in zip(chosen, inside, strict=True)])
        state = random.choice([LightState.RED, LightState.GREEN], (scenario.steps // 20 + 1, len(chosen)))
        lights = Lights(chosen.astype(np.int32), xy, np.repeat(state, 20, axis=0)[: scenario.steps].astype(np.uint8))
    return scenario.with_(agents=replace(scenario.agents, kind=kind), map=road, lights=lights)


def _simulated(scenes: list[Scenario], random: np.random.Generator, *, wild: bool) -> list[Rollout]:
    world = World(scenes, seed=int(random.integers(1 << 30)))
    planner = make("constant-velocity" if wild or random.random() < 0.3 else "idm")
    planner.reset([s.id for s in scenes])
    state, rows = None, len(scenes)
    size = random.choice([0.0, 0.3, 2.0], (2, rows, 1)) * np.array([1.0, 0.01])[:, None, None]
    for _ in range(int(random.integers(6, 13))):
        if not world.active.any():
            break
        plan, _, state = planner.plan(world.observe(), state)
        noise = random.normal(size=(2, rows, 16)) * (np.array([3.0, 0.03])[:, None, None] if wild else size)
        accel = np.clip(plan.accel_mps2 + noise[0], -8.0, 3.0)
        curvature = np.clip(plan.curvature_1pm + noise[1], -0.2, 0.2)
        world.step_plans(make_plan(plan.t0_s, plan.start, accel, curvature, "disturbed"), ticks=KNOT_ROWS)
    return world.rollouts("disturbed")


def _case(sort: str, scenario: Scenario, rollout: Rollout, random: np.random.Generator) -> Case:
    rollout = rollout if sort in ("driven", "random") else _laid(sort, scenario, rollout, random)
    if random.random() < 0.1:  # the ego is gone before the recording ends
        valid = rollout.valid.copy()
        valid[random.integers(1, len(valid)) :, rollout.ego_index] = False
        rollout = replace(rollout, valid=valid)
    reference = (
        None if random.random() < 0.05 else float(random.choice([random.uniform(0, 20), random.uniform(0, 400)]))
    )
    recorded = _recorded(scenario, rollout, random)
    plan, following = _plans(recorded, random)
    return Case(sort, scenario, rollout, reference, recorded, plan, following)


def _laid(sort: str, scenario: Scenario, rollout: Rollout, random: np.random.Generator) -> Rollout:
    """The drive with another way for the ego, and lights that come and go."""
    pose, speed, ego = rollout.pose.copy(), rollout.speed_mps.copy(), rollout.ego_index
    rows = len(pose)
    if sort == "lanes":
        pose[:, ego], speed[:, ego] = _along_lanes(scenario, rows, random)
    else:
        pose[:, ego], speed[:, ego] = _free(scenario, rollout, random, aimed=sort == "aimed")
    return replace(rollout, pose=pose, speed_mps=speed, lights=_changing(rollout.lights, random))


def _changing(lights: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Lights [T, K] that come and go, far too fast for a road, so that a crossing's tick decides."""
    shift = random.integers(0, 40, lights.shape[1])
    phase = (np.arange(len(lights))[:, None] + shift) // random.integers(3, 20) % 2
    return np.where(phase == 0, np.uint8(LightState.RED), np.uint8(LightState.GREEN)).astype(np.uint8)


def _along_lanes(scenario: Scenario, rows: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Along a chain of lanes, forward or against it, swaying a little."""
    road, chosen = scenario.map, scenario.route.lanes if random.random() < 0.6 else range(len(scenario.map))
    chain, to_light = [int(random.choice(list(chosen)))], None
    if len(scenario.lights.lane) and random.random() < 0.9:
        entry = int(random.choice(scenario.lights.lane))
        before = [i for i in range(len(road)) if entry in road.successors(i)]
        chain = [int(random.choice(before)), entry]
        to_light = float(arc_lengths(road.centre[chain[0]])[-1])
    while len(chain) < 5 and len(road.successors(chain[-1])):
        chain.append(int(random.choice(road.successors(chain[-1]))))
    xy = np.concatenate([road.centre[i] for i in chain])
    xy = xy[np.concatenate([[True], np.hypot(*np.diff(xy, axis=0).T) > 1e-3])]
    backward = random.random() < (0.35 if to_light is None else 0.1)
    if backward:
        xy = xy[::-1]
    reach = float(np.hypot(*np.diff(xy, axis=0).T).sum())
    speed = np.clip(random.uniform(0, 18) + np.cumsum(random.normal(0, 0.1, rows)), 0.0, None)
    start = random.uniform(0, 0.7) * reach if to_light is None else max(0.0, to_light - random.uniform(0, 4) * speed[0])
    s = start + np.concatenate([[0.0], np.cumsum(0.1 * speed[:-1])])
    speed = np.where(s > reach - 1.0, 0.0, speed)
    s = np.minimum(s, reach - 1.0)
    at, ahead = resample(xy, s), resample(xy, s + 0.9)
    heading = np.arctan2(*(ahead - at).T[::-1])
    sway = random.choice([0.0, 0.3, 1.5]) * np.sin(0.1 * np.arange(rows) * random.uniform(0.2, 1.0))
    at = at + sway[:, None] * np.stack([-np.sin(heading), np.cos(heading)], -1)
    if backward and random.random() < 0.3:  # in reverse gear: it faces the way it came from
        heading, speed = wrap(heading + np.pi), -speed
    return np.concatenate([at, heading[:, None]], -1), speed


def _free(
    scenario: Scenario, rollout: Rollout, random: np.random.Generator, *, aimed: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Random controls from near the ego's place, or towards where somebody will be."""
    rows, ego = len(rollout.pose), rollout.ego_index
    x, y, heading = rollout.pose[random.integers(rows), ego] + random.normal(0, [3.0, 3.0, 0.3])
    speed, curvature = random.uniform(-2, 15), random.normal(0, 0.01, 16)
    others = [i for i in range(len(scenario.agents)) if i != ego]
    if aimed and others:
        when = int(random.integers(1, rows))
        to = rollout.pose[when, random.choice(others), :2] + random.normal(0, 0.7, 2)
        way = to - np.array([x, y])
        heading, speed = np.arctan2(way[1], way[0]), np.hypot(*way) / (0.1 * when)
        curvature *= 0.1
        if random.random() < 0.2:  # there already, and standing
            speed, curvature, (x, y) = 0.0, 0.0 * curvature, to
        elif speed > 30.0:
            speed, (x, y) = 12.0, to - 12.0 * 0.1 * when * way / np.hypot(*way)
    accel = random.normal(0, random.choice([0.1, 1.0]), 16) if speed else np.zeros(16)
    states = integrate_dense(np.array([[x, y, heading, speed]]), accel[None], curvature[None])[0]
    states = states[np.minimum(np.arange(rows), len(states) - 1)]
    return states[:, :3], states[:, 3]


def _recorded(scenario: Scenario, rollout: Rollout, random: np.random.Generator) -> Scenario:
    """What a recorder would have kept of a drive, the closed loop to begin at one of its first rows."""
    start = int(random.integers(0, 20))
    pose, speed = rollout.pose.swapaxes(0, 1), rollout.speed_mps.T
    heading = pose[..., 2]
    agents = replace(
        scenario.agents, xy=np.ascontiguousarray(pose[..., :2]), heading_rad=np.ascontiguousarray(wrap(heading)),
        velocity_mps=speed[..., None] * np.stack([np.cos(heading), np.sin(heading)], -1),
        valid=np.ascontiguousarray(rollout.valid.T),
    )  # fmt: skip
    lights = Lights(scenario.lights.lane, scenario.lights.xy, _changing(rollout.lights, random))
    start = min(start, int(np.argmin(np.append(agents.valid[scenario.ego_index], False))) - 1)
    return scenario.with_(agents=agents, lights=lights, start_step=start, end_step=len(rollout.pose) - 1, family="")


def _plans(recorded: Scenario, random: np.random.Generator) -> tuple[Plan, Plan | None]:
    """The recorded ego's own motion as a plan, disturbed; and half a second later another."""
    agents, ego, first = recorded.agents, recorded.ego_index, recorded.start_step
    last = int(np.flatnonzero(agents.valid[ego])[-1])
    steps = np.minimum(first + KNOT_ROWS * np.arange(17), last)
    heading, velocity = agents.heading_rad[ego, steps], agents.velocity_mps[ego, steps]
    speed = (velocity * np.stack([np.cos(heading), np.sin(heading)], -1)).sum(-1)
    way = 0.25 * (speed[1:] + speed[:-1])
    turned = wrap(np.diff(heading))
    accel = np.diff(speed) / 0.5
    curvature = np.where(np.abs(way) > 0.1, turned / np.where(np.abs(way) > 0.1, way, 1.0), 0.0)
    if random.random() < 0.6:  # another pace than it had
        accel += random.uniform(-3.0, 3.0)
    size = random.choice([0.0, 0.2, 1.0])
    accel = np.clip(accel + size * random.normal(0, 1.0, 16), -8.0, 3.0)
    curvature = np.clip(curvature + size * random.normal(0, 0.01, 16), -0.2, 0.2)
    back = AXLE_SHARE * agents.size_m[ego, 0]
    x, y = agents.xy[ego, first] - back * np.array([np.cos(heading[0]), np.sin(heading[0])])
    plan = make_plan(np.zeros(1), np.array([[x, y, heading[0], speed[0]]]), accel[None], curvature[None], "random")[0]
    if random.random() < 0.2:
        return plan, None
    doubt = random.choice([0.0, 0.02, 0.5])
    later = np.roll(accel, -1) + doubt * random.normal(0, 1.0, 16), np.roll(curvature, -1) + doubt * 0.01
    following = make_plan(
        np.array([0.5]), plan.waypoints[None, 0], np.clip(later[0], -8.0, 3.0)[None],
        np.clip(later[1], -0.2, 0.2)[None], "random",
    )[0]  # fmt: skip
    return plan, following
