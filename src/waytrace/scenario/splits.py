"""The splits are law: what may be trained on, what may be tuned on, and what is for reported figures alone.

Generated scenes carry their split in their id. Recorded drives are divided by road section, so that two recordings of
one place never lie on both sides: a section's split is drawn from its name, but for the few that everybody's
data consists of, which stand in :data:`SECTIONS`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from enum import StrEnum

from .errors import WaytraceError
from .types import Scenario

SPLITS = ("train", "select", "test")

SECTIONS = {"us101": "train", "i80": "select", "peachtree": "select", "lankershim": "test"}
"""Road sections of NGSIM: too few to be divided by chance."""

SHARES = {"train": 0.7, "select": 0.15, "test": 0.15}
"""Of all other sections."""

TILE_M = 1000.0
"""Side of the square that counts as one road section where a source knows only a city and coordinates."""

_CITIES = {
    "austin": "ATX", "washington-dc": "WDC", "miami": "MIA", "pittsburgh": "PIT", "detroit": "DTW", "dearborn": "DTW",
    "palo-alto": "PAO",
}  # fmt: skip
"""Argoverse 2 writes cities in words in one data set and as codes in the other."""


class Purpose(StrEnum):
    """What scenarios are wanted for."""

    TRAIN = "train"
    """Anything that a model's weights, or data made for them, depend on."""
    TUNE = "tune"
    """Choosing: hyperparameters, early stopping, checkpoints, a rule planner's constants."""
    REPORT = "report"
    """Figures that nothing is chosen by."""


ALLOWED: dict[Purpose, tuple[str, ...]] = {
    Purpose.TRAIN: ("train",),
    Purpose.TUNE: ("train", "select"),
    Purpose.REPORT: SPLITS,
}


class SplitError(WaytraceError):
    """Scenarios of this split must not be used for this purpose."""


def road_section(scenario: Scenario) -> str:
    """The place of a scenario: a catalogue layout, a road section, or a square kilometre of a city."""
    city = scenario.provenance.details.get("city")
    if scenario.source != "catalogue" and isinstance(city, str) and city:
        x, y = (math.floor(v / TILE_M) for v in scenario.provenance.origin_xy)
        return f"{_CITIES.get(city.lower(), city.upper())}/{x},{y}"
    return scenario.cluster or scenario.id


def split_of(scenario: Scenario) -> str:
    """``train``, ``select`` or ``test``; the same on every machine and for every edit of a scenario."""
    if scenario.source == "catalogue":
        named = scenario.id.split("/")[1:2]
        if not named or named[0] not in SPLITS:
            raise SplitError(f"Generated scenario {scenario.id!r} does not say its split; ids are family/split/seed.")
        return named[0]
    section = road_section(scenario)
    if section in SECTIONS:
        return SECTIONS[section]
    at = int.from_bytes(hashlib.sha256(f"section/{section}".encode()).digest()[:8], "big") / 2.0**64
    for split, share in SHARES.items():
        at -= share
        if at < 0.0:
            return split
    return SPLITS[-1]


def permit(scenarios: Iterable[Scenario], purpose: Purpose | str) -> Iterator[Scenario]:
    """The same scenarios, one by one; the first that must not be used for ``purpose`` raises :class:`SplitError`.

    Whatever trains, labels for training or tunes takes its scenarios through here.
    """
    wanted = Purpose(purpose)
    for scenario in scenarios:
        split = split_of(scenario)
        if split not in ALLOWED[wanted]:
            raise SplitError(
                f"Scenario {scenario.id!r} is of split {split!r}; to {wanted} only "
                f"{' and '.join(ALLOWED[wanted])} may be used. Take it out (`waytrace scenarios list` shows splits)."
            )
        yield scenario
