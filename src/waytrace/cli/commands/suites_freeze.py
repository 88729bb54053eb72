"""``waytrace suites freeze``: a suite file, with what the oracle makes of every scene."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """Freeze a suite: the oracle drives every scene. Repeating the command continues a broken run."""

    name: Annotated[Positional[str], arg(metavar="NAME")]
    """Name of the suite. Without --scenarios one of the package's own recipes: pr (with smoke), nightly, heldout."""
    out: Annotated[Path, arg(metavar="FOLDER")] = Path()
    """Where NAME.suite is written."""
    scenarios: Annotated[Path | None, arg(metavar="STORE")] = None
    """A store whose scenarios make up the suite."""
    purpose: Annotated[str | None, arg(metavar="train|tune|report", help_behavior_hint="(default: outside train)")] = (
        None
    )
    """Which splits of the store: those one may train on, tune on, or report on."""
    about: str = "a suite of one's own"
    """One line of description."""
    workers: Annotated[int, arg(help_behavior_hint="(default: all cores)")] = 0
    """Worker processes; the result does not depend on it."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Write the suite and print the admitted share by family."""
    from waytrace.evaluate.freeze import RECIPES, SMOKE, freeze_recipe, freeze_store
    from waytrace.evaluate.suites import SUFFIX
    from waytrace.scenario import WaytraceError, number_of

    workers = options.workers or os.cpu_count() or 1
    if options.scenarios is None and options.name not in RECIPES:
        raise WaytraceError(
            f"There is no recipe {options.name!r}; there are {', '.join(RECIPES)}. Or give --scenarios STORE."
        )
    if options.purpose not in (None, "train", "tune", "report"):
        raise WaytraceError(f"--purpose is train, tune or report, not {options.purpose!r}.")
    with output.progress(f"freezing {options.name}") as advance:
        if options.scenarios is None:
            suite = freeze_recipe(options.name, workers=workers, progress=advance)
        else:
            suite = freeze_store(
                options.name, options.about, options.scenarios, purpose=options.purpose, workers=workers,
                progress=advance,
            )  # fmt: skip
    written = [suite]
    if options.scenarios is None and options.name == "pr":
        written.append(suite.first(SMOKE, "smoke", f"a first look: the first {SMOKE} scenes of pr"))
    options.out.mkdir(parents=True, exist_ok=True)
    for one in written:
        (options.out / f"{one.name}{SUFFIX}").write_text(one.text())
    groups: dict[str, list[bool]] = {}
    for scene in suite.scenes:
        groups.setdefault(scene.id.split("/")[0], []).append(scene.admitted)
    rows = [[name, str(len(kept)), f"{100 * sum(kept) / len(kept):.1f} %"] for name, kept in groups.items()]
    output.table(["family or source", "scenes", "admitted"], rows)
    for one in written:
        scenes = number_of(len(one.scenes), "scene")
        output.say(f"Suite: {options.out / f'{one.name}{SUFFIX}'} ({scenes}, hash {one.sha256[:12]})")
    output.finish(
        {
            "suites": {one.name: str(options.out / f"{one.name}{SUFFIX}") for one in written},
            "sha256": suite.sha256,
            "scenes": len(suite.scenes),
            "admitted": {name: sum(kept) / len(kept) for name, kept in groups.items()},
        }
    )
    return 0
