"""Is the reactive traffic like real traffic? Compares it with recorded drives and writes ``docs/realism.md``.

    python benchmarks/realism.py PATH... [--work FOLDER] [--page docs/realism.md] [--seed N]

Every drive starts as recorded; then all its vehicles, the recorder's own included, are driven by the reactive traffic,
in both styles. Recording and simulation are compared over the same road users and the same ticks. Needs the extra
``logs``. The last line of standard output is one JSON object. Only aggregate figures leave the recordings.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realism_page import figures, page, pictures
from traffic_measures import (
    HEADWAY_LEAST_MPS,
    MOVING_MPS,
    STOPPED_MPS,
    find_contacts,
    find_gaps,
    find_lanes,
    find_off_road,
    lane_changes,
    motion,
)
from waytrace.formats import import_paths
from waytrace.scenario import DT_S, AgentKind, Scenario
from waytrace.scenario.store import ScenarioStore
from waytrace.sim import World

SIDES = ("recorded", "normal", "assertive", "changing")
SETTLE_TICKS = 20
"""A simulated vehicle starts as recorded; its first 2 s, which are alike for that reason, are left out."""

F8 = NDArray[np.float64]
Drive = dict[str, Any]


def main() -> int:
    arguments = _arguments()
    store = arguments.work / "store"
    if not store.exists():
        import_paths(arguments.paths, store, workers=1, overwrite=True)
    drives = []
    opened = ScenarioStore.open(store)
    for number, scenario in enumerate(opened):
        drives.append(compare(scenario, arguments.seed))
        print(f"{number + 1}/{len(opened)} {drives[-1]['source']} {drives[-1]['cluster']}", file=sys.stderr, flush=True)
    found = figures(drives, SIDES)
    arguments.page.write_text(page(drives, found, SIDES, arguments.seed))
    for name, svg in pictures(drives, found, SIDES).items():
        (arguments.page.parent / "pictures" / f"realism-{name}.svg").write_text(svg)
    print(f"Page: {arguments.page}", file=sys.stderr)
    print(json.dumps({"drives": len(drives), "sources": found}))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path, help="files or folders of recorded drives")
    parser.add_argument("--work", type=Path, default=Path("out/realism"), help="folder for the imported drives")
    parser.add_argument("--page", type=Path, default=Path("docs/realism.md"))
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def compare(scenario: Scenario, seed: int = 0) -> Drive:
    """Samples and counts of one drive, by side, over the ticks in which a vehicle is there on every side."""
    agents, span = scenario.agents, slice(scenario.start_step, scenario.end_step + 1)
    tracks: dict[str, tuple[F8, F8, F8]] = {
        "recorded": (agents.xy[:, span, 0].T, agents.xy[:, span, 1].T, agents.heading_rad[:, span].T)
    }
    there = {"recorded": agents.valid[:, span].T}
    use = there["recorded"] & (agents.kind <= AgentKind.MOTORCYCLE)
    wanted = use.copy()
    for style in SIDES[1:]:
        world = World([scenario], controlled="none", traffic="reactive", style=style, seed=seed)
        world.advance(int(scenario.end_step - scenario.start_step))
        rollout = world.rollouts()[0]
        tracks[style] = tuple(rollout.pose[..., i] for i in range(3))  # type: ignore[assignment]
        there[style] = rollout.valid
        use &= rollout.valid & rollout.reactive
        wanted &= ~world.fixed.parked[0, : len(agents)]
    both = np.logical_and.reduce(list(there.values()))
    index, number = world.maps.index, int(world.maps.map_of[0])
    settled = use & (np.cumsum(use, axis=0) > SETTLE_TICKS)
    size = agents.size_m[:, 0].copy(), agents.size_m[:, 1].copy()
    sides = {}
    for name, track in tracks.items():
        x, y, heading = (np.ascontiguousarray(part) for part in track)
        known = np.ascontiguousarray(both & (agents.kind <= AgentKind.CYCLIST))
        shape = x.shape
        lane, s, d, gap = np.full(shape, -1, np.int64), np.zeros(shape), np.zeros(shape), np.zeros(shape)
        find_lanes(index, number, x, y, heading, known, lane, s, d)
        find_gaps(index, lane, s, d, *size, gap)
        moved = motion(x, y, use)
        struck, first = (np.zeros((shape[1], shape[1]), np.bool_) for _ in range(2))
        users = np.ascontiguousarray(there[name] & (agents.kind <= AgentKind.PEDESTRIAN))
        find_contacts(x, y, heading, users, *size, struck, first)
        driven = use.any(axis=0)
        off = np.zeros(shape, np.bool_)
        find_off_road(index, number, x, y, heading, np.ascontiguousarray(settled), *size, off)
        counted = settled & np.isfinite(moved.speed_mps)
        speed, near = moved.speed_mps[counted], counted & np.isfinite(gap)
        follows = near & (np.nan_to_num(moved.speed_mps) >= HEADWAY_LEAST_MPS)
        lanes = np.where(use, lane, -1)
        least = np.min(np.where(near, gap, np.inf), axis=0, initial=np.inf)
        sides[name] = {
            "speed": speed,
            "acceleration": _finite(moved.accel_mps2[settled]),
            "jerk": _finite(moved.jerk_mps3[settled]),
            "gap": gap[near],
            "headway": gap[follows] / moved.speed_mps[follows],
            "least gap": least[np.isfinite(least)],
            "lane changes": int(lane_changes(index, lanes).sum()),
            "lane minutes": float((lanes >= 0).sum()) * DT_S / 60.0,
            "stops": stops(np.where(use, moved.speed_mps, np.nan)),
            "minutes": float(np.isfinite(moved.speed_mps[use]).sum()) * DT_S / 60.0,
            "standing ticks": int((speed < STOPPED_MPS).sum()),
            "ticks": len(speed),
            "contacts": int((struck & (driven[:, None] | driven[None, :])).sum()),
            "off road ticks": int(off.sum()),
            "settled ticks": int(settled.sum()),
        }
    return {
        "id": scenario.id, "source": scenario.source, "cluster": scenario.cluster, "sides": sides,
        "vehicles": int(use.any(axis=0).sum()), "compared ticks": int(use.sum()), "wanted ticks": int(wanted.sum()),
    }  # fmt: skip


def stops(speed_mps: F8) -> int:
    """How often vehicles [T, N] come to a stop: below 0.3 m/s after more than 1 m/s."""
    count = 0
    for column in speed_mps.T:
        moving = False
        for v in column[np.isfinite(column)]:
            if v > MOVING_MPS:
                moving = True
            elif v < STOPPED_MPS and moving:
                moving = False
                count += 1
    return count


def _finite(values: F8) -> F8:
    return values[np.isfinite(values)]


if __name__ == "__main__":
    sys.exit(main())
