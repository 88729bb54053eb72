"""Who sees whom: lines of sight from the controlled agent's centre, over oriented boxes.

Agent j is in sight if it is within ``RANGE_M`` (centre to centre) and one of five points of it, its centre and its
corners drawn in to ``INSET`` of the box, is joined to the observer's centre by a line that no third box blocks.

Heights are not known, so kinds stand for them: only ``VEHICLE`` and ``LARGE_VEHICLE`` block a line, and a large
vehicle is hidden by large vehicles alone, since it shows above a car. A box that holds the observer's centre blocks
nothing. An agent that is no longer there at all is dropped at once, not remembered.

Seen from the observer, a box hides exactly what lies in the angle between its outermost corners and beyond its near
faces. Most questions have a clear answer: the point is well inside the angle and beyond the outermost corners, or well
outside, or nearer than all of the box. These are settled in single precision, several boxes at once, with margins far
above its rounding; only where one leaves a doubt are the faces looked at, in double precision.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from waytrace.geometry import F4, F8, I4, F8x2, jit
from waytrace.scenario.state import AGENT_STATE, AgentState

from .arrays import (
    BOX_ROWS,
    LANES,
    NEVER,
    OBSERVE_SCRATCH,
    PAST_TICKS,
    ROUGH_ROWS,
    VISIBILITY_MEMORY,
    ObserveScratch,
    VisibilityMemory,
)
from .features import FORGET_S, RANGE_M

INSET = 0.9
FORGET_TICKS = round(FORGET_S / 0.1)

_NOBODY = 1 << 20
_SEARCH_TICKS = 16
_ALONG = (0.0, 1.0, -1.0, -1.0, 1.0)
_ACROSS = (0.0, 1.0, 1.0, -1.0, -1.0)
"""The five points of a target, in half sizes: its centre, then its corners."""

_X, _Y, _COS, _SIN, _U, _V = range(0, BOX_ROWS * LANES, LANES)
"""Rows of ``ObserveScratch.box``: middle, axes, half size."""

_C, _S, _HU, _HV, _WALL, _TALL, _NUMBER = range(0, 7 * LANES, LANES)
"""First rows of ``ObserveScratch.rough``, those of the world: axes, half size, 0 for those who block (block large
vehicles) and infinity for the others, the box's own number."""

_MID, _HALF, _EX, _EY, _FX, _FY, _EO, _EO_TALL, _FO, _SLACK, _NEAR2, _FAR2 = range(7 * LANES, ROUGH_ROWS * LANES, LANES)
"""Its other rows, as seen by the observer at hand. Middle and half width of the angle that a box takes; unit normals of
its near faces e and f (the same one where only one face is near) and how far along them the faces lie, infinity for
boxes that do not block (large vehicles); what these distances may be wrong by; squared distances of its nearest point,
less a margin, and of the farther outermost corner, more a margin."""

_AX, _AY, _BX, _BY, _QEX, _QEY, _QFX, _QFY, _QFO, _QEO, _OF_ROW = range(11)
"""Columns of ``ObserveScratch.outline``, relative to the observer: the two corners that bound a box in its view (a on
the right, b on the left), direction and offset of the lines through its two near faces (offset minus infinity for a box
that holds the observer), and the observation's row for which they hold."""

_ANGLE_MARGIN = 1e-4
_DISTANCE2_MARGIN = 1e-3
_MARGIN_M, _MARGIN_PER_M = 1e-4, 1e-6
_FARTHEST_M = 200.0
_CLOSE2, _CLOSE2_OF_SIZE, _INSIDE_M, _THIN_M = 0.01, 1e-4, -0.1, 0.05
"""A box nearer than this (squared; plus a share of its size squared) or thinner than this is always a doubt, unless
the observer is well inside it: its angle is not well known. Elsewhere single precision errs by less than half
the margins."""

_SEEN, _HIDDEN, _DOUBT = range(3)


@jit("i8", "i8", "i8")
def _here(n: int, block: int) -> int:
    """How many lanes of a block to go through for ``n`` boxes, rounded up to what the wide loops take in one go."""
    return min(LANES, (n - block * LANES + 15) // 16 * 16)


@jit("f4", "f4", "f4")
def _angle(x: Any, y: Any) -> Any:
    """Direction of (x, y) as a number that grows with the angle, from -2 to 2 for a whole turn; no trigonometry."""
    t = y / (abs(x) + abs(y))
    return t if x >= np.float32(0.0) else (np.float32(2.0) if y >= np.float32(0.0) else np.float32(-2.0)) - t


@jit("void", "f8[:]", "f4[:]", "f8", "f8", "i8")
def _look_roughly(box: F8, rough: F4, x: float, y: float, n: int) -> None:
    """Fill the rows of ``rough`` that depend on the observer at (x, y); no branches inside the loop."""
    zero, two, four, never = np.float32(0.0), np.float32(2.0), np.float32(4.0), np.float32(math.inf)
    less, more = np.float32(1.0 - _DISTANCE2_MARGIN), np.float32(1.0 + _DISTANCE2_MARGIN)
    for block in range((n + LANES - 1) // LANES):
        for i in range(_here(n, block)):
            b, k = block * (BOX_ROWS * LANES) + i, block * (ROUGH_ROWS * LANES) + i
            dx, dy = np.float32(box[b + _X] - x), np.float32(box[b + _Y] - y)
            c, s, u, v = rough[k + _C], rough[k + _S], rough[k + _HU], rough[k + _HV]
            ahead, aside = -(dx * c + dy * s), -(dy * c - dx * s)
            su, sv = u if ahead >= zero else -u, v if aside >= zero else -v
            out_u, out_v = abs(ahead) - u, abs(aside) - v
            beyond_u, beyond_v = out_u > zero, out_v > zero
            both = beyond_u & beyond_v
            pv = -sv if beyond_u else sv
            qu = su if beyond_u & (not beyond_v) else -su
            px, py = dx + c * su - s * pv, dy + s * su + c * pv
            qx, qy = dx + c * qu - s * sv, dy + s * qu + c * sv
            t0, t1 = _angle(px, py), _angle(qx, qy)
            right = px * qy - py * qx >= zero
            ax, ay, bx, by = px if right else qx, py if right else qy, qx if right else px, qy if right else py
            first, last = t0 if right else t1, t1 if right else t0
            width = last - first
            half = (width + four if width < zero else width) / two
            gap_u, gap_v = max(out_u, zero), max(out_v, zero)
            near2 = gap_u * gap_u + gap_v * gap_v
            far2 = max(px * px + py * py, qx * qx + qy * qy)
            thin = min(u, v)
            close = (not near2 > np.float32(_CLOSE2) + np.float32(_CLOSE2_OF_SIZE) * (u + v) * (u + v)) | (
                not thin > np.float32(_THIN_M)
            )
            inside = (out_u < np.float32(_INSIDE_M)) & (out_v < np.float32(_INSIDE_M))
            mx, my = dx + c * su - s * sv, dy + s * su + c * sv
            ex, ey = (mx if both else bx) - ax, (my if both else by) - ay
            fx, fy = bx - (mx if both else ax), by - (my if both else ay)
            e = zero if close else np.float32(1.0) / math.sqrt(ex * ex + ey * ey)
            f = zero if close else np.float32(1.0) / math.sqrt(fx * fx + fy * fy)
            ex, ey, fx, fy = ey * e, -ex * e, fy * f, -fx * f
            reach = abs(dx) + abs(dy) + u + v
            slack = np.float32(_MARGIN_M) + np.float32(_MARGIN_PER_M) * reach * (reach + np.float32(_FARTHEST_M)) / thin
            offset = never if inside else ex * ax + ey * ay
            rough[k + _MID], rough[k + _HALF] = first + half, np.float32(8.0) if close else half
            rough[k + _EX], rough[k + _EY], rough[k + _FX], rough[k + _FY] = ex, ey, fx, fy
            rough[k + _EO], rough[k + _EO_TALL] = offset + rough[k + _WALL], offset + rough[k + _TALL]
            rough[k + _FO] = fx * bx + fy * by
            rough[k + _SLACK] = never if close else slack
            rough[k + _NEAR2], rough[k + _FAR2] = near2 * less, never if close else far2 * more


@jit("void", "i8", "i8", "f4[:]", "i4[:]", "f8[:]", "f8[:]", "i4[:]")
def _points_roughly(count: int, n: int, rough: F4, whose: I4, px: F8, py: F8, found: I4) -> None:
    """Whether each of ``count`` points is ``_SEEN``, ``_HIDDEN``, or in ``_DOUBT``; no branches inside the loop.

    Point i is (px[i], py[i]) and belongs to box ``whose[i]``, which does not hide it.
    """
    margin, four = np.float32(_ANGLE_MARGIN), np.float32(4.0)
    for i in range(count):
        x, y, me = np.float32(px[i]), np.float32(py[i]), np.float32(whose[i])
        at, away2 = _angle(x, y), x * x + y * y
        own = whose[i] // LANES * (ROUGH_ROWS * LANES) + whose[i] % LANES
        offset = _EO_TALL if rough[own + _TALL] == np.float32(0.0) else _EO
        hidden, doubt = False, False
        for block in range((n + LANES - 1) // LANES):
            for j in range(_here(n, block)):
                k = block * (ROUGH_ROWS * LANES) + j
                off = abs(at - rough[k + _MID])
                off = min(off, abs(four - off)) - rough[k + _HALF]
                beyond_e = x * rough[k + _EX] + y * rough[k + _EY] - rough[k + offset]
                beyond_f = x * rough[k + _FX] + y * rough[k + _FY] - rough[k + _FO]
                beyond, slack = min(beyond_e, beyond_f), rough[k + _SLACK]
                other = rough[k + _NUMBER] != me
                hidden |= (off < -margin) & (beyond > slack) & other
                doubt |= (off < margin) & (beyond > -slack) & other
        odd = not ((away2 > np.float32(_CLOSE2)) & (away2 < np.float32(_FARTHEST_M * _FARTHEST_M)))
        found[i] = _DOUBT if odd else _HIDDEN if hidden else _DOUBT if doubt else _SEEN


@jit("b1", "i8", "i8", "f4[:]")
def _hides_all(one: int, other: int, rough: F4) -> bool:
    """Whether one box alone certainly hides all of another."""
    k = one // LANES * (ROUGH_ROWS * LANES) + one % LANES
    j = other // LANES * (ROUGH_ROWS * LANES) + other % LANES
    off = abs(rough[j + _MID] - rough[k + _MID])
    off = min(off, abs(np.float32(4.0) - off)) + rough[j + _HALF] - rough[k + _HALF]
    wall = rough[k + _TALL] if rough[j + _TALL] == np.float32(0.0) else rough[k + _WALL]
    return bool(off < np.float32(-_ANGLE_MARGIN)) and bool(rough[k + _FAR2] + wall < rough[j + _NEAR2]) and k != j


@jit("void", "f8[:]", "f8[:,:]", "f8", "f8", "i8")
def _outline(box: F8, outline: F8x2, eye_x: float, eye_y: float, k: int) -> None:
    """Fill row ``k`` of ``outline``: what the box hides from the observer."""
    q = k // LANES * (BOX_ROWS * LANES) + k % LANES
    x, y, c, s, u, v = box[q + _X] - eye_x, box[q + _Y] - eye_y, box[q + _COS], box[q + _SIN], box[q + _U], box[q + _V]
    ahead, aside = -(x * c + y * s), -(y * c - x * s)
    su, sv = u if ahead >= 0.0 else -u, v if aside >= 0.0 else -v
    beyond_u, beyond_v = abs(ahead) > u, abs(aside) > v
    both = beyond_u & beyond_v
    pv = -sv if beyond_u else sv
    qu = su if beyond_u & (not beyond_v) else -su
    px, py = x + c * su - s * pv, y + s * su + c * pv
    qx, qy = x + c * qu - s * sv, y + s * qu + c * sv
    right = px * qy - py * qx >= 0.0
    ax, ay = px if right else qx, py if right else qy
    bx, by = qx if right else px, qy if right else py
    mx, my = x + c * su - s * sv, y + s * su + c * sv  # the near corner, between a and b where two faces are near
    fx, fy = bx - (mx if both else ax), by - (my if both else ay)
    ex, ey = (mx if both else bx) - ax, (my if both else by) - ay
    outline[k, _AX], outline[k, _AY], outline[k, _BX], outline[k, _BY] = ax, ay, bx, by
    outline[k, _QFX], outline[k, _QFY], outline[k, _QFO] = fx, fy, fx * by - fy * bx
    outline[k, _QEX], outline[k, _QEY] = ex, ey
    outline[k, _QEO] = ex * ay - ey * ax if beyond_u | beyond_v else -math.inf


@jit("b1", "i8", "i8", "i8", "f4[:]", "f8[:]", "f8[:,:]", "f8", "f8", "f8", "f8")
def _point_hidden(
    own: int, n: int, row: int, rough: F4, box: F8, outline: F8x2, eye_x: float, eye_y: float, px: float, py: float
) -> bool:
    """Whether any other box hides the point (px, py) of box ``own``, in double precision."""
    x, y, four = np.float32(px), np.float32(py), np.float32(4.0)
    at, known = _angle(x, y), x * x + y * y > np.float32(_CLOSE2)
    q = own // LANES * (ROUGH_ROWS * LANES) + own % LANES
    wall = _TALL if rough[q + _TALL] == np.float32(0.0) else _WALL
    for k in range(n):
        q = k // LANES * (ROUGH_ROWS * LANES) + k % LANES
        off = abs(at - rough[q + _MID])
        off = min(off, abs(four - off)) - rough[q + _HALF]
        if (known and off > np.float32(_ANGLE_MARGIN)) or rough[q + wall] > np.float32(0.0) or k == own:
            continue
        if outline[k, _OF_ROW] != row:
            _outline(box, outline, eye_x, eye_y, k)
            outline[k, _OF_ROW] = row
        if (
            outline[k, _AX] * py - outline[k, _AY] * px >= 0.0
            and px * outline[k, _BY] - py * outline[k, _BX] >= 0.0
            and outline[k, _QFX] * py - outline[k, _QFY] * px <= outline[k, _QFO]
            and outline[k, _QEX] * py - outline[k, _QEY] * px <= outline[k, _QEO]
        ):
            return True
    return False


@jit("i8", AGENT_STATE, "i8", OBSERVE_SCRATCH)
def _set_up(state: AgentState, w: int, scratch: ObserveScratch) -> int:
    """Lay out the agents that are in world ``w`` for its observers; returns how many there are."""
    box, rough, slot, place = scratch.box, scratch.rough, scratch.slot, scratch.place
    n = 0
    for a in range(state.x.shape[1]):
        place[a] = -1
        if not state.present[w, a]:
            continue
        slot[n], place[a], scratch.outline[n, _OF_ROW] = a, n, -1.0
        b, k = n // LANES * (BOX_ROWS * LANES) + n % LANES, n // LANES * (ROUGH_ROWS * LANES) + n % LANES
        box[b + _X], box[b + _Y] = state.x[w, a], state.y[w, a]
        box[b + _COS], box[b + _SIN] = state.cos[w, a], state.sin[w, a]
        box[b + _U], box[b + _V] = 0.5 * state.length[w, a], 0.5 * state.width[w, a]
        rough[k + _C], rough[k + _S], rough[k + _HU], rough[k + _HV] = (
            box[b + _COS], box[b + _SIN], box[b + _U], box[b + _V]
        )  # fmt: skip
        rough[k + _WALL] = 0.0 if state.kind[w, a] <= 1 else math.inf
        rough[k + _TALL] = 0.0 if state.kind[w, a] == 1 else math.inf
        rough[k + _NUMBER] = n
        n += 1
    for i in range(n, (n + 15) // 16 * 16):
        b, k = i // LANES * (BOX_ROWS * LANES) + i % LANES, i // LANES * (ROUGH_ROWS * LANES) + i % LANES
        box[b + _X], box[b + _Y] = 0.0, 0.0
        rough[k + _C], rough[k + _S], rough[k + _HU], rough[k + _HV] = 1.0, 0.0, 0.0, 0.0
        rough[k + _WALL], rough[k + _TALL], rough[k + _NUMBER] = math.inf, math.inf, i
    return n


@jit("void", AGENT_STATE, "i4[:]", "i4[:]", "i4[:]", "i8", VISIBILITY_MEMORY, OBSERVE_SCRATCH)
def _see_world(
    state: AgentState, row_lo: I4, row_slot: I4, ticks: I4, w: int, memory: VisibilityMemory, scratch: ObserveScratch
) -> None:
    """Look around in one world.

    A hint of those who were hidden is the slot of one who hid them alone, or ``_NOBODY`` where it took several (then
    one who does so alone is looked for now and then); of those who were seen, -1 - p for the point that showed.
    """
    x, y, present, past = state.x, state.y, state.present, memory.past
    seen, hint, slot, place = memory.seen_tick, memory.hint, scratch.slot, scratch.place
    box, rough, outline = scratch.box, scratch.rough, scratch.outline
    whose, px, py, found = scratch.whose, scratch.point_x, scratch.point_y, scratch.found_there
    agents, tick = x.shape[1], ticks[w]
    n = _set_up(state, w, scratch)
    for c in range(row_lo[w], row_lo[w + 1]):
        me = row_slot[c]
        if not present[w, me]:
            for a in range(agents):
                seen[c, a] = NEVER
            continue
        ex, ey = x[w, me], y[w, me]
        _look_roughly(box, rough, ex, ey, n)
        k = place[me] // LANES * (ROUGH_ROWS * LANES) + place[me] % LANES
        rough[k + _EO], rough[k + _EO_TALL] = math.inf, math.inf

        # Whoever is not surely hidden by the one who hid it last: look at the point that showed last, or at its centre.
        count = 0
        for j in range(n):
            q, a = j // LANES * (BOX_ROWS * LANES) + j % LANES, slot[j]
            dx, dy = box[q + _X] - ex, box[q + _Y] - ey
            if dx * dx + dy * dy > RANGE_M * RANGE_M or a == me:
                continue
            before = hint[c, a]
            if 0 <= before < _NOBODY and place[before] >= 0 and _hides_all(place[before], j, rough):
                continue
            p = -1 - before if before < 0 else 0
            pu, pv = INSET * box[q + _U] * _ALONG[p], INSET * box[q + _V] * _ACROSS[p]
            whose[count] = j
            px[count] = dx + box[q + _COS] * pu - box[q + _SIN] * pv
            py[count] = dy + box[q + _SIN] * pu + box[q + _COS] * pv
            count += 1
        _points_roughly(count, n, rough, whose, px, py, found)

        # Whoever does not show there: look at all five points.
        for i in range(count):
            j, a = whose[i], slot[whose[i]]
            before = hint[c, a]
            if found[i] == _SEEN:
                hint[c, a] = before if before < 0 else -1
                seen[c, a] = tick
                continue
            q = j // LANES * (BOX_ROWS * LANES) + j % LANES
            dx, dy = box[q + _X] - ex, box[q + _Y] - ey
            for p in range(5):
                pu, pv = INSET * box[q + _U] * _ALONG[p], INSET * box[q + _V] * _ACROSS[p]
                whose[count + p] = j
                px[count + p] = dx + box[q + _COS] * pu - box[q + _SIN] * pv
                py[count + p] = dy + box[q + _SIN] * pu + box[q + _COS] * pv
            _points_roughly(5, n, rough, whose[count:], px[count:], py[count:], found[count:])
            after = _NOBODY
            for p in range(5):
                if found[count + p] == _SEEN:
                    after = -1 - p
                    break
            if after == _NOBODY:
                for p in range(5):
                    if found[count + p] == _DOUBT and not _point_hidden(
                        j, n, c, rough, box, outline, ex, ey, px[count + p], py[count + p]
                    ):
                        after = -1 - p
                        break
            if after == _NOBODY and (before != _NOBODY or (tick + a) % _SEARCH_TICKS == 0):
                for k in range(n):
                    if _hides_all(k, j, rough):
                        after = slot[k]
                        break
            hint[c, a] = after
            if after < 0:
                seen[c, a] = tick
        for a in range(agents):
            t = seen[c, a]
            if a == me or not present[w, a] or (t != tick and tick - t > FORGET_TICKS):
                seen[c, a] = NEVER
    then = tick & (PAST_TICKS - 1)
    for a in range(agents):
        past[w, then, a, 0], past[w, then, a, 1] = x[w, a], y[w, a]
        past[w, then, a, 2], past[w, then, a, 3] = state.cos[w, a], state.sin[w, a]
        past[w, then, a, 4] = state.speed[w, a]


@jit("void", AGENT_STATE, "i4[:]", "i4[:]", "i4[:]", "i8", "i8", VISIBILITY_MEMORY, OBSERVE_SCRATCH)
def see_worlds(
    state: AgentState, row_lo: I4, row_slot: I4, tick: I4, first: int, last: int,
    memory: VisibilityMemory, scratch: ObserveScratch,
) -> None:  # fmt: skip
    """Look around once from every controlled agent of worlds ``first .. last - 1``: renew ``memory``.

    World w has rows ``row_lo[w] .. row_lo[w + 1]``; ``row_slot`` is each one's agent slot. ``tick`` [W] numbers the
    moments of 0.1 s and may be negative (history). Call it once a tick, in order of time.
    """
    for w in range(first, last):
        _see_world(state, row_lo, row_slot, tick, w, memory, scratch)
