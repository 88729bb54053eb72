"""``work-zone``: cones and barriers close a lane over a taper, or narrow the only one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from waytrace.scenario import Action, AgentKind, Script, Trigger

from ..cast import EGO, Body, Cast, Composition
from ..draws import Draw, Range
from ..layouts import Layout, open_road
from ..roads import Road
from ._open import place_ego, traffic

BEHIND_M = 60.0
"""Road behind the ego."""

_CONE = Body(AgentKind.STATIC, 0.4, 0.4)
_BACK_M = 0.4
"""How far the fence along a closed lane stands back from the edge of the lane beside it, to its middle."""


@dataclass(frozen=True)
class WorkZone:
    """A free lane of the same direction or a narrowed one leads past: nobody has to drive against the traffic."""

    name: str = "work-zone"
    version: int = 1
    layouts: int = 24
    duration_s: float = 18.0
    limits_kmh: tuple[float, ...] = (40.0, 50.0, 60.0, 80.0, 100.0)
    ego_share: Range = (0.5, 1.0)
    away_s: Range = (4.5, 9.0)
    """Time to the first cone at constant speed."""
    work_m: Range = (15.0, 55.0)
    intrudes_m: Range = (0.3, 0.8)
    """How far the cones reach into a lane that they narrow."""
    narrows: float = 0.2
    """Share of the scenes with a second lane in which none is closed all the same."""
    free_lane: float = 0.2
    """Share of the scenes with a closed lane in which the ego is in the one beside it; another has to change."""

    def layout(self, key: str, index: int, draw: Draw) -> Layout:
        """A street or a country road; two thirds with a second lane in the ego's direction."""
        limit = self.limits_kmh[index % len(self.limits_kmh)]
        lanes = [(1, 1), (2, 0), (2, 2), (2, 1), (3, 0), (2, 2)][index % 6]
        speed = limit / 3.6
        length = BEHIND_M + speed * (self.away_s[1] + self.duration_s) + 60.0
        return open_road(
            key, draw, limit_kmh=limit, lanes=lanes, length_m=length, cuts=(draw.uniform("cut", (15.0, 45.0)),),
            width_m=(3.3, 3.75), shoulder_m=draw.uniform("shoulder", (0.6, 1.5)),
        )  # fmt: skip

    def compose(self, draw: Draw, layout: Layout) -> Composition:
        """The fence, whoever works behind it, the ego on its way there."""
        road = layout.roads[0]
        lanes = len(road.forward[0])
        speed = layout.limit_mps * draw.uniform("ego", self.ego_share)
        away = speed * draw.uniform("away", self.away_s)
        taper = max(12.0, layout.limit_mps * 3.6 * draw.uniform("taper", (0.4, 0.6)))
        work = draw.uniform("work", self.work_m)
        narrowed = lanes == 1 or draw.chance("narrows", self.narrows)
        right = narrowed or draw.chance("right", 0.6)
        shut = lanes - 1 if right else 0
        beside = shut - 1 if right else shut + 1
        in_free = not narrowed and draw.chance("free lane", self.free_lane)
        lane = beside if in_free else shut
        path = layout.path(road.forward_sequence(lane))
        scale = path.length_m / road.line.length_m
        at = BEHIND_M + away + 0.5 * EGO.length_m
        ego_s = BEHIND_M * scale
        cast = Cast()
        place_ego(cast, path, ego_s, speed)
        intrudes = draw.uniform("intrudes", self.intrudes_m)
        edge = road.forward_offset(shut) + (-0.5 if right else 0.5) * road.width_m
        into = 1.0 if right else -1.0
        reach = intrudes - 0.5 * _CONE.width_m if narrowed else road.width_m - _BACK_M
        self._fence(cast, draw.sub("fence"), road, at, taper, work, (edge + into * 0.3, edge + into * reach))
        end = at + taper + work
        if not narrowed:
            self._works(cast, draw.sub("works"), road, shut, at + taper, work)
        clear = {shut: (ego_s - 5.0 if narrowed else -50.0, end + 25.0 + speed)}
        changes = in_free and self._changes(cast, draw.sub("changes"), layout, shut, beside, ego_s, at * scale, speed)
        if in_free:
            clear[beside] = (ego_s - 5.0, at + 2.5 * speed)
        traffic(
            cast, draw, layout, ego_lane=lane, ego_s=ego_s, speed_mps=speed, count=(3, 10), clear=clear,
            reach_m=260.0, pace=0.95,
        )  # fmt: skip
        params: dict[str, Any] = {
            "variant": "narrowed" if narrowed else "closed", "side": "right" if right else "left", "ego_mps": speed,
            "away_m": away, "taper_m": taper, "work_m": work, "intrudes_m": intrudes if narrowed else None,
            "ego_in_free_lane": in_free, "another_changes": changes,
        }  # fmt: skip
        return Composition(cast, road.forward, self.duration_s, params)

    @staticmethod
    def _fence(
        cast: Cast, draw: Draw, road: Road, at: float, taper: float, work: float, across: tuple[float, float]
    ) -> None:
        """Cones over the taper, from the lane's outer edge inward, then barriers or more cones along the work."""
        count = max(4, math.ceil(taper / 7.0))
        for k in range(count):
            share = k / (count - 1)
            _put(cast, f"cone-{k}", _CONE, road, at + share * taper, across[0] + share * (across[1] - across[0]), 0.0)
        solid = draw.chance("barriers", 0.5)
        body = Body(AgentKind.STATIC, 3.5, 0.4) if solid else _CONE
        pitch = 7.5 if solid else 8.0
        for k in range(max(1, int(work / pitch))):
            name = f"barrier-{k}" if solid else f"cone-{count + k}"
            turn = draw.uniform(f"turn {k}", (-0.03, 0.03))
            _put(cast, name, body, road, at + taper + 5.0 + k * pitch, across[1], turn)

    @staticmethod
    def _works(cast: Cast, draw: Draw, road: Road, lane: int, start: float, work: float) -> None:
        """A vehicle and people behind the fence."""
        middle = road.forward_offset(lane) + (0.35 if lane == 0 else -0.35)
        if work > 20.0 and draw.chance("vehicle", 0.6):
            body = Body.draw(draw.sub("vehicle"), draw.choice("sort", ("truck", "van"), (0.6, 0.4)))
            _put(cast, "work-vehicle", body, road, start + 6.0 + 0.5 * body.length_m, middle, 0.0)
        for k in range(draw.integer("workers", 3)):
            each = draw.sub("worker", k)
            s = start + each.uniform("at", (4.0, max(6.0, work)))
            body = Body.draw(each, "pedestrian")
            x, y, heading = road.line.pose(s, middle + each.uniform("aside", (-0.4, 0.4)))
            cast.stand(f"worker-{k}", body, np.array([x, y]), heading + each.uniform("facing", (-3.0, 3.0)))

    @staticmethod
    def _changes(
        cast: Cast, draw: Draw, layout: Layout, shut: int, beside: int, ego_s: float, at: float, speed_mps: float
    ) -> bool:
        """A vehicle of the closed lane that moves before the ego into the free one; it goes by its own way there."""
        body = Body.draw(draw, draw.choice("sort", ("car", "van", "truck"), (0.75, 0.15, 0.1)))
        speed = speed_mps * draw.uniform("pace", (0.8, 0.95))
        lateral = draw.uniform("lateral", (0.8, min(1.6, 0.3 * speed)))
        needs = 3.75 / lateral + 1.5
        ahead = ego_s + 5.0 + 0.8 * speed_mps + 0.5 * body.length_m
        delay = (at - 0.5 * body.length_m - ahead) / speed - needs
        if delay < 0.3:
            return False
        path = layout.path(layout.roads[0].forward_sequence(shut))
        number = cast.drive("changes", body, path, ahead, speed, roomy=False)
        if number is None:
            return False
        when, target = round(draw.uniform("delay", (0.3, delay)), 3), layout.roads[0].forward[1][beside]
        held = round(speed, 3)
        cast.scripts += [
            Script(number, Trigger.TIME, 0.0, Action.SET_SPEED, 2.0, target_speed_mps=held),
            Script(number, Trigger.TIME, when, Action.CHANGE_LANE, lateral, target_lane=target),
        ]
        return True


def _put(cast: Cast, name: str, body: Body, road: Road, s: float, d: float, turn_rad: float) -> None:
    """Something that stands along the road at arc length ``s`` of its line, offset ``d``."""
    x, y, heading = road.line.pose(s, d)
    cast.stand(name, body, np.array([x, y]), heading + turn_rad)
