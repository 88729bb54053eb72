"""The road users of a generated scene: who stands where at the start, with one second of consistent past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import boxes_overlap, project
from waytrace.scenario import DT_S, Action, AgentKind, Agents, Script, Trigger

from .curves import ReferenceLine
from .draws import Draw
from .layouts import Path

Array = NDArray[np.float64]

START_STEP = 10

_SIZES: dict[str, tuple[AgentKind, tuple[float, float], tuple[float, float]]] = {
    "car": (AgentKind.VEHICLE, (4.0, 5.0), (1.75, 1.95)),
    "van": (AgentKind.VEHICLE, (5.2, 6.2), (1.95, 2.1)),
    "truck": (AgentKind.LARGE_VEHICLE, (7.5, 12.0), (2.3, 2.5)),
    "bus": (AgentKind.LARGE_VEHICLE, (11.0, 12.5), (2.45, 2.55)),
    "motorcycle": (AgentKind.MOTORCYCLE, (2.0, 2.3), (0.75, 0.9)),
    "cyclist": (AgentKind.CYCLIST, (1.7, 1.9), (0.6, 0.75)),
    "debris": (AgentKind.STATIC, (0.5, 1.6), (0.6, 1.6)),
    "pedestrian": (AgentKind.PEDESTRIAN, (0.4, 0.6), (0.5, 0.7)),
}
_MIX = {"car": 0.66, "van": 0.14, "truck": 0.08, "bus": 0.03, "motorcycle": 0.05, "cyclist": 0.04}


class NoSceneError(Exception):
    """The draw makes no scene (no room, not solvable as asked); the generator draws again."""


@dataclass(frozen=True)
class Body:
    """What a road user is: kind and box (length, width)."""

    kind: AgentKind
    length_m: float
    width_m: float

    @classmethod
    def draw(cls, draw: Draw, what: str) -> Body:
        """A body of one of the known sorts."""
        kind, length, width = _SIZES[what]
        return cls(kind, round(draw.uniform("length", length), 2), round(draw.uniform("width", width), 2))


EGO = Body(AgentKind.VEHICLE, 4.8, 1.9)


@dataclass(frozen=True)
class Stretch:
    """Where background traffic may be put: from ``start_m`` to ``end_m`` of a path."""

    path: Path
    start_m: float
    end_m: float
    pace: float = 1.0
    """Share of the asked speed that is driven here."""
    bicycles: bool = False
    """Whether people cycle here: the outermost lane of a street."""


@dataclass
class _Member:
    name: str
    body: Body
    xy: Array
    heading: Array
    velocity: Array
    route: tuple[int, ...]
    path: Path | None
    s: float
    speed: float


@dataclass
class Cast:
    """Collects road users. Every addition is checked against those already there, over the whole past second."""

    members: list[_Member] = field(default_factory=list)
    scripts: list[Script] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.members)

    def drive(
        self, name: str, body: Body, path: Path, s: float, speed_mps: float, *, d: float = 0.0, roomy: bool = True
    ) -> int | None:
        """A vehicle at arc length ``s`` (box centre) of ``path``, ``d`` m left of it, at constant speed so far.

        Its route is what is left of the path. ``roomy`` asks for gaps in which nobody must brake hard at once; an
        adversary goes without. Its number, or None where it does not fit.
        """
        back: Array = np.linspace(-START_STEP * DT_S * speed_mps, 0.0, START_STEP + 1)
        if s + back[0] < 0.5 * body.length_m or s + 0.5 * body.length_m > path.length_m:
            return None
        xy, heading = path.pose(s + back, d)
        velocity = speed_mps * np.stack([np.cos(heading), np.sin(heading)], axis=-1)
        route = path.lanes[path.lane_at(s) :]
        new = _Member(name, body, xy, heading, velocity, route, path, s, speed_mps)
        if not self._free(new) or (roomy and not self._roomy(new)):
            return None
        return self._add(new)

    def stand(self, name: str, body: Body, xy: Array, heading_rad: float) -> int | None:
        """A road user that stands still: parked, or on foot. Without a route it stays; None where it does not fit."""
        still = np.zeros((START_STEP + 1, 2))
        place = np.repeat(np.asarray(xy, np.float64)[None], START_STEP + 1, axis=0)
        new = _Member(name, body, place, np.full(START_STEP + 1, heading_rad), still, (), None, 0.0, 0.0)
        return self._add(new) if self._free(new) else None

    def walk(self, name: str, body: Body, line: ReferenceLine, s: float, d: float, speed_mps: float) -> int | None:
        """Somebody who has been walking along a road's line at offset ``d``; what comes next is for scripts to say."""
        back: Array = s + np.linspace(-START_STEP * DT_S * speed_mps, 0.0, START_STEP + 1)
        xy, heading = line.offset(back, d), np.interp(back, line.s, line.heading)
        velocity = speed_mps * np.stack([np.cos(heading), np.sin(heading)], axis=-1)
        new = _Member(name, body, xy, heading, velocity, (), None, 0.0, speed_mps)
        return self._add(new) if self._free(new) else None

    def sets_off(self, number: int, speed_mps: float) -> None:
        """Let a vehicle that stands at the start want to drive at ``speed_mps``; its past does not tell."""
        self.scripts.append(
            Script(number, Trigger.TIME, 0.0, Action.SET_SPEED, 2.0, target_speed_mps=round(speed_mps, 3))
        )

    def must(self, number: int | None) -> int:
        """The number, or :class:`NoSceneError` where a road user that the scene is about did not fit."""
        if number is None:
            raise NoSceneError("a road user that the scene is about has no room")
        return number

    def fill(
        self, draw: Draw, stretches: Sequence[Stretch], count: int, speed_mps: float, *,
        headway_s: tuple[float, float], sorts: Sequence[str] = tuple(_MIX),
    ) -> None:  # fmt: skip
        """Background traffic: up to ``count`` vehicles, on each stretch one ahead of the other with drawn headways."""
        cursors = [s.start_m + draw.uniform(f"first {k}", (0.0, 25.0)) for k, s in enumerate(stretches)]
        for n in range(3 * count):
            if count <= 0 or not stretches:
                return
            each = draw.sub(n)
            k = each.integer("stretch", len(stretches))
            sort = each.choice("sort", sorts, [_MIX[s] for s in sorts])
            if sort == "cyclist" and not stretches[k].bicycles:
                sort = "car"
            body = Body.draw(each, sort)
            bicycle = sort == "cyclist"
            speed = speed_mps * stretches[k].pace * each.uniform("pace", (0.9, 1.05))
            speed = min(speed, each.uniform("cycling", (3.5, 6.5))) if bicycle else speed
            s = cursors[k] + 0.5 * body.length_m
            if s + 0.5 * body.length_m > min(stretches[k].end_m, stretches[k].path.length_m):
                continue
            cursors[k] = s + 0.5 * body.length_m + 2.0 + speed * each.uniform("headway", headway_s)
            d = -0.8 if bicycle else each.uniform("beside", (-0.15, 0.15))
            count -= self.drive(f"other-{len(self)}", body, stretches[k].path, s, speed, d=d) is not None

    def agents(self, steps: int) -> Agents:
        """All road users as arrays over ``steps`` steps, valid in the past only."""
        n, t = len(self.members), START_STEP + 1
        xy, velocity = np.zeros((n, steps, 2)), np.zeros((n, steps, 2))
        heading, valid = np.zeros((n, steps)), np.zeros((n, steps), np.bool_)
        for i, m in enumerate(self.members):
            # rounded like the map: the last bits of sin and cos differ between processors
            xy[i, :t], velocity[i, :t] = np.round(m.xy, 5), np.round(m.velocity, 5)
            heading[i, :t] = np.round((m.heading + np.pi) % (2 * np.pi) - np.pi, 6)
            valid[i, :t] = True
        return Agents(
            agent_id=tuple(m.name for m in self.members),
            kind=np.array([m.body.kind for m in self.members], np.uint8),
            size_m=np.array([[m.body.length_m, m.body.width_m] for m in self.members]).reshape(n, 2),
            xy=xy + 0.0,
            heading_rad=heading + 0.0,
            velocity_mps=velocity + 0.0,
            valid=valid,
        )

    def routes(self) -> tuple[tuple[int, ...], ...]:
        """Lane sequence of every road user; empty for those that do not drive."""
        return tuple(m.route for m in self.members)

    def _add(self, new: _Member) -> int:
        self.members.append(new)
        return len(self.members) - 1

    def _free(self, new: _Member) -> bool:
        """Whether the new box, 0.6 m longer and 0.3 m wider, touches nobody in any step so far."""
        length, width = new.body.length_m + 0.6, new.body.width_m + 0.3
        for m in self.members:
            if np.hypot(*(m.xy[-1] - new.xy[-1])) > 60.0:
                continue
            for t in range(0, START_STEP + 1, 2):
                (ax, ay), (bx, by) = m.xy[t], new.xy[t]
                if boxes_overlap(
                    ax, ay, m.heading[t], m.body.length_m, m.body.width_m, bx, by, new.heading[t], length, width
                ):
                    return False
        return True

    def _roomy(self, new: _Member) -> bool:
        """Whether the new vehicle and those before and behind it need not brake harder than 2.5 m/s2."""
        for m in self.members:
            if m.path is None:
                continue
            for behind, ahead in ((new, m), (m, new)):
                gap = _gap_m(behind, ahead)
                if gap is None:
                    continue
                closing = max(0.0, behind.speed**2 - ahead.speed**2) / 5.0
                if gap < 2.0 + 0.7 * behind.speed + closing:
                    return False
        return True


def _gap_m(behind: _Member, ahead: _Member) -> float | None:
    """Metres between the bumpers of two vehicles on the path of the one behind; None where it is not ahead on it."""
    assert behind.path is not None
    if not set(ahead.route[:1]) & set(behind.route):
        return None
    s, d = project(behind.path.xy, ahead.xy[-1:])
    if s[0] <= behind.s or abs(d[0]) > 2.0:
        return None
    return float(s[0] - behind.s) - 0.5 * (behind.body.length_m + ahead.body.length_m)


@dataclass(frozen=True)
class Composition:
    """A composed scene: its cast (the ego is number 0), the ego's route, lights, and what is known about it."""

    cast: Cast
    route: tuple[tuple[int, ...], ...]
    duration_s: float
    params: dict[str, Any]
    programme: Any = None
    preventable: dict[str, bool] = field(default_factory=dict)
    """By the name of a driver model, the careful driver first; empty: left to the privileged oracle."""
