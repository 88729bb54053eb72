"""An audit of causes for planted errors: the expert is asked again with one thing taken out of the scene."""

from __future__ import annotations

from typing import Any

from waytrace.label.from_certificate import own_lane
from waytrace.label.verify import ACROSS_M, ALONG_M, Asker, testable, without
from waytrace.observe import Reference, ReferenceKind, Scene
from waytrace.planners import Certificate
from waytrace.scenario import Plan
from waytrace.trace import Cause, Trace

MUCH_M = 3.0
"""An uncited thing whose removal moves the plan by so much in 6 s has been left out."""
NEAR_M = 60.0
HELD_BACK = 2
"""Share bin from which a cause is said to have cost a quarter of the speed lost."""


class Auditor:
    """Objections to what a trace cites as causes."""

    def __init__(self) -> None:
        self.asker = Asker()

    def newly(self, scene: Scene, state: Any, before: Trace, after: Trace) -> bool:
        """Whether it objects to a trace, and did not to the one that it was made from."""
        return self.objects(scene, state, after) and not self.objects(scene, state, before)

    def objects(self, scene: Scene, state: Any, trace: Trace) -> bool:
        """Whether taking things out of the scene contradicts the causes of a trace."""
        base, certificate = self.asker.ask(scene, state)
        if certificate is None:
            return False
        lane = own_lane(certificate)
        causes = trace.decision.causes
        overdetermined = any(c.role == "overdetermining" for c in causes)
        for cause in causes:
            if not testable(cause) or cause.axis != "longitudinal":
                continue
            along, across = self._moved(scene, state, base, lane, cause)
            idle = along <= ALONG_M and across <= ACROSS_M
            if cause.role == "proximate" and cause.share_bin >= HELD_BACK and idle and not overdetermined:
                return True
            if cause.role == "joint" and cause.share_bin > HELD_BACK and idle:
                return True
            if cause.role == "enabling" and along > MUCH_M:
                return True
        if self._elsewhere(certificate, trace):
            return True
        return any(self._moved_by(scene, state, base, lane, ref)[0] > MUCH_M for ref in _uncited(scene, trace))

    @staticmethod
    def _elsewhere(certificate: Certificate, trace: Trace) -> bool:
        """Whether an option is said to fail at an agent at which none fails that the expert drives ahead again."""
        fails = {rejected.reference for rejected in certificate.rejected}
        named = [r.ref for r in trace.decision.rejected if r.ref is not None and r.ref.kind == ReferenceKind.AGENT]
        return bool(fails) and any(ref not in fails for ref in named)

    def _moved(self, scene: Scene, state: Any, base: Plan, lane: int, cause: Cause) -> tuple[float, float]:
        edited = without(scene, [cause.ref], limits=cause.constraint == "speed_cap")
        plan, _ = self.asker.ask(edited, state, mind_curves=cause.constraint != "curve_lat_accel")
        return self.asker.apart_m(scene, base, plan, lane)

    def _moved_by(self, scene: Scene, state: Any, base: Plan, lane: int, ref: Reference) -> tuple[float, float]:
        plan, _ = self.asker.ask(without(scene, [ref]), state)
        return self.asker.apart_m(scene, base, plan, lane)


def _uncited(scene: Scene, trace: Trace) -> list[Reference]:
    """Agents near by, and lights that are not green, that no cause points at."""
    cited = {c.ref for c in trace.decision.causes}
    x, y = scene.ego.pose[:2]
    near = [
        Reference(ReferenceKind.AGENT, int(i))
        for i, pose in zip(scene.agents.index, scene.agents.pose, strict=True)
        if (pose[0] - x) ** 2 + (pose[1] - y) ** 2 <= NEAR_M**2
    ]
    lights = [Reference(ReferenceKind.LIGHT, k) for k, lane in enumerate(scene.light_lane) if lane in scene.route.lanes]
    return [ref for ref in [*near, *lights] if ref not in cited]
