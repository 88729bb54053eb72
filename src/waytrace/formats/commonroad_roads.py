"""Lanelets, signs, lights, stop lines and intersections of a CommonRoad file as lanes of a road map."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import wrap
from waytrace.scenario import DT_S, LaneControl, LaneKind, Lights, LightState, RoadMap

from .commonroad_signs import CONTROL_IDS, SPEED_LIMIT_IDS, limit_mps, written_limit_mps
from .commonroad_xml import Element, Values
from .crossings import crossing_lanes
from .lanegraph import LaneDraft, Surroundings, centre_line, end_headings
from .untrusted import MAX_LANES, MAX_STEPS, refuse

Array = NDArray[np.float64]

_COLOURS = {
    "red": LightState.RED, "redYellow": LightState.RED, "yellow": LightState.YELLOW, "green": LightState.GREEN,
    "inactive": LightState.OFF,
}  # fmt: skip
_WAYS = {
    "all": {"left", "straight", "right"}, "left": {"left"}, "straight": {"straight"}, "right": {"right"},
    "leftStraight": {"left", "straight"}, "straightRight": {"straight", "right"}, "leftRight": {"left", "right"},
}  # fmt: skip
_STRENGTH = (LaneControl.NONE, LaneControl.PRIORITY, LaneControl.YIELD, LaneControl.STOP, LaneControl.SIGNAL)
_FOOT = {"sidewalk", "crosswalk"}
_OTHER = {"shoulder", "parking", "border", "restricted", "busStop"}
_MOTOR = {"vehicle", "car", "truck", "bus", "motorcycle", "priorityVehicle", "taxi"}
TURN_RAD = np.deg2rad(30.0)


@dataclass
class Roads:
    """What a file says of its roads, in source coordinates."""

    drafts: list[LaneDraft] = field(default_factory=list)
    surroundings: Surroundings = field(default_factory=Surroundings)
    light_lanes: list[tuple[str, str, Array]] = field(default_factory=list)
    """Light id, controlled lane (its entry is), place [2] where a vehicle stops for it."""
    light_elements: dict[str, Element] = field(default_factory=dict)


def _references(element: Element, tag: str) -> list[str]:
    return [str(e.get("ref")) for e in element.findall(tag) if e.get("ref")]


def _kind(lanelet: Element) -> LaneKind | None:
    """Kind of lane; None for ways of pedestrians."""
    types = {(e.text or "").strip() for e in lanelet.findall("laneletType")}
    users = {(e.text or "").strip() for e in (*lanelet.findall("userOneWay"), *lanelet.findall("userBidirectional"))}
    if types & _FOOT or (users and users <= {"pedestrian"}):
        return None
    if "bicycleLane" in types or (users and not users & _MOTOR and "bicycle" in users):
        return LaneKind.BIKE
    if "busLane" in types or (users and users & _MOTOR == {"bus"}):
        return LaneKind.BUS
    return LaneKind.OTHER if types & _OTHER else LaneKind.VEHICLE


def read_roads(root: Element, values: Values, notes: Counter[str]) -> Roads:
    """Lanes, surroundings and light references of a scenario file."""
    lanelets = root.findall("lanelet")
    if not lanelets:
        refuse(values.path, "it has no lanelet: without a road there is no drive")
    if len(lanelets) > MAX_LANES:
        refuse(values.path, f"{len(lanelets):,} lanelets")
    roads = Roads()
    by_id: dict[str, LaneDraft] = {}
    elements: dict[str, Element] = {}
    crosswalks = []
    crossings = {str(e.get("ref")) for e in root.iterfind("intersection/crossing/crossingLanelet")}
    for lanelet in lanelets:
        id = str(lanelet.get("id"))
        left = values.polyline(lanelet.find("leftBound"), f"lanelet {id}, left bound")
        right = values.polyline(lanelet.find("rightBound"), f"lanelet {id}, right bound")
        if len(left) < 2 or len(right) < 2:
            refuse(values.path, f"lanelet {id[:40]} has a bound of fewer than two points")
        kind = _kind(lanelet)
        if kind is None or id in crossings:
            crosswalk = id in crossings or any(
                (e.text or "").strip() == "crosswalk" for e in lanelet.findall("laneletType")
            )
            if crosswalk:
                crosswalks.append(np.concatenate([left, right[::-1]]))
            notes["crosswalk_lanelets" if crosswalk else "footway_lanelets"] += 1
            continue
        draft = LaneDraft(id, left, right, centre_line(left, right), kind=kind)
        draft.successors = _references(lanelet, "successor")
        draft.predecessors = _references(lanelet, "predecessor")
        draft.left_neighbor = _neighbor(lanelet.find("adjacentLeft"))
        draft.right_neighbor = _neighbor(lanelet.find("adjacentRight"))
        limit = lanelet.find("speedLimit")
        if limit is not None:
            draft.speed_limit_mps = limit_mps(values.scalar(limit, f"lanelet {id}, speed limit"))
        by_id[id] = draft
        elements[id] = lanelet
        roads.drafts.append(draft)
    if not by_id:
        refuse(values.path, "no lanelet is a road")
    turning = _turning(root, by_id)
    for id in turning:
        by_id[id].in_intersection = True
    centres = [d.centre for d in roads.drafts if d.centre is not None]
    for draft, crosses in zip(roads.drafts, crossing_lanes(centres), strict=True):
        # Files before 2020a name no intersections, and those of 2020a only the first lanelet of a way through.
        draft.in_intersection |= bool(crosses)
    entries = _Entries(by_id, turning)
    signs = {str(s.get("id")): s for s in root.findall("trafficSign")}
    roads.light_elements = {str(t.get("id")): t for t in root.findall("trafficLight")}
    stop_lines: list[tuple[Array, str]] = []
    for id, lanelet in elements.items():
        stop = lanelet.find("stopLine")
        line = _stop_line(stop, by_id[id], id in turning, values) if stop is not None else None
        if line is not None:
            stop_lines += [(line, before) for before in entries.before(id, line)]
        holders = [lanelet] if stop is None else [lanelet, stop]
        for ref in dict.fromkeys(r for h in holders for r in _references(h, "trafficSignRef")):
            if ref in signs:
                _apply_sign(signs[ref], by_id, id, entries)
        for ref in dict.fromkeys(r for h in holders for r in _references(h, "trafficLightRef")):
            if ref in roads.light_elements:
                _apply_light(roads, ref, by_id, id, entries, line)
    roads.surroundings = Surroundings(stop_lines=stop_lines, crosswalks=crosswalks)
    return roads


def _neighbor(element: Element | None) -> str | None:
    if element is None or element.get("drivingDir") == "opposite":
        return None
    ref = element.get("ref")
    return str(ref) if ref else None


def _turning(root: Element, by_id: dict[str, LaneDraft]) -> dict[str, str]:
    """Lanes that intersections name as ways through, and which way they turn (may be an empty text)."""
    out: dict[str, str] = {}
    for incoming in root.iterfind("intersection/incoming"):
        for way in ("Left", "Straight", "Right"):
            for ref in _references(incoming, f"successors{way}"):
                if ref in by_id:
                    out[ref] = way.lower()
    return out


class _Entries:
    """Which lane's entry a sign, light or stop line at a lanelet is about."""

    def __init__(self, by_id: dict[str, LaneDraft], turning: dict[str, str]) -> None:
        self.by_id, self.turning = by_id, turning
        self.came_from: dict[str, list[str]] = {}
        for id, draft in by_id.items():
            for follower in draft.successors:
                self.came_from.setdefault(follower, []).append(id)
        for id, draft in by_id.items():
            for before in draft.predecessors:
                if before in by_id and id not in by_id[before].successors:
                    self.came_from.setdefault(id, []).append(before)
        self.goes_to: dict[str, list[str]] = {}
        for id, befores in self.came_from.items():
            if id in by_id:
                for before in befores:
                    self.goes_to.setdefault(before, []).append(id)

    def controlled(self, id: str) -> list[str]:
        """The lane itself if it leads through an intersection, else those it leads on to (at the rim none)."""
        if id in self.turning:
            return [id]
        return self.goes_to.get(id, [])

    def before(self, id: str, line: Array) -> list[str]:
        """Lanes that come to a stop line of lane ``id``: itself, or those before it if the line is at its start."""
        draft = self.by_id[id]
        middle = line.mean(0)
        start, end = 0.5 * (draft.left[0] + draft.right[0]), 0.5 * (draft.left[-1] + draft.right[-1])
        at_start = np.hypot(*(middle - start)) < np.hypot(*(middle - end))
        return self.came_from.get(id, [id]) if id in self.turning and at_start else [id]

    def way(self, id: str) -> str:
        """``left``, ``straight`` or ``right``: as the intersection says, else by the lane's own curve."""
        if self.turning.get(id):
            return self.turning[id]
        draft = self.by_id[id]
        first, last = end_headings(centre_line(draft.left, draft.right))
        turn = float(wrap(last - first))
        return "left" if turn > TURN_RAD else "right" if turn < -TURN_RAD else "straight"


def _stop_line(stop: Element, draft: LaneDraft, through: bool, values: Values) -> Array:
    """End points of a stop line; where it gives none, the lane's end (its start within an intersection)."""
    line = values.polyline(stop, "stop line")
    if len(line) >= 2:
        return np.array([line[0], line[-1]])
    at = 0 if through else -1
    return np.array([draft.left[at], draft.right[at]])


def _apply_sign(sign: Element, by_id: dict[str, LaneDraft], id: str, entries: _Entries) -> None:
    for element in sign.findall("trafficSignElement"):
        name = (element.findtext("trafficSignID") or "").strip()
        if name in SPEED_LIMIT_IDS and not np.isfinite(by_id[id].speed_limit_mps):
            by_id[id].speed_limit_mps = written_limit_mps(element.findtext("additionalValue") or "")
        elif name in CONTROL_IDS:
            for lane in entries.controlled(id):
                if lane in by_id:
                    _strengthen(by_id[lane], CONTROL_IDS[name])


def _strengthen(draft: LaneDraft, control: LaneControl) -> None:
    if _STRENGTH.index(control) > _STRENGTH.index(draft.control):
        draft.control = control


def _apply_light(
    roads: Roads, ref: str, by_id: dict[str, LaneDraft], id: str, entries: _Entries, line: Array | None
) -> None:
    ways = _WAYS.get((roads.light_elements[ref].findtext("direction") or "all").strip(), _WAYS["all"])
    lanes = [lane for lane in entries.controlled(id) if lane in by_id]
    for lane in [k for k in lanes if entries.way(k) in ways] or (lanes if len(lanes) == 1 else []):
        draft = by_id[lane]
        at = line.mean(0) if line is not None else 0.5 * (draft.left[0] + draft.right[0])
        roads.light_lanes.append((ref, lane, at))
        _strengthen(draft, LaneControl.SIGNAL)


def read_lights(
    roads: Roads, road: RoadMap, values: Values, origin: Array, first_step: int, steps: int, dt_s: float
) -> Lights:
    """States of every light over ``steps`` steps of 0.1 s, the first of which is ``first_step``."""
    row = {name: i for i, name in enumerate(road.lane_id)}
    found: dict[tuple[str, str], Array] = {}
    for ref, lane, at in roads.light_lanes:
        if lane in row:
            found.setdefault((ref, lane), at)
    if not found:
        return Lights.none(steps)
    source_step = np.floor((first_step + np.arange(steps)) * DT_S / dt_s + 1e-6).astype(np.int64)
    states = {ref: _states(roads.light_elements[ref], source_step, values) for ref in {ref for ref, _ in found}}
    by_lane: dict[str, list[str]] = {}
    for ref, lane in sorted(found, key=lambda k: (row[k[1]], k[0])):
        by_lane.setdefault(lane, []).append(ref)
    return Lights(
        lane=np.array([row[lane] for lane in by_lane], dtype=np.int32),
        xy=np.array([found[refs[0], lane] - origin for lane, refs in by_lane.items()], dtype=np.float64).reshape(-1, 2),
        state=np.ascontiguousarray(
            np.stack([_jointly([states[r] for r in refs]) for refs in by_lane.values()], axis=1)
        ),
    )


def _jointly(states: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """What several lights show one lane: a lit arrow beside a red light lets it go, a dark one says nothing."""
    rank = np.zeros(5, np.int64)
    rank[[LightState.OFF, LightState.UNKNOWN, LightState.RED, LightState.YELLOW, LightState.GREEN]] = np.arange(5)
    stack = np.stack(states)
    return np.asarray(np.take_along_axis(stack, rank[stack].argmax(0)[None], 0)[0], dtype=np.uint8)


def _states(light: Element, source_step: NDArray[np.int64], values: Values) -> NDArray[np.uint8]:
    """State of one light at steps of the file: its cycle, shifted by its offset, over and over."""
    if (light.findtext("active") or "true").strip() == "false":
        return np.full(len(source_step), LightState.OFF, np.uint8)
    cycle = light.find("cycle")
    if cycle is None or not len(cycle):
        return np.full(len(source_step), LightState.UNKNOWN, np.uint8)
    durations, colours = [], []
    for element in cycle.findall("cycleElement"):
        durations.append(values.number(element.find("duration"), "light, duration"))
        colours.append(_COLOURS.get((element.findtext("color") or "").strip(), LightState.UNKNOWN))
    offset = cycle.find("timeOffset")
    shift = values.number(offset, "light, offset") if offset is not None else 0.0
    ends = np.cumsum(durations)
    if not len(ends) or min(durations) < 0 or not 0 < ends[-1] <= 1000 * MAX_STEPS:
        refuse(values.path, f"light {light.get('id')}: its cycle has no length")
    at = np.mod(source_step - shift, ends[-1])
    shown = np.minimum(np.searchsorted(ends, at, side="right"), len(ends) - 1)
    return np.asarray(np.asarray(colours, dtype=np.uint8)[shown], dtype=np.uint8)
