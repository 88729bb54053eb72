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
    """Whether a speed along the heading and its change are such a motion."""
    still = most("speed", abs(speed_mps), T.standing_mps, "m/s", 0.05)
    back = most("speed", speed_mps, -T.standing_mps, "m/s", 0.05)
    faster = least("acceleration", accel_mps2, T.motion_mps2, "m/s2", 0.1)
    slower = most("acceleration", accel_mps2, -T.motion_mps2, "m/s2", 0.1)
    on: list[Margin] = [negated(still), negated(back)]
    rules = {
        "standing": [still], "reversing": [back], "accelerating": [*on, faster], "braking": [*on, slower],
        "steady": [*on, negated(faster), negated(slower)],
    }  # fmt: skip
    return all_of(rules[motion], speed_mps=speed_mps, accel_mps2=accel_mps2)


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
