"""What a run says while it goes: one line now and then, with samples a second and the time that is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

Note = Callable[[str], None]
"""Takes a line for a person."""

Advance = Callable[[int, int, str], None]
"""Takes steps made, steps in all, and how it goes in a few words."""

SAY_EVERY_S = 10.0


def quiet(_: str) -> None:
    """Takes a line and says nothing."""


@dataclass
class Pace:
    """Samples a second and the time left, from the steps of this piece of the run.

    Looks at ``select`` are not counted.
    """

    steps: int
    batch: int
    note: Note = quiet
    advance: Advance | None = None
    """Told of every step, where there is one; then ``note`` is told of none."""
    clock: Callable[[], float] = time.monotonic
    made: int = 0
    """Steps of this piece."""
    busy_s: float = 0.0
    _since: float | None = None
    _said: float = field(default=-SAY_EVERY_S)

    def start(self) -> None:
        """The clock runs from here."""
        self._since = self.clock()

    def stop(self) -> None:
        """The clock stands still until :meth:`start`."""
        if self._since is not None:
            self.busy_s += self.clock() - self._since
            self._since = None

    @property
    def samples_per_s(self) -> float:
        """Mean over this piece."""
        going = self.clock() - self._since if self._since is not None else 0.0
        return self.made * self.batch / max(self.busy_s + going, 1e-9)

    def step(self, step: int, loss: float, lr: float) -> None:
        """One step is made, ``step`` in all; say so if it is time."""
        self.made += 1
        if self.advance is not None:
            self.advance(step, self.steps, f"loss {loss:.3f}, {self.samples_per_s:,.0f} samples/s")
            return
        now = self.clock()
        if now - self._said >= SAY_EVERY_S or step == self.steps:
            self._said = now
            left = (self.steps - step) * self.batch / self.samples_per_s
            self.note(
                f"step {step} of {self.steps}: loss {loss:.4f}, lr {lr:.2e}, {self.samples_per_s:,.0f} samples/s, "
                f"{duration(left)} left"
            )


def duration(seconds: float) -> str:
    """Seconds in words: ``1 h 05 min``, ``12 min``, ``40 s``."""
    whole = round(seconds)
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"
