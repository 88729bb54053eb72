"""What the families at junctions share: paths through the junction, queues, traffic on every arm."""

from __future__ import annotations

from collections.abc import Sequence

from ..cast import Body, Cast, Stretch
from ..draws import Draw
from ..junctions import movement
from ..layouts import Layout, Path

_SORTS = ("car", "van", "truck", "bus", "motorcycle")
_SORT_WEIGHTS = (0.7, 0.14, 0.06, 0.04, 0.06)
_FLOW_SORTS = ("car", "van", "truck", "bus", "motorcycle", "cyclist")


def arms(layout: Layout) -> list[int]:
    """Arms that exist."""
    return [k for k, road in enumerate(layout.roads) if road.forward]


def route_groups(layout: Layout, arm_in: int, arm_out: int) -> tuple[tuple[int, ...], ...]:
    """Lane groups from one arm through the junction into another: before it, only lanes that lead on."""
    before, after = layout.roads[arm_in], layout.roads[arm_out]
    through = layout.connectors[(arm_in, arm_out)]
    fits = tuple(
        lane for lane in before.backward[0] if set(layout.map.successors(lane).tolist()) & set(through)
    )  # fmt: skip
    return (*reversed(before.backward[1:]), fits, through, *after.forward)


def through_path(layout: Layout, arm_in: int, lane: int, arm_out: int) -> Path | None:
    """The path of one approach lane into another arm; None where the lane has no such movement."""
    before, after = layout.roads[arm_in], layout.roads[arm_out]
    approach = before.backward_sequence(lane)
    for connector in layout.connectors[(arm_in, arm_out)]:
        if connector in layout.map.successors(approach[-1]):
            exit_lane = int(layout.map.successors(connector)[0])
            index = after.forward[0].index(exit_lane)
            return layout.path((*approach, connector, *after.forward_sequence(index)))
    return None


def stop_m(layout: Layout, path: Path, arm_in: int) -> float:
    """Arc length of the stop line on a path from an arm."""
    return float(path.lane_end[len(layout.roads[arm_in].backward) - 1])


def ways(layout: Layout, arm_in: int, lane: int) -> dict[str, Path]:
    """Every movement of an approach lane."""
    angles = layout.figures["angles_rad"]
    found = {}
    for b in arms(layout):
        path = through_path(layout, arm_in, lane, b) if b != arm_in else None
        if path is not None:
            found[movement(angles, arm_in, b)] = path
    return found


def some_way(draw: Draw, options: dict[str, Path]) -> Path:
    """A movement, straight on more often than not."""
    names = sorted(options)
    return options[draw.choice("way", names, [{"straight": 4.0, "right": 1.0, "left": 0.7}[n] for n in names])]


def queue(cast: Cast, draw: Draw, layout: Layout, arm: int, lane: int, count: int) -> float:
    """Up to ``count`` vehicles that stand at the stop line of a lane; metres from the line to the queue's end."""
    options, back = ways(layout, arm, lane), draw.uniform("line", (0.8, 2.0))
    for k in range(count):
        each = draw.sub(k)
        body = Body.draw(each, each.choice("sort", _SORTS, _SORT_WEIGHTS))
        path = some_way(each, options)
        s = stop_m(layout, path, arm) - back - 0.5 * body.length_m
        number = cast.drive(f"waiting-{len(cast)}", body, path, s, 0.0, roomy=False)
        if number is None:
            return back
        cast.sets_off(number, layout.limit_mps * each.uniform("pace", (0.85, 1.0)))
        back += body.length_m + each.uniform("gap", (1.5, 3.0))
    return back


def flow(
    cast: Cast, draw: Draw, layout: Layout, arms_in: Sequence[int], count: int, speed_mps: float, *,
    held: bool, clear_of: float = 0.0, sorts: Sequence[str] = _FLOW_SORTS,
) -> None:  # fmt: skip
    """Moving traffic that comes in on some arms. ``held``: only as near to the line as it can comfortably stop."""
    stretches = []
    for arm in arms_in:
        for lane in range(len(layout.roads[arm].backward[0])):
            options = ways(layout, arm, lane)
            for k in range(2):
                path = some_way(draw.sub("way", arm, lane, k), options)
                end = stop_m(layout, path, arm) - clear_of - 3.0
                stops = 10.0 + speed_mps * (1.0 + speed_mps / 4.0) if held else 0.0
                stretches.append(
                    Stretch(path, 12.0, end - stops, bicycles=lane == len(layout.roads[arm].backward[0]) - 1)
                )
    cast.fill(draw, stretches, count, speed_mps, headway_s=(1.2, 4.0), sorts=sorts)


def leaving(cast: Cast, draw: Draw, layout: Layout, count: int, speed_mps: float, skip: Sequence[int] = ()) -> None:
    """Moving traffic on the arms that leads away from the junction."""
    stretches = []
    for arm in arms(layout):
        if arm in skip:
            continue
        for lane in range(len(layout.roads[arm].forward[0])):
            path = layout.path(layout.roads[arm].forward_sequence(lane))
            stretches.append(
                Stretch(path, 25.0, 0.6 * path.length_m, bicycles=lane == len(layout.roads[arm].forward[0]) - 1)
            )
    cast.fill(draw, stretches, count, speed_mps, headway_s=(1.5, 5.0))
