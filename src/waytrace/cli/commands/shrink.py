"""``waytrace shrink``: the smallest scene that a planner still fails."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """Find the smallest set of agents with which a planner still fails a scene in the same way."""

    scene: Annotated[Positional[str], arg(metavar="SCENE")]
    """Id of a scenario: a generated one (family/split/seed), or one of --scenarios."""
    planner: Annotated[Positional[str], arg(metavar="PLANNER")]
    """As of `waytrace eval`."""
    scenarios: Annotated[Path | None, arg(metavar="STORE", help_behavior_hint="(default: the catalogue)")] = None
    """The store that holds the scene."""
    traffic: Literal["replay", "reactive", "mixed"] = "mixed"
    """How the others drive."""
    seed: int = 0
    """Seed of the traffic's noise."""
    out: Annotated[Path, arg(metavar="STORE")] = Path("out/shrunk")
    """Store to write the smaller scene to."""
    overwrite: bool = False
    """Replace a store that is there."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Print who is needed, write the smaller scene."""
    from waytrace.evaluate.reference import reference
    from waytrace.evaluate.shrink import FAILURES, shrink
    from waytrace.evaluate.suite_store import generated
    from waytrace.scenario import number_of, permit, scenario_hash
    from waytrace.scenario.store import ScenarioStore, ScenarioWriter

    scene, _, style = options.scene.partition("+")
    scenario = ScenarioStore.open(options.scenarios)[options.scene] if options.scenarios else generated(scene)
    next(permit([scenario], "tune"))
    style = style if style and not options.scenarios else "normal"
    oracle = reference(scenario, scenario_hash(scenario), traffic=options.traffic, style=style, seed=options.seed)
    with output.progress("shrinking") as advance:
        found = shrink(
            scenario, options.planner, traffic=options.traffic, style=style, seed=options.seed,
            reference_m=oracle.progress_m, progress=advance,
        )  # fmt: skip
    with ScenarioWriter(options.out, overwrite=options.overwrite) as writer:
        writer.add(found.scenario)
    sense = "no smaller set does" if found.smallest else "every one of them is needed"
    who = ", ".join(found.kept) or "nobody: the ego alone"
    output.say(f"{options.planner} fails by {FAILURES[found.failure]} ({found.failure}) with {who}; {sense}.")
    agents, scenes = number_of(found.agents, "agent"), number_of(found.drives, "scene")
    output.say(f"{len(found.kept)} of {agents} kept, {scenes} driven.")
    output.say(f"Scene: {found.scenario.id} in {options.out}")
    output.finish(
        {
            "scene": options.scene, "planner": options.planner, "failure": found.failure, "kept": list(found.kept),
            "agents": found.agents, "drives": found.drives, "smallest": found.smallest, "store": str(options.out),
            "id": found.scenario.id,
        }
    )  # fmt: skip
    return 0
