"""Who sees whom: lines of sight from the controlled agent's centre, over oriented boxes.

Agent j is in sight if it is within ``RANGE_M`` (centre to centre) and one of five points of it, its centre and its
corners drawn in to ``INSET`` of the box, is joined to the observer's centre by a line that no third box blocks.

Heights are not known, so kinds stand for them: only ``VEHICLE`` and ``LARGE_VEHICLE`` block a line, and a large
vehicle is hidden by large vehicles alone, since it shows above a car. A box that holds the observer's centre blocks
nothing. An agent that is no longer there at all is dropped at once, not remembered.
"""

from __future__ import annotations

import math

from waytrace.geometry import F8, I4, F8x2, jit
from waytrace.scenario.state import AGENT_STATE, AgentState

from .arrays import NEVER, OBSERVE_SCRATCH, PAST_TICKS, VISIBILITY_MEMORY, ObserveScratch, VisibilityMemory
from .features import FORGET_S, RANGE_M

INSET = 0.9
FORGET_TICKS = round(FORGET_S / 0.1)

_NOBODY = 1 << 20
_SEARCH_TICKS = 8
_ALONG = (0.0, 1.0, -1.0, -1.0, 1.0)
_ACROSS = (0.0, 1.0, 1.0, -1.0, -1.0)
"""The five points of a target, in half sizes: its centre, then its corners."""

_AX, _AY, _BX, _BY, _EX, _EY, _FX, _FY, _FO, _EO, _EO_LARGE, _X, _Y, _COS, _SIN, _U, _V, _WALL, _TALL = range(19)
"""Rows of ``ObserveScratch.near``, relative to the observer: the two corners that bound a box in its view (a on the
right, b on the left), direction and offset of the lines through its two near faces, e and f (the same one where only
one face is near; offset minus infinity for boxes that block nothing, or no large vehicle), middle, axes, half size, and
0 for those who block (block large vehicles), minus infinity for the others."""


@jit("i8", "i8")
def _padded(n: int) -> int:
    """``n`` rounded up to what the wide loop takes in one go, so that no narrow rest remains."""
    return (n + 15) // 16 * 16


@jit("void", "f8[:,:]", "i8")
def _outline(near: F8x2, n: int) -> None:
    """Fill the rows that say what each of ``n`` agents hides: all in the angle between its outermost corners and beyond
    its near faces. No branches inside, so that the loop runs several agents wide.
    """
    for k in range(_padded(n)):
        x, y, c, s, u, v = near[_X, k], near[_Y, k], near[_COS, k], near[_SIN, k], near[_U, k], near[_V, k]
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
        near[_AX, k], near[_AY, k], near[_BX, k], near[_BY, k] = ax, ay, bx, by
        mx, my = x + c * su - s * sv, y + s * su + c * sv  # the near corner, between a and b where two faces are near
        fx, fy = bx - (mx if both else ax), by - (my if both else ay)
        ex, ey = (mx if both else bx) - ax, (my if both else by) - ay
        near[_FX, k], near[_FY, k], near[_FO, k] = fx, fy, fx * by - fy * bx
        near[_EX, k], near[_EY, k] = ex, ey
        offset = ex * ay - ey * ax if beyond_u | beyond_v else -math.inf
        near[_EO, k], near[_EO_LARGE, k] = offset + near[_WALL, k], offset + near[_TALL, k]


@jit("b1", "i8", "i8", "f8[:,:]", "f8", "f8")
def _line_blocked(row: int, n: int, near: F8x2, px: float, py: float) -> bool:
    """Whether anyone hides the point (px, py); no branches inside, so that the loop runs several agents wide."""
    count = 0
    for k in range(_padded(n)):
        inside = (near[_AX, k] * py - near[_AY, k] * px >= 0.0) & (px * near[_BY, k] - py * near[_BX, k] >= 0.0)
        inside &= near[_FX, k] * py - near[_FY, k] * px <= near[_FO, k]
        count += inside & (near[_EX, k] * py - near[_EY, k] * px <= near[row, k])
    return count > 0


@jit("b1", "i8", "i8", "f8[:,:]", "f8[:]", "f8[:]")
def _blocks_all(row: int, k: int, near: F8x2, px: F8, py: F8) -> bool:
    """Whether agent ``k`` alone hides all five points: the corners, and so the centre between them, since what it hides
    is convex.
    """
    for p in range(1, 5):
        if (
            near[_AX, k] * py[p] - near[_AY, k] * px[p] < 0.0
            or px[p] * near[_BY, k] - py[p] * near[_BX, k] < 0.0
            or near[_FX, k] * py[p] - near[_FY, k] * px[p] > near[_FO, k]
            or near[_EX, k] * py[p] - near[_EY, k] * px[p] > near[row, k]
        ):
            return False
    return True


@jit("i8", "i8", "i8", "i8", "i8", "b1", "f8[:,:]", "i4[:]", "i4[:]", "f8[:]", "f8[:]")
def _look_at(
    j: int, n: int, row: int, hint: int, search: bool, near: F8x2, slot: I4, place: I4, px: F8, py: F8
) -> int:  # fmt: skip
    """Look at the ``j``-th of ``n`` agents around: a number >= 0 where it is hidden, below where it is in sight.

    The number is the hint for the next look: the slot of one who hides it alone, or -1 - p for the point seen.
    A hint only says what to try first. ``_NOBODY`` stands for several who hide it together; with ``search`` one who
    does so alone is looked for again.
    """
    c, s, u, v = near[_COS, j], near[_SIN, j], INSET * near[_U, j], INSET * near[_V, j]
    x, y = near[_X, j], near[_Y, j]
    own = near[row, j]
    near[row, j] = -math.inf
    first = -1 - hint if hint < 0 else 0
    if hint < 0:
        pu, pv = u * _ALONG[first], v * _ACROSS[first]
        if not _line_blocked(row, n, near, x + c * pu - s * pv, y + s * pu + c * pv):
            near[row, j] = own
            return hint
    for p in range(5):
        pu, pv = u * _ALONG[p], v * _ACROSS[p]
        px[p], py[p] = x + c * pu - s * pv, y + s * pu + c * pv
    if 0 <= hint < _NOBODY:
        k = place[hint]
        if k >= 0 and _blocks_all(row, k, near, px, py):
            near[row, j] = own
            return hint
    answer = 0
    for i in range(1 if hint < 0 else 0, 5):
        p = (first + i) % 5
        if not _line_blocked(row, n, near, px[p], py[p]):
            answer = -1 - p
            break
    if answer == 0:
        answer = _NOBODY
        for k in range(n if search or hint != _NOBODY else 0):
            if _blocks_all(row, k, near, px, py):
                answer = slot[k]
                break
    near[row, j] = own
    return answer


@jit("void", AGENT_STATE, "i4[:]", "i4[:]", "i4[:]", "i8", VISIBILITY_MEMORY, OBSERVE_SCRATCH)
def _see_world(
    state: AgentState, row_lo: I4, row_slot: I4, ticks: I4, w: int, memory: VisibilityMemory, scratch: ObserveScratch
) -> None:
    """Look around in one world."""
    present, kind = state.present, state.kind
    x, y, cos, sin, length, width = state.x, state.y, state.cos, state.sin, state.length, state.width
    seen, hint, near, slot, place = memory.seen_tick, memory.hint, scratch.near, scratch.near_slot, scratch.place
    agents, tick, past = x.shape[1], ticks[w], memory.past
    for c in range(row_lo[w], row_lo[w + 1]):
        me = row_slot[c]
        if not present[w, me]:
            for a in range(agents):
                seen[c, a] = NEVER
            continue
        ex, ey = x[w, me], y[w, me]
        n = 0
        for a in range(agents):
            place[a] = -1
            if a == me or not present[w, a]:
                seen[c, a] = NEVER
                continue
            dx, dy = x[w, a] - ex, y[w, a] - ey
            u, v = 0.5 * length[w, a], 0.5 * width[w, a]
            if dx * dx + dy * dy > (RANGE_M + u + v) * (RANGE_M + u + v):
                continue
            slot[n], place[a] = a, n
            near[_X, n], near[_Y, n], near[_U, n], near[_V, n] = dx, dy, u, v
            near[_COS, n], near[_SIN, n] = cos[w, a], sin[w, a]
            near[_WALL, n] = 0.0 if kind[w, a] <= 1 else -math.inf
            near[_TALL, n] = 0.0 if kind[w, a] == 1 else -math.inf
            n += 1
        for k in range(n, _padded(n)):
            for q in range(_X, _WALL):
                near[q, k] = 0.0
            near[_WALL, k], near[_TALL, k] = -math.inf, -math.inf
        _outline(near, n)
        for j in range(n):
            if near[_X, j] * near[_X, j] + near[_Y, j] * near[_Y, j] > RANGE_M * RANGE_M:
                continue
            a = slot[j]
            row = _EO_LARGE if kind[w, a] == 1 else _EO
            search = (tick + a) % _SEARCH_TICKS == 0
            hint[c, a] = _look_at(j, n, row, hint[c, a], search, near, slot, place, scratch.point_x, scratch.point_y)
            if hint[c, a] < 0:
                seen[c, a] = tick
        for a in range(agents):
            t = seen[c, a]
            if t == tick or t == NEVER:  # noqa: SIM109 - not for kernels
                continue
            if tick - t > FORGET_TICKS:
                seen[c, a] = NEVER
    then = tick & (PAST_TICKS - 1)
    for a in range(agents):
        past[w, then, a, 0], past[w, then, a, 1] = x[w, a], y[w, a]
        past[w, then, a, 2], past[w, then, a, 3] = cos[w, a], sin[w, a]
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
