"""One decision: make proposals, drive them forward, judge them, take the best, and say why."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import PLAN_KNOTS
from waytrace.scenario.types import LaneControl
from waytrace.sim import integrate_dense

from .._ahead import regulated_entry, stop_point
from .._moment import Moment
from .._path import STEP_M
from ..motion import fit_controls
from .certificate import Certificate
from .config import ExpertConfig
from .evidence import certify
from .forecast import forecast
from .judge import (
    BLOCKING,
    BRAKING,
    COLLISION,
    COMFORT,
    GAP,
    IMPACT,
    OFF_ROAD,
    OVERSPEED,
    PROGRESS,
    TERMS,
    TTC,
    WRONG_WAY,
    judge,
)
from .options import Base, Option, bases, lateral_options, pack
from .rollout import SPEED, TICKS, Paths, Proposals, roll_out

Array = NDArray[np.float64]

TRIES = 12
"""How many of the best proposals are fitted until one is as clean when driven as it was when proposed."""


@dataclass(frozen=True)
class Memory:
    """What the expert carries from one decision to the next."""

    lane: int
    desired_mps: float
    stopped_for: int = -1
    """Lane at whose stop sign it has come to rest."""
    chosen_lanes: tuple[int, ...] = ()
    chosen_offset: float = 0.0
    chosen_stop: bool = False


@dataclass(frozen=True)
class Considered:
    """All that a decision has looked at, for the certificate."""

    moment: Moment
    all_bases: list[Base]
    options: list[Option]
    paths: Paths
    proposals: Proposals
    rollouts: Array
    when: Array
    who: NDArray[np.int32]
    how: Array
    score: Array
    light_s: float
    light_lane: int


def decide(
    moment: Moment, memory: Memory, config: ExpertConfig, known: Array | None = None
) -> tuple[Array, Array, Memory, Certificate | None]:
    """Controls [16], [16], what to remember, and the evidence (None where there is no road in reach).

    ``known`` [A, 41, 4] stands in for the expert's own forecast; only the oracle has it.
    """
    x, y, heading, speed = (float(v) for v in moment.axle)
    lane = moment.roads.start_lane(x, y, heading, memory.lane)
    if lane < 0:
        return np.full(PLAN_KNOTS, -2.0), np.zeros(PLAN_KNOTS), memory, None
    others, changes = forecast(moment)
    if known is not None:
        others = known
    all_bases = bases(moment, lane, others, memory.desired_mps)
    lateral = lateral_options(moment, all_bases, config)
    paths = pack(moment, all_bases, lateral, memory.desired_mps, config)
    options = [option for option, _ in lateral]
    stops, stopped_for, light = _stops(moment, all_bases, memory)
    proposals = _propose(options, all_bases, stops, config)
    count = len(proposals.path)
    rollouts = np.zeros((count, TICKS + 1, 7))
    s_start = np.array([base.s0 for base in all_bases])
    half_width = 0.5 * moment.width_m
    roll_out(
        paths, proposals, moment.axle, moment.accel_mps2, moment.front_m, half_width, config.jerk_mps3,
        config.driver, s_start, rollouts,
    )  # fmt: skip
    when, who, how = np.zeros((count, len(TERMS))), np.zeros((count, len(TERMS)), np.int32), np.zeros((count, 6))
    judge(
        moment.roads.index, paths, proposals, moment.others, others, changes, rollouts, moment.rear_m, moment.length_m,
        moment.width_m, s_start, when, who, how,
    )  # fmt: skip
    score, clean = _score(options, all_bases, proposals, when, how, memory, config, speed)
    emergency = not bool(clean.any())

    def feasible(j: int) -> tuple[Array, Array, bool]:
        """Controls of a proposal, and whether what they integrate to is as clean as the proposal was."""
        fitted = fit_controls(rollouts[j, 5::5, :3], rollouts[j, 5::5, SPEED], moment.axle)
        dense = rollouts[j : j + 1].copy()
        dense[0, :, :4] = integrate_dense(moment.axle, *fitted)[0]
        again = np.zeros((1, len(TERMS))), np.zeros((1, len(TERMS)), np.int32), np.zeros((1, 6))
        judge(
            moment.roads.index, paths, Proposals._make(part[j : j + 1] for part in proposals), moment.others, others,
            changes, dense, moment.rear_m, moment.length_m, moment.width_m, s_start, *again,
        )  # fmt: skip
        worse = np.isfinite(again[0][0]) & ~np.isfinite(when[j])
        return *fitted, not bool(worse[:BLOCKING].any())

    best = _least_bad(when, how, rollouts) if emergency else int(np.argmax(score))
    accel, curvature, kept = feasible(best)
    if not kept and not emergency:
        first = best, accel, curvature
        for j in np.argsort(-score, kind="stable")[1:TRIES]:
            best = int(j)
            accel, curvature, kept = feasible(best)
            if kept:
                break
        else:
            best, accel, curvature = first
    option = options[proposals.path[best]]
    base = all_bases[option.base]
    seen = Considered(
        moment, all_bases, options, paths, proposals, rollouts, when, who, how, score, *light
    )  # fmt: skip
    chain = tuple(dict.fromkeys(int(v) for v in base.path.lane[int(base.s0) : int(base.s0) + 60]))
    after = Memory(
        base.lane if option.kind not in ("left", "right") else lane, memory.desired_mps, stopped_for, chain,
        option.offset_m, bool(np.isfinite(proposals.stop_s[best])),
    )  # fmt: skip
    return accel, curvature, after, certify(seen, best, emergency, config)


def _stops(
    moment: Moment, all_bases: list[Base], memory: Memory
) -> tuple[list[tuple[float, list[float]]], int, tuple[float, int]]:
    """Per base: where it must stop (light, stop sign, lane's end), and where it may (before conflict zones)."""
    index = moment.roads.index
    closed = moment.closed_lanes()
    speed, stopped_for = float(moment.axle[3]), memory.stopped_for
    out, light = [], (math.inf, -1)
    for base in all_bases:
        front = base.s0 + moment.front_m
        must, at_lane = stop_point(moment, base.path, base.count, base.s0, closed)
        if base.kind == "keep":
            light = (must, at_lane)
        for s, regulated, control in regulated_entry(moment, base.path, base.count, front - 1.0):
            if control == LaneControl.STOP and regulated != stopped_for:
                if speed < 0.3 and s - front < 3.0:
                    stopped_for = regulated
                else:
                    must = min(must, s - 0.5)
            break
        if math.isfinite(base.run_m):
            must = min(must, base.s0 + base.run_m - 3.0)
        may: list[float] = []
        last = -1
        for i in range(max(int(base.s0), 1), min(base.count, int(base.s0) + 80)):
            lane = int(base.path.lane[i])
            if lane == last:
                continue
            last = lane
            start = i * STEP_M - float(base.path.lane_s[i])
            conflicts = range(int(index.conf_lo[lane]), int(index.conf_lo[lane + 1]))
            entries = {round(start + float(index.conf_s0[c]) - 1.0, 1) for c in conflicts if index.conf_kind[c] != 2}
            may += [s for s in sorted(entries) if s > front - 0.5]
            if start - 0.5 > front and index.lane_junction[lane]:
                may.append(start - 0.5)
        kept: list[float] = []
        for s in sorted(may):
            if not kept or s - kept[-1] > 3.0:
                kept.append(s)
        out.append((must, kept[:3]))
    return out, stopped_for, light


def _propose(
    options: list[Option], all_bases: list[Base], stops: list[tuple[float, list[float]]], config: ExpertConfig
) -> Proposals:
    """Every option at every speed; on the lane being driven also stops and brakes."""
    rows: list[tuple[int, float, float, float, float, float]] = []
    for q, option in enumerate(options):
        must, may = stops[option.base]
        moves = 0.0 if option.kind == "keep" else 1.0
        rows += [(q, share, must, 0.0, 0.0, moves) for share in config.shares]
        rows += [(q, share, must, 0.0, 2.0, moves) for share in (1.0, 0.5)]
        if option.kind in ("keep", "pass"):
            rows += [(q, 1.0, min(must, s), 0.0, 0.0, moves) for s in may]
        if option.kind in ("keep", "offset"):
            brakes = config.brakes_mps2 if option.kind == "keep" else config.brakes_mps2[-1:]
            rows += [(q, 0.0, must, brake, 0.0, moves) for brake in brakes]
    part = list(zip(*rows, strict=True))
    return Proposals(np.array(part[0], np.int32), *(np.array(p, np.float64) for p in part[1:]))


def _score(
    options: list[Option], all_bases: list[Base], proposals: Proposals, when: Array, how: Array, memory: Memory,
    config: ExpertConfig, speed: float,
) -> tuple[Array, NDArray[np.bool_]]:  # fmt: skip
    """The score's own aggregation over the forecast, plus small preferences; and which proposals are clean."""
    hit = when[:, COLLISION]
    factor = np.where(hit < 4.5, 0.0, np.where(np.isfinite(hit), 0.4, 1.0))
    factor *= np.where(when[:, GAP] < 4.5, 0.3, np.where(np.isfinite(when[:, GAP]), 0.7, 1.0))
    factor *= np.where(np.isfinite(when[:, OFF_ROAD]), 0.0, 1.0)
    factor *= np.where(np.isfinite(when[:, BLOCKING]), 0.5, 1.0)
    factor *= np.where(how[:, WRONG_WAY] > 5.0, 0.0, np.where(how[:, WRONG_WAY] > 1.8, 0.6, 1.0))
    clean = factor > 0.0
    best = max(float(how[clean, PROGRESS].max(initial=0.0)), 5.0)
    progress = np.clip(how[:, PROGRESS] / best, 0.0, 1.0)
    ttc = ~(when[:, TTC] <= 3.0)
    limit = np.clip(1.0 - how[:, OVERSPEED] / (2.23 * 8.0), 0.0, 1.0)
    comfort = np.clip(1.0 - 2.0 * np.maximum(how[:, COMFORT] - 1.0, 0.0), 0.0, 1.0)
    weights = (config.weight_progress, config.weight_ttc, config.weight_limit, config.weight_comfort)
    terms = (progress, ttc, limit, comfort)
    score = factor * np.tensordot(np.array(weights), np.array(terms, np.float64), 1) / sum(weights)
    for j, q in enumerate(proposals.path):
        option = options[q]
        base = all_bases[option.base]
        score[j] -= 0.06 * min(abs(option.offset_m), 1.0) + (0.03 if option.kind in ("left", "right") else 0.0)
        if math.isfinite(base.run_m):  # a lane that ends: the nearer its end, the dearer
            score[j] -= 0.4 * min(max(1.0 - (base.run_m - 10.0) / (60.0 + 8.0 * speed), 0.0), 1.0)
        same = base.lane in memory.chosen_lanes and abs(option.offset_m - memory.chosen_offset) < 0.3
        if same and option.kind != "offset":
            score[j] += config.loyalty
        if memory.chosen_lanes and bool(np.isfinite(proposals.stop_s[j])) == memory.chosen_stop:
            score[j] += 0.5 * config.loyalty
        score[j] -= 0.005 * max(how[j, BRAKING] - 2.0, 0.0)
    return score, clean


def _least_bad(when: Array, how: Array, rollouts: Array) -> int:
    """Where nothing is clean: the softest impact, then the latest."""
    first = np.minimum(np.minimum(when[:, COLLISION], when[:, OFF_ROAD]), 8.0)
    impact = np.where(np.isfinite(when[:, COLLISION]), how[:, IMPACT], 0.0)
    bad = impact + np.where(np.isfinite(when[:, OFF_ROAD]), 5.0, 0.0) + 0.5 * how[:, WRONG_WAY] - 0.3 * first
    return int(np.argmin(bad))
