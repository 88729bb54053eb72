"""The moment, as kernels see it: one bundle of arrays over W worlds and A agent slots."""

from __future__ import annotations

from typing import NamedTuple

from waytrace.geometry import B1x2, F8x2, I4x2, U1x2, bundle


class AgentState(NamedTuple):
    """Every agent of every world at one tick. Arrays are [W, A]; slots beyond a world's agents are not ``present``."""

    x: F8x2
    """Box centre, metres, world frame."""
    y: F8x2
    heading: F8x2
    cos: F8x2
    """Cosine and sine of the heading, kept beside it because every kernel needs them."""
    sin: F8x2
    speed: F8x2
    """Signed speed along the heading, m/s."""
    accel: F8x2
    """Change of speed during the last tick, m/s2."""
    yaw_rate: F8x2
    """Change of heading during the last tick, rad/s."""
    length: F8x2
    width: F8x2
    kind: U1x2
    """``AgentKind``."""
    present: B1x2
    lane: I4x2
    """Lane (MapIndex number) the agent is on, or -1; ``lane_s``, ``lane_d`` are its coordinates there."""
    lane_s: F8x2
    lane_d: F8x2


AGENT_STATE = bundle(AgentState)
"""Numba type of :class:`AgentState`, for signatures."""


class LightArrays(NamedTuple):
    """The traffic lights of every world at one tick. Arrays are [W, K]; unused slots have lane -1."""

    lane: I4x2
    """Controlled lane (MapIndex number); the light governs its entry."""
    state: U1x2
    """``LightState``."""
    x: F8x2
    """Stop point, metres, world frame."""
    y: F8x2


LIGHT_ARRAYS = bundle(LightArrays)
"""Numba type of :class:`LightArrays`, for signatures."""
