"""What the page about realism says beside its tables; the figures in it come from the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from waytrace.cli.tables import markdown

MADE = """Made by `python benchmarks/realism.py ../shared/data/av2 ../shared/data/commonroad`; not edited by hand.
{head} Repeating the command gives the same figures.
"""

METHOD = """\
Each recorded drive starts as recorded. From then on *all* its vehicles, the recorder's own included, are driven by
the [reactive traffic](simulation.md#reactive-driving), once in each style; pedestrians and parked vehicles stay as
recorded. The style `changing` is `normal` plus lane changes of the vehicles' own accord. Compared are the same vehicles
over the same ticks: those in which a vehicle is recorded *and* simulated on lanes in every style. Vehicles are cars,
trucks and motorcycles that are not parked.

- Speed and acceleration are derivatives of positions, on all sides by the same smoothing: a parabola fitted over
  1.5 s. Jerk is the change of acceleration over 1 s. Acceleration and jerk count above 1 m/s.
- The first 2 s of each vehicle are left out of speeds, accelerations and gaps: a simulated one starts as recorded.
- Gap: from the front to the rear of the next road user in the lane or in what the lane leads on to, up to 80 m. Time
  headway: gap over own speed, above 2 m/s.
- Lane change: from a lane to its neighbour, with at least 1 s in the one before and in the other after. Lanes are
  found from positions, on all sides alike.
- Contact: boxes made 0.2 m shorter and narrower overlap, though not when both were first there.
- Wasserstein distance (in the measure's own unit) and Kolmogorov-Smirnov distance (KS, 0 to 1) compare a style with
  the recording. Brackets hold 95 % of 1,000 bootstrap draws of whole drives. With two drives they only show how the
  drives differ. *Recording against itself* is the Wasserstein distance between random halves of the recorded drives:
  what lies below it says little.
- Sources are not pooled. Drives of one road section form a group of their own.
"""

FINDINGS = """\
- **Not realistic: nobody changes lanes** in `normal` and `assertive`. In `changing` they do: too often on the
  motorway, where many want to leave a gap that is too short for their style, and hardly ever on the street, where
  recorded drivers change for their route. Changes that a route demands are missing.
- **Not realistic: nobody follows closely.** The shortest headways of the recordings are missing in every style, and on
  both CommonRoad sections, dense commuter traffic, `normal` keeps longer headways altogether. `assertive` is nearer.
- **Too slow in dense traffic.** Vehicles open the gaps that they were recorded with to those of their style, and one
  near its desired speed (the highest that it was recorded with) closes a gap slowly, because the driver model asks
  for more room there. What is a gap too long in `normal` is a speed too low.
- **Too smooth, in part.** Strong acceleration and jerk are rarer than recorded. Some of it is noise of the recordings
  that the smoothing leaves, how much is not known; some is that simulated drivers neither err nor hesitate.
- **Junctions without recorded lights.** The Argoverse recordings hold no lights, so in `av2-sensor` vehicles that had
  green wait by the rules of the road, and those behind them queue. On a narrow street a truck waits for good before
  parked cars that the recorded driver squeezed past.
- **Contacts are rare on all sides.** Recorded ones are errors of the recording. Simulated ones are brushes against
  parked vehicles, with replayed vehicles that are on no lane, and of a pair recorded in the middle of a lane change.

What was tried against it, and why the constants stay: [experiments](experiments.md).
"""


def summary(found: Mapping[str, Any]) -> str:
    """A table of the figures that the findings rest on: recorded / normal / assertive / changing, by group."""
    rows = [
        ["lane changes per vehicle-minute", *_rates(found, "lane changes per vehicle-minute", 2)],
        ["time headway, 5 % quantile, s", *_quantiles(found, "headway", 0, 2)],
        ["time headway, median, s", *_quantiles(found, "headway", 2, 2)],
        ["speed, median, m/s", *_quantiles(found, "speed", 2, 1)],
        ["acceleration, 95 % quantile, m/s²", *_quantiles(found, "acceleration", 4, 2)],
        ["jerk, 95 % quantile, m/s³", *_quantiles(found, "jerk", 4, 2)],
        ["share of time standing, %", *_rates(found, "share of time standing, %", 1)],
        ["contacts per 100 vehicles", *_rates(found, "contacts per 100 vehicles", 2)],
    ]
    return markdown(["recorded / normal / assertive / changing", *found], rows)


def _rates(found: Mapping[str, Any], name: str, digits: int) -> list[str]:
    return [" / ".join(f"{row['value']:.{digits}f}" for row in of["rates"][name].values()) for of in found.values()]


def _quantiles(found: Mapping[str, Any], measure: str, which: int, digits: int) -> list[str]:
    return [
        " / ".join(f"{row['quantiles'][which]:.{digits}f}" if row["quantiles"] else "-" for row in sides.values())
        for sides in (of["measures"][measure] for of in found.values())
    ]
