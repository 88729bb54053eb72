"""One moment as the audit sees it: the scene, what the expert does in it, and what it does with something undone."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from waytrace.label.asking import ACROSS_M, ALONG_M, Asker
from waytrace.label.from_certificate import own_lane
from waytrace.label.without import without
from waytrace.observe import Reference, ReferenceKind, Scene, scenes_of
from waytrace.planners import Certificate, Foresight
from waytrace.scenario import Plan, Rollout, Scenario
from waytrace.trace import Cause, Verdict

MEMORY_TICKS = 5
"""The expert is taken through the drive up to the decision at 2 Hz: what it carries along comes from there."""


@dataclass(frozen=True)
class _Scenes:
    """All that the expert reads of an observation."""

    scenes: tuple[Scene, ...]


@dataclass(frozen=True, eq=False)
class AuditMoment:
    """A scene with the expert's answer to it."""

    scene: Scene
    state: Any
    """What the expert carried into the decision."""
    plan: Plan
    certificate: Certificate | None
    """None where no road is in reach."""
    foresight: Foresight | None
    asker: Asker

    @classmethod
    def of(cls, scene: Scene, asker: Asker, state: Any = None) -> AuditMoment:
        """The expert's answer with the memory in ``state`` (None: that of a drive that begins)."""
        plan, certificate = asker.ask(scene, state)
        return cls(scene, state, plan, certificate, asker.expert.forecasts[0], asker)

    def moved_m(self, gone: Collection[Reference], *, limits: bool = False, curves: bool = True) -> tuple[float, float]:
        """How far the plan moves within 6 s, along and across the lane, with some things undone.

        ``limits`` and ``curves`` as in :func:`waytrace.label.without.without` and :meth:`Asker.ask`.
        """
        return self.apart_m(self.plan, self.plan_without(gone, limits=limits, curves=curves))

    def plan_without(self, gone: Collection[Reference], *, limits: bool = False, curves: bool = True) -> Plan:
        """The expert's plan with some things undone."""
        return self.asker.ask(without(self.scene, gone, limits=limits), self.state, mind_curves=curves)[0]

    def plan_undone(self, causes: Collection[Cause]) -> Plan:
        """The expert's plan with causes undone together, as the labeller undoes them."""
        return self.plan_without(
            {c.ref for c in causes if c.constraint != "curve_lat_accel"},
            limits=any(c.constraint == "speed_cap" for c in causes),
            curves=not any(c.constraint == "curve_lat_accel" for c in causes),
        )

    def apart_m(self, one: Plan, other: Plan) -> tuple[float, float]:
        """How far two plans come apart within 6 s, along and across the ego's lane."""
        assert self.certificate is not None
        return self.asker.apart_m(self.scene, one, other, own_lane(self.certificate))


def moments_of(
    scenario: Scenario, rollout: Rollout | None, ticks: Collection[int], asker: Asker
) -> Iterator[tuple[int, AuditMoment]]:
    """(tick, moment) of every tick asked for, in order of time; the expert comes to each with its memory of the drive.

    The drive is ``rollout``, or as recorded without one. Raises ``WaytraceError`` for a tick outside of it.
    """
    state: Any = None
    before = _decisions(scenario, rollout, max(ticks, default=0))
    for tick, scene in scenes_of(scenario, {*ticks, *before}, rollout):
        if tick in ticks:
            yield tick, AuditMoment.of(scene, asker, state)
        if tick % MEMORY_TICKS == 0:
            state = remember(scene, asker, state)


def _decisions(scenario: Scenario, rollout: Rollout | None, last: int) -> list[int]:
    """Ticks before ``last`` at which the expert would have decided, where the ego was there."""
    ticks = range(0, last, MEMORY_TICKS)
    if rollout is not None:
        return list(ticks)
    valid = scenario.agents.valid[scenario.ego_index]
    return [t for t in ticks if scenario.start_step + t < len(valid) and valid[scenario.start_step + t]]


def remember(scene: Scene, asker: Asker, state: Any) -> Any:
    """What the expert carries on from a decision about a scene."""
    return asker.expert.plan(_Scenes((scene,)), state)[2]  # type: ignore[arg-type]


def there(scene: Scene, ref: Reference) -> bool:
    """Whether a scene has such a thing."""
    if ref.kind == ReferenceKind.AGENT:
        return ref.index in scene.agents.index
    count = {
        ReferenceKind.LANE: len(scene.map), ReferenceKind.STOP_LINE: len(scene.map),
        ReferenceKind.LIGHT: len(scene.light_lane), ReferenceKind.CROSSWALK: len(scene.map.crosswalk),
    }.get(ref.kind, 0)  # fmt: skip
    return 0 <= ref.index < count


def room_m(along_m: float, across_m: float) -> float:
    """Metres by which two plans are different, negative for the same: on the axis on which they differ more."""
    if along_m / ALONG_M >= across_m / ACROSS_M:
        return along_m - ALONG_M
    return across_m - ACROSS_M


def judged(
    claim: str, rule: str, value: str, why: str, *, slack: float = 0.0, unit: str = "",
    found: Mapping[str, float | str] = MappingProxyType({}), **evidence: float | str,
) -> Verdict:  # fmt: skip
    """A verdict of the audit; ``found`` and the keywords are its evidence."""
    said = {k: v if isinstance(v, str) else _number(v) for k, v in {**evidence, **found}.items()}
    return Verdict(claim, "interventional", value, rule, _number(slack), unit, said, why)


def _number(value: float) -> float:
    """Rounded and finite: a verdict is written as JSON."""
    return 0.0 if math.isnan(value) else round(float(min(max(value, -1e6), 1e6)), 3)
