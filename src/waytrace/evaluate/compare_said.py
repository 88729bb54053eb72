"""What two traces of one scene say differently: the first other decision, the first other cause, and how many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from waytrace.trace import Cause, Trace
from waytrace.trace.file import read_traces


@dataclass(frozen=True)
class Saying:
    """One decision of a trace file, as far as two are compared."""

    tick: int
    """Ticks of 0.1 s since the scenario's start step."""
    decision: str
    causes: tuple[str, ...]

    @classmethod
    def of(cls, tick: int, trace: Trace) -> Saying:
        """What a trace decides, and on account of what."""
        return cls(tick, decision_name(trace), tuple(dict.fromkeys(cause_name(c) for c in trace.decision.causes)))


@dataclass(frozen=True)
class SaidDifference:
    """How the second trace of a scene differs from the first, over the decisions that both hold."""

    decision_tick: int | None = None
    """Tick of the first other decision; None without traces, or where all agree."""
    decided: tuple[str, str] | None = None
    """What was decided there, and what is."""
    other_decisions: int = 0
    """How many decisions are other ones."""
    cause_tick: int | None = None
    """Tick of the first decision that names other causes."""
    dropped: tuple[str, ...] = ()
    """Causes that the first trace names there and the second does not."""
    added: tuple[str, ...] = ()
    other_causes: int = 0
    """How many decisions name other causes."""

    @property
    def differs(self) -> bool:
        """Whether any decision is another one, or names other causes."""
        return bool(self.other_decisions or self.other_causes)


def said_difference(before: Iterable[Saying], after: Iterable[Saying]) -> SaidDifference:
    """What differs, decision by decision; one that either trace lacks is passed over."""
    theirs = {saying.tick: saying for saying in after}
    pairs = [(mine, theirs[mine.tick]) for mine in before if mine.tick in theirs]
    decided = [(a, b) for a, b in pairs if a.decision != b.decision]
    caused = [(a, b) for a, b in pairs if set(a.causes) != set(b.causes)]
    decision, cause = _first(decided), _first(caused)
    return SaidDifference(
        decision_tick=decision[0].tick if decision else None,
        decided=(decision[0].decision, decision[1].decision) if decision else None,
        other_decisions=len(decided),
        cause_tick=cause[0].tick if cause else None,
        dropped=tuple(c for c in cause[0].causes if c not in cause[1].causes) if cause else (),
        added=tuple(c for c in cause[1].causes if c not in cause[0].causes) if cause else (),
        other_causes=len(caused),
    )


def read_sayings(file: Path) -> dict[str, list[Saying]]:
    """The decisions of a trace file by scene; none where there is no such file. Raises :class:`TraceFileError`."""
    found: dict[str, list[Saying]] = {}
    for line in read_traces(file) if file.exists() else ():
        found.setdefault(line.scenario, []).append(Saying.of(line.tick, line.trace))
    return found


def decision_name(trace: Trace) -> str:
    """Both axes of a decision in words: ``yield``, ``follow, nudge in lane left``."""
    d = trace.decision
    sideways = "" if d.lateral == "keep" else f", {d.lateral}"
    return f"{d.longitudinal}{sideways}".replace("_", " ")


def cause_name(cause: Cause) -> str:
    """A cause as words: ``longitudinal headway, agent 3 (proximate)``; numbers are indices in the scenario."""
    what = f"{cause.ref.kind.name.lower().replace('_', ' ')} {cause.ref.index}"
    return f"{cause.axis} {cause.constraint}, {what} ({cause.role})"


def _first(pairs: Sequence[tuple[Saying, Saying]]) -> tuple[Saying, Saying] | None:
    return min(pairs, key=lambda pair: pair[0].tick, default=None)
