"""One moment as its ego perceives it, as SVG: ego heading right, what can be pointed at an element of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import from_frame, to_frame
from waytrace.geometry.boxes import corners
from waytrace.observe import Reference, ReferenceKind, Scene
from waytrace.scenario import AgentKind, Lights, LightState

from .clip import Region, clip_line, clip_polygon, counter_clockwise, simplify
from .roads import boundaries, light_bars

F8 = NDArray[np.float64]

BEHIND_M, AHEAD_M, ASIDE_M = 35.0, 95.0, 38.0
TRAIL_S, DOT_S = 2.0, 0.5
_LOW, _HIGH = np.array([-BEHIND_M, -ASIDE_M]), np.array([AHEAD_M, ASIDE_M])
_ORDER = (ReferenceKind.AGENT, ReferenceKind.LIGHT, ReferenceKind.STOP_LINE, ReferenceKind.CROSSWALK,
          ReferenceKind.LANE)  # fmt: skip


@dataclass(frozen=True)
class Candidate:
    """Something in the picture that can be a cause."""

    ref: Reference
    what: str
    """Class, for an agent; else the kind."""
    where: str
    """Way and speed in words."""
    at: tuple[float, float]
    """In the ego's frame: x ahead, y left."""


def candidates(scene: Scene) -> list[Candidate]:
    """All elements within the picture that a trace can point at: agents first, the nearest first."""
    found: list[tuple[int, float, Candidate]] = []
    for ref in scene.elements():
        place = _place(scene, ref)
        if place is not None:
            away = float(np.hypot(*place))
            what, moving = _what(scene, ref)
            side = f"{abs(place[1]):.0f} m {'left' if place[1] > 0 else 'right'}"
            along = f"{abs(place[0]):.0f} m {'ahead' if place[0] >= 0 else 'behind'}"
            where = "here" if away < 1.0 else f"{along}, {side}"
            xy = (round(float(place[0]), 1), round(float(place[1]), 1))
            found.append((_ORDER.index(ref.kind), away, Candidate(ref, what, f"{where}{moving}", xy)))
    return [candidate for _, _, candidate in sorted(found, key=lambda entry: entry[:2])]


def snapshot(scene: Scene, *, labels: Sequence[Candidate] = ()) -> str:
    """The picture as an ``svg`` element without style; with ``labels`` the references are written in.

    Everything is drawn from what the ego perceives up to now: trails of the last 2 s, no state of a hidden agent.
    """
    size = _HIGH - _LOW
    box = f"{_LOW[0]:g} {-_HIGH[1]:g} {size[0]:g} {size[1]:g}"
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" class="snapshot">']
    parts += _roads(scene) + _trails(scene) + _agents(scene) + _ego(scene)
    return "".join([*parts, *_written(labels), "</svg>"])


def _place(scene: Scene, ref: Reference) -> F8 | None:
    """Where an element is, in the ego's frame: its nearest visible point; None outside of the picture."""
    if ref.kind == ReferenceKind.AGENT:
        row = np.flatnonzero(scene.agents.index == ref.index)
        points = [scene.agents.pose[row, :2]] if len(row) else []
    elif ref.kind == ReferenceKind.LANE:
        points = [scene.map.centre[ref.index]]
    elif ref.kind == ReferenceKind.LIGHT:
        points = [scene.light_xy[ref.index][None]]
    elif ref.kind == ReferenceKind.CROSSWALK:
        points = [scene.map.crosswalk[ref.index]]
    else:
        points = [scene.map.stop_line_xy[scene.map.stop_line_lane == ref.index].reshape(-1, 2)]
    if not points or not len(points[0]):
        return None
    xy = to_frame(points[0], scene.ego.pose)
    if ref.kind == ReferenceKind.LANE:
        parts = clip_line(xy, _LOW, _HIGH)
        xy = np.concatenate(parts) if parts else xy[:0]
    else:
        xy = xy[((xy >= _LOW) & (xy <= _HIGH)).all(-1)]
    return xy[np.argmin(np.hypot(*xy.T))] if len(xy) else None


def _what(scene: Scene, ref: Reference) -> tuple[str, str]:
    if ref.kind == ReferenceKind.AGENT:
        row = int(np.flatnonzero(scene.agents.index == ref.index)[0])
        age = float(scene.agents.age_s[row])
        lost = f", last seen {age:.1f} s ago" if age > 0 else ""
        return _kind(int(scene.agents.kind[row])), f", {3.6 * scene.agents.speed_mps[row]:.0f} km/h{lost}"
    if ref.kind == ReferenceKind.LIGHT:
        return "light", f", {LightState(int(scene.light_state[ref.index])).name.lower()}"
    if ref.kind == ReferenceKind.LANE:
        limit = float(scene.map.speed_limit_mps[ref.index])
        route = ", on the route" if ref.index in scene.route.lanes else ""
        return "lane", (f", limit {3.6 * limit:.0f} km/h" if np.isfinite(limit) else "") + route
    return ref.kind.name.lower().replace("_", " "), ""


def _kind(kind: int) -> str:
    return AgentKind(kind).name.lower().replace("_", " ")


def _roads(scene: Scene) -> list[str]:
    road, pose = scene.map, scene.ego.pose
    frame = np.array([[x, y] for x in (_LOW[0], _HIGH[0]) for y in (_LOW[1], _HIGH[1])])
    inside = from_frame(frame, pose)
    grid = np.stack(np.meshgrid(np.arange(_LOW[0], _HIGH[0] + 20, 20.0), np.arange(_LOW[1], _HIGH[1] + 20, 20.0)), -1)
    region = Region(inside.min(0), inside.max(0), from_frame(grid.reshape(-1, 2), pose))
    near = [i for i in range(len(road)) if clip_line(to_frame(road.centre[i], pose), _LOW, _HIGH)]
    held = set(scene.elements())
    solid, dashed, middle = boundaries(road, near, region)
    drivable = [clip_polygon(to_frame(xy, pose), _LOW, _HIGH) for xy in road.drivable]
    out = [_path("road", [counter_clockwise(xy) for xy in drivable if len(xy) > 2], close=True)]
    route = [part for i in near if i in scene.route.lanes for part in _cut(road.centre[i], pose)]
    out.append(_path("route", route))
    for i in near:
        ref = Reference(ReferenceKind.LANE, i)
        if ref in held:
            out.append(_element(ref, [_path("hit", _cut(road.centre[i], pose))], scene))
    out += [_path(name, [p for line in lines for p in _cut(line, pose)])
            for name, lines in (("solid", solid), ("dash", dashed), ("middle", middle))]  # fmt: skip
    for i in near:
        out.append(_arrows(_cut(road.centre[i], pose)))
    for k, polygon in enumerate(road.crosswalk):
        xy = clip_polygon(to_frame(polygon, pose), _LOW, _HIGH)
        if len(xy) > 2:
            out.append(_element(Reference(ReferenceKind.CROSSWALK, k), [_path("walk", [xy], close=True)], scene))
    for xy, lane in zip(road.stop_line_xy, road.stop_line_lane, strict=True):
        drawn = _path("stop", _cut(xy, pose))
        out.append(_element(Reference(ReferenceKind.STOP_LINE, int(lane)), [drawn], scene))
    lights = Lights(scene.light_lane, scene.light_xy, scene.light_state[None])
    for k, bar in enumerate(light_bars(road, lights)):
        drawn = _path(f"lamp s{int(scene.light_state[k])}", _cut(bar, pose))
        out.append(_element(Reference(ReferenceKind.LIGHT, k), [drawn], scene))
    return out


def _trails(scene: Scene) -> list[str]:
    ticks, every = round(TRAIL_S / scene.dt_s) + 1, round(DOT_S / scene.dt_s)
    history = [(scene.ego.pose_history, scene.ego.history_valid, "own")]
    history += [
        (scene.agents.pose_history[:, i], scene.agents.history_valid[:, i], "") for i in range(len(scene.agents))
    ]
    out = []
    for pose, valid, name in history:
        xy = to_frame(pose[-ticks:, :2], scene.ego.pose)
        seen = valid[-ticks:] & ((xy >= _LOW) & (xy <= _HIGH)).all(-1)
        if seen.sum() < 2 or np.ptp(xy[seen], axis=0).max() < 0.3:
            continue
        out.append(_path(f"trail {name}".strip(), [xy[seen]], tolerance_m=0.03))
        rows = [k for k in range(len(xy) - 1 - every, -1, -every) if seen[k]]
        out += [f'<circle class="dot {name}" cx="{xy[k, 0]:.1f}" cy="{-xy[k, 1]:.1f}" r=".3"/>' for k in rows]
    return out


def _agents(scene: Scene) -> list[str]:
    out = []
    for i in range(len(scene.agents) - 1, -1, -1):
        xy = to_frame(scene.agents.pose[i, :2], scene.ego.pose)
        if (xy < _LOW).any() or (xy > _HIGH).any():
            continue
        heading, kind = float(scene.agents.pose[i, 2] - scene.ego.pose[2]), int(scene.agents.kind[i])
        lost = " lost" if scene.agents.age_s[i] > 0 else ""
        drawn = _body(f"a{kind}{lost}", xy, heading, scene.agents.size_m[i], nose=kind <= AgentKind.CYCLIST)
        ref = Reference(ReferenceKind.AGENT, int(scene.agents.index[i]))
        reach = max(1.1, 0.5 * float(scene.agents.size_m[i].min()))
        drawn.append(f'<circle class="reach" cx="{xy[0]:.1f}" cy="{-xy[1]:.1f}" r="{reach:.1f}"/>')
        out.append(_element(ref, drawn, scene))
    return out


def _ego(scene: Scene) -> list[str]:
    return _body("ego", np.zeros(2), 0.0, np.array([scene.ego.length_m, scene.ego.width_m]), nose=True)


def _body(name: str, xy: F8, heading: float, size: F8, *, nose: bool) -> list[str]:
    box = corners(xy[None], np.array([heading]), size[None, 0], size[None, 1])[0]
    out = [_path(name, [box], close=True, tolerance_m=0.0)]
    if nose:
        front, side = (box[0] + box[3]) / 2 - xy, (box[0] - box[3]) / 2
        tip = xy + np.stack([0.85 * front, 0.4 * front + 0.6 * side, 0.4 * front - 0.6 * side])
        out.append(_path("nose", [tip], close=True, tolerance_m=0.0))
    return out


def _element(ref: Reference, drawn: list[str], scene: Scene) -> str:
    """Shapes that can be pointed at, where a trace can; else the shapes."""
    shapes = "".join(drawn)
    return shapes if scene.truncated(ref) or not shapes else f'<g class="thing" data-ref="{ref}">{shapes}</g>'


def _arrows(parts: list[F8]) -> str:
    """A chevron every 20 m along a lane, pointing the way it runs."""
    out = []
    for xy in parts:
        step = np.diff(xy, axis=0)
        length = np.hypot(*step.T)
        at = np.concatenate([[0.0], np.cumsum(length)])
        for s in np.arange(8.0, at[-1], 20.0):
            i = min(int(np.searchsorted(at, s)) - 1, len(step) - 1)
            u = step[i] / max(float(length[i]), 1e-9)
            tip = xy[i] + u * (s - at[i])
            aside = np.array([-u[1], u[0]])
            out.append(np.stack([tip - 1.1 * u + 0.6 * aside, tip, tip - 1.1 * u - 0.6 * aside]))
    return _path("arrow", out, tolerance_m=0.0)


def _written(labels: Sequence[Candidate]) -> list[str]:
    """References beside their elements, none over another: those of lanes only where there is room."""
    out: list[str] = []
    taken = [(0.0, 0.0, 3.0), *((*one.at, 2.0) for one in labels if one.ref.kind == ReferenceKind.AGENT)]
    for one in labels:
        text, (x, y) = escape(str(one.ref)), one.at
        half, lane = 0.52 * len(text), one.ref.kind == ReferenceKind.LANE
        x = float(np.clip(x, -BEHIND_M + half, AHEAD_M - half))
        places = (
            [(0.0, 0.0), (9.0, 0.0)]
            if lane
            else [(0.0, dy) for dy in (2.2, -2.2, 4.0, -4.0, 5.8, -5.8, 7.6, -7.6, 9.4, -9.4)]
        )
        free = [(x + dx, y + dy) for dx, dy in places
                if all(abs(x + dx - tx) > half + th or abs(y + dy - ty) > 1.7 for tx, ty, th in taken)]  # fmt: skip
        if lane and not free:
            continue
        tx, ty = free[0] if free else (x, y + 2.2)
        ty = float(np.clip(ty, -ASIDE_M + 2.0, ASIDE_M - 2.0))
        taken.append((tx, ty, half))
        kind = one.ref.kind.name.lower()
        if not lane and abs(ty - one.at[1]) > 3.0:
            out.append(f'<path class="lead" d="M{one.at[0]} {-one.at[1]}L{tx:.1f} {-ty:.1f}"/>')
        out.append(f'<text class="ref {kind}" x="{tx:.1f}" y="{-ty + 0.5:.1f}">{text}</text>')
    return out


def _cut(xy: F8, pose: F8) -> list[F8]:
    return clip_line(to_frame(xy, pose), _LOW, _HIGH)


def _path(name: str, parts: Iterable[F8], *, close: bool = False, tolerance_m: float = 0.05) -> str:
    kept = simplify([np.asarray(p) for p in parts], tolerance_m)
    if not kept:
        return ""
    text = "".join("M" + "L".join(f"{p[0]:.2f} {-p[1]:.2f}" for p in part) + ("Z" if close else "") for part in kept)
    return f'<path class="{name}" d="{text}"/>'
