"""``waytrace doctor``: is this machine fit, and what to run next."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from waytrace.cli.output import Output

FREE_DISK_GB = 1.0


@dataclass
class Options:
    """Look at versions, cores, disk and the kernel cache, take one simulator step, and say what to run next."""

    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """1 if something here would get in the way."""
    stepped, failure = {}, None
    try:
        stepped = _one_step()  # first, so that the time to load the simulator is its own
    except Exception as error:
        failure = f"the simulator does not step: {type(error).__name__}: {error}. Reinstall the package."
    facts, problems = _machine()
    facts |= stepped
    problems += [failure] if failure else []
    width = max(map(len, facts))
    for name, value in facts.items():
        output.say(f"{name:<{width}}  {value}")
    for problem in problems:
        output.say(f"problem: {problem}")
    following = "mend the above" if problems else "waytrace demo"
    output.say(f"next: {following}")
    output.finish({**facts, "problems": problems, "next": following})
    return 1 if problems else 0


def _machine() -> tuple[dict[str, Any], list[str]]:
    """Versions, cores, disk and where kernels are kept; and what is wrong with them."""
    from importlib.util import find_spec

    import waytrace
    from waytrace.evaluate.digest import environment

    problems = []
    facts = environment()
    del facts["hash"]
    facts["cores_usable"] = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    facts["disk_free_gb"] = round(free, 1)
    if free < FREE_DISK_GB:
        problems.append(f"only {free:.1f} GB free in {Path.cwd()}; stores and results need room")
    facts["extra logs"] = (
        "installed" if find_spec("pyarrow") and find_spec("lxml") else "absent: pip install waytrace[logs]"
    )
    root = Path(waytrace.__file__).parent
    kept = os.environ.get("NUMBA_CACHE_DIR")
    kernels = list((Path(kept) if kept else root).rglob("*.nbc"))
    facts["compiled kernels"] = f"{len(kernels)} in {kept or root}" if kernels else "none yet: compiled at first use"
    if not os.access(kept or root, os.W_OK):
        problems.append(
            f"{kept or root} is not writable, so kernels are compiled in every process; set NUMBA_CACHE_DIR"
        )
    return facts, problems


def _one_step() -> dict[str, Any]:
    """Load the simulator, make a scenario and take one step in it."""
    began = time.perf_counter()
    from waytrace.catalogue import families, generate
    from waytrace.sim import World

    loaded = time.perf_counter()
    scenario = generate(families()[0], seed=0)
    world = World([scenario])
    world.reset()
    world.observe()
    stepped = time.perf_counter()
    return {
        "simulator loads in": f"{loaded - began:.2f} s",
        "one scenario, one observation": f"{1000 * (stepped - loaded):.0f} ms",
    }
