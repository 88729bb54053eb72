"""One moment as the audit sees it: the scene, what the expert does in it, and what it does with something undone."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from waytrace.label.asking import ACROSS_M, ALONG_M, Asker
from waytrace.label.from_certificate import own_lane
from waytrace.label.without import without
from waytrace.observe import Reference, ReferenceKind, Scene
from waytrace.planners import Certificate, Foresight
from waytrace.scenario import Plan
from waytrace.trace import Verdict


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

    def apart_m(self, one: Plan, other: Plan) -> tuple[float, float]:
        """How far two plans come apart within 6 s, along and across the ego's lane."""
        assert self.certificate is not None
        return self.asker.apart_m(self.scene, one, other, own_lane(self.certificate))


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
