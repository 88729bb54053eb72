"""Whether a label's causes are causes: the expert is asked again without them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from waytrace.observe import Reference, Scene
from waytrace.planners import Certificate

from .asking import Asker, Question, differ, opened
from .from_certificate import Label, own_lane
from .without import only, testable


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


def tests_of(label: Label, certificate: Certificate, scene: Scene, state: Any, asker: Asker) -> list[Test]:
    """Every test of a label of the expert's choice: necessity of causes, and sufficiency of all of them."""
    question = Question(scene, state, label.plan, own_lane(certificate))
    causes = label.trace.decision.causes
    out = []
    for c in causes:
        if c.role in ("proximate", "joint") and testable(c):
            apart = asker.undone(question, [c])
            out.append(Test("necessary", (c.ref,), *apart, differ(*apart)))
        if c.role == "enabling" and testable(c):
            holds, apart = opened(asker, question, certificate, c)
            out.append(Test("enabling", (c.ref,), *apart, holds))
    for axis in ("longitudinal", "lateral"):
        together = [c for c in causes if c.role == "overdetermining" and c.axis == axis]
        if together and all(testable(c) for c in together):
            apart = asker.undone(question, together)
            out.append(Test("together", tuple(c.ref for c in together), *apart, differ(*apart)))
    refs = {c.ref for c in causes}
    apart = asker.moved(question, only(scene, refs))
    out.append(Test("sufficient", tuple(sorted(refs)), *apart, not differ(*apart)))
    return out


def gate_of(tests: Collection[Test]) -> str:
    """``verified`` where every test holds, ``rejected`` where one does not."""
    return "verified" if all(test.holds for test in tests) else "rejected"


def verified(
    label: Label, certificate: Certificate, scene: Scene, state: Any, asker: Asker
) -> tuple[Label, list[Test]]:
    """The label with its gate set, and the tests; one whose decision gave way to truncation stays ``truncated``."""
    tests = tests_of(label, certificate, scene, state, asker)
    return replace(label, gate=label.gate or gate_of(tests)), tests
