"""``waytrace trace annotate``: a page on which people say what the ego should do and why."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """Write an annotation page: one moment a scenario, blind to every planner's answer, in two passes."""

    store: Annotated[Positional[Path], arg(metavar="STORE")]
    """Scenarios; those of split train are taken, families and recordings in turn."""
    out: Annotated[Path, arg(metavar="FOLDER")]
    """Folder to write to: the page, and which moments it shows."""
    count: int = 60
    """How many moments."""
    seed: int = 0
    """Draws scenarios, moments and the orders of the passes."""
    planner: Literal["expert", "idm"] = "expert"
    """Who drives a generated scenario up to its moment."""
    pictures: bool = False
    """Write each moment as an SVG of its own too, references written in; ``000.svg`` is the list's first line."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Write the page and say where it lies."""
    from waytrace.evaluate.moments import choose, moments
    from waytrace.report import annotation_page, labelled_picture
    from waytrace.scenario import WaytraceError, number_of
    from waytrace.scenario.store import ScenarioStore

    store = ScenarioStore.open(options.store)
    ids = choose(store, options.count, options.seed)
    made = []
    with output.progress("driving to the moments") as advance:
        for one, _, scene in moments(store, ids, planner=options.planner, seed=options.seed):
            made.append((one, scene))
            advance(len(made), len(ids), one.scenario)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        page = options.out / "annotate.html"
        page.write_text(annotation_page(made, seed=options.seed), encoding="utf-8")
        (options.out / "moments.jsonl").write_text("".join(json.dumps(asdict(one)) + "\n" for one, _ in made))
        if options.pictures:
            (options.out / "pictures").mkdir(exist_ok=True)
            for k, (_, scene) in enumerate(made):  # by number alone: an id tells what was prepared in the scene
                path = options.out / "pictures" / f"{k:03d}.svg"
                path.write_text(labelled_picture(scene, f"moment {k}"), encoding="utf-8")
    except OSError as error:
        raise WaytraceError(f"{options.out} cannot be written: {error.strerror}. Name another folder.") from error
    output.say(f"Annotation page: {page} ({number_of(len(made), 'moment')})")
    output.say("Export both passes from it, then: waytrace trace agreement PASS1 PASS2")
    output.finish({"page": str(page), "moments": len(made), "list": str(options.out / "moments.jsonl")})
    return 0
