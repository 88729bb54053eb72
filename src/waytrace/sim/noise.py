"""Counter-based randomness: a number depends on (seed, agent, step, purpose) and on nothing else.

No generator state is carried, so removing an agent, forking a world or running worlds in another order changes no
other agent's draws. The mixing function is splitmix64's finaliser (Steele, Lea and Flood 2014,
https://doi.org/10.1145/2660193.2660195).
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from waytrace.geometry import jit

PURPOSE_HEADWAY, PURPOSE_SPEED, PURPOSE_ACCEL, PURPOSE_FORK, PURPOSE_GAP, PURPOSE_LANE = range(6)


@jit("u8", "u8")
def mix(value: Any) -> Any:
    """A 64-bit value with every bit of ``value`` spread over all of it."""
    z = value + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@jit("f8", "u8", "u8", "i8", "i8")
def uniform(seed: Any, agent: Any, step: int, purpose: int) -> float:
    """A number in [0, 1) for this seed, agent, step and purpose."""
    z = mix(mix(mix(seed ^ agent) ^ np.uint64(step)) ^ np.uint64(purpose))
    return float(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


def agent_key(agent_id: str) -> int:
    """A 64-bit key of an agent's id, the same in every process."""
    return int.from_bytes(hashlib.blake2b(agent_id.encode(), digest_size=8).digest(), "little")
