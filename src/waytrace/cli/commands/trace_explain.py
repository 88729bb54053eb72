"""``waytrace trace explain``: the traces of a file in English."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """Say in English what the traces in a file claim: one sentence for each decision, or every claim with --long."""

    file: Annotated[Positional[Path], arg(metavar="FILE")]
    """A trace file (JSON lines), or a folder of them."""
    long: bool = False
    """Every claim in a line of its own, and what a check found false."""
    scenario: Annotated[str | None, arg(metavar="ID", help_behavior_hint="(default: all)")] = None
    """Only this scenario."""
    tick: Annotated[int | None, arg(metavar="TICK", help_behavior_hint="(default: all)")] = None
    """Only the decision at this tick."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Print the sentences; 2 where nothing in the file is asked for."""
    from waytrace.trace import TraceError, paragraphs, sentence
    from waytrace.trace.check import files_of, validate
    from waytrace.trace.file import TraceFileError, read_traces

    said: list[dict[str, Any]] = []
    for file in files_of(options.file):
        for line in read_traces(file):
            if options.scenario not in (None, line.scenario) or options.tick not in (None, line.tick):
                continue
            where = f"{line.scenario} tick {line.tick}"
            try:
                validate(line.trace, line.plan)
            except TraceError as error:
                raise TraceFileError(f"{file}, {where}: {error}") from error
            short = sentence(line.trace)
            long = paragraphs(line.trace) if options.long else []
            false = [f"{v.claim}: {v.why}" for v in line.verdicts if v.value == "false"] if options.long else []
            output.say(f"{where}: {short}" if not options.long else where)
            for text in long:
                output.say(f"    {text}")
            for text in false:
                output.say(f"    FALSE {text}")
            said.append(
                {"scenario": line.scenario, "tick": line.tick, "sentence": short, "claims": long, "false": false}
            )
    if not said:
        raise TraceFileError(f"{options.file} holds no such decision")
    output.finish({"file": str(options.file), "decisions": said})
    return 0
