"""What a road user, or the ego, does: standing, steady, accelerating, braking, reversing."""

from __future__ import annotations

from waytrace.observe import Reference

from ..finding import Finding, Margin, all_of, fact, least, most, negated
from ..thresholds import T
from .measured import Measured

MOTIONS = ("standing", "steady", "accelerating", "braking", "reversing")


def judge_motion(measured: Measured, ref: Reference, motion: str) -> Finding:
    """Whether an agent moves so; of what is no agent, whether "none" is said."""
    row = measured.row(ref)
    if row < 0 or motion == "none":
        return all_of([fact("it is no agent", row < 0), fact("nothing is said of its motion", motion == "none")])
    o = measured.others
    return moves(motion, float(o.state[row, 3]), float(o.accel[row]))


def moves(motion: str, speed_mps: float, accel_mps2: float) -> Finding:
    """Whether a speed along the heading and its change are such a motion; near an edge both neighbours are true."""
    still = most("speed", abs(speed_mps), T.standing_mps, "m/s")
    back = most("speed", speed_mps, -T.standing_mps, "m/s")
    faster = least("acceleration", accel_mps2, T.motion_mps2, "m/s2")
    slower = most("acceleration", accel_mps2, -T.motion_mps2, "m/s2")
    on: list[Margin] = [negated(still), negated(back)]
    rules = {
        "standing": [still], "reversing": [back], "accelerating": [*on, faster], "braking": [*on, slower],
        "steady": [*on, negated(faster), negated(slower)],
    }  # fmt: skip
    spared = [m._replace(room=m.room + (T.near_mps if m.unit == "m/s" else T.near_mps2)) for m in rules[motion]]
    return all_of(spared, speed_mps=speed_mps, accel_mps2=accel_mps2)


def motion(measured: Measured, ref: Reference) -> str:
    """What an agent does; ``none`` for what is no agent."""
    row = measured.row(ref)
    if row < 0:
        return "none"
    return named(float(measured.others.state[row, 3]), float(measured.others.accel[row]))


def named(speed_mps: float, accel_mps2: float) -> str:
    """The motion of a speed and its change: thresholds without their bands."""
    if abs(speed_mps) <= T.standing_mps:
        return "standing"
    if speed_mps < 0.0:
        return "reversing"
    if abs(accel_mps2) < T.motion_mps2:
        return "steady"
    return "accelerating" if accel_mps2 > 0.0 else "braking"
