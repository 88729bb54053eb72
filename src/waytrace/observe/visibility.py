"""Who sees whom: lines of sight from the controlled agent's centre, over oriented boxes.

Agent j is in sight if it is within ``RANGE_M`` (centre to centre) and one of five points of it, its centre and its
corners drawn in to ``INSET`` of the box, is joined to the observer's centre by a line that no third box blocks.

Heights are not known, so kinds stand for them: only ``VEHICLE`` and ``LARGE_VEHICLE`` block a line, and a large
vehicle is hidden by large vehicles alone, since it shows above a car. A box that holds the observer's centre blocks
nothing. An agent that is no longer there at all is dropped at once, not remembered.
"""

from __future__ import annotations

import math

from waytrace.geometry import F8, I4, U1, F8x2, jit
from waytrace.scenario.state import AGENT_STATE, AgentState

from .arrays import NEVER, OBSERVE_SCRATCH, VISIBILITY_MEMORY, ObserveScratch, VisibilityMemory
from .features import FORGET_S, RANGE_M

INSET = 0.9
FORGET_TICKS = round(FORGET_S / 0.1)

_NOT = -1e6
"""Radius of those who block nothing: it fails every coarse test."""
_MARGIN_M = 1e-3
"""Added to radii in the coarse test, so that rounding cannot make it miss a blocker."""
_X, _Y, _D, _R, _BLOCK, _BLOCK_LARGE, _COS, _SIN, _U, _V, _AHEAD, _ASIDE, _LARGE = range(13)
"""Rows of ``ObserveScratch.near``: place relative to the observer, distance, circumscribed radius, the same for those
who block (and who block large vehicles), axes, half size, the box's middle along its own axes, large vehicle."""


@jit("i8", "i8")
def _padded(n: int) -> int:
    """``n`` rounded up to what the coarse test's wide loop takes in one go, so that no narrow rest remains."""
    return (n + 31) // 32 * 32


@jit("b1", "i8", "i8", "f8[:,:]", "u1[:]", "i4[:]", "f8[:]", "f8[:]", "f8[:]")
def hidden(j: int, n: int, near: F8x2, maybe: U1, found: I4, px: F8, py: F8, hit: F8) -> bool:
    """Whether the ``j``-th of ``n`` agents around the observer is hidden by others.

    A coarse test first: seen from the observer, the lines to the five points lie in the cone around a circle of
    radius r_j about the target, so a circle around a blocker must meet that cone, and begin before the target ends.
    For the few that do, separating axes decide: a line and a box are apart if the line's normal or an axis of the box
    parts them; touching counts as hidden. No branches inside: they could not be foretold.
    """
    jx, jy, d, r = near[_X, j], near[_Y, j], near[_D, j], INSET * near[_R, j] + _MARGIN_M
    row = _BLOCK_LARGE if near[_LARGE, j] > 0.0 else _BLOCK
    spread, end = r / math.sqrt(max(d * d - r * r, 1e-18)), d * (d + r)
    wide, back = d * math.sqrt(1.0 + spread * spread), -max(0.0, r - d) * d
    own = near[row, j]
    near[row, j] = _NOT
    count = 0
    for k in range(_padded(n)):
        kx, ky, rk = near[_X, k], near[_Y, k], near[row, k]
        dot, cross = jx * kx + jy * ky, jx * ky - jy * kx
        room = rk * d
        may = (abs(cross) <= rk * wide + spread * max(dot, 0.0)) & (dot - room <= end) & (dot + room >= back)
        maybe[k] = may
        count += may
    near[row, j] = own
    if count == 0:
        return False
    m = 0
    for k in range(n):
        found[m] = k
        m += maybe[k]
    c, s, u, v = near[_COS, j], near[_SIN, j], INSET * near[_U, j], INSET * near[_V, j]
    px[4], py[4] = jx, jy
    for p in range(5):
        hit[p] = 0.0
    px[0], py[0] = jx + c * u - s * v, jy + s * u + c * v
    px[1], py[1] = jx - c * u - s * v, jy - s * u + c * v
    px[2], py[2] = jx - c * u + s * v, jy - s * u - c * v
    px[3], py[3] = jx + c * u + s * v, jy + s * u - c * v
    for q in range(m):
        k = found[q]
        kx, ky, c, s = near[_X, k], near[_Y, k], near[_COS, k], near[_SIN, k]
        u, v, ku, kv = near[_U, k], near[_V, k], near[_AHEAD, k], near[_ASIDE, k]
        for p in range(5):
            x, y = px[p], py[p]
            along, across = x * c + y * s, y * c - x * s
            meets = (
                (abs(x * ky - y * kx) <= u * abs(across) + v * abs(along))
                & (max(0.0, along) >= ku - u)
                & (min(0.0, along) <= ku + u)
                & (max(0.0, across) >= kv - v)
                & (min(0.0, across) <= kv + v)
            )
            hit[p] = 1.0 if meets else hit[p]
        total = 0.0
        for p in range(5):
            total += hit[p]
        if total == 5.0:
            return True
    return False


@jit("void", AGENT_STATE, "i4[:]", "i4[:]", "i4[:]", "i8", VISIBILITY_MEMORY, OBSERVE_SCRATCH)
def _see_world(
    state: AgentState, row_lo: I4, row_slot: I4, ticks: I4, w: int, memory: VisibilityMemory, scratch: ObserveScratch
) -> None:
    """Look around in one world."""
    present, kind = state.present, state.kind
    x, y, cos, sin, length, width = state.x, state.y, state.cos, state.sin, state.length, state.width
    seen, near, slot = memory.seen_tick, scratch.near, scratch.near_slot
    agents, tick, last = x.shape[1], ticks[w], memory.last_tick[w]
    for c in range(row_lo[w], row_lo[w + 1]):
        me = row_slot[c]
        if not present[w, me]:
            for a in range(agents):
                seen[c, a] = NEVER
            continue
        ex, ey = x[w, me], y[w, me]
        n = 0
        for a in range(agents):
            if a == me or not present[w, a]:
                seen[c, a] = NEVER
                continue
            dx, dy = x[w, a] - ex, y[w, a] - ey
            d2 = dx * dx + dy * dy
            u, v = 0.5 * length[w, a], 0.5 * width[w, a]
            r = math.sqrt(u * u + v * v)
            if d2 > (RANGE_M + r) * (RANGE_M + r):
                continue
            c_, s_ = cos[w, a], sin[w, a]
            ahead, aside = dx * c_ + dy * s_, dy * c_ - dx * s_
            wall = kind[w, a] <= 1 and not (abs(ahead) <= u and abs(aside) <= v)
            slot[n] = a
            near[_X, n], near[_Y, n], near[_D, n], near[_R, n] = dx, dy, math.sqrt(d2), r
            near[_BLOCK, n] = r + _MARGIN_M if wall else _NOT
            near[_BLOCK_LARGE, n] = r + _MARGIN_M if wall and kind[w, a] == 1 else _NOT
            near[_COS, n], near[_SIN, n], near[_U, n], near[_V, n] = c_, s_, u, v
            near[_AHEAD, n], near[_ASIDE, n] = ahead, aside
            near[_LARGE, n] = 1.0 if kind[w, a] == 1 else 0.0
            n += 1
        for k in range(n, _padded(n)):
            near[_X, k], near[_Y, k], near[_BLOCK, k], near[_BLOCK_LARGE, k] = 0.0, 0.0, _NOT, _NOT
        for j in range(n):
            if near[_D, j] <= RANGE_M and not hidden(
                j, n, near, scratch.maybe, scratch.found, scratch.point_x, scratch.point_y, scratch.point_hidden
            ):
                seen[c, slot[j]] = tick
        for a in range(agents):
            t = seen[c, a]
            if t == tick or t == NEVER:  # noqa: SIM109 - not for kernels
                continue
            if tick - t > FORGET_TICKS:
                seen[c, a] = NEVER
            elif t == last:
                memory.lost_x[c, a], memory.lost_y[c, a] = memory.last_x[w, a], memory.last_y[w, a]
                memory.lost_cos[c, a], memory.lost_sin[c, a] = memory.last_cos[w, a], memory.last_sin[w, a]
                memory.lost_speed[c, a] = memory.last_speed[w, a]
    memory.last_tick[w] = tick
    for a in range(agents):
        memory.last_x[w, a], memory.last_y[w, a] = x[w, a], y[w, a]
        memory.last_cos[w, a], memory.last_sin[w, a] = cos[w, a], sin[w, a]
        memory.last_speed[w, a] = state.speed[w, a]


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
