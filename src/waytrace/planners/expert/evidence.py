"""Writing the certificate of a decision."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from waytrace.sim.traffic.idm import idm

from .._path import STEP_M
from .certificate import Certificate, Constraint, Rejected
from .config import ExpertConfig
from .judge import PROGRESS, TERMS

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


def _others(seen: Considered, best: int) -> tuple[tuple[Rejected, ...], NDArray[np.float64] | None]:
    """What was turned down, with what it violates first; and the states of the best proposal of another kind.

    Lengthwise: the proposal on the chosen path that would go farthest. Sideways: every other option at full speed.
    """
    chosen = int(seen.proposals.path[best])
    stops = np.isfinite(seen.proposals.stop_s)
    same = np.flatnonzero(seen.proposals.path == chosen)
    eager = int(same[np.argmax(seen.how[same, PROGRESS])])
    turned_down = [eager] if np.isfinite(seen.when[eager]).any() and eager != best else []
    for q in range(len(seen.options)):
        full = np.flatnonzero((seen.proposals.path == q) & (seen.proposals.share == 1.0))
        if q != chosen and len(full):
            turned_down.append(int(full[0]))
    turned_down[1:] = sorted(turned_down[1:], key=lambda j: -float(seen.score[j]))
    other_kind = (seen.proposals.path != chosen) | (stops != stops[best])
    runner = None
    if other_kind.any():
        second = int(np.argmax(np.where(other_kind, seen.score, -np.inf)))
        runner = seen.rollouts[second, 5::5, :4].copy()
    return tuple(_reason(seen, best, j) for j in turned_down[:_REJECTED]), runner


def _reason(seen: Considered, best: int, j: int) -> Rejected:
    """Why proposal ``j`` lost."""
    term = int(np.argmin(seen.when[j]))
    at, who = float(seen.when[j, term]), int(seen.who[j, term])
    violated = math.isfinite(at)
    return Rejected(
        seen.options[seen.proposals.path[j]].kind, float(seen.proposals.share[j]),
        TERMS[term] if violated else "score", int(seen.moment.other_index[who]) if violated and who >= 0 else -1, at,
        float(seen.score[best] - seen.score[j]),
    )  # fmt: skip
