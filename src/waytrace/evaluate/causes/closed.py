"""The closed loop: the planner drives on, once with everything there and once without what it says moved it.

All random numbers are the same in both drives, and others react to what is gone. So this is the whole effect of a
cause, through everybody else and over time, where the open loop asks for the effect on one decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from waytrace.evaluate.drive import drive
from waytrace.observe import Reference
from waytrace.scenario import Rollout, Scenario

from .edits import Element, edited, undo
from .moment import AUDITED, HONEST

AHEAD_TICKS = 60
"""Drives are compared until so long after the moment: the 6 s of the open loop."""


def closed_loop(
    scenario: Scenario, record: Mapping[str, Any], planner: Any, expert: Any, *, traffic: str, seed: int
) -> dict[str, Any] | None:  # fmt: skip
    """How far apart two drives come when an agent is gone: the first one cited, and one like it that is not.

    For the planner with its own claim, and for the expert with the honest one. None where either cites no agent, or
    nobody is like it.
    """
    end = min(scenario.end_step, scenario.start_step + int(record["tick"]) + AHEAD_TICKS)
    shorter = scenario.with_(end_step=end)
    out: dict[str, Any] = {"scene": record["scene"], "tick": record["tick"]}
    for voice, driver in ((AUDITED, planner), (HONEST, expert)):
        pair = pair_of(record["voices"][voice])
        if pair is None:
            return None
        scenes = [shorter, *(edited(shorter, undo(Element(ref))).scenario for ref in pair)]
        whole, without, beside = drive(driver, scenes, traffic=traffic, seed=seed)
        out[voice] = {"cited_m": _apart_m(whole, without), "uncited_m": _apart_m(whole, beside)}
    return out


def pair_of(voice: Mapping[str, Any]) -> tuple[Reference, Reference] | None:
    """(the first agent that is cited, the uncited one like it); others are matched in the order of what is cited."""
    cited = [e for group in voice["groups"] for e in group["elements"]]
    pairs = [both for both in zip(cited, voice["matched"], strict=False) if both[0].startswith("agent:")]
    return (Reference.parse(pairs[0][0]), Reference.parse(pairs[0][1])) if pairs else None


def _apart_m(one: Rollout, other: Rollout) -> float:
    """The greatest distance between both egos at one time."""
    ticks = min(len(one.pose), len(other.pose))
    away = one.pose[:ticks, one.ego_index, :2] - other.pose[:ticks, other.ego_index, :2]
    return float(np.hypot(*away.T).max())
