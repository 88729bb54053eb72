"""Whether a label's causes are causes: the expert is asked again without them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from waytrace.observe import Reference, Scene
from waytrace.planners import Certificate, Expert, ExpertConfig
from waytrace.scenario import Plan
from waytrace.scenario.roads import RoadCache
from waytrace.trace import Cause

from .from_certificate import Label, own_lane
from .lay import apart_m, lay_out
from .without import STRAIGHT_MPS2, only, testable, without

ALONG_M, ACROSS_M = 1.0, 0.3
"""Two plans that stay within this of each other for 6 s, along and across the lane, are the same."""


@dataclass(frozen=True)
class Test:
    """One question put to the expert, and its answer."""

    claim: str
    """``necessary``, ``together``, ``alone`` (a single one of an overdetermining set), ``enabling``, ``sufficient``."""
    refs: tuple[Reference, ...]
    along_m: float
    """How far the plan moves along the lane within 6 s."""
    across_m: float
    holds: bool

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "claim": self.claim, "refs": [str(ref) for ref in self.refs], "along_m": round(self.along_m, 2),
            "across_m": round(self.across_m, 2), "holds": self.holds,
        }  # fmt: skip


@dataclass(frozen=True)
class _Scenes:
    """All that the expert reads of an observation."""

    scenes: tuple[Scene, ...]


class Asker:
    """The expert, asked about edited scenes with the memory that it had."""

    def __init__(self, config: ExpertConfig | None = None) -> None:
        config = config or ExpertConfig()
        self.expert = Expert(config)
        self.straight = Expert(replace(config, lateral_accel_mps2=STRAIGHT_MPS2))
        self.roads = RoadCache()

    def ask(self, scene: Scene, state: Any, *, mind_curves: bool = True) -> tuple[Plan, Certificate | None]:
        """The plan (of one planner) and its certificate for a scene."""
        expert = self.expert if mind_curves else self.straight
        plan, _, _ = expert.plan(_Scenes((scene,)), state)  # type: ignore[arg-type]
        return plan[0], expert.certificates[0]

    def apart_m(self, scene: Scene, one: Plan, other: Plan, lane: int) -> tuple[float, float]:
        """How far two plans come apart within 6 s, along and across the scene's lane."""
        roads = self.roads.of(scene.map, scene.route)
        return apart_m(lay_out(roads, scene, one, lane, lane).own, lay_out(roads, scene, other, lane, lane).own)


def tests_of(label: Label, certificate: Certificate, scene: Scene, state: Any, asker: Asker) -> list[Test]:
    """Every test of a label of the expert's choice: necessity of causes, and sufficiency of all of them."""
    lane = own_lane(certificate)
    causes = label.trace.decision.causes

    def moved(edited: Scene, curves: bool = True) -> tuple[float, float]:
        plan, _ = asker.ask(edited, state, mind_curves=curves)
        return asker.apart_m(scene, label.plan, plan, lane)

    def undone(some: Collection[Cause]) -> tuple[float, float]:
        curves = not any(c.constraint == "curve_lat_accel" for c in some)
        limits = any(c.constraint == "speed_cap" for c in some)
        return moved(without(scene, {c.ref for c in some if c.constraint != "curve_lat_accel"}, limits=limits), curves)

    out = []
    for c in causes:
        if c.role in ("proximate", "joint") and testable(c):
            apart = undone([c])
            out.append(Test("necessary", (c.ref,), *apart, differ(*apart)))
        if c.role == "enabling" and testable(c):
            out.append(_opens(c, label, certificate, scene, state, asker))
    for axis in ("longitudinal", "lateral"):
        together = [c for c in causes if c.role == "overdetermining" and c.axis == axis]
        if together and all(testable(c) for c in together):
            apart = undone(together)
            out.append(Test("together", tuple(c.ref for c in together), *apart, differ(*apart)))
    refs = {c.ref for c in causes}
    apart = moved(only(scene, refs))
    out.append(Test("sufficient", tuple(sorted(refs)), *apart, not differ(*apart)))
    return out


def differ(along_m: float, across_m: float) -> bool:
    """Whether two plans that come so far apart are different ones."""
    return along_m > ALONG_M or across_m > ACROSS_M


def _opens(cause: Cause, label: Label, certificate: Certificate, scene: Scene, state: Any, asker: Asker) -> Test:
    """Whether something that is cited as barring an option does.

    Without it the option is no longer turned down on its account, or the expert takes another one.
    """
    barred = any(r.axis == cause.axis and r.reference == cause.ref and r.violates for r in certificate.rejected)
    plan, again = asker.ask(without(scene, {cause.ref}), state)
    still = again is not None and any(r.reference == cause.ref for r in again.rejected)
    apart = asker.apart_m(scene, label.plan, plan, own_lane(certificate))
    return Test("enabling", (cause.ref,), *apart, (barred and not still) or differ(*apart))


def gate_of(tests: Collection[Test]) -> str:
    """``verified`` where every test holds, ``rejected`` where one does not."""
    return "verified" if all(test.holds for test in tests) else "rejected"


def verified(
    label: Label, certificate: Certificate, scene: Scene, state: Any, asker: Asker
) -> tuple[Label, list[Test]]:
    """The label with its gate set, and the tests; one whose decision gave way to truncation stays ``truncated``."""
    tests = tests_of(label, certificate, scene, state, asker)
    return replace(label, gate=label.gate or gate_of(tests)), tests
