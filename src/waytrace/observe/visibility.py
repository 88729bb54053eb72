"""Who sees whom: lines of sight from the controlled agent's centre, over oriented boxes.

Agent j is in sight if it is within ``RANGE_M`` (centre to centre) and one of five points of it, its centre and its
corners drawn in to ``INSET`` of the box, is joined to the observer's centre by a line that no third box blocks.

Heights are not known, so kinds stand for them: only ``VEHICLE`` and ``LARGE_VEHICLE`` block a line, and a large
vehicle is hidden by large vehicles alone, since it shows above a car. A box that holds the observer's centre blocks
nothing. An agent that is no longer there at all is dropped at once, not remembered.
"""

from __future__ import annotations

import math

from waytrace.geometry import I4, F8x2, U1x2, jit
from waytrace.scenario.state import AGENT_STATE, AgentState

from .arrays import NEVER, OBSERVE_SCRATCH, VISIBILITY_MEMORY, ObserveScratch, VisibilityMemory
from .features import FORGET_S, RANGE_M

INSET = 0.9
FORGET_TICKS = round(FORGET_S / 0.1)

_MARGIN_M = 1e-3
"""Added to radii in the coarse test, so that rounding cannot make it miss a blocker."""
_X, _Y, _D, _R, _BLOCK, _BLOCK_LARGE, _U, _V = range(8)


@jit("b1", "f8", "f8", "f8", "f8", "f8", "f8", "f8", "f8")
def line_blocked(px: float, py: float, kx: float, ky: float, cos: float, sin: float, u: float, v: float) -> bool:
    """Whether the line from the origin to (px, py) meets the box at (kx, ky) of half size (u, v); touching counts.

    Separating axes: the line's normal and the box's two axes.
    """
    along, across = px * cos + py * sin, py * cos - px * sin
    if abs(px * ky - py * kx) > u * abs(across) + v * abs(along):
        return False
    ku, kv = kx * cos + ky * sin, ky * cos - kx * sin
    if max(0.0, along) < ku - u or min(0.0, along) > ku + u:
        return False
    return not (max(0.0, across) < kv - v or min(0.0, across) > kv + v)


@jit("b1", "i8", "i8", "i8", "f8[:,:]", "i4[:]", "f8[:,:]", "f8[:,:]", "f8[:,:]", "f8[:,:]", "u1[:,:]")
def _hidden(
    w: int, j: int, n: int, near: F8x2, slot: I4, cos: F8x2, sin: F8x2, length: F8x2, width: F8x2, kind: U1x2
) -> bool:
    """Whether the ``j``-th of ``n`` agents around the observer is hidden by others.

    A coarse test first: seen from the observer, the lines to the five points lie in the cone around a circle of
    radius r_j about the target, so a circle around a blocker must meet that cone, and begin before the target ends.
    """
    jx, jy, d, r = near[_X, j], near[_Y, j], near[_D, j], INSET * near[_R, j] + _MARGIN_M
    a = slot[j]
    row = _BLOCK_LARGE if kind[w, a] == 1 else _BLOCK
    spread, end = r / math.sqrt(max(d * d - r * r, 1e-18)), d * (d + r)
    wide, back = d * math.sqrt(1.0 + spread * spread), max(0.0, r - d) * d
    count = 0
    for k in range(n):
        kx, ky, rk = near[_X, k], near[_Y, k], near[row, k]
        dot, cross = jx * kx + jy * ky, jx * ky - jy * kx
        count += (abs(cross) <= rk * wide + spread * max(dot, 0.0)) & (dot - rk * d <= end) & (dot + rk * d >= -back)
    if count <= 1:  # the target itself, at most
        own = near[row, j] > 0.0
        if count == 0 or own:
            return False
    c, s = cos[w, a], sin[w, a]
    u, v = 0.5 * INSET * length[w, a], 0.5 * INSET * width[w, a]
    first = -1
    for point in range(5):
        fu = 0.0 if point == 0 else u if point & 1 else -u
        fv = 0.0 if point == 0 else v if point & 2 else -v
        px, py = jx + c * fu - s * fv, jy + s * fu + c * fv
        blocked = False
        if first >= 0:
            b = slot[first]
            blocked = line_blocked(
                px, py, near[_X, first], near[_Y, first], cos[w, b], sin[w, b], 0.5 * length[w, b], 0.5 * width[w, b]
            )
        if not blocked:
            for k in range(n):
                kx, ky, rk = near[_X, k], near[_Y, k], near[row, k]
                if k == j or rk < 0.0:
                    continue
                dot, cross = jx * kx + jy * ky, jx * ky - jy * kx
                if abs(cross) > rk * wide + spread * max(dot, 0.0) or dot - rk * d > end or dot + rk * d < -back:
                    continue
                b = slot[k]
                if line_blocked(px, py, kx, ky, cos[w, b], sin[w, b], 0.5 * length[w, b], 0.5 * width[w, b]):
                    blocked, first = True, k
                    break
        if not blocked:
            return False
    return True


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
            holds = abs(dx * cos[w, a] + dy * sin[w, a]) <= u and abs(dy * cos[w, a] - dx * sin[w, a]) <= v
            slot[n] = a
            near[_X, n], near[_Y, n], near[_D, n], near[_R, n] = dx, dy, math.sqrt(d2), r
            near[_BLOCK, n] = r + _MARGIN_M if kind[w, a] <= 1 and not holds else -1e6
            near[_BLOCK_LARGE, n] = r + _MARGIN_M if kind[w, a] == 1 and not holds else -1e6
            n += 1
        for j in range(n):
            if near[_D, j] <= RANGE_M and not _hidden(w, j, n, near, slot, cos, sin, length, width, kind):
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
