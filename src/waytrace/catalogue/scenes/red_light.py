"""``red-light``: a junction with lights that turn green, turn red, or stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from waytrace.scenario import LaneControl, LightState

from ..cast import Cast, Composition, NoSceneError
from ..draws import Draw, Range
from ..junctions import junction
from ..layouts import Layout
from ..programmes import two_streets
from ._crossroads import arms, flow, leaving, queue, route_groups, stop_m, ways
from ._open import place_ego

_EXIT = {"straight": 2, "left": 3, "right": 1}


@dataclass(frozen=True)
class RedLight:
    """Four-armed and three-armed junctions; both streets take turns, with yellow and a moment of red for all."""

    name: str = "red-light"
    version: int = 1
    layouts: int = 24
    duration_s: float = 20.0
    limits_kmh: tuple[float, ...] = (30.0, 40.0, 50.0, 60.0)
    ego_share: Range = (0.5, 1.0)
    away_s: Range = (2.5, 7.0)
    """Time to the stop line at constant speed."""
    variants: tuple[tuple[str, float], ...] = (
        ("turns green", 0.45), ("turns red", 0.35), ("stays green", 0.1), ("stays red", 0.1),
    )  # fmt: skip
    red_s: Range = (2.0, 11.0)
    """Until it turns green."""
    yellow_before_s: Range = (-3.0, 0.8)
    """When yellow begins, against the ego's arrival at the line at constant speed."""
    clearance_s: Range = (1.0, 2.0)

    def layout(self, key: str, index: int, draw: Draw) -> Layout:
        """Every third a T-junction; one or two lanes on either street."""
        limit = self.limits_kmh[index % len(self.limits_kmh)]
        main, cross = draw.choice("lanes", [(1, 1), (2, 1), (2, 2), (1, 2)])
        lanes = [main, cross, main, cross]
        if index % 3 == 2:
            lanes[draw.choice("missing", (1, 3))] = 0
        reach = limit / 3.6 * self.duration_s
        return junction(
            key, draw, limit_kmh=limit, lanes=lanes, arm_m=[190.0, reach, reach, reach],
            control=[LaneControl.SIGNAL] * 4, crosswalks=draw.chance("crosswalks", 0.7),
        )  # fmt: skip

    def compose(self, draw: Draw, layout: Layout) -> Composition:
        """The programme is set against the ego's arrival."""
        lane = draw.integer("lane", len(layout.roads[0].backward[0]))
        options = ways(layout, 0, lane)
        way = draw.choice("way", sorted(options), [4.0 if n == "straight" else 1.0 for n in sorted(options)])
        path = options[way]
        speed = layout.limit_mps * draw.uniform("ego", self.ego_share)
        away = speed * draw.uniform("away", self.away_s)
        line = stop_m(layout, path, 0)
        ego_s = line - away - 2.4
        variant = draw.choice("variant", [n for n, _ in self.variants], [w for _, w in self.variants])
        yellow = round(max(3.0, 1.0 + layout.limit_mps / 6.0), 1)
        clearance = draw.uniform("clearance", self.clearance_s)
        green, other = draw.uniform("green", (15.0, 30.0)), draw.uniform("other green", (12.0, 22.0))
        if variant == "turns green":
            begin = draw.uniform("red", self.red_s)
        elif variant == "turns red":
            begin = max(0.3, away / speed + draw.uniform("yellow", self.yellow_before_s)) - green
        elif variant == "stays green":
            begin, green = -draw.uniform("since", (3.0, 10.0)), 40.0
        else:
            begin, other = draw.uniform("until", (self.duration_s + 1.0, 30.0)), 30.0
        streets = [
            [c for (a, _), lanes in sorted(layout.connectors.items()) if a % 2 == side for c in lanes]
            for side in (0, 1)
        ]  # fmt: skip
        programme = two_streets(begin, green, other, yellow, clearance, streets, self.duration_s)
        shown = [programme.state(side, np.zeros(1))[0] for side in (0, 1)]
        cast = Cast()
        waiting = draw.integer("waiting", 3) if shown[0] == LightState.RED else 0
        place_ego(cast, path, ego_s, speed)
        back = queue(cast, draw.sub("queue"), layout, 0, lane, waiting) if waiting else 0.0
        if shown[0] != LightState.GREEN and away - back < 3.0 + speed * (1.0 + speed / 5.0):
            raise NoSceneError("the ego would have to brake hard at once")
        self._others(cast, draw, layout, lane, shown, speed, away)
        params: dict[str, Any] = {
            "variant": variant, "way": way, "ego_mps": speed, "away_m": away, "green_from_s": begin, "green_s": green,
            "yellow_s": yellow, "waiting": waiting,
        }  # fmt: skip
        groups = route_groups(layout, 0, _EXIT[way])
        return Composition(cast, groups, self.duration_s, params, programme=programme)

    def _others(
        self, cast: Cast, draw: Draw, layout: Layout, ego_lane: int, shown: list[Any], ego_mps: float, away: float
    ) -> None:
        for arm in arms(layout):
            held = shown[arm % 2] != LightState.GREEN
            each = draw.sub("arm", arm)
            for lane in range(len(layout.roads[arm].backward[0])):
                if shown[arm % 2] == LightState.RED and (arm, lane) != (0, ego_lane):
                    queue(cast, each.sub("queue", lane), layout, arm, lane, each.integer(f"waiting {lane}", 3))
            # the ego's own arm: those that follow it
            clear = away + 12.0 if arm == 0 else 20.0 * held
            speed = ego_mps if arm == 0 else 0.9 * layout.limit_mps
            count = each.integer("flow", 4)
            flow(cast, each.sub("flow"), layout, [arm], count, speed, held=held and arm > 0, clear_of=clear)
        leaving(cast, draw.sub("leaving"), layout, draw.integer("leaving", 4), 0.9 * layout.limit_mps)
