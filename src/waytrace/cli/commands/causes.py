"""``waytrace causes``: what a planner says moved it is taken away: does its plan change?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output
    from waytrace.scenario import Scenario


@dataclass
class Options:
    """Put a planner's causes to the test by intervention. 1 if the metric does not rank honest claims above lies."""

    planner: Annotated[Positional[str], arg(metavar="PLANNER")]
    """As of `waytrace eval`; one that writes no traces is asked what it looks at, by covering one thing at a time."""
    suite: Annotated[str | None, arg(metavar="NAME")] = None
    """A frozen suite, or a suite file of your own; with --scenarios for the recorded drives of one that has them."""
    scenarios: Annotated[Path | None, arg(metavar="STORE")] = None
    """A store of scenarios, from `waytrace scenarios import` or `generate`."""
    limit: Annotated[int | None, arg(metavar="COUNT", help_behavior_hint="(default: all)")] = None
    """Only so many scenarios, spread evenly over all."""
    moments: int = 2
    """Decisions that are looked at in each scenario."""
    closed: int = 40
    """Scenarios, the first that lend themselves to it, that are also driven in closed loop."""
    seed: int = 0
    """Seed of the traffic's noise; a suite has its own."""
    workers: Annotated[int, arg(help_behavior_hint="(default: all cores)")] = 0
    """Worker processes; the result does not depend on it."""
    reason: Annotated[str, arg(metavar="TEXT", help_behavior_hint="(for held-out suites)")] = ""
    """What a held-out suite is opened for; it is logged."""
    out: Annotated[Path, arg(metavar="FOLDER")] = Path("out/causes")
    """Folder for figures and records."""
    page: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: none)")] = None
    """Write the figures as a page of Markdown too."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Audit, print the table, write figures and records; 1 if the honest expert is not above every planted liar."""
    import os

    from waytrace.cli.causes_page import COLUMNS, page, rows
    from waytrace.evaluate.causes import RECORDS, Found, audit_planner, summary, write_result
    from waytrace.evaluate.load import load_planner, planner_label, planner_name
    from waytrace.scenario import WaytraceError

    if (
        options.moments < 1
        or options.closed < 0
        or options.workers < 0
        or (options.limit is not None and options.limit < 1)
    ):
        raise WaytraceError("--moments and --limit are 1 or more, --closed and --workers 0 or more.")
    load_planner(options.planner)  # a wrong name should fail before a suite is opened
    count, traffic, seed, scenarios = _scenarios(options, output)
    found = Found(keep=options.out / RECORDS)
    label = planner_label(options.planner)
    try:
        with output.progress(f"{label} without its causes") as advance:
            audit_planner(
                options.planner, scenarios, moments=options.moments, closed=options.closed, traffic=traffic, seed=seed,
                workers=options.workers or os.cpu_count() or 1, found=found,
                progress=lambda done, last: advance(done, count, last),
            )  # fmt: skip
    except KeyboardInterrupt:
        if not found.records:
            raise
        output.note("interrupted: the figures are of what was tried until now")
    if not found.records:
        raise WaytraceError("No moment could be tried: the drives are too short, or no road is in reach.")
    about = {
        "planner": planner_name(options.planner), "label": label, "suite": options.suite, "traffic": traffic,
        "seed": seed, "moments_a_scene": options.moments,
    }  # fmt: skip
    record = summary(found, about)
    path = write_result(options.out, record, found)
    output.table(COLUMNS, rows(record))
    _tell(output, record)
    if options.page is not None:
        command = f"waytrace causes {label}" + (f" --suite {options.suite}" if options.suite else "")
        options.page.write_text(page(record, command))
        output.say(f"Page: {options.page}")
    output.say(f"Figures: {path}")
    at = record["at"]["delta"]
    output.finish({
        "result": str(path), "planner": about["planner"], "suite": options.suite, "scenes": record["scenes"],
        "moments": record["moments"], "way": record["way"], "voices": at["voices"], "sound": record["sound"],
        "order_shown": record["order_shown"], "page": str(options.page) if options.page is not None else None,
    })  # fmt: skip
    return 0 if record["sound"] else 1


def _scenarios(options: Options, output: Output) -> tuple[int, str, int, Iterator[Scenario]]:
    """(how many there are, how their traffic drives, its seed, the scenarios)."""
    import numpy as np

    from waytrace.evaluate import load_suite, suite_store
    from waytrace.evaluate.load import planner_name
    from waytrace.evaluate.openings import note_opening
    from waytrace.scenario import WaytraceError
    from waytrace.scenario.store import ScenarioStore

    traffic, seed = "mixed", options.seed
    if options.suite is not None:
        suite = load_suite(options.suite)
        path, _ = suite_store(suite, options.scenarios, note=output.note)
        if suite.held_out:
            note_opening(suite, planner_name(options.planner), options.reason)
        traffic, seed = suite.traffic, suite.seed
    elif options.scenarios is not None:
        path = options.scenarios
    else:
        raise WaytraceError("Say what to try it on: --suite NAME or --scenarios STORE.")
    store = ScenarioStore.open(path)
    if not store.ids:
        raise WaytraceError(f"{store.path} holds no scenarios.")
    count = min(options.limit or len(store.ids), len(store.ids))
    spread = np.linspace(0, len(store.ids) - 1, count).round().astype(int)
    return count, traffic, seed, (store[store.ids[int(k)]] for k in spread)


def _tell(output: Output, record: dict[str, Any]) -> None:
    """What the table does not say: of what, how far plans move for nothing, whether the liars are in order."""
    from waytrace.scenario import number_of

    delta = ", ".join(f"{v:.2f}" for v in record["null"]["delta_m"])
    output.say(
        f"{number_of(record['moments'], 'moment')} of {number_of(record['scenes'], 'scene')}; "
        f"claims by {record['way']}; a plan has moved beyond {delta} m (by speed band)."
    )
    missing = [f"{p['better']} above {p['worse']}" for p in record["at"]["delta"]["order"] if not p["shown"]]
    if not record["sound"]:
        output.say(
            "The honest expert is not above every planted liar: the metric fails its own test here, or there are too "
            "few moments. The figures mean nothing."
        )
    elif missing:
        output.say(f"Planted liars: honest is above all of them; not shown by intervals: {'; '.join(missing)}.")
    else:
        output.say("Planted liars: every pair in the order that was known before, intervals apart.")
