"""``waytrace scenarios list``: what a store holds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """List the scenarios of a store. Reads the manifest alone."""

    store: Annotated[Positional[Path], arg(metavar="STORE")]
    """The store."""
    source: Annotated[str | None, arg(metavar="SOURCE", help_behavior_hint="(default: all)")] = None
    """Only scenarios of this source."""
    family: Annotated[str | None, arg(metavar="FAMILY", help_behavior_hint="(default: all)")] = None
    """Only scenarios of this family."""
    limit: int = 50
    """Rows to print."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Print one row per scenario and the counts by source."""
    from waytrace.scenario import number_of
    from waytrace.scenario.store import ScenarioStore

    store = ScenarioStore.open(options.store)
    found = [
        entry
        for entry in map(store.summary, store.ids)
        if options.source in (None, entry["source"]) and options.family in (None, entry["family"])
    ]
    columns = ["id", "source", "family", "split", "cluster", "agents", "steps"]
    output.table(
        columns, [[str(entry.get(c, "")) for c in columns] for entry in found[: options.limit]], text_columns=5
    )
    if len(found) > options.limit:
        output.say(f"... {len(found) - options.limit} more (--limit)")
    by_source = Counter(entry["source"] for entry in found)
    counts = ", ".join(f"{count} {source}" for source, count in sorted(by_source.items()))
    output.say(number_of(len(found), "scenario") + (f": {counts}" if counts else ""))
    output.finish({"store": str(options.store), "scenarios": found, "by_source": dict(by_source)})
    return 0
