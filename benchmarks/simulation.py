"""Speed of the simulator with everything on, beside highway-env in the same run.

64 worlds, in each 32 controlled agents beside 16 reactive ones in dense traffic: reactive traffic with lights and
conflict zones, collisions, lane coordinates, visibility, observation of 31 agents and 96 map elements, every tick. One
thread. Two maps: about 200 and about 20,000 points. Before anything is timed, worlds stepped together are compared
with worlds stepped alone (bit for bit) and the nearest elements with a full sort. Arms alternate; every figure is the
median of the repeats, with the range, also for a second of the thread's own processor time: on a quiet machine nearly
the same, on a busy one the only one that can be compared. The last line is one JSON object.

    OMP_NUM_THREADS=1 python benchmarks/simulation.py [--quick] [--repeats N]

highway-env (``pip install highway-env``) is left out, and said so, where it is not installed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from city import city_map, city_scenario
from waytrace.observe.features import MAP_AT
from waytrace.scenario import RoadMap
from waytrace.scenario.index import compile_maps
from waytrace.sim import World

WORLDS, CONTROLLED, REACTIVE, TICKS = 64, 32, 16, 80
MAPS = {"200": (1, 160.0, (0, 1), 3.0), "20000": (8, 100.0, (0, 1, -1), 10.0)}
"""Name: blocks, block length, turns at a crossing, longest map element."""


def make_world(road: RoadMap, element_m: float, *, agents: int, controlled: int, shards: int = 1) -> World:
    """Worlds on one map, nothing recorded."""
    scenarios = [city_scenario(road, agents, seed, TICKS) for seed in range(WORLDS)]
    mask = np.zeros((WORLDS, agents), np.bool_)
    mask[:, :controlled] = True
    maps = compile_maps(scenarios, element_m=element_m)
    return World(scenarios, controlled=mask, traffic="reactive", record=False, shards=shards, maps=maps)


def steps_per_s(world: World, accel: np.ndarray, curvature: np.ndarray, observe: bool = True) -> tuple[float, float]:
    """Controlled agent-steps a second over one episode, reset included; also by this thread's processor time."""
    begin, begin_cpu = time.perf_counter(), time.thread_time()
    world.reset()
    for t in range(TICKS):
        world.step_controls(accel[t], curvature[t])
        if observe:
            world.observe_arrays()
    steps = len(world.rows.world) * TICKS
    return steps / (time.perf_counter() - begin), steps / (time.thread_time() - begin_cpu)


def controls(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Small random controls, the same in every run."""
    rng = np.random.default_rng(0)
    return rng.uniform(-1.0, 1.0, (TICKS, rows)), rng.uniform(-0.02, 0.02, (TICKS, rows))


def check(world: World) -> float:
    """Share of the truly nearest map elements that the observations hold, over a sample of agents.

    Raises AssertionError where worlds stepped together differ in any bit from worlds stepped alone.
    """
    accel, curvature = controls(len(world.rows.world))
    world.reset()
    for t in range(20):
        world.step_controls(accel[t], curvature[t])
    seen = world.observe_arrays()
    m = world.maps.index
    held = nearest = 0
    for b in range(0, len(world.rows.world), 97):
        w, a = world.rows.world[b], world.rows.slot[b]
        distance = np.hypot(m.element_x - world.state.x[w, a], m.element_y - world.state.y[w, a])
        reach = np.sort(distance)[: seen.map.shape[1]][-1]
        valid = seen.reference[b, MAP_AT : MAP_AT + seen.map.shape[1]] >= 0
        got = np.hypot(seen.map[b, valid, 0], seen.map[b, valid, 1])
        held += int((got <= reach + 1e-3).sum())
        nearest += min(len(distance), seen.map.shape[1])
    for w in (0, 31, 63):
        alone = World(
            [world.scenarios[w]], controlled=world.fixed.controlled[w : w + 1], traffic="reactive", record=False
        )
        for t in range(20):
            alone.step_controls(accel[t].reshape(WORLDS, -1)[w], curvature[t].reshape(WORLDS, -1)[w])
        for name in ("x", "y", "heading", "speed"):
            if not np.array_equal(getattr(alone.state, name)[0], getattr(world.state, name)[w]):
                raise AssertionError(f"world {w} stepped alone differs in {name}")
    return held / nearest


def highway_env_arm() -> Callable[[], tuple[float, float]] | None:
    """Environment steps a second of highway-env with 32 vehicles, or None where it is not installed."""
    try:
        import gymnasium
        import highway_env  # noqa: F401
    except ImportError:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        env = gymnasium.make("highway-v0", config={"vehicles_count": 32, "simulation_frequency": 10,
                                                   "policy_frequency": 10, "duration": 1000})  # fmt: skip

    def run() -> tuple[float, float]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            env.reset(seed=0)
            begin, begin_cpu, steps = time.perf_counter(), time.thread_time(), 0
            while time.perf_counter() - begin < 1.0:
                *_, terminated, truncated, _ = env.step(1)
                steps += 1
                if terminated or truncated:
                    env.reset(seed=steps)
            return steps / (time.perf_counter() - begin), steps / (time.thread_time() - begin_cpu)

    return run


def compile_times() -> dict[str, float]:
    """Seconds to import the simulator and take one step with an empty cache, and again with a full one."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from city import city_map, city_scenario; import time;"
        "t = time.perf_counter(); from waytrace.sim import World; import numpy as np;"
        "w = World([city_scenario(city_map(1, 160.0), 8, 0)], traffic='reactive', record=False);"
        "w.step_controls(np.zeros(1), np.zeros(1)); w.observe_arrays(); print(time.perf_counter() - t)"
    )
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "NUMBA_CACHE_DIR": folder}
        here = str(Path(__file__).resolve().parent)
        runs = [subprocess.run([sys.executable, "-c", code, here], env=env, capture_output=True, text=True, check=True)
                for _ in range(2)]  # fmt: skip
    cold, cached = (float(run.stdout.split()[-1]) for run in runs)
    return {"cold_s": round(cold, 2), "cached_s": round(cached, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one repeat, no compile times: does it run at all")
    args = parser.parse_args()
    repeats = 1 if args.quick else args.repeats
    print(f"load at start {os.getloadavg()}, {os.cpu_count()} cores")
    arms: dict[str, Callable[[], tuple[float, float]]] = {}
    counts: dict[str, dict[str, int]] = {}
    recall: dict[str, float] = {}
    for name, (blocks, block_m, turns, element_m) in MAPS.items():
        road = city_map(blocks, block_m, turns)
        world = make_world(road, element_m, agents=CONTROLLED + REACTIVE, controlled=CONTROLLED)
        recall[name] = round(check(world), 4)
        accel, curvature = controls(len(world.rows.world))
        m = world.maps.index
        counts[name] = {"points": len(m.point_x), "elements": len(m.element_x)}
        arms[f"full {name}"] = lambda w=world, a=accel, k=curvature: steps_per_s(w, a, k)
        arms[f"no observation {name}"] = lambda w=world, a=accel, k=curvature: steps_per_s(w, a, k, observe=False)
        ego = make_world(road, element_m, agents=CONTROLLED + REACTIVE, controlled=1)
        a1, k1 = controls(len(ego.rows.world))
        arms[f"ego only {name}"] = lambda w=ego, a=a1, k=k1: steps_per_s(w, a, k)
        if name == "200":
            two = make_world(road, element_m, agents=CONTROLLED + REACTIVE, controlled=CONTROLLED, shards=2)
            arms["two shards 200"] = lambda w=two, a=accel, k=curvature: steps_per_s(w, a, k)
    peer = highway_env_arm()
    if peer:
        arms["highway-env"] = peer
    for run in arms.values():
        run()
    figures: dict[str, list[float]] = {name: [] for name in arms}
    by_cpu: dict[str, list[float]] = {name: [] for name in arms}
    for _ in range(repeats):
        for name, run in arms.items():
            wall, cpu = run()
            figures[name].append(wall)
            by_cpu[name].append(cpu)
    median = {name: statistics.median(values) for name, values in figures.items()}
    median_cpu = {name: statistics.median(values) for name, values in by_cpu.items()}
    for name, values in figures.items():
        own = "" if "shards" in name else f"   {median_cpu[name]:,.0f} a second of processor time"
        print(f"{name:22s} {median[name]:12,.0f} /s   range {min(values):,.0f} .. {max(values):,.0f}{own}")
    result = {
        "controlled_agent_steps_per_s": {name: round(median[f"full {name}"]) for name in MAPS},
        "per_cpu_second": {name: round(median_cpu[f"full {name}"]) for name in MAPS},
        "best_repeat": {name: round(max(figures[f"full {name}"])) for name in MAPS},
        "without_observation": {name: round(median[f"no observation {name}"]) for name in MAPS},
        "ego_only_worlds": {name: round(median[f"ego only {name}"]) for name in MAPS},
        "two_shards_over_one": round(median["two shards 200"] / median["full 200"], 2),
        "highway_env_steps_per_s": round(median["highway-env"], 1) if peer else None,
        "world_steps_over_highway_env": (
            round(median["full 200"] / CONTROLLED / median["highway-env"], 1) if peer else None
        ),
        "nearest_recall": recall,
        "map": counts,
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "compile": None if args.quick else compile_times(),
        "repeats": repeats,
        "load": [round(v, 2) for v in os.getloadavg()],
    }
    if not peer:
        print("highway-env is not installed: that arm was not run (pip install highway-env)")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
