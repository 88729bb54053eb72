"""The simulator's arrays: what never changes during a drive (:class:`Fixed`), what does (:class:`Moving`), and what
belongs to each controlled agent (:class:`Rows`).

Legend: W worlds, A agent slots, T recorded steps, K lights, S scripts, M path lanes, B controlled agents of all worlds.
Lanes are numbered as in the MapIndex. A ``step`` counts recorded steps; a ``tick`` counts from the start step.
"""

from __future__ import annotations

from typing import NamedTuple

from waytrace.geometry import B1, F8, I4, U1, U8, B1x2, B1x3, F8x2, F8x3, F8x4, I4x2, I4x3, U1x2, U1x3, U8x2, bundle

ABSENT, REPLAY, REACTIVE, WALKER, STANDING, CONTROLLED = range(6)
"""Modes of an agent. A walker follows its script in a straight line; a standing one is parked, or a thing."""

REPLAY_TRAFFIC, REACTIVE_TRAFFIC, MIXED_TRAFFIC = range(3)

PATH_LANES = 24
SCRIPT_NUMBERS = 7
"""Columns of ``script_number``: trigger value, value, at x, at y, to x, to y, target speed."""


class Fixed(NamedTuple):
    """Constants of every world."""

    map_of: I4
    """[W] map number."""
    agents: I4
    """[W] agents."""
    ego: I4
    start: I4
    """[W] step at which tick 0 lies."""
    last_tick: I4
    """[W] the episode ends when this tick is reached."""
    steps: I4
    """[W] recorded steps."""
    traffic: U1
    """[W] REPLAY_TRAFFIC, REACTIVE_TRAFFIC or MIXED_TRAFFIC."""
    seed: U8
    key: U8x2
    """[W, A] hash of the agent's id."""
    log_x: F8x3
    """[W, A, T] recorded box centres."""
    log_y: F8x3
    log_heading: F8x3
    log_speed: F8x3
    log_valid: B1x3
    has_future: B1x2
    """[W, A] whether anything is recorded after the start step."""
    parked: B1x2
    rear: F8x2
    """[W, A] distance from rear axle to box centre, metres (0 for those without an axle)."""
    desired: F8x2
    """[W, A] desired speed, m/s, where no limit holds it lower."""
    speed_factor: F8x2
    """[W, A] share of a speed limit that the agent drives at."""
    headway_s: F8x2
    accel_max: F8x2
    brake_comfort: F8x2
    gap_margin_s: F8x2
    """[W, A] time that a gap in crossing traffic must leave to both sides."""
    lane_phase: I4x2
    """[W, A] ticks, modulo ten, at which an agent considers a lane change; -1: it changes lanes by script only."""
    controlled: B1x2
    script_agent: I4x2
    """[W, S] agent of each script; -1 pads."""
    script_trigger: U1x2
    script_action: U1x2
    script_number: F8x3
    script_lane: I4x2
    light_program: U1x3
    """[W, T, K] light states per recorded step; the last row holds on."""


class Moving(NamedTuple):
    """What a drive changes, beside the AgentState and the LightArrays."""

    tick: I4
    active: B1
    """[W] false once the episode has ended: the world then stands still."""
    mode: U1x2
    path: I4x3
    """[W, A, M] lanes that the agent follows, from ``path_at`` on."""
    path_count: I4x2
    path_at: I4x2
    offset: F8x2
    """[W, A] lateral offset from the path that the agent is moving to, metres."""
    home: F8x2
    """[W, A] lateral offset that the agent keeps where nothing is in its way: drivers do not all keep the middle."""
    offset_rate: F8x2
    """[W, A] how fast it does, m/s."""
    desired: F8x2
    """[W, A] desired speed now: a script may have changed it."""
    script_brake: F8x2
    """[W, A] deceleration that a script demands, m/s2; 0 for none."""
    press_brake: F8x2
    """[W, A] how hard an agent that presses on brakes for those ahead, m/s2; -1 for all others."""
    goal_x: F8x2
    goal_y: F8x2
    goal_speed: F8x2
    stopped_at: I4x2
    """[W, A] lane for whose stop sign the agent has come to a halt; -1 for none."""
    halted_tick: I4x2
    """[W, A] tick of that halt."""
    waited_s: F8x2
    curvature: F8x2
    """[W, A] curvature driven in the last tick, 1/m."""
    accel_command: F8x2
    """[W, A] acceleration commanded in the last tick, m/s2."""
    changed_at: I4x2
    """[W, A] tick at which the agent last began a lane change of its own accord."""
    script_tick: I4x2
    """[W, S] tick at which a script went off; -1: not yet."""


class Rows(NamedTuple):
    """One row for each controlled agent of any world, in world order."""

    lo: I4
    """[W + 1] rows of world w: lo[w] .. lo[w + 1]."""
    world: I4
    slot: I4
    reference: F8x3
    """[B, 81, 4] dense rear-axle states of the held plan, each 0.1 s."""
    plan_accel: F8x2
    """[B, 16]."""
    plan_curvature: F8x2
    plan_tick: I4
    """[B] world tick at which the held plan begins; -1 for none (direct controls)."""
    accel: F8
    """[B] direct control."""
    curvature: F8
    collided: U1
    """[B] 1 from the first tick in which the agent's box overlaps another's."""


class Record(NamedTuple):
    """What every tick left behind; H is the number of ticks kept, plus one (1 where nothing is recorded)."""

    pose: F8x4
    """[W, H, A, 3] x, y, heading."""
    speed: F8x3
    """[W, H, A]."""
    flags: U1x3
    """[W, H, A] sum of PRESENT, SIMULATED and SEEN."""
    lights: U1x3
    """[W, H, K]."""
    accel: F8x2
    """[B, H] acceleration applied from this tick to the next."""
    curvature: F8x2


PRESENT, SIMULATED, SEEN = 1, 2, 4

FIXED, MOVING, ROWS, RECORD = bundle(Fixed), bundle(Moving), bundle(Rows), bundle(Record)
