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

import numpy as np

from waytrace.geometry import I4, jit
from waytrace.scenario.state import AGENT_STATE, AgentState

from .arrays import (
    NEVER,
    OBSERVE_SCRATCH,
    PAST_TICKS,
    VISIBILITY_MEMORY,
    ObserveScratch,
    VisibilityMemory,
)
from .features import FORGET_S, RANGE_M
from .outlines import point_hidden
from .shadows import (
    SEEN,
    X,
    Y,
    box_at,
    hide_points,
    hides_all,
    hides_nothing,
    lay_out,
    look_closely,
    look_roughly,
    show_points,
    who_hides,
)

FORGET_TICKS = round(FORGET_S / 0.1)

_SLOT_BITS = 15
_SLOT = (1 << _SLOT_BITS) - 1
_NOBODY = 1 << 30
_SEARCH_TICKS = 16


@jit("void", AGENT_STATE, "i4[:]", "i4[:]", "i4[:]", "i8", VISIBILITY_MEMORY, OBSERVE_SCRATCH)
def _see_world(
    state: AgentState, row_lo: I4, row_slot: I4, ticks: I4, w: int, memory: VisibilityMemory, scratch: ObserveScratch
) -> None:
    """Look around in one world.

    A hint of those who were hidden is the slots of two who together hid them (one twice if it did so alone), or
    ``_NOBODY`` where it took more (then two are looked for now and then); of those who were seen, -1 - p for the point
    that showed.
    """
    x, y, present, past = state.x, state.y, state.present, memory.past
    seen, hint, slot, place = memory.seen_tick, memory.hint, scratch.slot, scratch.place
    box, rough, held, hides = scratch.box, scratch.rough, scratch.held, scratch.hides
    whose, which, found = scratch.whose, scratch.which, scratch.found_there
    agents, tick = x.shape[1], ticks[w]
    n = lay_out(state, w, scratch)
    for c in range(row_lo[w], row_lo[w + 1]):
        me = row_slot[c]
        if not present[w, me]:
            for a in range(agents):
                seen[c, a] = NEVER
            continue
        ex, ey = x[w, me], y[w, me]
        look_roughly(box, rough, ex, ey, n)
        hides_nothing(rough, place[me])

        # Part those who were hidden from those who were seen. Who is which is no pattern a processor could guess.
        count, others = 0, 0
        for j in range(n):
            q, a = box_at(j), slot[j]
            dx, dy = box[q + X] - ex, box[q + Y] - ey
            near = (dx * dx + dy * dy <= RANGE_M * RANGE_M) & (a != me)
            whose[count], held[others] = j, j
            count += near & (hint[c, a] < 0)
            others += near & (hint[c, a] >= 0)

        # Of the hidden, whoever is not surely hidden by the same ones as before joins the others.
        for i in range(others):
            j = held[i]
            before = hint[c, np.uint32(slot[j])]
            if before != _NOBODY:
                one, two = place[np.uint32(before & _SLOT)], place[np.uint32(before >> _SLOT_BITS)]
                if one >= 0 and two >= 0:
                    if one == two and hides_all(one, j, rough):
                        continue
                    if hide_points(one, two, j, rough):
                        continue
            whose[count] = j
            count += 1

        # Of those, look at the point that showed last, or at the centre.
        for i in range(count):
            which[i] = -1 - min(hint[c, np.uint32(slot[whose[i]])], -1)
        show_points(count, n, rough, whose, which, scratch.point_x, scratch.point_y, scratch.point_at, found)
        for i in range(count):
            j, a = whose[i], slot[whose[i]]
            before = hint[c, a]
            if found[i] == SEEN:
                hint[c, a], seen[c, a] = min(before, -1), tick
                continue

            # Whoever does not show there: look at all five points.
            after, known = _NOBODY, look_closely(j, n, rough, hides)
            for p in range(5):
                if not (known >> p & 1 or known >> p & 256):
                    after = -1 - p
                    break
            if after == _NOBODY and known & 31 != 31:
                for p in range(5):
                    if not known >> p & 1 and not point_hidden(
                        j, p, n, c, rough, box, scratch.outline, scratch.outline_of, ex, ey
                    ):
                        after = -1 - p
                        break
            if after == _NOBODY and (before != _NOBODY or (tick + a) % _SEARCH_TICKS == 0):
                one, two = who_hides(j, n, rough, hides)
                if one >= 0 and max(slot[one], slot[two]) <= _SLOT:
                    after = slot[one] | slot[two] << _SLOT_BITS
            hint[c, a] = after
            if after < 0:
                seen[c, a] = tick
        for a in range(agents):
            t = seen[c, a]
            if (a == me) | (not present[w, a]) | ((t != tick) & (tick - t > FORGET_TICKS)):
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
