"""What the families on open roads share: lane counts, the ego in its lane, traffic around it."""

from __future__ import annotations

from collections.abc import Sequence

from ..cast import EGO, Cast, Stretch
from ..draws import Draw
from ..layouts import Layout, Path, open_road

EGO_START_M = 110.0
"""Road behind the ego, for those that follow it."""


def lane_count(draw: Draw, limit_kmh: float, least: int = 1) -> tuple[int, int]:
    """Lanes (forward, backward) that fit a speed limit: two-way below 100 km/h, one carriageway above."""
    if limit_kmh >= 100:
        return draw.choice("lanes", [(2, 0), (3, 0)])
    if limit_kmh >= 70 or least > 1:
        options = [(2, 2), (2, 0), (3, 3)] if least > 1 else [(1, 1), (2, 2)]
        return draw.choice("lanes", options)
    return draw.choice("lanes", [(1, 1), (1, 1), (2, 2), (2, 1)])


def road_cuts(draw: Draw, length_m: float) -> tuple[float, ...]:
    """Where an open road's lanes are cut in two: every 150 to 300 m."""
    cuts, at = [], draw.uniform("cut first", (60.0, 100.0))
    while at < length_m - 60.0:
        cuts.append(at)
        at += draw.uniform(f"cut {len(cuts)}", (150.0, 300.0))
    return tuple(cuts)


def lane_change_road(key: str, index: int, draw: Draw, limits_kmh: Sequence[float], duration_s: float) -> Layout:
    """At least two lanes in the ego's direction, one section long where somebody changes; every limit equally often."""
    limit = limits_kmh[index % len(limits_kmh)]
    length = EGO_START_M + limit / 3.6 * duration_s + 200.0
    cuts = (draw.uniform("cut in", (40.0, 70.0)), length - draw.uniform("cut out", (40.0, 70.0)))
    return open_road(key, draw, limit_kmh=limit, lanes=lane_count(draw, limit, 2), length_m=length, cuts=cuts)


def place_ego(cast: Cast, path: Path, s: float, speed_mps: float) -> None:
    """The ego, number 0 of the cast."""
    cast.must(cast.drive("ego", EGO, path, s, speed_mps, roomy=False))


def traffic(
    cast: Cast, draw: Draw, layout: Layout, *, ego_lane: int, ego_s: float, speed_mps: float,
    clear: dict[int, tuple[float, float]], count: tuple[int, int] = (4, 14),
    reach_m: float = 220.0, pace: float = 1.0, ahead_of: float | None = None, oncoming: bool = True,
) -> None:  # fmt: skip
    """Background traffic on an open road.

    ``clear``: by lane of the ego's direction, the stretch (arc length of the road) that is kept free, so that those the
    scene is about meet nobody else. Other lanes of that direction are filled up to ``reach_m`` ahead, or only from
    ``ahead_of`` on; oncoming lanes as far as the ego can come, or not at all.
    """
    road = layout.roads[0]
    total = road.line.length_m
    stretches = []
    slow = layout.limit_mps < 60 / 3.6
    for i in range(len(road.forward[0])):
        outer = slow and i == len(road.forward[0]) - 1
        path = layout.path(road.forward_sequence(i))
        scale = path.length_m / total
        # lanes to the left are faster
        faster = pace * (1.0 + 0.04 * (ego_lane - i))
        if i in clear:
            low, high = clear[i]
            stretches.append(Stretch(path, 12.0, low * scale, faster, outer))
            stretches.append(Stretch(path, high * scale, (high + reach_m) * scale, faster, outer))
        else:
            start = 12.0 if ahead_of is None else ahead_of * scale
            stretches.append(Stretch(path, start, (ego_s + reach_m) * scale, faster, outer))
    for i in range(len(road.backward[0]) if oncoming else 0):
        path = layout.path(road.backward_sequence(i))
        scale = path.length_m / total
        outer = slow and i == len(road.backward[0]) - 1
        stretches.append(Stretch(path, 20.0, (total - ego_s - 10.0) * scale, bicycles=outer))
    wanted = count[0] + draw.integer("count", count[1] - count[0] + 1)
    cast.fill(draw.sub("traffic"), stretches, wanted, speed_mps, headway_s=(1.2, 4.0))
