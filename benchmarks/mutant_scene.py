"""What is plain to see in a scene: the geometry by which a planted error is known to be one.

Written from the specification of the trace alone, apart from the checker: nothing here is shared with it. Only clear
cases count, with margins beyond every threshold of the specification; what is close is not planted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import project, to_frame, wrap
from waytrace.observe import Reference, ReferenceKind, Scene
from waytrace.scenario import AgentKind, Plan

F8 = NDArray[np.float64]
VULNERABLE = (AgentKind.PEDESTRIAN, AgentKind.CYCLIST)
MOTOR = (AgentKind.VEHICLE, AgentKind.LARGE_VEHICLE)


@dataclass(frozen=True)
class Fact:
    """One agent as seen from the ego. Metres, radians, seconds."""

    index: int
    kind: AgentKind
    x: float
    """Ahead of the ego's middle, straight."""
    y: float
    """Left of it."""
    along: float
    """Ahead of the ego along its route."""
    aside: float
    """Left of the route's middle."""
    turned: float
    """Heading less that of the route beside it, absolute."""
    speed: float
    gained: float
    """Acceleration over the last second; NaN where it was not seen for so long."""
    fastest: float
    """In the last 2 s."""
    drift: float
    """Speed to the left of the route."""
    seen_s: float

    @property
    def behind(self) -> bool:
        """Well behind the ego, whichever way one measures."""
        return self.x < -12.0


class Look:
    """One scene, looked at by its own."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.speed = scene.ego.speed_mps

    @cached_property
    def lane(self) -> int:
        """The lane that the ego is on: of the route if any is near, else the nearest."""
        pose, road = self.scene.ego.pose, self.scene.map
        best, least = -1, np.inf
        for lane in range(len(road)):
            xy = road.centre[lane]
            if len(xy) < 2:
                continue
            away = float(np.hypot(*(xy - pose[:2]).T).min())
            if away > 40.0 and least < 40.0:
                continue
            s, d = project(xy, pose[None, :2])
            heading = self._heading(xy, float(s[0]))
            off = abs(float(d[0])) + 3.0 * abs(float(wrap(np.array(heading - pose[2]))))
            off += 0.0 if lane in self.scene.route.lanes else 2.0
            if off < least:
                best, least = lane, off
        return best

    @cached_property
    def path(self) -> F8:
        """The middle of the route: what led to the ego's lane, the lane, and what follows."""
        road, on_route = self.scene.map, set(self.scene.route.lanes)
        lane, parts, gone = self.lane, [self.scene.map.centre[self.lane]], {self.lane}
        while sum(len(p) for p in parts) < 4000:
            after = [int(k) for k in road.successors(lane) if int(k) not in gone]
            if not after:
                break
            lane = next((k for k in after if k in on_route), after[0])
            gone.add(lane)
            parts.append(road.centre[lane])
            if float(np.hypot(*(road.centre[lane][0] - self.scene.ego.pose[:2]))) > 250.0:
                break
        lane = self.lane
        for _ in range(4):  # a pair of turns, or a chain of short pieces
            before = [k for k in on_route if lane in road.successors(k) and k not in gone]
            if not before:
                break
            lane = before[0]
            gone.add(lane)
            parts.insert(0, road.centre[lane])
        xy = np.concatenate(parts)
        return xy[np.concatenate([[True], np.hypot(*np.diff(xy, axis=0).T) > 0.05])]

    @cached_property
    def here(self) -> float:
        """Way of the ego along the path."""
        return float(project(self.path, self.scene.ego.pose[None, :2])[0][0])

    @cached_property
    def facts(self) -> dict[int, Fact]:
        """Every agent that is known, by its index."""
        return {int(i): self._fact(row) for row, i in enumerate(self.scene.agents.index)}

    def of(self, ref: Reference) -> Fact | None:
        """The agent behind a reference; None for all else and for the unknown."""
        return self.facts.get(ref.index) if ref.kind == ReferenceKind.AGENT else None

    def bends(self, reach_m: float = 60.0) -> float:
        """Heading change of the path over the next metres, left positive."""
        a = self._heading(self.path, self.here + 0.5)
        b = self._heading(self.path, self.here + reach_m)
        return float(wrap(np.array(b - a)))

    def neighbour(self, side: str) -> int:
        """The lane to change to on a side; -1 where there is none, now or along the next 60 m of the path."""
        road = self.scene.map
        beside = road.left_neighbor if side == "left" else road.right_neighbor
        lanes = [self.lane]
        while len(lanes) < 4 and len(road.successors(lanes[-1])):
            lanes.append(int(road.successors(lanes[-1])[0]))
        return max(int(beside[lane]) for lane in lanes)

    def aside_of_plan(self, plan: Plan) -> F8:
        """[16] how far left of the path's middle a plan is, less where the ego is now."""
        xy = np.asarray(plan.waypoints, np.float64).reshape(-1, 4)[:, :2]
        d = project(self.path, xy)[1]
        return np.asarray(d - project(self.path, self.scene.ego.pose[None, :2])[1][0])

    def _fact(self, row: int) -> Fact:
        agents, pose = self.scene.agents, self.scene.ego.pose
        at = agents.pose[row]
        x, y = to_frame(at[None, :2], pose)[0]
        s, d = (float(v[0]) for v in project(self.path, at[None, :2]))
        heading = self._heading(self.path, s)
        speed = float(agents.speed_mps[row])
        ticks, second = len(agents.history_valid), round(1.0 / self.scene.dt_s)
        seen = agents.history_valid[:, row]
        past = agents.speed_history_mps[:, row]
        whole = ticks > second and bool(seen[-second - 1 :].all())
        last = past[max(0, ticks - 2 * second) :][seen[max(0, ticks - 2 * second) :]]
        turned = float(wrap(np.array(at[2] - heading)))
        return Fact(
            int(agents.index[row]), AgentKind(int(agents.kind[row])), float(x), float(y), s - self.here, d, abs(turned),
            speed, float(past[-1] - past[-second - 1]) if whole else np.nan,
            float(np.abs(last).max()) if len(last) else abs(speed), speed * float(np.sin(turned)),
            float(seen.sum()) * self.scene.dt_s,
        )  # fmt: skip

    @staticmethod
    def _heading(xy: F8, s: float) -> float:
        at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
        i = int(np.clip(np.searchsorted(at, s) - 1, 0, len(xy) - 2))
        step = xy[i + 1] - xy[i]
        return float(np.arctan2(step[1], step[0]))


def surely_not(relation: str, fact: Fact) -> bool:
    """Whether an agent plainly is not what a relation says it is to the ego."""
    f = fact
    same, against = f.turned < 0.5, f.turned > 2.6
    standing, moving = f.fastest < 0.2, f.speed > 2.5
    off = abs(f.aside) > 6.5 and abs(f.y) > 6.5
    side = f.aside if abs(f.along) < 60 else np.nan
    match relation:
        case "lead" | "lead_of_lead":
            return f.behind or (off and (same or against or standing)) or (against and moving) or f.along > 125.0
        case "rear":
            return f.x > 12.0 or off or (against and moving)
        case "adjacent_left":
            return side < -1.2 or abs(f.along) > 60 or (against and moving)
        case "adjacent_right":
            return side > 1.2 or abs(f.along) > 60 or (against and moving)
        case "cut_in_left":
            return side < -1.5 or f.behind or standing or (against and moving)
        case "cut_in_right":
            return side > 1.5 or f.behind or standing or (against and moving)
        case "cut_out":
            return f.behind or standing or (against and moving)
        case "merging":
            return f.kind in VULNERABLE or (against and moving)
        case "crossing_from_left":
            return (f.behind and (same or standing)) or (same and abs(f.aside) < 1.0 and moving and f.turned < 0.1)
        case "crossing_from_right":
            return (f.behind and (same or standing)) or (same and abs(f.aside) < 1.0 and moving and f.turned < 0.1)
        case "oncoming" | "oncoming_in_path":
            return same and moving and f.turned < 0.25
        case "parked_blocker_left" | "parked_blocker_right" | "parked_in_path":
            return f.speed > 2.0 or f.behind or f.kind in VULNERABLE
        case "vru_crossing" | "vru_roadside" | "vru_along":
            return f.kind in MOTOR or f.kind == AgentKind.STATIC
        case "occluder":
            return f.kind == AgentKind.PEDESTRIAN or f.behind
        case "work_zone":
            return (f.kind in MOTOR and moving) or f.kind in VULNERABLE
    return False
