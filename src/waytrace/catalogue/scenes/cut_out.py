"""``cut-out``: the vehicle ahead leaves the ego's lane and uncovers what stands or creeps there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from waytrace.scenario import Action, Script, Trigger

from ..careful import CAREFUL, REGULATION, cut_out_preventable, uncovered_s
from ..cast import EGO, Body, Cast, Composition, NoSceneError
from ..draws import Draw, Range
from ..layouts import Layout, Path
from ._open import EGO_START_M, lane_change_road, place_ego, traffic

MOST_SIDEWAYS = 0.35
"""Lateral speed as a share of the forward one that a vehicle can drive."""

_CLEAR_M = 0.3
"""Room between the lead's side and the obstacle's when the lead has come past it."""


@dataclass(frozen=True)
class CutOut:
    """Ranges of SCORE's cut-out: ego 10 to 130 km/h, obstacle 2 to 152 m ahead of the lead, lateral 0.1 to 3.1 m/s.

    Only what a lead at constant speed can do is made: it is past the obstacle's side before it reaches its rear.
    """

    name: str = "cut-out"
    version: int = 1
    layouts: int = 24
    duration_s: float = 15.0
    limits_kmh: tuple[float, ...] = (30.0, 50.0, 60.0, 80.0, 100.0, 130.0)
    ego_kmh: Range = (10.0, 130.0)
    ego_share: Range = (0.4, 1.0)
    headway_s: Range = (0.9, 2.4)
    ahead_m: Range = (2.0, 152.0)
    """From the lead's front to the obstacle's rear as the cut-out begins; small ones as often as large ones."""
    lateral_mps: Range = (0.1, 3.1)
    variants: tuple[tuple[str, float], ...] = (("standing", 0.6), ("debris", 0.25), ("slow", 0.15))
    slower: Range = (0.05, 0.8)
    """How much slower than the ego a slow obstacle drives, as a share."""
    delay_s: Range = (0.3, 2.0)

    def layout(self, key: str, index: int, draw: Draw) -> Layout:
        """A road of at least two lanes in the ego's direction, one section long where it happens."""
        return lane_change_road(key, index, draw, self.limits_kmh, self.duration_s)

    def compose(self, draw: Draw, layout: Layout) -> Composition:
        """The lead keeps its speed and looks at nothing until it is past: time and place of its change are one."""
        road = layout.roads[0]
        speed = max(self.ego_kmh[0] / 3.6, layout.limit_mps * draw.uniform("ego", self.ego_share))
        variant = draw.choice("variant", [n for n, _ in self.variants], [w for _, w in self.variants])
        sort = "debris" if variant == "debris" else draw.choice("sort", ("car", "van", "truck"), (0.7, 0.2, 0.1))
        obstacle, lead = Body.draw(draw.sub("obstacle"), sort), Body.draw(draw.sub("lead"), self._lead_sort(draw))
        obstacle_speed = speed * (1.0 - draw.uniform("slower", self.slower)) if variant == "slow" else 0.0
        ahead = draw.log_uniform("ahead", self.ahead_m)
        lateral = draw.log_uniform("lateral", (self.lateral_mps[0], min(self.lateral_mps[1], MOST_SIDEWAYS * speed)))
        gap, delay = max(4.0, speed * draw.uniform("headway", self.headway_s)), draw.uniform("delay", self.delay_s)
        past_s = (0.5 * (lead.width_m + obstacle.width_m) + _CLEAR_M) / lateral
        if (speed - obstacle_speed) * past_s > ahead - 0.5 or delay + past_s > 0.8 * self.duration_s:
            raise NoSceneError("the lead would strike it, or the change would take the whole episode")
        seen_s = uncovered_s(
            lead.width_m, obstacle.width_m, 0.5 * EGO.length_m + gap, 0.5 * EGO.length_m + gap + lead.length_m + ahead,
            lateral,
        )  # fmt: skip
        free = gap + lead.length_m + ahead
        preventable = {
            driver.name: cut_out_preventable(driver, speed, obstacle_speed, free, seen_s)
            for driver in (CAREFUL, REGULATION)
        }

        lanes = len(road.forward[0])
        lane = draw.integer("lane", lanes)
        other = draw.choice("to", [i for i in (lane - 1, lane + 1) if 0 <= i < lanes])
        path = layout.path(road.forward_sequence(lane))
        ego_s = EGO_START_M * path.length_m / road.line.length_m
        lead_s = ego_s + gap + 0.5 * (EGO.length_m + lead.length_m)
        rear = lead_s + 0.5 * lead.length_m + ahead + (speed - obstacle_speed) * delay
        obstacle_s = rear + 0.5 * obstacle.length_m
        cast = Cast()
        place_ego(cast, path, ego_s, speed)
        number = cast.must(cast.drive("lead", lead, path, lead_s, speed, roomy=False))
        self._obstacle(cast, draw, path, obstacle, obstacle_s, obstacle_speed)
        at = round(speed, 3)
        cast.scripts += [
            Script(number, Trigger.TIME, 0.0, Action.PRESS_ON, 0.0, target_speed_mps=at),
            Script(
                number, Trigger.TIME, round(delay, 3), Action.CHANGE_LANE, lateral, target_lane=road.forward[1][other]
            ),
            Script(number, Trigger.TIME, round(delay + past_s, 3), Action.SET_SPEED, 2.0, target_speed_mps=at),
        ]
        # room in the other lane for the lead, however slowly it comes: those there drive at up to 5 % over the limit
        faster = (1.05 * layout.limit_mps - speed + 1.5) * (delay + past_s)
        slower = 0.15 * speed * (delay + past_s)
        traffic(
            cast, draw, layout, ego_lane=lane, ego_s=ego_s, speed_mps=speed,
            clear={
                lane: (ego_s - 5.0, obstacle_s + 20.0 + 2.5 * speed),
                other: (lead_s - 15.0 - 1.2 * speed - faster, lead_s + 25.0 + 2.0 * speed + slower),
            },
        )  # fmt: skip
        params: dict[str, Any] = {
            "variant": variant, "ego_mps": speed, "gap_m": gap, "ahead_m": ahead, "lateral_mps": lateral,
            "obstacle_mps": obstacle_speed, "delay_s": delay, "seen_s": seen_s,
            "side": "left" if other < lane else "right",
        }  # fmt: skip
        return Composition(cast, road.forward, self.duration_s, params, preventable=preventable)

    @staticmethod
    def _lead_sort(draw: Draw) -> str:
        return draw.choice("lead", ("car", "van", "truck", "bus"), (0.5, 0.25, 0.2, 0.05))

    @staticmethod
    def _obstacle(cast: Cast, draw: Draw, path: Path, body: Body, s: float, speed_mps: float) -> None:
        if speed_mps > 0.0:
            number = cast.must(cast.drive("obstacle", body, path, s, speed_mps, roomy=False))
            at = round(speed_mps, 3)
            cast.scripts.append(Script(number, Trigger.TIME, 0.0, Action.SET_SPEED, 2.0, target_speed_mps=at))
        else:
            askew = draw.uniform("askew", (-0.06, 0.06))
            cast.must(cast.stand("obstacle", body, np.array(path.point(s)), path.heading_at(s) + askew))
