"""``unprotected-left``: the ego turns left across a stream of oncoming vehicles that has the right of way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from waytrace.scenario import LaneControl

from ..cast import Body, Cast, Composition
from ..draws import Draw, Range
from ..junctions import junction
from ..layouts import Layout
from ._crossroads import arms, flow, leaving, queue, route_groups, stop_m, ways
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
    first_s: Range = (0.5, 4.0)
    """When the first oncoming vehicle comes to its line."""
    platoon_s: Range = (1.2, 2.6)
    """Headway inside a platoon."""
    gap_s: Range = (6.0, 9.0)
    """Headway that leaves room to turn; all oncoming lanes have it at the same time."""
    gap_share: float = 0.3
    """From the third vehicle on."""
    stream: tuple[int, int] = (4, 10)
    """Vehicles in the inner oncoming lane; an outer one has about half as many."""
    last_s: float = 11.0
    """Nobody comes later than this: whoever has waited through it all can still turn."""
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
        count = self._stream(cast, draw.sub("stream"), layout)
        for arm in (a for a in arms(layout) if a % 2):
            for lane in range(len(layout.roads[arm].backward[0])):
                queue(cast, draw.sub("minor", arm, lane), layout, arm, lane, draw.integer(f"minor {arm} {lane}", 2))
        flow(cast, draw.sub("behind"), layout, [0], draw.integer("behind", 4), speed, held=False, clear_of=away + 12.0)
        leaving(cast, draw.sub("leaving"), layout, draw.integer("leaving", 4), 0.9 * speed, skip=(0,))
        params: dict[str, Any] = {"ego_mps": speed, "away_m": away, "oncoming": count}
        return Composition(cast, route_groups(layout, 0, 3), self.duration_s, params)

    def _stream(self, cast: Cast, draw: Draw, layout: Layout) -> int:
        """Oncoming vehicles, from the junction backward; how many."""
        speed = layout.limit_mps * draw.uniform("speed", (0.8, 1.0))
        arrival, count = draw.uniform("first", self.first_s), 0
        lanes = len(layout.roads[2].backward[0])
        for k in range(self.stream[0] + draw.integer("vehicles", self.stream[1] - self.stream[0] + 1)):
            if arrival > self.last_s:
                break
            inner = Body.draw(draw.sub(k), self._sort(draw.sub(k)))
            count += self._oncoming(cast, draw.sub(k), layout, 0, inner, speed, arrival)
            for lane in range(1, lanes):
                each = draw.sub(k, lane)
                if each.chance("there", 0.5):
                    late = each.uniform("late", (-0.4, 0.4))
                    body = Body.draw(each, self._sort(each))
                    count += self._oncoming(cast, each, layout, lane, body, speed, arrival + late)
            wide = k >= 2 and draw.chance(f"gap {k}", self.gap_share)
            headway = draw.uniform(f"headway {k}", self.gap_s if wide else self.platoon_s)
            arrival += inner.length_m / speed + headway
        return count

    @staticmethod
    def _sort(draw: Draw) -> str:
        return draw.choice("sort", ("car", "van", "truck", "bus", "motorcycle"), (7.0, 2.0, 1.0, 0.5, 0.7))

    def _oncoming(
        self, cast: Cast, draw: Draw, layout: Layout, lane: int, body: Body, speed_mps: float, arrival_s: float
    ) -> bool:
        """One vehicle whose front comes to the junction at ``arrival_s``; whether it has room."""
        options = ways(layout, 2, lane)
        turns = "right" in options and draw.chance("right", self.turns_right)
        path = options["right" if turns else "straight"]
        s = stop_m(layout, path, 2) - speed_mps * arrival_s - 0.5 * body.length_m
        return s > 30.0 and cast.drive(f"oncoming-{len(cast)}", body, path, s, speed_mps, roomy=False) is not None
