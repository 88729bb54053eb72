"""The audit for planted errors: that of :mod:`waytrace.evaluate.audit`, with and without the error."""

from __future__ import annotations

from typing import Any

from waytrace.evaluate.audit_causes import cause_verdicts
from waytrace.evaluate.audit_moment import AuditMoment
from waytrace.evaluate.audit_rejected import rejected_verdicts
from waytrace.label.asking import Asker
from waytrace.observe import Scene
from waytrace.trace import Trace


class Auditor:
    """Objections of the audit to a trace: what it calls false."""

    def __init__(self) -> None:
        self.asker = Asker()

    def newly(self, scene: Scene, state: Any, before: Trace, after: Trace) -> bool:
        """Whether it calls something false that was not so in the trace that this one was made from."""
        moment = AuditMoment.of(scene, self.asker, state)
        return bool(self._false(moment, after) - self._false(moment, before))

    def objects(self, scene: Scene, state: Any, trace: Trace) -> bool:
        """Whether it calls something in a trace false."""
        return bool(self._false(AuditMoment.of(scene, self.asker, state), trace))

    @staticmethod
    def _false(moment: AuditMoment, trace: Trace) -> set[tuple[str, str]]:
        """Claim and sentence of everything false."""
        verdicts = (*cause_verdicts(trace, moment), *rejected_verdicts(trace, moment))
        return {(v.claim, v.why) for v in verdicts if v.value == "false"}
