"""Recorded tracks made into :class:`Agents`: velocities from positions, headings at rest, boxes free of each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from waytrace.geometry import boxes_overlap, wrap
from waytrace.scenario import DT_S, AgentKind, Agents

from .untrusted import MAX_EXTENT_M

Array = NDArray[np.float64]

MOVING_MPS = 1.0
SLOW_MPS = 0.5
PARKED_EXTENT_M = 1.0
JITTER_REACH_M = 5.0
MAX_SPEED_MPS = 100.0
VELOCITY_TOLERANCE_MPS = 0.5
HALF_WINDOW = 2
"""Velocity from positions is the slope of a line through up to 2 samples on either side (0.5 s)."""
MIN_SHRINK = 0.8
"""A box that overlaps another at the start is shrunk to no less than this share of its length and width."""
VEHICLES = (AgentKind.VEHICLE, AgentKind.LARGE_VEHICLE, AgentKind.MOTORCYCLE)


@dataclass
class Track:
    """One road user as a source gives it: samples at rising whole steps; NaN where a value is not given.

    ``step`` int [n]; ``xy`` [n, 2] box centres in source coordinates; ``heading_rad`` [n]; ``velocity_mps`` [n, 2].
    """

    id: str
    kind: AgentKind
    length_m: float
    width_m: float
    step: NDArray[np.int64]
    xy: Array
    heading_rad: Array
    velocity_mps: Array


def motion(step: NDArray[np.int64], xy: Array) -> Array:
    """Velocity [n, 2] in m/s: the slope of a line through the samples up to two steps away; NaN for a lone sample."""
    n = len(step)
    sums = np.zeros((n, 6))  # count, t, t2, x*t, y*t ... as moments about each sample
    for shift in range(-HALF_WINDOW, HALF_WINDOW + 1):
        at = np.searchsorted(step, step + shift)
        at_safe = np.minimum(at, n - 1)
        found = step[at_safe] == step + shift
        t = shift * DT_S
        dx = np.where(found[:, None], xy[at_safe] - xy, 0.0)
        sums[:, 0] += found
        sums[:, 1] += found * t
        sums[:, 2] += found * t * t
        sums[:, 3] += dx[:, 0] * t
        sums[:, 4] += dx[:, 1] * t
        sums[:, 5] += 0.0
    out = np.full((n, 2), np.nan)
    total = np.zeros((n, 2))
    for shift in range(-HALF_WINDOW, HALF_WINDOW + 1):
        at_safe = np.minimum(np.searchsorted(step, step + shift), n - 1)
        found = step[at_safe] == step + shift
        total += np.where(found[:, None], xy[at_safe] - xy, 0.0)
    count, t1, t2 = sums[:, 0], sums[:, 1], sums[:, 2]
    spread = t2 - t1 * t1 / count
    ok = spread > 1e-9
    slope = (sums[:, 3:5] - total * (t1 / count)[:, None]) / np.where(ok, spread, 1.0)[:, None]
    out[ok] = slope[ok]
    return out


def _velocity(track: Track, notes: Counter[str]) -> Array:
    """The source's velocity where it agrees with the positions, else the positions' own."""
    moved = motion(track.step, track.xy)
    given = track.velocity_mps
    both = np.isfinite(given).all(1) & np.isfinite(moved).all(1)
    if both.any():
        error = np.sqrt(np.mean(((given - moved)[both] ** 2).sum(1)))
        if error <= VELOCITY_TOLERANCE_MPS:
            return np.where(np.isfinite(given), given, np.nan_to_num(moved))
    if len(track.step) > 1 and not both.any() and not np.isfinite(moved).any():
        return np.nan_to_num(given)
    if both.any():
        notes["velocity_from_positions"] += 1
    return np.where(np.isfinite(moved), moved, np.nan_to_num(given))


def circular_median(angles: Array) -> float:
    """The one of ``angles`` nearest to all others, modulo nothing: a lone flip by 180 degrees does not move it."""
    sample = angles[:: max(1, len(angles) // 64)]
    return float(sample[np.argmin(np.abs(wrap(sample[:, None] - sample[None])).sum(1))])


def _heading(track: Track, velocity: Array, notes: Counter[str]) -> Array:
    """Headings repaired: missing ones from motion, flips undone, jitter at rest removed."""
    heading = track.heading_rad.copy()
    speed = np.hypot(*velocity.T)
    course = np.arctan2(velocity[:, 1], velocity[:, 0])
    missing = ~np.isfinite(heading)
    if missing.any():
        notes["heading_from_motion"] += 1
        usable = ~missing | (speed > SLOW_MPS)
        if not usable.any():
            return np.nan_to_num(heading)
        value = np.where(missing, course, heading)
        heading = _carry(value, usable)
    extent = float(np.hypot(*np.ptp(track.xy, axis=0)))
    if len(heading) < 2:
        return heading
    if extent < PARKED_EXTENT_M:
        steady = circular_median(heading)
        if np.abs(wrap(heading - steady)).max() > 1e-6:
            notes["heading_steadied"] += 1
        return np.full_like(heading, steady)
    if track.kind == AgentKind.PEDESTRIAN:
        return heading
    moving = speed > MOVING_MPS
    if moving.sum() >= 5 and extent > 10.0:
        against = np.abs(wrap(heading - course))[moving] > np.pi / 2
        if against.mean() > 0.8 and track.kind in VEHICLES:
            notes["heading_reversed"] += 1
            heading = wrap(heading + np.pi)
        elif 0 < against.mean() < 0.2:
            flipped = moving & (np.abs(wrap(heading - course)) > np.pi / 2)
            notes["heading_flips_undone"] += int(flipped.sum())
            heading = np.where(flipped, wrap(heading + np.pi), heading)
    slow = speed < SLOW_MPS
    jump = np.abs(wrap(np.diff(heading))) > np.deg2rad(5.0)
    if (jump & slow[1:]).any() and not slow.all():
        notes["heading_steadied"] += 1
        heading = _carry(heading, ~slow)
    return heading


def _carry(heading: Array, good: NDArray[np.bool_]) -> Array:
    """Headings interpolated (the short way round) over samples that are not ``good``; ends are held."""
    at = np.flatnonzero(good)
    return np.asarray(wrap(np.interp(np.arange(len(heading)), at, np.unwrap(heading[at]))))


def standing(track: Track) -> bool:
    """Whether a vehicle or thing never drives: it stays within half a metre, or it only jitters about one place.

    Trackers let parked cars slide by metres while a track settles. Such a track goes to and fro (its way is half as
    long again as its greatest distance from the start) about a place that it is within 1 m of for most of the time.
    """
    if track.kind in (AgentKind.PEDESTRIAN, AgentKind.CYCLIST, AgentKind.UNKNOWN) or len(track.step) < 2:
        return False
    away = np.hypot(*(track.xy - np.median(track.xy, axis=0)).T)
    if away.max() < 0.5 * PARKED_EXTENT_M:
        return True
    if away.max() > JITTER_REACH_M or np.mean(away < PARKED_EXTENT_M) < 0.6:
        return False
    way = float(np.hypot(*np.diff(track.xy, axis=0).T).sum())
    return way > 1.5 * float(np.hypot(*(track.xy - track.xy[0]).T).max())


def _at_rest(track: Track, notes: Counter[str]) -> tuple[Track, Array]:
    """A standing track at its median place and heading, with no velocity."""
    place = np.median(track.xy, axis=0)
    given = track.heading_rad[np.isfinite(track.heading_rad)]
    heading = circular_median(given) if len(given) else 0.0
    if np.abs(track.xy - place).max() > 0.05 or (len(given) and np.abs(wrap(given - heading)).max() > np.deg2rad(1.0)):
        notes["standing_steadied"] += 1
    n = len(track.step)
    still = replace(track, xy=np.tile(place, (n, 1)), heading_rad=np.full(n, heading))
    return still, np.zeros((n, 2))


def plausible(track: Track) -> str:
    """Why a track cannot be one road user's, or an empty text."""
    if not np.isfinite(track.xy).all():
        return "positions are not finite"
    if not (0.05 <= track.length_m <= 60.0 and 0.05 <= track.width_m <= 30.0):
        return f"box of {track.length_m:g} m x {track.width_m:g} m"
    if len(track.step) > 1:
        reach = np.hypot(*np.diff(track.xy, axis=0).T) / (np.diff(track.step) * DT_S)
        if reach.max() > MAX_SPEED_MPS:
            return f"jumps at {reach.max():,.0f} m/s"
    return ""


def build_agents(tracks: Sequence[Track], first_step: int, steps: int, origin_xy: Array, notes: Counter[str]) -> Agents:
    """Agents over ``steps`` steps from ``first_step``, in the world frame (source minus ``origin_xy``).

    States that the source does not give stay invalid; implausible tracks are left out and counted in ``notes``.
    """
    rows: list[tuple[Track, Array, Array, NDArray[np.bool_]]] = []
    for track in tracks:
        if plausible(track) or np.abs(track.xy - origin_xy).max() > MAX_EXTENT_M:
            notes["implausible_tracks"] += 1
            continue
        inside = (track.step >= first_step) & (track.step < first_step + steps)
        if not inside.any():
            continue
        if standing(track):
            track, velocity = _at_rest(track, notes)
        else:
            velocity = _velocity(track, notes)
        rows.append((track, _heading(track, velocity, notes), velocity, inside))
    n = len(rows)
    xy, heading = np.zeros((n, steps, 2)), np.zeros((n, steps))
    velocities, valid = np.zeros((n, steps, 2)), np.zeros((n, steps), np.bool_)
    for i, (track, h, v, inside) in enumerate(rows):
        at = track.step[inside] - first_step
        xy[i, at] = track.xy[inside] - origin_xy
        heading[i, at] = wrap(h[inside])
        velocities[i, at] = v[inside]
        valid[i, at] = True
    return Agents(
        agent_id=tuple(t.id for t, *_ in rows),
        kind=np.array([t.kind for t, *_ in rows], dtype=np.uint8),
        size_m=np.array([(t.length_m, t.width_m) for t, *_ in rows], dtype=np.float64).reshape(-1, 2),
        xy=xy,
        heading_rad=heading,
        velocity_mps=velocities,
        valid=valid,
    )


def overlaps(agents: Agents, step: int) -> list[tuple[int, int]]:
    """Pairs of agents whose boxes share a point at ``step``."""
    here = np.flatnonzero(agents.valid[:, step])
    if len(here) < 2:
        return []
    xy, size = agents.xy[here, step], agents.size_m[here]
    reach = 0.5 * np.hypot(*size.T)
    near = np.triu(np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) <= reach[:, None] + reach[None], 1)
    return [
        (int(here[i]), int(here[j]))
        for i, j in zip(*np.nonzero(near), strict=True)
        if _touch(agents, agents.size_m, int(here[i]), int(here[j]), step)
    ]


def _touch(agents: Agents, size_m: Array, i: int, j: int, step: int) -> bool:
    """Whether the boxes of two agents, of sizes ``size_m`` [N, 2], share a point."""
    xy, heading = agents.xy[:, step], agents.heading_rad[:, step]
    return bool(
        boxes_overlap(
            xy[i, 0], xy[i, 1], heading[i], size_m[i, 0], size_m[i, 1],
            xy[j, 0], xy[j, 1], heading[j], size_m[j, 0], size_m[j, 1],
        )
    )  # fmt: skip


def part(agents: Agents, ego: int, step: int, notes: Counter[str]) -> tuple[Agents, int]:
    """Agents none of which overlap at ``step``, and the ego's new row.

    Two boxes that overlap are both shrunk about their centres as little as it takes, to no less than 80 %; where that
    does not part them, the one that is not the ego, or the smaller of the two, is left out (a rider's bicycle, a
    trailer's tractor, a track recorded twice). Both are counted in ``notes``.
    """
    size = agents.size_m.copy()
    keep = np.ones(len(agents), np.bool_)
    for i, j in overlaps(agents, step):
        if not (keep[i] and keep[j]):
            continue
        for share in (1.0, 0.97, 0.94, 0.9, 0.85, MIN_SHRINK):
            tried = size.copy()
            tried[[i, j]] *= share
            if not _touch(agents, tried, i, j, step):
                notes["boxes_shrunk"] += share < 1.0
                size = tried
                break
        else:
            drop = j if i == ego else i if j == ego else (i if size[i].prod() < size[j].prod() else j)
            keep[drop] = False
            notes["overlapping_agents_dropped"] += 1
    return select(replace(agents, size_m=size), keep), int(keep[:ego].sum())


def select(agents: Agents, keep: NDArray[np.bool_]) -> Agents:
    """The agents marked ``keep``."""
    return Agents(
        agent_id=tuple(a for a, k in zip(agents.agent_id, keep, strict=True) if k),
        kind=agents.kind[keep], size_m=agents.size_m[keep], xy=agents.xy[keep],
        heading_rad=agents.heading_rad[keep], velocity_mps=agents.velocity_mps[keep], valid=agents.valid[keep],
    )  # fmt: skip
