"""An experiment of several stages, each done once: a stamp says with what settings, how long it took and what came out.

A stage that is cut off is begun again and finds what it left; a finished one is passed over. Times add up over pieces.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from waytrace.evaluate.digest import plain
from waytrace.scenario import WaytraceError
from waytrace.scenario.folders import differences, write_json

from .config import ConfigError
from .progress import Note, duration, quiet

STAMPS = "stages"


class OutOfTimeError(WaytraceError):
    """The time of this piece is over. Repeating the command goes on."""


class Stages:
    """The stages of the experiment in a folder; ``minutes`` is what this piece may take, 0 for no limit."""

    def __init__(
        self,
        folder: Path | str,
        *,
        minutes: float = 0.0,
        note: Note = quiet,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder, self.note, self._clock = Path(folder).absolute(), note, clock
        self._until = clock() + 60.0 * minutes if minutes else None
        (self.folder / STAMPS).mkdir(parents=True, exist_ok=True)

    @property
    def minutes_left(self) -> float:
        """Of this piece; 0 for no limit. Raises :class:`OutOfTimeError` where it is over."""
        if self._until is None:
            return 0.0
        left = (self._until - self._clock()) / 60.0
        if left <= 0.0:
            raise OutOfTimeError("This piece is out of time; the same command goes on.")
        return left

    def advance(self, done: int, total: int, last: str) -> None:
        """Progress of what a stage does, and its end where the time is over."""
        self.note(f"  {done} of {total}")
        _ = self.minutes_left

    def run(self, name: str, settings: Mapping[str, Any], work: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        """What comes out of a stage: from its stamp, or of ``work``, which is then stamped.

        Raises :class:`ConfigError` where the stage was begun with other settings; whatever ``work`` raises, after
        noting the time it took.
        """
        file = self.folder / STAMPS / f"{name}.json"
        wanted = plain(dict(settings))
        stamp: dict[str, Any] = (
            json.loads(file.read_text())
            if file.exists()
            else {"settings": wanted, "begun": time.time(), "seconds": 0.0}
        )
        changed = differences(stamp["settings"], wanted)
        if changed:
            raise ConfigError(
                f"Stage {name} in {self.folder} was begun with other settings:\n" + "\n".join(changed)
                + "\nGive another folder, or repeat with the settings that it was begun with."
            )  # fmt: skip
        if "figures" in stamp:
            return dict(stamp["figures"])
        _ = self.minutes_left
        self.note(f"stage {name}")
        write_json(file, stamp)
        start = self._clock()
        try:
            stamp["figures"] = plain(dict(work()))
        finally:
            stamp["seconds"] += self._clock() - start
            write_json(file, stamp)
        self.note(f"stage {name}: done in {duration(stamp['seconds'])}")
        return dict(stamp["figures"])

    def stamps(self) -> dict[str, dict[str, Any]]:
        """All stamps by the name of their stage, in the order of their first beginning."""
        files = sorted(
            (self.folder / STAMPS).glob("*.json"), key=lambda p: (json.loads(p.read_text())["begun"], p.name)
        )
        return {file.stem: json.loads(file.read_text()) for file in files}
