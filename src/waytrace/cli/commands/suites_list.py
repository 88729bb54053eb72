"""``waytrace suites list``: the frozen suites."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """List the suites that come with the package."""

    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Print one row per suite."""
    from waytrace.evaluate import load_suite, suite_names

    suites = [load_suite(name) for name in suite_names()]
    columns = ["suite", "splits", "hash", "scenes", "admitted", "about"]
    rows = [
        [
            suite.name, ", ".join(suite.splits), suite.sha256[:12], str(len(suite.scenes)),
            str(sum(scene.admitted for scene in suite.scenes)), suite.about,
        ]
        for suite in suites
    ]  # fmt: skip
    output.table(columns, rows, text_columns=3)
    output.finish(
        {
            "suites": {
                suite.name: {
                    "about": suite.about,
                    "splits": list(suite.splits),
                    "sha256": suite.sha256,
                    "scenes": len(suite.scenes),
                    "admitted": sum(scene.admitted for scene in suite.scenes),
                }
                for suite in suites
            }
        }
    )
    return 0
