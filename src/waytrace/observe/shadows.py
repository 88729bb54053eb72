"""What boxes surely hide from an observer: clear cases in single precision, several boxes at once.

A box hides the points inside the angle that it takes and behind its near faces. How deep a point lies in there is one
number, negative outside. Its unit is a margin that single precision stays far below: beyond it the answer is certain,
and within it a doubt that :mod:`.outlines` decides.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from waytrace.geometry import F4, F8, I4, jit
from waytrace.scenario.state import AGENT_STATE, AgentState

from .arrays import BOX_ROWS, LANES, OBSERVE_SCRATCH, ROUGH_ROWS, ObserveScratch

INSET = 0.9
"""How much of a target's box its five points take up."""

ALONG = np.array([0.0, 1.0, -1.0, -1.0, 1.0])
ACROSS = np.array([0.0, 1.0, 1.0, -1.0, -1.0])
"""The five points of a target, in half sizes: its centre, then its corners."""

X, Y, COS, SIN, U, V = range(0, BOX_ROWS * LANES, LANES)
"""Rows of ``ObserveScratch.box``: middle, axes, half size."""

_C, _S, _HU, _HV, WALL, TALL, _NUMBER = range(0, 7 * LANES, LANES)
"""First rows of ``ObserveScratch.rough``, those of the world: axes, half size, 0 for those who block (block large
vehicles) and infinity for the others, the box's own number."""

(_DX, _DY, MID, HALF, _EX, _EY, _FX, _FY, _EO, _EO_TALL, _FO, _NEAR2, _FAR2) = range(
    7 * LANES, ROUGH_ROWS * LANES, LANES
)
"""Its other rows, as seen by the observer at hand. The box's middle; middle and half width of the angle that it takes;
normals of its near faces e and f (the same one where only one face is near) and how far along them the faces lie,
infinity for boxes that do not block (large vehicles), all in margins; squared distances of its nearest point, less a
margin, and of the farther outermost corner, more a margin."""

ANGLE_MARGIN = 1e-4
_MARGIN_M, _DISTANCE2_MARGIN = 1e-3, 1e-3
_FARTHEST_M = 200.0
CLOSE2, _CLOSE2_OF_SIZE, _INSIDE_M, _THIN_M = 0.01, 1e-4, -0.1, 0.05
"""A box nearer than this (squared; plus a share of its size squared) or thinner than this is always a doubt, unless
the observer is well inside it: its angle is not well known. Elsewhere, and for points up to ``_FARTHEST_M`` away,
single precision errs by less than half the margins."""

SEEN, DOUBT, HIDDEN = range(3)


@jit("i8", "i8")
def box_at(k: int) -> int:
    """Where box ``k`` stands in a row of ``ObserveScratch.box``."""
    return k // LANES * (BOX_ROWS * LANES) + k % LANES


@jit("i8", "i8")
def rough_at(k: int) -> int:
    """Where box ``k`` stands in a row of ``ObserveScratch.rough``."""
    return k // LANES * (ROUGH_ROWS * LANES) + k % LANES


@jit("i8", "i8", "i8")
def _here(n: int, block: int) -> int:
    """How many lanes of a block to go through for ``n`` boxes, rounded up to what the wide loops take in one go."""
    return min(LANES, (n - block * LANES + 15) // 16 * 16)


@jit("f4", "f4", "f4")
def angle(x: Any, y: Any) -> Any:
    """Direction of (x, y) as a number that grows with the angle, from -2 to 2 for a whole turn; no trigonometry."""
    t = y / (abs(x) + abs(y))
    return t if x >= np.float32(0.0) else (np.float32(2.0) if y >= np.float32(0.0) else np.float32(-2.0)) - t


@jit("i8", AGENT_STATE, "i8", OBSERVE_SCRATCH)
def lay_out(state: AgentState, w: int, scratch: ObserveScratch) -> int:
    """Lay out the agents that are in world ``w`` for its observers; returns how many there are."""
    box, rough, slot, place = scratch.box, scratch.rough, scratch.slot, scratch.place
    n = 0
    for a in range(state.x.shape[1]):
        place[a] = -1
        if not state.present[w, a]:
            continue
        slot[n], place[a], scratch.outline_of[n] = a, n, -1
        b, k = box_at(n), rough_at(n)
        box[b + X], box[b + Y] = state.x[w, a], state.y[w, a]
        box[b + COS], box[b + SIN] = state.cos[w, a], state.sin[w, a]
        box[b + U], box[b + V] = 0.5 * state.length[w, a], 0.5 * state.width[w, a]
        rough[k + _C], rough[k + _S], rough[k + _HU], rough[k + _HV] = (
            box[b + COS], box[b + SIN], box[b + U], box[b + V]
        )  # fmt: skip
        rough[k + WALL] = 0.0 if state.kind[w, a] <= 1 else math.inf
        rough[k + TALL] = 0.0 if state.kind[w, a] == 1 else math.inf
        rough[k + _NUMBER] = n
        n += 1
    for i in range(n, (n + 15) // 16 * 16):
        b, k = box_at(i), rough_at(i)
        box[b + X], box[b + Y] = 0.0, 0.0
        rough[k + _C], rough[k + _S], rough[k + _HU], rough[k + _HV] = 1.0, 0.0, 0.0, 0.0
        rough[k + WALL], rough[k + TALL], rough[k + _NUMBER] = math.inf, math.inf, i
    return n


@jit("void", "f8[:]", "f4[:]", "f8", "f8", "i8")
def look_roughly(box: F8, rough: F4, x: float, y: float, n: int) -> None:
    """Fill the rows of ``rough`` that depend on the observer at (x, y); no branches inside the loops."""
    zero, two, four, never = np.float32(0.0), np.float32(2.0), np.float32(4.0), np.float32(math.inf)
    less, more = np.float32(1.0 - _DISTANCE2_MARGIN), np.float32(1.0 + _DISTANCE2_MARGIN)
    unit = np.float32(ANGLE_MARGIN / _MARGIN_M)
    for block in range((n + LANES - 1) // LANES):
        for i in range(_here(n, block)):
            b, k = block * (BOX_ROWS * LANES) + i, block * (ROUGH_ROWS * LANES) + i
            rough[k + _DX], rough[k + _DY] = box[b + X] - x, box[b + Y] - y
        for i in range(_here(n, block)):
            k = block * (ROUGH_ROWS * LANES) + i
            dx, dy = rough[k + _DX], rough[k + _DY]
            c, s, u, v = rough[k + _C], rough[k + _S], rough[k + _HU], rough[k + _HV]
            ahead, aside = -(dx * c + dy * s), -(dy * c - dx * s)
            su, sv = u if ahead >= zero else -u, v if aside >= zero else -v
            out_u, out_v = abs(ahead) - u, abs(aside) - v
            beyond_u, beyond_v = out_u > zero, out_v > zero
            pv = -sv if beyond_u else sv
            qu = su if beyond_u & (not beyond_v) else -su
            px, py = dx + c * su - s * pv, dy + s * su + c * pv
            qx, qy = dx + c * qu - s * sv, dy + s * qu + c * sv
            t0, t1 = angle(px, py), angle(qx, qy)
            right = px * qy - py * qx >= zero
            first, last = t0 if right else t1, t1 if right else t0
            width = last - first
            half = (width + four if width < zero else width) / two
            gap_u, gap_v = max(out_u, zero), max(out_v, zero)
            near2 = gap_u * gap_u + gap_v * gap_v
            far2 = max(px * px + py * py, qx * qx + qy * qy)
            close = (not near2 > np.float32(CLOSE2) + np.float32(_CLOSE2_OF_SIZE) * (u + v) * (u + v)) | (
                not min(u, v) > np.float32(_THIN_M)
            )
            inside = (out_u < np.float32(_INSIDE_M)) & (out_v < np.float32(_INSIDE_M))
            away = near2 > np.float32((_FARTHEST_M + 1.0) * (_FARTHEST_M + 1.0))
            scale = zero if close else unit
            turn_u, turn_v = -scale if ahead >= zero else scale, -scale if aside >= zero else scale
            ux, uy, uo = turn_u * c, turn_u * s, scale * out_u
            vx, vy, vo = -turn_v * s, turn_v * c, scale * out_v
            offset = never if inside | away else (uo if beyond_u else vo)
            rough[k + MID], rough[k + HALF] = first + half, np.float32(8.0) if close else half
            rough[k + _EX], rough[k + _EY] = ux if beyond_u else vx, uy if beyond_u else vy
            rough[k + _FX], rough[k + _FY] = vx if beyond_v else ux, vy if beyond_v else uy
            rough[k + _EO], rough[k + _EO_TALL] = offset + rough[k + WALL], offset + rough[k + TALL]
            rough[k + _FO] = vo if beyond_v else uo
            rough[k + _NEAR2], rough[k + _FAR2] = near2 * less, never if close else far2 * more


@jit("void", "f4[:]", "i8")
def hides_nothing(rough: F4, k: int) -> None:
    """Let a box (the observer's own) hide nothing, until the next look."""
    rough[rough_at(k) + _EO], rough[rough_at(k) + _EO_TALL] = math.inf, math.inf


@jit("i8", "f4[:]", "i8")
def _front(rough: F4, box: int) -> int:
    """Row of how far the faces lie of those boxes that may hide ``box``."""
    return _EO_TALL if rough[rough_at(box) + TALL] == np.float32(0.0) else _EO


@jit("f4,f4", "f4[:]", "i8", "i8")
def _point(rough: F4, target: int, p: int) -> tuple[Any, Any]:
    """Point ``p`` of the five points of a box, relative to the observer."""
    k, inset = rough_at(target), np.float32(INSET)
    u, v = inset * rough[k + _HU] * np.float32(ALONG[p]), inset * rough[k + _HV] * np.float32(ACROSS[p])
    c, s = rough[k + _C], rough[k + _S]
    return rough[k + _DX] + c * u - s * v, rough[k + _DY] + s * u + c * v


@jit("b1", "f4", "f4")
def _odd(x: Any, y: Any) -> bool:
    """Whether nothing is certain of a point: it is too near for its direction to be known, or too far."""
    away2 = x * x + y * y
    return not ((away2 > np.float32(CLOSE2)) & (away2 < np.float32(_FARTHEST_M * _FARTHEST_M)))


@jit("f4", "f4[:]", "i8", "i8", "f4", "f4", "f4")
def _depth(rough: F4, k: int, face: int, x: Any, y: Any, at: Any) -> Any:
    """How deep the point (x, y) in direction ``at`` lies in what the box at ``k`` hides."""
    off = abs(at - rough[k + MID])
    off = rough[k + HALF] - min(off, abs(np.float32(4.0) - off))
    beyond_e = x * rough[k + _EX] + y * rough[k + _EY] - rough[k + face]
    beyond_f = x * rough[k + _FX] + y * rough[k + _FY] - rough[k + _FO]
    return min(off, min(beyond_e, beyond_f))


@jit("void", "i8", "i8", "f4[:]", "i4[:]", "i4[:]", "f4[:]", "f4[:]", "f4[:]", "i4[:]")
def show_points(count: int, n: int, rough: F4, whose: I4, which: I4, px: F4, py: F4, at: F4, found: I4) -> None:
    """Whether point ``which[i]`` of box ``whose[i]`` is ``SEEN``, ``HIDDEN`` or in ``DOUBT``, for ``count`` of them."""
    margin, never = np.float32(ANGLE_MARGIN), np.float32(-math.inf)
    for i in range(count):
        px[i], py[i] = _point(rough, whose[i], which[i])
    for i in range(count):
        at[i] = angle(px[i], py[i])
    for i in range(count):
        x, y, direction, me, face = px[i], py[i], at[i], np.float32(whose[i]), _front(rough, whose[i])
        hidden: Any = False
        doubt: Any = False
        for block in range((n + LANES - 1) // LANES):
            for lane in range(_here(n, block)):
                k = block * (ROUGH_ROWS * LANES) + lane
                depth = _depth(rough, k, face, x, y, direction)
                depth = depth if rough[k + _NUMBER] != me else never
                hidden |= depth > margin
                doubt |= depth > -margin
        found[i] = DOUBT if _odd(x, y) else HIDDEN if hidden else DOUBT if doubt else SEEN


@jit("b1", "i8", "i8", "f4[:]")
def hides_all(one: int, target: int, rough: F4) -> bool:
    """Whether one box alone certainly hides all of another."""
    k, j = rough_at(one), rough_at(target)
    off = abs(rough[j + MID] - rough[k + MID])
    off = min(off, abs(np.float32(4.0) - off)) + rough[j + HALF] - rough[k + HALF]
    wall = rough[k + TALL] if rough[j + TALL] == np.float32(0.0) else rough[k + WALL]
    return bool(off < np.float32(-ANGLE_MARGIN)) and bool(rough[k + _FAR2] + wall < rough[j + _NEAR2]) and k != j


@jit("b1", "i8", "i8", "i8", "f4[:]")
def hide_points(one: int, two: int, target: int, rough: F4) -> bool:
    """Whether two boxes (or one, given twice) certainly hide all five points of another between them."""
    face, hidden = _front(rough, target), (one != target) & (two != target)
    for p in range(5):
        x, y = _point(rough, target, p)
        at = angle(x, y)
        depth = max(_depth(rough, rough_at(one), face, x, y, at), _depth(rough, rough_at(two), face, x, y, at))
        hidden &= (depth > np.float32(ANGLE_MARGIN)) & (not _odd(x, y))
    return hidden


@jit("i8", "i8", "i8", "f4[:]", "i4[:]")
def look_closely(target: int, n: int, rough: F4, hides: I4) -> int:
    """What is known of the five points of a box: bit p where point p is hidden, bit 8 + p where that is in doubt.

    ``hides[k]`` gets the same bits for what box k alone does.
    """
    margin, none, face = np.float32(ANGLE_MARGIN), np.int32(0), _front(rough, target)
    known: Any = none
    for k in range((n + 15) // 16 * 16):
        hides[k] = 0
    for p in range(5):
        x, y = _point(rough, target, p)
        at = angle(x, y)
        if _odd(x, y):
            known |= np.int32(256 << p)
            continue
        sure, maybe = np.int32(1 << p), np.int32(256 << p)
        for block in range((n + LANES - 1) // LANES):
            for lane in range(_here(n, block)):
                k = block * (ROUGH_ROWS * LANES) + lane
                depth = _depth(rough, k, face, x, y, at)
                bits = (sure if depth > margin else none) | (maybe if depth > -margin else none)
                hides[block * LANES + lane] |= bits
    hides[target] = 0
    for k in range(n):
        known |= hides[k]
    return int(known)


@jit("i8,i8", "i8", "i8", "f4[:]", "i4[:]")
def who_hides(target: int, n: int, rough: F4, hides: I4) -> tuple[int, int]:
    """Two boxes, or one twice, that certainly hide the five points that were looked at closely; else -1, -1.

    One that hides all of the target (:func:`hides_all`) goes before others.
    """
    one, two = -1, -1
    for k in range(n):
        if hides[k] & 31 == 31:
            one, two = k, k
            if hides_all(k, target, rough):
                return one, two
    if one >= 0:
        return one, two
    for k in range(n):
        if hides[k] & 1:
            for other in range(n):
                if (hides[k] | hides[other]) & 31 == 31:
                    return k, other
    return -1, -1
