"""Writing the certificate of a decision."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from waytrace.sim.traffic.idm import idm

from .._path import STEP_M
from .certificate import Certificate, Constraint, Rejected
from .config import ExpertConfig
from .judge import TERMS

if TYPE_CHECKING:
    from .decide import Considered

_REJECTED = 6


def certify(seen: Considered, best: int, emergency: bool, config: ExpertConfig) -> Certificate:
    """What bound the chosen proposal, and why the best of every other kind lost."""
    option = seen.options[seen.proposals.path[best]]
    base = seen.all_bases[option.base]
    return Certificate(
        option.kind, base.lane, option.offset_m, float(seen.proposals.share[best]),
        bool(np.isfinite(seen.proposals.stop_s[best])), emergency, float(seen.score[best]),
        tuple(_constraints(seen, best, config)), *_others(seen, best),
    )  # fmt: skip


def _constraints(seen: Considered, best: int, config: ExpertConfig) -> list[Constraint]:
    """Every constraint on the chosen path, the most restrictive first."""
    moment, q = seen.moment, int(seen.proposals.path[best])
    base = seen.all_bases[seen.options[q].base]
    v, n = float(moment.axle[3]), int(seen.paths.samples[q])
    at = min(max(int(base.s0 / STEP_M), 0), n - 1)
    half = 0.5 * moment.width_m
    found: list[tuple[str, str, int, float]] = []

    def behind(gap: float, lead: float) -> float:
        return float(idm(v, 1e3, max(gap, 0.1), lead, config.headway_s, config.accel_mps2, config.brake_mps2))

    cap = float(seen.paths.cap[q, at])
    free = float(idm(v, max(cap, 0.1), math.inf, 0.0, config.headway_s, config.accel_mps2, config.brake_mps2))
    bend = float(np.abs(seen.paths.curvature[q, at : min(n, at + 40)]).max(initial=0.0))
    curve = bend > 1e-3 and math.sqrt(config.lateral_accel_mps2 / bend) < 1.05 * cap
    found.append(("curve_lat_accel" if curve else "speed_cap", "lane", int(base.path.lane[at]), free))
    place = base.place
    for a in range(place.shape[1]):
        for t in (0, 5, 10, 15):
            s, d, along, across = place[t, a, :4]
            if not math.isfinite(s) or s - along < base.s0:
                continue
            i = min(max(int(s / STEP_M), 0), n - 1)
            if abs(d - seen.paths.offset[q, i]) > half + across + 0.2:
                continue
            crossing = abs(place[t, a, 5]) > abs(place[t, a, 4])
            gap = s - along - base.s0 - moment.front_m
            accel = behind(gap, max(0.0, float(place[t, a, 4])))
            name = "cross_conflict" if t > 0 or crossing else "headway"
            found.append((name, "agent", int(moment.other_index[a]), accel))
            break
    if math.isfinite(seen.light_s):
        light = int(np.flatnonzero(moment.light_lane == seen.light_lane)[0])
        found.append(("stop_point", "light", light, behind(seen.light_s - base.s0 - moment.front_m + 2.0, 0.0)))
    stop = float(seen.proposals.stop_s[best])
    if math.isfinite(stop) and stop < seen.light_s:
        i = min(max(int(stop / STEP_M) + 1, 0), n - 1)
        accel = behind(stop - base.s0 - moment.front_m + 2.0, 0.0)
        found.append(("stop_point", "lane", int(base.path.lane[min(i, base.count - 1)]), accel))
    least = min(accel for *_, accel in found)
    return [Constraint(*f, f[3] - least) for f in sorted(found, key=lambda f: f[3])]


def _others(seen: Considered, best: int) -> tuple[tuple[Rejected, ...], np.ndarray | None]:
    """The best proposal of every other kind with what it violates first, and the runner-up's states."""
    out: list[Rejected] = []
    runner: np.ndarray | None = None
    chosen = seen.proposals.path[best]
    kinds = {(int(chosen), bool(np.isfinite(seen.proposals.stop_s[best])))}
    for j in np.argsort(-seen.score, kind="stable"):
        q = int(seen.proposals.path[j])
        key = (q, bool(np.isfinite(seen.proposals.stop_s[j])))
        if key in kinds or len(out) == _REJECTED:
            continue
        kinds.add(key)
        if runner is None:
            runner = seen.rollouts[j, 5::5, :4].copy()
        term = int(np.argmin(seen.when[j]))
        at = float(seen.when[j, term])
        who = int(seen.who[j, term])
        out.append(
            Rejected(
                seen.options[q].kind, float(seen.proposals.share[j]), TERMS[term] if math.isfinite(at) else "score",
                int(seen.moment.other_index[who]) if who >= 0 and math.isfinite(at) else -1, at,
                float(seen.score[best] - seen.score[j]),
            )
        )  # fmt: skip
    return tuple(out), runner
