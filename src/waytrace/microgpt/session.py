"""A trace written step by step over one scene, with its cache: stream, fork, rewind, edit; and the plan's controls.

The scene is computed once (:class:`.prefix.Prefix`); the session appends a token for every slot that leaves a choice.
Token t carries the value chosen before and the slot asked next, and its hidden state predicts that slot's value. A
slot with one legal value is filled by the grammar and costs no pass. All of it equals a cold pass over the whole
sequence, which is a test.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from waytrace.scenario import WaytraceError
from waytrace.trace import Ask, Present, Trace, TraceError
from waytrace.trace.codec import value_text
from waytrace.trace.slots import Slot

from .branch import Asking, Decisions, asking
from .config import MODES, QUERIES
from .heads import queries, raw_controls, slot_logits, value_embedding
from .prefix import Model, Prefix
from .sampling import GREEDY, Chosen, Rule, choose, judged
from .tokens import SceneTokens
from .vocabulary import CLOSING, SLOT_AT, is_pointer

Array = NDArray[Any]


class Written(NamedTuple):
    """One slot and what stands in it."""

    slot: Slot
    number: int
    """Within the slot's set; of a pointer a row of the reference table, NOTHING or END."""
    logprob: float
    """Among the legal values; 0 where there was one."""
    mass: float
    """Probability of all legal values before the mask; 1 where there was one legal value and nobody was asked."""
    chosen: bool
    """Whether there was a choice."""


@dataclass(frozen=True)
class Snapshot:
    """A moment of a session to come back to."""

    digest: str
    """Of the scene."""
    mode: str
    written: tuple[Written, ...]


class Session:
    """A branch over a prefix. Asks for slots as the grammar does, until :attr:`ask` is None."""

    _written: list[Written]
    _said: Trace | Decisions | None
    _ask: Ask | None
    _steps: Asking
    _chosen: int
    """Slots chosen so far: tokens of the branch that are final."""
    _carried: Array
    """[D] what the next token is told of the value before it."""
    _answered: tuple[Array, Chosen] | None
    """Logits of the present slot and their greedy choice, where they were computed."""

    def __init__(self, prefix: Prefix, mode: str = "trace") -> None:
        if mode not in MODES:
            raise WaytraceError(f"there is no mode {mode!r}; there are {', '.join(MODES)}")
        self.prefix, self.mode = prefix, mode
        self._cache = prefix.branch()
        self._begin([])

    @classmethod
    def prefill(
        cls, model: Model, tokens: SceneTokens, present: Present, *, b: int = 0, mode: str = "trace"
    ) -> Session:
        """A session over row ``b`` of the scene tokens; ``present`` is the reference table of the same moment."""
        return cls(Prefix.of(model, tokens, b, present), mode)

    @property
    def ask(self) -> Ask | None:
        """The slot to be chosen next and its legal values; None at the end."""
        return self._ask

    @property
    def written(self) -> tuple[Written, ...]:
        """Every slot so far, in order."""
        return tuple(self._written)

    @property
    def logprob(self) -> float:
        """Log-probability of everything chosen so far, among what was legal."""
        return sum(w.logprob for w in self._written)

    @property
    def said(self) -> Trace | Decisions | None:
        """What was written: a trace, the decisions alone, or nothing; None before the end as well."""
        return self._said

    def logits(self) -> Array:
        """Logits over the full set of the slot asked for; of a pointer over ``prefix.pointing.row``."""
        return self._answer(self._asked())[0]

    def logprobs(self) -> Array:
        """Log-probabilities over the full set of the slot asked for among its legal values; -infinity for others."""
        ask = self._asked()
        logits = np.where(self._legal(ask), self.logits().astype(np.float64), -np.inf)
        highest = logits.max()
        found: Array = logits - highest - np.log(np.exp(logits - highest).sum())
        return found

    def step(self, number: int) -> Written:
        """Put a value into the slot asked for. Raises :class:`TraceError` for one that is not legal."""
        ask = self._asked()
        place = self._place(ask, number)
        return self._take(ask, number, judged(self.logits(), self._legal(ask), place))

    def write(self, rule: Rule = GREEDY, rng: np.random.Generator | None = None) -> Iterator[Written]:
        """Let the model write on, slot by slot; those that the grammar fills are in it."""
        seen = len(self._written)
        yield from self._written[:seen] if seen and self._chosen == 0 else ()
        while self._ask is not None:
            ask, seen = self._ask, len(self._written)
            logits, chosen = self._answer(ask)
            if rule.temperature > 0.0:
                chosen = choose(logits, self._legal(ask), rule, rng)
            self._take(ask, self._number(ask, chosen.place), chosen)
            yield from self._written[seen:]

    def append(self, numbers: Sequence[int]) -> tuple[Written, ...]:
        """Put in values for the next slots that leave a choice, all in one pass; what stands there now.

        Raises :class:`TraceError` where one is not legal; the session is then as it was.
        """
        if not numbers:
            return ()
        before, x, asked = self.snapshot(), [], []
        try:
            for number in numbers:
                ask = self._asked()
                place = self._place(ask, number)
                x.append(self._carried + self._slot_row(SLOT_AT[ask.slot.name]))
                asked.append((ask, place, len(self._written)))
                self._take(ask, number, Chosen(place, 0.0, 1.0))
        except TraceError:
            self._begin(before.written)
            raise
        at = len(self._numbers_chosen(before.written))
        self._cache.length = self.prefix.scene_length + at
        hidden = self.prefix.model.extend(np.stack(x), at + 1 + np.arange(len(x)), self._cache)
        for (ask, place, row), h in zip(asked, hidden, strict=True):
            logits = slot_logits(self.prefix.model.parameters, h, ask.slot, self.prefix.pointing)
            thought = judged(logits, self._legal(ask), place)
            self._written[row] = self._written[row]._replace(logprob=thought.logprob, mass=thought.mass)
        return tuple(self._written[len(before.written) :])

    def snapshot(self) -> Snapshot:
        """The present moment, for :meth:`restore`."""
        return Snapshot(self.prefix.digest, self.mode, tuple(self._written))

    def restore(self, snapshot: Snapshot) -> None:
        """Come back to a moment of this session or of a fork: what both share stays in the cache.

        Raises :class:`WaytraceError` for a snapshot of another scene or mode.
        """
        if (snapshot.digest, snapshot.mode) != (self.prefix.digest, self.mode):
            raise WaytraceError(
                f"the snapshot is of scene {snapshot.digest[:12]}, mode {snapshot.mode}; this session is of scene "
                f"{self.prefix.digest[:12]}, mode {self.mode}. Restore it in a session over its own scene."
            )
        shared = 0
        for mine, kept in zip(self._written, snapshot.written, strict=False):
            if (mine.slot, mine.number) != (kept.slot, kept.number):
                break
            shared += 1
        self._begin(snapshot.written[:shared])
        self.append(self._numbers_chosen(snapshot.written)[self._chosen :])

    def fork(self, tokens: SceneTokens | None = None, b: int = 0) -> Session:
        """Another session at the same moment; both go on by themselves.

        With ``tokens`` they are compared with the scene of this session; :class:`.StaleSceneError` where they differ.
        """
        if tokens is not None:
            self.prefix.require(tokens, b)
        other = Session.__new__(Session)
        other.prefix, other.mode, other._cache = self.prefix, self.mode, self._cache.fork()
        other._begin(self._written)
        return other

    def truncate(self, stage: str) -> None:
        """Take back a stage and all after it. Raises :class:`WaytraceError` for a stage that was not begun."""
        kept = [w.slot.stage for w in self._written]
        if stage in kept:
            self._begin(self._written[: kept.index(stage)])
        elif self._ask is None or self._ask.slot.stage != stage:
            begun = ", ".join(dict.fromkeys(kept)) or "none"
            raise WaytraceError(f"the stage {stage!r} was not begun; begun are: {begun}")

    def raw_controls(self, mode: str | None = None) -> Array:
        """Raw controls [16, 2] of the branch as it stands (``heads.squash`` turns them into a plan's).

        ``mode`` is what the queries are told of how the branch came about; this session's own by default.
        """
        parameters, at = self.prefix.model.parameters, self._chosen
        x = queries(parameters, mode or self.mode)
        position = np.zeros(QUERIES, np.int64)
        if self.mode != "fast":
            x = np.concatenate([(self._carried + self._slot_row(CLOSING))[None], x])
            position = np.concatenate([[at + 1], position])
        self._cache.length = self.prefix.scene_length + at
        hidden = self.prefix.model.extend(x, position, self._cache, mutual=QUERIES)[-QUERIES:]
        self._cache.length = self.prefix.scene_length + at
        self._answered = None
        return raw_controls(parameters, hidden, self.prefix.moves)

    def _begin(self, written: Sequence[Written]) -> None:
        """Stand where ``written``, which the cache already holds, has been written."""
        kept = list(written)
        self._written = []
        self._said = None
        self._chosen = 0
        self._answered = None
        self._ask = None
        self._carried = self.prefix.model.parameters["head.trace.begin"]
        self._steps = asking(self.prefix.present, self.mode)
        self._advance(None)
        for entry in kept:
            if entry.chosen:
                self._take(self._asked(), entry.number, Chosen(0, entry.logprob, entry.mass))

    def _advance(self, number: int | None) -> None:
        """Go on to the next slot that leaves a choice, filling those that leave none."""
        try:
            ask = next(self._steps) if number is None else self._steps.send(number)
            while ask.only >= 0:
                self._written.append(Written(ask.slot, ask.only, 0.0, 1.0, False))
                ask = self._steps.send(ask.only)
        except StopIteration as end:
            self._ask, self._said = None, end.value
        else:
            self._ask = ask

    def _take(self, ask: Ask, number: int, chosen: Chosen) -> Written:
        entry = Written(ask.slot, number, chosen.logprob, chosen.mass, True)
        self._written.append(entry)
        self._carried = value_embedding(self.prefix.model.parameters, ask.slot, number, self.prefix.pointing)
        self._chosen += 1
        self._answered = None
        self._advance(number)
        return entry

    def _answer(self, ask: Ask) -> tuple[Array, Chosen]:
        """What the model says to the slot asked for."""
        if self._answered is None:
            prefix, at = self.prefix, self._chosen
            self._cache.length = prefix.scene_length + at
            legal = self._legal(ask)
            self._answered = prefix.model.ask(self._carried, ask.slot, legal, prefix.pointing, at, self._cache)
        return self._answered

    def _asked(self) -> Ask:
        if self._ask is None:
            raise TraceError("the trace is complete: there is no slot left to fill")
        return self._ask

    def _legal(self, ask: Ask) -> NDArray[np.bool_]:
        return ask.legal[self.prefix.pointing.row] if is_pointer(ask.slot) else ask.legal

    def _place(self, ask: Ask, number: int) -> int:
        """Place of a legal number among the logits."""
        if not 0 <= number < len(ask.legal) or not ask.legal[number]:
            raise TraceError(f"slot {ask.slot.name} cannot hold {value_text(ask.slot, number)} here")
        return self.prefix.pointing.at(number) if is_pointer(ask.slot) else number

    def _number(self, ask: Ask, place: int) -> int:
        return int(self.prefix.pointing.row[place]) if is_pointer(ask.slot) else place

    def _slot_row(self, slot: int) -> Array:
        row: Array = self.prefix.model.parameters["head.trace.slot_embedding.weight"][slot]
        return row

    @staticmethod
    def _numbers_chosen(written: Sequence[Written]) -> list[int]:
        return [w.number for w in written if w.chosen]
