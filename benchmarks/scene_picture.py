"""A scenario as a small SVG: roads, route, who is where at the start, what is prepared, and what was driven."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import from_frame
from waytrace.geometry.boxes import corners
from waytrace.report.clip import Region, clip_line, clip_polygon, counter_clockwise, simplify
from waytrace.report.roads import boundaries, light_bars
from waytrace.scenario import Action, AgentKind, LaneControl, LaneKind, Rollout, Scenario, Script, Trigger, transformed

F8 = NDArray[np.float64]
AHEAD_M, BEHIND_M, ASIDE_M, MARGIN_M = 340.0, 60.0, 60.0, 9.0
DRIVEN_M, JUNCTION_M = 220.0, 60.0
DRIVEN_TICKS = 100
MARK_TICKS = 20
"""Dots on the ways driven: every 2 s."""

STYLE = """<style>
svg{--ground:#f1f4f1;--road:#d6dce4;--line:#fff;--solid:#8f9bab;--middle:#c98a10;--walk:#fff;--stop:#fff;--ink:#131a24;
--ego:#0f5fe0;--event:#d4480b;--k0:#4a5a70;--k1:#6b4fa8;--k2:#a8326e;--k3:#0b7d6e;--k4:#c75b00;--k5:#7a6a52;
--red:#e0222e;--yellow:#eba400;--green:#12a150;--off:#8d97a5}
@media (prefers-color-scheme:dark){svg{--ground:#0b0f14;--road:#242d39;--line:#66748a;--solid:#566375;--middle:#b4842a;
--walk:#566375;--stop:#c3cddb;--ink:#e7ecf3;--ego:#5b9dff;--event:#ff8a4c;--k0:#a4b3c7;--k1:#b79cf0;--k2:#f08dbb;
--k3:#43cdb8;--k4:#ffa04d;--k5:#b8a98f;--red:#ff5257;--yellow:#ffc83d;--green:#35d07f;--off:#7c8796}}
text{font:12px system-ui,sans-serif;fill:var(--ink)}path{fill:none;stroke-linejoin:round}
.road{fill:var(--road)}.walk{stroke:var(--walk);stroke-width:.5}.route{fill:var(--ego);opacity:.17}
.solid{stroke:var(--solid);stroke-width:.22}.dash{stroke:var(--line);stroke-width:.18;stroke-dasharray:3 3}
.middle{stroke:var(--middle);stroke-width:.2}.stop{stroke:var(--stop);stroke-width:.7}
.lamp{stroke-width:1.3}.s0{stroke:var(--off)}.s1{stroke:var(--red)}.s2{stroke:var(--yellow)}.s3{stroke:var(--green)}
.s4{stroke:var(--off)}.a0{fill:var(--k0)}.a1{fill:var(--k1)}.a2{fill:var(--k2)}.a3{fill:var(--k3)}.a4{fill:var(--k4)}
.a5,.a6{fill:var(--k5)}.ego{fill:var(--ego)}.nose{fill:var(--ground);opacity:.75}
.way,.drive,.deed,.plan,.ring,.near-e,.near-d{vector-effect:non-scaling-stroke;stroke-width:1.6}
.way{stroke:var(--k0);opacity:.55;stroke-width:1.1}.drive{stroke:var(--ego);stroke-width:2.2}.deed{stroke:var(--event)}
.plan{stroke:var(--event);stroke-dasharray:5 4}.ring{stroke:var(--event);fill:none}.near-e{stroke:var(--ego)}
.near-d{stroke:var(--event)}.dot-e{fill:var(--ego)}.dot-d{fill:var(--event)}
</style>"""


@dataclass(frozen=True)
class View:
    """One scene in the ego's frame at the start: x ahead, y left; what was driven, if anything."""

    scene: Scenario
    pose: F8 | None
    """[T, N, 3] from the start on."""
    there: NDArray[np.bool_] | None
    low: F8
    high: F8
    """Corners of what is shown."""
    caption: str


def view(scenario: Scenario, rollout: Rollout | None, caption: str) -> View:
    """Turn a scene so that the ego heads to the right, and find the part worth showing."""
    agents, ego, start = scenario.agents, scenario.ego_index, scenario.start_step
    at, heading = agents.xy[ego, start], float(agents.heading_rad[ego, start])
    turn = np.array([0.0, 0.0, -heading])
    move = np.array([*-from_frame(at, turn), -heading])
    scene = transformed(scenario, move)
    pose = None if rollout is None else np.concatenate(
        [from_frame(rollout.pose[..., :2], move), rollout.pose[..., 2:] - heading], axis=-1
    )  # fmt: skip
    there = None if rollout is None else rollout.valid
    low, high = _window(scene, pose, there)
    return View(scene, pose, there, low, high, caption)


def eventful(scene: Scenario) -> list[Script]:
    """Scripts that are the point of a scene: not those that merely set a speed at the start."""
    return [s for s in scene.scripts if s.trigger != Trigger.TIME or s.action != Action.SET_SPEED]


def _window(scene: Scenario, pose: F8 | None, there: NDArray[np.bool_] | None) -> tuple[F8, F8]:
    start, kind = scene.start_step, scene.agents.kind
    now = scene.agents.xy[:, start]
    points = [np.array([[-12.0, 0.0], [45.0, 0.0]])]
    for script in eventful(scene):
        points.append(now[script.agent][None])
        if script.trigger != Trigger.TIME:
            points.append(np.array([script.at_xy]))
        if script.action == Action.WALK:
            points.append(np.array([script.to_xy]))
    on_route = np.isin(scene.lights.lane, scene.route.lanes)
    points.append(scene.lights.xy[on_route])
    still = (np.hypot(*scene.agents.velocity_mps[:, start].T) < 0.1) & scene.agents.valid[:, start]
    way = np.concatenate([scene.map.centre[lane] for lane in scene.route.lanes])
    way = way[(way[:, 0] > 0.0) & (way[:, 0] < 120.0) & (np.abs(way[:, 1]) < 50.0)]
    if len(way):
        beside = np.hypot(*np.moveaxis(now[:, None] - way[None], -1, 0)).min(1) < 9.0
        points.append(now[still & beside & (kind != AgentKind.PEDESTRIAN)])
    if pose is not None and there is not None:
        ego = scene.ego_index
        pairs = [(_nearest(pose, there, ego, s.agent), s.agent) for s in eventful(scene)]
        points += [pose[t, [a, ego], :2] for t, a in pairs]
        driven = pose[:DRIVEN_TICKS, ego, :2]
        points.append(driven[(driven[:, 0] < DRIVEN_M) & (np.abs(driven[:, 1]) < 40.0)])
    yields = [i for i in scene.route.lanes if scene.map.lane_control[i] == LaneControl.YIELD]
    points += [*_junction(scene), *(scene.map.centre[i][[0, -1]] for i in yields)]
    xy = np.concatenate(points)
    near = (xy[:, 0] > -BEHIND_M) & (xy[:, 0] < AHEAD_M) & (np.abs(xy[:, 1]) < ASIDE_M)
    return xy[near].min(0) - MARGIN_M, xy[near].max(0) + MARGIN_M


def _junction(scene: Scenario) -> list[F8]:
    """The connectors that make up the first junction on the route, and who is near it: points [*, 2]."""
    road = scene.map
    crossed = [i for i in scene.route.lanes if road.in_intersection[i] and -5.0 < road.centre[i][0, 0] < AHEAD_M]
    if not crossed:
        return []
    ends = road.centre[crossed[0]][[0, -1]]
    inside = [road.centre[i][[0, -1]] for i in np.flatnonzero(road.in_intersection)]
    now = scene.agents.xy[scene.agents.valid[:, scene.start_step], scene.start_step]
    beside = now[(np.hypot(*(now - ends.mean(0)).T) < JUNCTION_M) & (np.abs(now[:, 1]) < 20.0)]
    return [beside, *(xy for xy in inside if np.hypot(*(xy.mean(0) - ends.mean(0))) < JUNCTION_M)]


def _nearest(pose: F8, there: NDArray[np.bool_], a: int, b: int) -> int:
    """Tick at which two agents are nearest to each other."""
    apart = np.hypot(*(pose[:, a, :2] - pose[:, b, :2]).T)
    return int(np.argmin(np.where(there[:, a] & there[:, b], apart, np.inf)))


def picture(title: str, views: Sequence[View]) -> str:
    """The views as panels of one picture: below one another where they are long, else side by side."""
    spans = np.array([v.high - v.low for v in views])
    wide = bool(np.median(spans[:, 1] / spans[:, 0]) < 0.5)
    width = 900
    size = []
    for span in spans:
        if wide:
            size.append((width, int(np.clip(width * span[1] / span[0], 110, 420))))
        else:
            size.append(((width - 8 * (len(views) - 1)) // len(views),) * 2)
    out, x, y = [], 0, 20
    for one, (w, h) in zip(views, size, strict=True):
        out += _panel(one, x, y, w, h, one.caption if wide else one.caption.partition("/")[2])
        x, y = (0, y + h + 26) if wide else (x + w + 8, y)
    height = y - 20 if wide else size[0][1] + 20
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{title}">'
    )
    ground = f'<rect width="{width}" height="{height}" fill="var(--ground)"/>'
    return "\n".join([head, STYLE, ground, *out, "</svg>\n"])


def _panel(one: View, x: int, y: int, width: int, height: int, caption: str) -> list[str]:
    middle, span = (one.low + one.high) / 2, one.high - one.low
    scale = min(width / span[0], height / span[1])
    shown = np.array([width, height]) / scale
    low, high = middle - shown / 2, middle + shown / 2
    box = f"{low[0]:.2f} {-high[1]:.2f} {shown[0]:.2f} {shown[1]:.2f}"
    out = [f'<svg x="{x}" y="{y}" width="{width}" height="{height}" viewBox="{box}">']
    out += _roads(one.scene, low, high)
    out += _ways(one, low, high, 3.2 / scale)
    out += _agents(one.scene, low, high, 3.5 / scale)
    out += _deeds(one, 7.0 / scale)
    return [f'<text x="{x + 4}" y="{y - 6}">{caption}</text>', *out, "</svg>"]


def _roads(scene: Scenario, low: F8, high: F8) -> list[str]:
    road = scene.map
    region = Region(low - 5.0, high + 5.0, _grid(low, high))
    areas = [clip_polygon(xy, region.low, region.high) for xy in road.drivable]
    out = [_path("road", [counter_clockwise(a) for a in areas if len(a) > 2], close=True)]
    lanes = [i for i in range(len(road)) if clip_line(road.centre[i], region.low, region.high)]
    route = [np.concatenate([road.left[i], road.right[i][::-1]]) for i in scene.route.lanes if i in set(lanes)]
    cut = [clip_polygon(xy, region.low, region.high) for xy in route]
    out.append(_path("route", [counter_clockwise(a) for a in cut if len(a) > 2], close=True))
    out += [_stripes(xy) for xy in road.crosswalk if (xy.max(0) > low).all() and (xy.min(0) < high).all()]
    kinds = (int(LaneKind.VEHICLE), int(LaneKind.BUS), int(LaneKind.BIKE))
    solid, dashed, middle = boundaries(road, [i for i in lanes if road.lane_kind[i] in kinds], region)
    out += [_path("solid", solid), _path("dash", dashed), _path("middle", middle)]
    out.append(_path("stop", [p for p in road.stop_line_xy if _inside(p.mean(0), low, high)]))
    for k, bar in enumerate(light_bars(scene.map, scene.lights)):
        if _inside(bar.mean(0), low, high):
            out.append(_path(f"lamp s{int(scene.lights.state[scene.start_step, k])}", [bar]))
    return out


def _ways(one: View, low: F8, high: F8, dot_m: float) -> list[str]:
    if one.pose is None or one.there is None:
        return []
    out, special = [], {s.agent for s in eventful(one.scene)}
    ego = one.scene.ego_index
    others = []
    for a in range(one.pose.shape[1]):
        xy = one.pose[one.there[:, a], a, :2]
        if a in special or a == ego or len(xy) < 2:
            continue
        if np.hypot(*(xy - xy[0]).T).max() > 1.0:
            others += clip_line(xy, low, high)
    out.append(_path("way", others))
    for a, name, dot in [*((a, "deed", "d") for a in sorted(special)), (ego, "drive", "e")]:
        xy = one.pose[one.there[:, a], a, :2]
        if len(xy) < 2:
            continue
        out.append(_path(name, clip_line(xy, low, high)))
        marks = [p for p in xy[MARK_TICKS::MARK_TICKS] if _inside(p, low, high)]
        out += [f'<circle class="dot-{dot}" cx="{p[0]:.1f}" cy="{-p[1]:.1f}" r="{dot_m:.2f}"/>' for p in marks]
    for a in sorted(special):
        t = _nearest(one.pose, one.there, ego, a)
        out += [_path("near-e", [_box(one, ego, t)], close=True), _path("near-d", [_box(one, a, t)], close=True)]
    return out


def _box(one: View, a: int, t: int) -> F8:
    assert one.pose is not None
    x, y, heading = one.pose[t, a]
    return _corners(one.scene, a, np.array([x, y]), float(heading))


def _corners(scene: Scenario, a: int, xy: F8, heading: float) -> F8:
    length, width = scene.agents.size_m[a]
    return corners(xy[None], np.array([heading]), np.array([length]), np.array([width]))[0]


def _agents(scene: Scenario, low: F8, high: F8, least_m: float) -> list[str]:
    out, start = [], scene.start_step
    for a in range(len(scene.agents)):
        xy, kind = scene.agents.xy[a, start], int(scene.agents.kind[a])
        if not scene.agents.valid[a, start] or not _inside(xy, low - 4.0, high + 4.0):
            continue
        name = "ego" if a == scene.ego_index else f"a{kind}"
        if kind == AgentKind.PEDESTRIAN:
            out.append(f'<circle class="{name}" cx="{xy[0]:.1f}" cy="{-xy[1]:.1f}" r="{max(0.4, least_m):.2f}"/>')
            continue
        heading = float(scene.agents.heading_rad[a, start])
        box = _corners(scene, a, xy, heading)
        out.append(_path(name, [box], close=True))
        if kind <= AgentKind.CYCLIST:
            front, side = (box[0] + box[3]) / 2 - xy, (box[0] - box[3]) / 2
            nose = xy + np.stack([0.85 * front, 0.45 * front + 0.6 * side, 0.45 * front - 0.6 * side])
            out.append(_path("nose", [nose], close=True))
    return out


def _deeds(one: View, ring_m: float) -> list[str]:
    """What is prepared: where the ego sets it off, where a walker goes, which lane a vehicle moves to."""
    scene, out = one.scene, []
    for script in eventful(scene):
        now = scene.agents.xy[script.agent, scene.start_step]
        if script.trigger != Trigger.TIME:
            x, y = script.at_xy
            out.append(f'<circle class="ring" cx="{x:.1f}" cy="{-y:.1f}" r="{ring_m:.2f}"/>')
        if script.action == Action.WALK:
            out.append(_path("plan", [np.array([now, script.to_xy])]))
        elif script.action == Action.CHANGE_LANE and one.pose is None:
            lane = scene.map.centre[script.target_lane]
            ahead = lane[np.argmin(np.abs(np.hypot(*(lane - now).T) - 25.0))]
            out.append(_path("plan", [np.array([now, ahead])]))
    return out


def _stripes(polygon: F8) -> str:
    """Stripes of a crosswalk along the direction of travel: between its two long sides."""
    sides = np.roll(polygon, -1, axis=0) - polygon
    k = int(np.argmax(np.hypot(*sides.T)))
    along = sides[k] / max(float(np.hypot(*sides[k])), 1e-9)
    across = np.array([-along[1], along[0]])
    s, d = (polygon - polygon[k]) @ along, (polygon - polygon[k]) @ across
    at = np.arange(s.min() + 0.5, s.max(), 1.0)
    inset = 0.1 * (d.max() - d.min())
    ends = [polygon[k] + u * along + np.array([[d.min() + inset], [d.max() - inset]]) * across for u in at]
    return _path("walk", ends)


def _grid(low: F8, high: F8) -> F8:
    x, y = (np.arange(a, b + 20.0, 20.0) for a, b in zip(low, high, strict=True))
    return np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)


def _inside(xy: F8, low: F8, high: F8) -> bool:
    return bool((xy >= low).all() and (xy <= high).all())


def _path(name: str, parts: Iterable[F8], close: bool = False) -> str:
    """One path element of polylines in scene coordinates; nothing where there are none."""
    kept = simplify([np.asarray(p) for p in parts], 0.05)
    if not kept:
        return ""
    text = "".join("M" + "L".join(f"{p[0]:.1f} {-p[1]:.1f}" for p in part) + ("Z" if close else "") for part in kept)
    return f'<path class="{name}" d="{text}"/>'
