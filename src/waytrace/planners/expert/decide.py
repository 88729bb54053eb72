"""One decision: make proposals, drive them forward, judge them, take the best."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import PLAN_KNOTS
from waytrace.sim import integrate_dense

from ..moment import Moment
from ..motion import fit_controls
from .base import Base, bases
from .certificate import Lengthwise
from .config import ExpertConfig
from .forecast import forecast
from .judge import (
    AGAINST_M,
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
from .options import Option, lateral_options, pack
from .rollout import SPEED, TICKS, Paths, Proposals, S, roll_out
from .stops import Stop, Stops, find_stops

Array = NDArray[np.float64]

TRIES = 12
"""How many of the best proposals are fitted until one is as clean when driven as it was when proposed."""


COMFORT_SHARE = 0.95
"""A drive that uses more than this of a comfort bound is the less comfortable, the more it uses."""


SOONER_SHARE = 0.3
"""How much of the progress is judged by the mean over the horizon: of two who end at the same line, the one who is
there sooner is better. ``sooner`` is twice that mean, what an even drive makes in all."""


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


@dataclass(frozen=True, eq=False)
class Verdicts:
    """What judging J roll-outs yields: see :func:`~.judge.judge`."""

    when: Array
    who: NDArray[np.int32]
    how: Array


@dataclass(frozen=True, eq=False)
class Seen:
    """All that a decision has looked at: what its certificate is written from."""

    moment: Moment
    config: ExpertConfig
    desired_mps: float
    all_bases: list[Base]
    options: list[Option]
    stops: list[Stops]
    paths: Paths
    others: Array
    """[A, 41, 4] the forecast."""
    changes: NDArray[np.bool_]
    proposals: Proposals
    lengthwise: tuple[Lengthwise, ...]
    waits: tuple[Stop | None, ...]
    """[J] where a proposal of kind ``stop`` or ``wait`` waits."""
    rollouts: Array
    """[J, 81, 7]."""
    verdicts: Verdicts
    score: Array
    clean: NDArray[np.bool_]
    best: int
    accel_mps2: Array
    curvature_1pm: Array

    @property
    def emergency(self) -> bool:
        """Whether nothing is clean."""
        return not bool(self.clean.any())

    @property
    def s_start(self) -> Array:
        """[bases] where the rear axle is."""
        return np.array([base.s0 for base in self.all_bases])


def decide(
    moment: Moment, memory: Memory, config: ExpertConfig, known: Array | None = None
) -> tuple[Array, Array, Memory, Seen | None]:
    """Controls [16], [16], what to remember, and what was seen (None where there is no road in reach).

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
    stops, stopped_for = find_stops(moment, all_bases, memory.stopped_for)
    options = lateral_options(moment, all_bases, stops, config)
    paths = pack(moment, all_bases, options, memory.desired_mps, config)
    proposals, lengthwise, waits = _propose(options, stops, config)
    s_start = np.array([base.s0 for base in all_bases])
    rollouts = rolled(moment, paths, proposals, s_start, config)
    verdicts = judged(moment, paths, proposals, others, changes, rollouts, s_start)
    sooner = 2.0 * (rollouts[:, :, S].mean(1) - rollouts[:, 0, S])
    score, clean = _score(options, all_bases, proposals, verdicts, sooner, memory, config, speed)
    best = int(np.argmax(score)) if clean.any() else _least_bad(verdicts)
    seen = Seen(
        moment, config, memory.desired_mps, all_bases, options, stops, paths, others, changes, proposals, lengthwise,
        waits, rollouts, verdicts, score, clean, best, *np.zeros((2, PLAN_KNOTS)),
    )  # fmt: skip
    accel, curvature, kept = fitted(seen, best)
    if not kept and not seen.emergency:
        first = best, accel, curvature
        for j in np.argsort(-score, kind="stable")[1:TRIES]:
            best = int(j)
            accel, curvature, kept = fitted(seen, best)
            if kept:
                break
        else:
            best, accel, curvature = first
    option = options[proposals.path[best]]
    base = all_bases[option.base]
    chain = tuple(dict.fromkeys(int(v) for v in base.path.lane[int(base.s0) : int(base.s0) + 60]))
    after = Memory(
        base.lane if option.kind not in ("left", "right") else lane, memory.desired_mps, stopped_for, chain,
        option.offset_m, _stays(proposals, best),
    )  # fmt: skip
    chosen = {"best": best, "accel_mps2": accel, "curvature_1pm": curvature}
    return accel, curvature, after, Seen(**(seen.__dict__ | chosen))


def rolled(moment: Moment, paths: Paths, proposals: Proposals, s_start: Array, config: ExpertConfig) -> Array:
    """[J, 81, 7] the proposals driven forward."""
    rollouts = np.zeros((len(proposals.path), TICKS + 1, 7))
    roll_out(
        paths, proposals, moment.axle, moment.accel_mps2, moment.front_m, 0.5 * moment.width_m, config.jerk_mps3,
        config.driver, s_start, rollouts,
    )  # fmt: skip
    return rollouts


def judged(
    moment: Moment, paths: Paths, proposals: Proposals, others: Array, changes: NDArray[np.bool_], rollouts: Array,
    s_start: Array,
) -> Verdicts:  # fmt: skip
    """What is wrong with each roll-out."""
    shape = len(rollouts), len(TERMS)
    out = Verdicts(np.zeros(shape), np.zeros(shape, np.int32), np.zeros((len(rollouts), 6)))
    judge(
        moment.roads.index, paths, proposals, moment.others, others, changes, rollouts, moment.rear_m, moment.length_m,
        moment.width_m, s_start, out.when, out.who, out.how,
    )  # fmt: skip
    return out


def fitted(seen: Seen, j: int) -> tuple[Array, Array, bool]:
    """Controls of a proposal, and whether what they integrate to is as clean as the proposal was."""
    moment, rollout = seen.moment, seen.rollouts[j : j + 1]
    controls = fit_controls(rollout[0, 5::5, :3], rollout[0, 5::5, SPEED], moment.axle)
    dense = rollout.copy()
    dense[0, :, :4] = integrate_dense(moment.axle, *controls)[0]
    alone = Proposals._make(part[j : j + 1] for part in seen.proposals)
    again = judged(moment, seen.paths, alone, seen.others, seen.changes, dense, seen.s_start)
    worse = np.isfinite(again.when[0]) & ~np.isfinite(seen.verdicts.when[j])
    return *controls, not bool(worse[:BLOCKING].any())


def _propose(
    options: list[Option], stops: list[Stops], config: ExpertConfig
) -> tuple[Proposals, tuple[Lengthwise, ...], tuple[Stop | None, ...]]:
    """Every option at every speed; on the lane being driven also stops, waits for a gap, and brakes."""
    rows: list[tuple[float, ...]] = []
    kinds: list[Lengthwise] = []
    waits: list[Stop | None] = []

    def add(kind: Lengthwise, wait: Stop | None, *row: float) -> None:
        rows.append(row)
        kinds.append(kind)
        waits.append(wait)

    for q, option in enumerate(options):
        must, may = stops[option.base].nearest_s, stops[option.base].may
        moves = 0.0 if option.kind == "keep" else 1.0
        for share in config.shares:
            add("speed", None, q, share, must, 0.0, 0.0, moves, np.inf, must)
        for share in (1.0, 0.5):
            add("speed", None, q, share, must, 0.0, 2.0, moves, np.inf, must)
        if option.kind in ("keep", "pass"):
            for stop in may:
                s = min(must, stop.s)
                add("stop", stop, q, 1.0, s, 0.0, 0.0, moves, np.inf, s)
                for release in config.releases_s if option.kind == "keep" else ():
                    add("wait", stop, q, 1.0, s, 0.0, 0.0, moves, release, must)
        if option.kind in ("keep", "offset"):
            for brake in config.brakes_mps2 if option.kind == "keep" else config.brakes_mps2[-1:]:
                add("brake", None, q, 0.0, must, brake, 0.0, moves, np.inf, must)
    part = list(zip(*rows, strict=True))
    proposals = Proposals(np.array(part[0], np.int32), *(np.array(p, np.float64) for p in part[1:]))
    return proposals, tuple(kinds), tuple(waits)


def _score(
    options: list[Option], all_bases: list[Base], proposals: Proposals, verdicts: Verdicts, sooner: Array,
    memory: Memory, config: ExpertConfig, speed: float,
) -> tuple[Array, NDArray[np.bool_]]:  # fmt: skip
    """The score's own aggregation over the forecast, plus small preferences; and which proposals are clean."""
    when, how = verdicts.when, verdicts.how
    hit = when[:, COLLISION]
    factor = np.where(hit < 4.5, 0.0, np.where(np.isfinite(hit), 0.4, 1.0))
    factor *= np.where(when[:, GAP] < 4.5, 0.3, np.where(np.isfinite(when[:, GAP]), 0.7, 1.0))
    factor *= np.where(np.isfinite(when[:, OFF_ROAD]), 0.0, 1.0)
    factor *= np.where(np.isfinite(when[:, BLOCKING]), 0.5, 1.0)
    factor *= np.where(how[:, WRONG_WAY] > 5.0, 0.0, np.where(how[:, WRONG_WAY] > AGAINST_M, 0.6, 1.0))
    clean = factor > 0.0
    faultless = factor > 0.99  # progress that has to be taken from others is no measure for the rest
    made = (1.0 - SOONER_SHARE) * how[:, PROGRESS] + SOONER_SHARE * sooner
    best = max(float(made[faultless].max(initial=0.0)), 5.0)
    progress = np.clip(made / best, 0.0, 1.0)
    ttc = ~(when[:, TTC] <= 3.0)
    limit = np.clip(1.0 - how[:, OVERSPEED] / (2.23 * 8.0), 0.0, 1.0)
    comfort = np.clip(1.0 - 4.0 * np.maximum(how[:, COMFORT] - COMFORT_SHARE, 0.0), 0.0, 1.0)
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
        if memory.chosen_lanes and _stays(proposals, j) == memory.chosen_stop:
            score[j] += 0.5 * config.loyalty
        score[j] -= 0.005 * max(how[j, BRAKING] - 2.0, 0.0)
    return score, clean


def _stays(proposals: Proposals, j: int) -> bool:
    """Whether a proposal stops and does not go on of itself."""
    return bool(np.isfinite(proposals.stop_s[j]) and not np.isfinite(proposals.release_s[j]))


def _least_bad(verdicts: Verdicts) -> int:
    """Where nothing is clean: the softest impact, then the latest, then what brakes hardest."""
    when, how = verdicts.when, verdicts.how
    first = np.minimum(np.minimum(when[:, COLLISION], when[:, OFF_ROAD]), 8.0)
    impact = np.where(np.isfinite(when[:, COLLISION]), how[:, IMPACT], 0.0)
    bad = impact + np.where(np.isfinite(when[:, OFF_ROAD]), 5.0, 0.0) + 0.5 * how[:, WRONG_WAY] - 0.3 * first
    bad -= 0.1 * np.minimum(how[:, BRAKING], 8.0)
    return int(np.argmin(bad))
