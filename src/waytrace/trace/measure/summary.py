"""What the first stage of a trace should say: route, ego, limit, zone, light."""

from __future__ import annotations

import math
from dataclasses import dataclass

from waytrace.scenario import LightState

from .. import sets
from ..finding import Finding, Margin, all_of, fact
from ..thresholds import T
from ..types import SceneSummary
from .measured import Measured
from .motion import moves, named

_SIGNALS = {
    LightState.RED: "red", LightState.YELLOW: "yellow", LightState.GREEN: "green", LightState.UNKNOWN: "unknown",
    LightState.OFF: "none",
}  # fmt: skip


@dataclass(frozen=True)
class Event:
    """Something that the route asks for, and how far ahead."""

    intent: str
    way_m: float


def events(m: Measured) -> tuple[Event, ...]:
    """What the route asks for within reach, nearest first."""
    found = [*_turns(m), *_changes(m), *_merges(m)]
    progress = m.path.run_m
    last = m.path.roads.routes.route_group.max(initial=0)
    lane = m.path.lanes[-1] if m.path.lanes else -1
    if math.isinf(progress) and lane >= 0:
        final = [(a, end) for a, _, end in m.path.starts if _group(m, a) == last]
        if final and final[-1][1] - m.front_m < T.route_intent_m:
            found.append(Event("end", final[-1][1] - m.front_m))
    return tuple(sorted((e for e in found if e.way_m < T.route_intent_m), key=lambda e: e.way_m))


def _group(m: Measured, lane: int) -> int:
    entry = m.path.roads.entry(lane)
    return int(m.path.roads.routes.route_group[entry]) if entry >= 0 else -1


def _turns(m: Measured) -> list[Event]:
    """Turns of junctions' lanes, neighbouring ones together."""
    out: list[Event] = []
    turned, start = 0.0, math.nan
    for stretch in [*m.stretches.values(), None]:
        if stretch is not None and stretch.junction:
            start = stretch.way_m if math.isnan(start) else start
            turned += stretch.turned
            continue
        angle = math.degrees(turned)
        if abs(angle) >= T.turn_deg:
            side = "left" if angle > 0.0 else "right"
            out.append(Event("u_turn" if abs(angle) >= T.u_turn_deg else f"turn_{side}", start))
        turned, start = 0.0, math.nan
    return out


def _changes(m: Measured) -> list[Event]:
    """The change of lanes that the route needs before the ego's lane leaves it."""
    path = m.path
    if not math.isfinite(path.run_m) or path.lane < 0:
        return []
    index, roads = path.roads.index, path.roads
    for lane in path.lanes:
        for side, beside in (("left", index.lane_left), ("right", index.lane_right)):
            at, hops = int(beside[lane]), 0
            while at >= 0 and hops < 6:
                entry = roads.entry(at)
                if entry >= 0 and roads.run_m[entry] > roads.run_m[max(roads.entry(lane), 0)] + 1.0:
                    return [Event(f"change_{side}", path.run_m - m.front_m)]
                at, hops = int(beside[at]), hops + 1
    return []


def _merges(m: Measured) -> list[Event]:
    """Where another lane joins the path, outside junctions."""
    index, out = m.path.roads.index, []
    for lane, stretch in m.stretches.items():
        lo, hi = int(index.pred_lo[lane]), int(index.pred_lo[lane + 1])
        if hi - lo > 1 and not stretch.junction and stretch.way_m > 0.0:
            before = [int(p) for p in index.pred[lo:hi]]
            if not any(index.lane_junction[p] for p in before):
                out.append(Event("merge", stretch.way_m))
    return out


def zones(m: Measured) -> dict[str, float]:
    """Way to each zone that the ego could be said to be in, metres; 0 in it."""
    out: dict[str, float] = {}
    for stretch in m.stretches.values():
        if stretch.junction:
            if stretch.way_m + m.front_m <= 0.0 <= stretch.end_m + m.front_m:
                out["junction"] = 0.0
            elif stretch.way_m + m.front_m > 0.0:
                out.setdefault("before_junction", max(stretch.way_m, 0.0))
    ahead = [walk.way_m for walk in m.crosswalks.values() if walk.way_m > 0.0]
    if ahead:
        out["before_crosswalk"] = min(ahead)
    return out


def zone(m: Measured) -> str:
    """Where the ego is."""
    found = zones(m)
    if "junction" in found:
        return "junction"
    near = {k: v for k, v in found.items() if v <= T.zone_m}
    return min(near, key=lambda k: near[k]) if near else "road"


def signal(m: Measured) -> str:
    """What the next light on the route shows."""
    k = m.next_light
    return "none" if k < 0 else _SIGNALS[LightState(int(m.scene.light_state[k]))]


def summary(m: Measured) -> SceneSummary:
    """What is so."""
    ahead = events(m)
    motion = named(m.speed_mps, m.accel_mps2)
    speed = 0 if motion == "standing" else sets.EGO_SPEED.number(max(m.speed_mps, 0.0))
    limit = sets.LIMIT.number(None if math.isnan(m.limit_mps) else m.limit_mps)
    return SceneSummary(ahead[0].intent if ahead else "follow_lane", motion, speed, limit, zone(m), signal(m))


def judge_summary(m: Measured, claimed: SceneSummary) -> dict[str, Finding]:
    """Each slot of a summary, judged."""
    return {
        "route_intent": _judge_intent(m, claimed.route_intent),
        "ego_motion": moves(claimed.ego_motion, m.speed_mps, m.accel_mps2),
        "ego_speed_bin": in_bin(sets.EGO_SPEED, claimed.ego_speed_bin, max(m.speed_mps, 0.0), "m/s"),
        "limit_bin": in_bin(sets.LIMIT, claimed.limit_bin, None if math.isnan(m.limit_mps) else m.limit_mps, "m/s"),
        "zone": _judge_zone(m, claimed.zone),
        "signal_for_ego": all_of(
            [fact(f"the next light shows {signal(m)}", signal(m) == claimed.signal_for_ego)], shows=signal(m)
        ),
    }


def in_bin(bins: sets.Bins, number: int, value: float | None, unit: str) -> Finding:
    """Whether a value lies in a bin, or so near to it that either bin is true."""
    if value is None or math.isinf(value):
        none = bins.none and number == len(bins.edges)
        return all_of([fact("it does not apply", none)], actual="none")
    if number >= len(bins.edges):
        return all_of([fact("it applies", False)], actual=value)
    low = bins.edges[number] if number else -math.inf
    high = bins.edges[number + 1] if number + 1 < len(bins.edges) else math.inf
    width = (high if math.isfinite(high) else low + 10.0) - max(low, bins.edges[0])
    spare = max(T.bin_share * width, 0.05)
    room = min(value - low, high - value) + spare
    return all_of([Margin(f"{value:.2f} {unit} lies in {bins.range_text(number)}", room, unit)], actual=value)


def _judge_intent(m: Measured, claimed: str) -> Finding:
    ahead = events(m)
    first = ahead[0].way_m if ahead else T.route_intent_m
    if claimed == "follow_lane":
        return all_of([Margin("way to the next thing the route asks for", first - T.route_intent_m + 5.0, "m")])
    own = [e.way_m for e in ahead if e.intent == claimed]
    if not own:
        return all_of([fact("the route asks for it within 100 m", False)], next=ahead[0].intent if ahead else "none")
    return all_of([Margin("way from the next thing to it", first - own[0] + 5.0, "m")], way_m=own[0])


def _judge_zone(m: Measured, claimed: str) -> Finding:
    found = zones(m)
    is_in = "junction" in found
    if claimed == "junction":
        return all_of([fact("the ego is on a junction's lane", is_in)])
    if claimed == "road":
        near = min((v for k, v in found.items() if k != "junction"), default=1e3)
        return all_of([fact("the ego is on no junction's lane", not is_in),
                       Margin("way to junction or crosswalk", near - T.zone_m + 3.0, "m")])  # fmt: skip
    way = found.get(claimed, 1e3)
    others = min((v for k, v in found.items() if k not in ("junction", claimed)), default=1e3)
    return all_of(
        [fact("the ego is on no junction's lane", not is_in), Margin("way to it", T.zone_m - way + 3.0, "m"),
         Margin("the other zone is further", others - way + 3.0, "m")], way_m=way
    )  # fmt: skip
