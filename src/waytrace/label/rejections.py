"""What was turned down, in the trace's words."""

from __future__ import annotations

from collections.abc import Sequence

from waytrace.planners import Rejected
from waytrace.trace import Rejection, sets
from waytrace.trace.compatible import kinds_of

from .decisions import Decided
from .lay import Lay


def rejections_of(rejected: Sequence[Rejected], decided: Decided, lay: Lay, *, goes_on: bool) -> list[Rejection]:
    """Rejected options, the most telling first: the free drive, then what violates something, then what is worse.

    More than a trace holds where there are as many; each option once, and never the decision itself.
    """
    out: dict[str, Rejection] = {}
    taken = {decided.longitudinal, decided.lateral}
    for r in sorted(rejected, key=_order):
        option = option_of(r, lay, goes_on=goes_on)
        if option in taken or option in out:
            continue
        if r.violates is None or r.reference is None:
            out[option] = Rejection(r.axis, option, "nothing", None, sets.MARGIN.number(max(r.margin, 0.0)))
        elif r.reference.kind in kinds_of(r.violates):
            out[option] = Rejection(r.axis, option, r.violates, r.reference, sets.MARGIN.number(max(r.margin, 0.0)))
    return list(out.values())


def _order(r: Rejected) -> tuple[int, float]:
    return (0 if r.lengthwise == "proceed" else 1 if r.violates else 2), -r.score


def option_of(r: Rejected, lay: Lay, *, goes_on: bool) -> str:
    """The decision that a rejected option would have been."""
    if r.axis == "lateral":
        return _lateral(r, lay)
    if r.lengthwise == "proceed":
        return "proceed" if goes_on else "set_speed"
    if r.lengthwise == "brake":
        return "emergency_brake"
    if r.lengthwise == "stop":
        return "stop"
    return "set_speed" if r.share == 1.0 else "adapt_speed"


def _lateral(r: Rejected, lay: Lay) -> str:
    if r.sideways in ("left", "right"):
        return f"lane_change_{r.sideways}"
    if r.sideways == "keep":
        return "keep"
    side = "left" if r.offset_m > 0.0 else "right"
    out = abs(r.offset_m) + 0.5 * lay.width_m > float(lay.own.room_m[0])
    return f"nudge_{'out_of' if out else 'in'}_lane_{side}"
