"""Where everybody was: past states of the agents in an observation, for planners that learn from motion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .features import AGENT_ROWS, HISTORY
from .scene import Scene

HISTORY_STEPS, HISTORY_STRIDE = 10, 2
"""By default the last 2 s, each 0.2 s: enough to tell braking from coasting, and a turn from a drift."""


def history_rows(
    scenes: Sequence[Scene], steps: int = HISTORY_STEPS, stride: int = HISTORY_STRIDE
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Past states [B, 32, steps, 5] and whether they were seen [B, 32, steps].

    Row 0 is the controlled agent, row 1 + i the agent of row i of the observation's ``agents``. Step 0 is now, step h
    is ``h * stride`` ticks ago, in the controlled agent's *present* frame; unseen states are 0. Columns: ``history``
    in ``docs/observation.md``. Made from the scenes, so that who needs no history does not pay for it.
    """
    out = np.zeros((len(scenes), 1 + AGENT_ROWS, steps, len(HISTORY)), np.float32)
    valid = np.zeros(out.shape[:3], np.bool_)
    for b, scene in enumerate(scenes):
        ego, agents = scene.ego, scene.agents
        held = np.flatnonzero(agents.in_arrays)
        pose = np.concatenate([ego.pose_history[:, None], agents.pose_history[:, held]], 1)
        speed = np.concatenate([ego.speed_history_mps[:, None], agents.speed_history_mps[:, held]], 1)
        seen = np.concatenate([ego.history_valid[:, None], agents.history_valid[:, held]], 1)
        pose, speed, seen = (part[::-1][: steps * stride : stride] for part in (pose, speed, seen))
        d, turn = pose[..., :2] - ego.pose[:2], pose[..., 2] - ego.pose[2]
        c, s = np.cos(ego.pose[2]), np.sin(ego.pose[2])
        rows = np.stack(
            [c * d[..., 0] + s * d[..., 1], c * d[..., 1] - s * d[..., 0], np.cos(turn), np.sin(turn), speed], -1
        )
        ticks, count = seen.shape
        out[b, :count, :ticks] = np.where(seen[..., None], rows, 0.0).swapaxes(0, 1)
        valid[b, :count, :ticks] = seen.T
    return out, valid
