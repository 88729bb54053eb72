"""What is asked of hidden states: values of slots, places to point at, controls of the plan.

Legend: D width, S valid scene tokens, P of them that stand for a row of the reference table.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import ACCEL_RANGE_MPS2, CURVATURE_RANGE_1PM, PLAN_KNOT_S, REAR_AXLE_TO_CENTRE
from waytrace.sim import integrate
from waytrace.trace.slots import END, NOTHING, Slot

from .columns import MOVE_AT, STEER_KNOTS
from .config import MODES
from .forward import linear, softmax
from .parameters import Parameters
from .tokens import SceneTokens
from .vocabulary import is_pointer, rows_of

Array = NDArray[Any]

ACCEL_SCALE_MPS2, CURVATURE_MIN_SPEED_MPS = 2.5, 4.0
ACCEL_STEP_MPS2, CURVATURE_STEP_1PM = 4.0, 0.1
"""Furthest that a knot may lie from the one before."""

STEER_SCALE_MPS2 = 4.0
"""A path token's 1 of steering, as a lateral acceleration."""

_HALF_MPS2 = 0.5 * (ACCEL_RANGE_MPS2[1] - ACCEL_RANGE_MPS2[0])
_MIDDLE_MPS2 = 0.5 * (ACCEL_RANGE_MPS2[1] + ACCEL_RANGE_MPS2[0])
_AT_REST = float(np.arctanh(-_MIDDLE_MPS2 / _HALF_MPS2))


@dataclass(frozen=True)
class Pointing:
    """What a pointer slot of one moment can choose among."""

    row: NDArray[np.int64]
    """[P + 2] number of each choice: rows of the reference table, then NOTHING, then END."""
    key: Array
    """[P + 2, D]."""
    embedding: Array
    """[P + 2, D] what the next token is told of each choice."""

    @classmethod
    def of(cls, parameters: Parameters, row: NDArray[np.int64], hidden: Array) -> Pointing:
        """From the hidden states [S, D] of the valid scene tokens and the rows [S] that they stand for, -1 for none."""
        at = hidden[row >= 0]
        return cls(
            np.concatenate([row[row >= 0], [NOTHING, END]]),
            np.concatenate([linear(at, parameters["head.trace.key.weight"]), parameters["head.trace.nowhere_key"]]),
            np.concatenate([linear(at, parameters["head.trace.point.weight"]), parameters["head.trace.nowhere"]]),
        )

    @cached_property
    def columns(self) -> Array:
        """[D, P + 2] the keys as columns, scaled: a query times them gives the logits."""
        return np.ascontiguousarray(self.key.T * self.key.dtype.type(self.key.shape[-1] ** -0.5))

    @cached_property
    def _place(self) -> dict[int, int]:
        return {int(number): place for place, number in enumerate(self.row)}

    def at(self, number: int) -> int:
        """Place of a number among the choices. Raises ``KeyError`` for a row that has no token."""
        if number not in self._place:
            raise KeyError(f"row {number} of the reference table has no scene token")
        return self._place[number]


def slot_logits(parameters: Parameters, hidden: Array, slot: Slot, pointing: Pointing) -> Array:
    """Logits over the full set of a slot: its values, or for a pointer the choices of ``pointing``, in their order.

    ``hidden`` [..., D] is the state of the token that asks.
    """
    if is_pointer(slot):
        query = linear(hidden, parameters["head.trace.query.weight"])
        logits: Array = query @ pointing.key.T * hidden.dtype.type(hidden.shape[-1] ** -0.5)
        return logits
    rows = rows_of(slot)
    return linear(hidden, parameters["head.trace.output.weight"][rows], parameters["head.trace.output.bias"][rows])


def value_embedding(parameters: Parameters, slot: Slot, number: int, pointing: Pointing) -> Array:
    """What the next token is told of a value: [D]."""
    if is_pointer(slot):
        told: Array = pointing.embedding[pointing.at(number)]
        return told
    row: Array = parameters["head.trace.value_embedding.weight"][rows_of(slot).start + number]
    return row


def queries(parameters: Parameters, mode: str) -> Array:
    """Embeddings of the control queries [QUERIES, D]."""
    out: Array = parameters["head.control.queries.weight"] + parameters["head.control.mode.weight"][MODES.index(mode)]
    return out


def moves(path: Array) -> Array:
    """Lateral accelerations (m/s2) [..., MOVES, STEER_KNOTS] of the ways to steer that path tokens [..., 3, F] name."""
    return np.stack([path[..., place, at : at + STEER_KNOTS] for place, at in MOVE_AT], -2) * STEER_SCALE_MPS2


def moves_of(tokens: SceneTokens, b: int) -> Array:
    """:func:`moves` of row ``b``."""
    return moves(tokens.path[b])


def followed(parameters: Parameters, hidden: Array) -> Array:
    """How much of each of the moves, and of none, the plan follows: [MOVES + 1], from the queries' hidden states."""
    return softmax(linear(hidden[0], parameters["head.control.follow.weight"], parameters["head.control.follow.bias"]))


def raw_controls(parameters: Parameters, hidden: Array, moves: Array) -> Array:
    """Raw controls [16, 2] (acceleration, curvature) from the hidden states of the queries [QUERIES, D].

    The first curvatures are what the map says beside the ``moves`` [MOVES, STEER_KNOTS] that the plan follows.
    """
    out = linear(hidden, parameters["head.control.out.weight"], parameters["head.control.out.bias"]).reshape(-1, 2)
    out[:STEER_KNOTS, 1] += followed(parameters, hidden)[:-1] @ moves.astype(out.dtype)
    return out


def squash(raw: Array, speed_mps: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Acceleration (m/s2) and curvature (1/m) [16] of raw controls [16, 2], for a start at ``speed_mps``.

    Raw acceleration 0 is 0 and the limits are never passed; raw curvature is an acceleration across in m/s2, so that
    one number turns as hard at any speed. Both are held near the knot before.
    """
    wanted = _MIDDLE_MPS2 + _HALF_MPS2 * np.tanh(raw[:, 0].astype(np.float64) / ACCEL_SCALE_MPS2 + _AT_REST)
    accel, curvature = [], []
    v, a, c = float(speed_mps), float(wanted[0]), 0.0
    for k, (near, r_c) in enumerate(zip(wanted.tolist(), raw[:, 1].tolist(), strict=True)):
        a = _clipped(near, a - ACCEL_STEP_MPS2, a + ACCEL_STEP_MPS2)
        bend = _clipped(r_c / max(v, CURVATURE_MIN_SPEED_MPS) ** 2, *CURVATURE_RANGE_1PM)
        c = bend if k == 0 else _clipped(bend, c - CURVATURE_STEP_1PM, c + CURVATURE_STEP_1PM)
        accel.append(a)
        curvature.append(c)
        v = max(v + a * PLAN_KNOT_S, 0.0) if v >= 0.0 else v + a * PLAN_KNOT_S
    return np.array(accel), np.array(curvature)


def _clipped(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def unsquash(accel: Array, curvature: Array, speed_mps: float) -> NDArray[np.float64]:
    """Raw controls [16, 2] that :func:`squash` would turn into these, where it can: the targets of the control loss.

    Accelerations are held 0.01 m/s2 away from the limits, where the raw number would be infinite.
    """
    a = np.clip(np.asarray(accel, np.float64), ACCEL_RANGE_MPS2[0] + 0.01, ACCEL_RANGE_MPS2[1] - 0.01)
    r_a = ACCEL_SCALE_MPS2 * (np.arctanh((a - _MIDDLE_MPS2) / _HALF_MPS2) - _AT_REST)
    speed = np.empty(len(a))
    v = float(speed_mps)
    for k in range(len(a)):
        speed[k] = v
        v = max(v + accel[k] * PLAN_KNOT_S, 0.0) if v >= 0.0 else v + accel[k] * PLAN_KNOT_S
    r_c = np.asarray(curvature, np.float64) * np.maximum(speed, CURVATURE_MIN_SPEED_MPS) ** 2
    return np.stack([r_a, r_c], -1)


def waypoints(accel: Array, curvature: Array, speed_mps: float, length_m: float) -> NDArray[np.float64]:
    """Rear-axle waypoints [16, 4] (x, y, heading, speed) in the frame of the ego's box centre."""
    start = np.array([[-REAR_AXLE_TO_CENTRE * length_m, 0.0, 0.0, speed_mps]])
    states: NDArray[np.float64] = integrate(start, accel[None], curvature[None])[0]
    return states
