"""The slots that a mode asks for: all of a trace's, the two decisions alone, or none."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.trace import Ask, Present, Trace, sets, walk
from waytrace.trace.causes import decidable
from waytrace.trace.slots import BY_NAME

from .tokens import SceneTokens

MOST_VALUES = (
    9 + 5 * sets.MOST_ENTITIES + 5 * sets.MOST_PREDICTIONS + 6 * sets.MOST_CAUSES + 5 * sets.MOST_REJECTED
    + 4 + 3 * sets.MOST_SEGMENTS
)  # fmt: skip
"""Slots of the longest trace."""


class Decisions(NamedTuple):
    """What is decided where nothing else is said."""

    longitudinal: int
    lateral: int
    """Numbers within ``sets.LONGITUDINAL`` and ``sets.LATERAL``."""


Asking = Generator[Ask, int, Trace | Decisions | None]


def asking(present: Present, mode: str) -> Asking:
    """Ask for one slot after the other, as :func:`waytrace.trace.walk` does; at the end what was said."""
    if mode == "trace":
        return (yield from walk(present))
    if mode == "decision_only":
        lengthwise, sideways = decidable(present)
        longitudinal = yield from _decision("longitudinal", sets.LONGITUDINAL.values if lengthwise else sets.FREE)
        lateral = yield from _decision("lateral", sets.LATERAL.values if sideways else ("keep",))
        return Decisions(longitudinal, lateral)
    return None


def _decision(name: str, allowed: tuple[str, ...]) -> Generator[Ask, int, int]:
    values: sets.Closed = BY_NAME[name].values  # type: ignore[assignment]
    legal = np.zeros(len(values), np.bool_)
    legal[[values.number(value) for value in allowed]] = True
    return (yield Ask(BY_NAME[name], legal))


def token_rows(tokens: SceneTokens, b: int) -> NDArray[np.int64]:
    """[S] row of the reference table that each valid scene token stands for; -1 for none."""
    row: NDArray[np.int64] = tokens.row[b, tokens.valid[b]].astype(np.int64)
    return row


def within_tokens(present: Present, tokens: SceneTokens, b: int) -> Present:
    """What a model can point at: the elements of a moment that have a token for the row they go by."""
    kept = np.zeros(len(present.index), np.bool_)
    row = token_rows(tokens, b)
    kept[row[row >= 0]] = True
    return replace(present, index=np.where(kept & present.rows, present.index, np.int32(-1)).astype(np.int32))
