"""``unprotected-left``: the ego turns left across a stream of oncoming vehicles that has the right of way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from waytrace.scenario import LaneControl

from ..cast import Body, Cast, Composition
from ..draws import Draw, Range
from ..junctions import junction
from ..layouts import Layout
from ._crossroads import arms, flow, leaving, queue, route_groups, stop_m, through_path, ways
from ._open import place_ego


@dataclass(frozen=True)
class UnprotectedLeft:
    """The ego's street has priority over the crossing one; its own left turn yields."""

    name: str = "unprotected-left"
    version: int = 1
    layouts: int = 24
    duration_s: float = 20.0
    limits_kmh: tuple[float, ...] = (30.0, 40.0, 50.0, 60.0)
    ego_share: Range = (0.6, 1.0)
    away_s: Range = (2.5, 6.0)
    first_s: Range = (1.0, 5.0)
    """When the first oncoming vehicle comes to its line."""
    platoon_s: Range = (1.3, 3.0)
    """Headway inside a platoon."""
    gap_s: Range = (5.5, 9.0)
    """Headway that leaves room to turn."""
    gap_share: float = 0.3
    turns_right: float = 0.12

    def layout(self, key: str, index: int, draw: Draw) -> Layout:
        """Every third without the arm to the right."""
        limit = self.limits_kmh[index % len(self.limits_kmh)]
        main, cross = draw.choice("lanes", [(1, 1), (2, 1), (2, 2), (1, 1)])
        lanes = [main, 0 if index % 3 == 2 else cross, main, cross]
        minor = draw.choice("minor", (LaneControl.YIELD, LaneControl.STOP))
        reach = limit / 3.6 * self.duration_s
        return junction(
            key, draw, limit_kmh=limit, lanes=lanes, arm_m=[190.0, 150.0, reach, reach],
            control=[LaneControl.PRIORITY, minor, LaneControl.PRIORITY, minor],
            crosswalks=draw.chance("crosswalks", 0.4),
        )  # fmt: skip

    def compose(self, draw: Draw, layout: Layout) -> Composition:
        """The ego in the left lane, the stream as far as the opposite arm reaches."""
        path = ways(layout, 0, 0)["left"]
        limit = layout.limit_mps
        speed = limit * draw.uniform("ego", self.ego_share)
        away = speed * draw.uniform("away", self.away_s)
        cast = Cast()
        place_ego(cast, path, stop_m(layout, path, 0) - away, speed)
        count = 0
        for lane in range(len(layout.roads[2].backward[0])):
            count += self._stream(cast, draw.sub("stream", lane), layout, lane)
        for arm in (a for a in arms(layout) if a % 2):
            for lane in range(len(layout.roads[arm].backward[0])):
                queue(cast, draw.sub("minor", arm, lane), layout, arm, lane, draw.integer(f"minor {arm} {lane}", 2))
        flow(cast, draw.sub("behind"), layout, [0], draw.integer("behind", 4), speed, held=False, clear_of=away + 12.0)
        leaving(cast, draw.sub("leaving"), layout, draw.integer("leaving", 4), 0.9 * speed, skip=(0,))
        params: dict[str, Any] = {"ego_mps": speed, "away_m": away, "oncoming": count}
        return Composition(cast, route_groups(layout, 0, 3), self.duration_s, params)

    def _stream(self, cast: Cast, draw: Draw, layout: Layout, lane: int) -> int:
        """Oncoming vehicles of one lane, from the junction backward; how many."""
        straight = through_path(layout, 2, lane, 0)
        assert straight is not None
        turning = ways(layout, 2, lane).get("right")
        speed = layout.limit_mps * draw.uniform("speed", (0.8, 1.0))
        distance = speed * draw.uniform("first", self.first_s)
        count = 0
        for k in range(16):
            each = draw.sub(k)
            body = Body.draw(
                each, each.choice("sort", ("car", "van", "truck", "bus", "motorcycle"), (7, 2, 1, 0.5, 0.7))
            )
            path = turning if turning is not None and each.chance("right", self.turns_right) else straight
            s = stop_m(layout, path, 2) - distance - 0.5 * body.length_m
            if s < 30.0:
                break
            number = cast.drive(f"oncoming-{len(cast)}", body, path, s, speed, roomy=False)
            count += number is not None
            wide = each.chance("gap", self.gap_share)
            headway = each.uniform("wide", self.gap_s) if wide else each.uniform("platoon", self.platoon_s)
            distance += body.length_m + speed * headway
        return count
