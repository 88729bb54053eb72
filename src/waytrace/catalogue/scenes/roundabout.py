"""``roundabout``: the ego enters a ring that has priority and leaves it at a drawn exit. In split ``test`` only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..cast import Body, Cast, Composition, Stretch
from ..draws import Draw, Range
from ..layouts import Layout
from ..roundabouts import Roundabout, roundabout
from ._open import place_ego

_SORTS = ("car", "van", "truck", "bus", "motorcycle")
_SMALL = ("car", "van", "motorcycle")


@dataclass(frozen=True)
class RoundaboutScene:
    """Three to five arms, one or two lanes, radius 12 to 30 m; traffic on every arm and in the ring."""

    name: str = "roundabout"
    version: int = 1
    layouts: int = 24
    duration_s: float = 20.0
    limits_kmh: tuple[float, ...] = (30.0, 40.0, 50.0)
    radius_m: Range = (12.0, 28.0)
    ego_share: Range = (0.5, 1.0)
    away_s: Range = (2.5, 6.0)
    """Time to the yield line at constant speed."""
    ring_mps2: Range = (1.0, 2.0)
    """Lateral acceleration at which the ring is driven."""
    entry_mps: float = 4.0
    """Who has just come in has not driven faster."""
    wide_m: float = 18.0
    """Lorries and buses drive round single-lane rings from this radius on."""

    def layout(self, key: str, index: int, draw: Draw) -> Layout:
        """Every third with two lanes."""
        limit = self.limits_kmh[index % len(self.limits_kmh)]
        arms = 3 + draw.integer("arms", 3)
        lanes = 2 if index % 3 == 1 else 1
        reach = limit / 3.6 * self.duration_s
        return roundabout(
            key, draw, limit_kmh=limit, arms=arms, lanes=lanes, radius_m=draw.uniform("radius", self.radius_m),
            arm_m=[max(190.0, reach)] + [reach] * (arms - 1),
        )  # fmt: skip

    def compose(self, draw: Draw, layout: Layout) -> Composition:
        """The ego on its arm, some who circulate, some who approach on the other arms."""
        assert isinstance(layout, Roundabout)
        arms, lanes = len(layout.roads), len(layout.entries[0])
        steps = draw.choice("exit", range(1, arms + 1), [*([1.0] * (arms - 1)), 0.3])
        lane = lanes - 1 if steps == 1 else 0
        path = layout.through(0, steps, lane)
        speed = layout.limit_mps * draw.uniform("ego", self.ego_share)
        line = float(path.lane_end[len(layout.roads[0].backward) - 1])
        away = max(12.0, speed * draw.uniform("away", self.away_s))
        cast = Cast()
        place_ego(cast, path, line - away - 2.4, speed)
        radius = layout.figures["radius_m"]
        pace = min(layout.limit_mps, (radius * draw.uniform("ring", self.ring_mps2)) ** 0.5)
        sorts = _SORTS if lanes == 1 and radius >= self.wide_m else _SMALL
        circulating = draw.integer("circulating", 2 + 2 * lanes)
        self._circulating(cast, draw.sub("ring"), layout, circulating, pace, sorts)
        for arm in range(arms):
            each = draw.sub("arm", arm)
            clear = away + 12.0 if arm == 0 else 0.0
            self._approaching(cast, each, layout, arm, each.integer("flow", 4), sorts, clear)
        self._leaving(cast, draw.sub("leaving"), layout, draw.integer("leaving", 4), sorts)
        params: dict[str, Any] = {
            "arms": arms, "lanes": lanes, "radius_m": radius, "exit": steps, "ego_mps": speed, "away_m": away,
            "circulating": circulating,
        }  # fmt: skip
        return Composition(cast, layout.groups(0, steps), self.duration_s, params)

    @staticmethod
    def _way(draw: Draw, layout: Roundabout, lane: int) -> int:
        """How many arms somebody goes round: from the outer of two lanes to the next exit only."""
        return 1 if lane > 0 else 1 + draw.integer("way", len(layout.roads) - 1)

    def _circulating(
        self, cast: Cast, draw: Draw, layout: Roundabout, count: int, pace: float, sorts: tuple[str, ...]
    ) -> None:
        """Those who are in the ring already, each on the stretch between an entry and the next exit."""
        stretches, paces = [], []
        for arm in range(len(layout.roads)):
            path = layout.circulating(arm, self._way(draw.sub("way", arm), layout, 0))
            stretches.append(Stretch(path, float(path.lane_end[0]) - 4.0, float(path.lane_end[1]) + 2.0))
            paces.append(pace)
            for lane in range(1, len(layout.between[arm])):
                path = layout.through(arm, 1, lane)
                at = len(layout.roads[arm].backward)
                stretches.append(Stretch(path, float(path.lane_end[at]), float(path.lane_end[at + 1])))
                paces.append(min(pace, self.entry_mps))
        for k, (stretch, speed) in enumerate(zip(stretches, paces, strict=True)):
            each = draw.sub(k)
            if not each.chance("there", min(0.9, count / len(stretches))):
                continue
            body = Body.draw(each, each.choice("sort", sorts))
            low, high = stretch.start_m + 0.5 * body.length_m, stretch.end_m - 0.5 * body.length_m
            if low < high:
                s = each.uniform("at", (low, high))
                cast.drive(f"circulating-{k}", body, stretch.path, s, speed * each.uniform("pace", (0.85, 1.0)))

    def _approaching(
        self, cast: Cast, draw: Draw, layout: Roundabout, arm: int, count: int, sorts: tuple[str, ...], clear: float
    ) -> None:
        """Somebody who waits at the line, and those who come after at a distance in which they can stop."""
        speed, road = 0.85 * layout.limit_mps, layout.roads[arm]
        stretches = []
        for lane in range(len(road.backward[0])):
            path = layout.through(arm, self._way(draw.sub("way", lane), layout, lane), lane)
            line = float(path.lane_end[len(road.backward) - 1])
            each = draw.sub("first", lane)
            if arm > 0 and each.chance("waits", 0.35):
                body = Body.draw(each, each.choice("sort", sorts))
                number = cast.drive(
                    f"waiting-{arm}-{lane}", body, path, line - 1.2 - 0.5 * body.length_m, 0.0, roomy=False
                )
                if number is not None:
                    cast.sets_off(number, layout.limit_mps * each.uniform("pace", (0.85, 1.0)))
            end = line - (clear or 10.0 + speed * (1.0 + speed / 4.0))
            stretches.append(Stretch(path, 12.0, end, bicycles=lane == len(road.backward[0]) - 1))
        mixed = (*sorts, "cyclist") if len(road.backward[0]) == 1 else sorts
        cast.fill(draw.sub("flow"), stretches, count, speed, headway_s=(1.2, 4.0), sorts=mixed)

    @staticmethod
    def _leaving(cast: Cast, draw: Draw, layout: Roundabout, count: int, sorts: tuple[str, ...]) -> None:
        """Moving traffic that has left the ring."""
        stretches = [
            Stretch(layout.path(road.forward_sequence(lane)), 25.0, 0.6 * road.line.length_m)
            for road in layout.roads
            for lane in range(len(road.forward[0]))
        ]
        cast.fill(draw, stretches, count, 0.85 * layout.limit_mps, headway_s=(1.5, 5.0), sorts=sorts)
