"""Every planner on every recorded drive: imports, evaluates, writes ``docs/real-drives.md``.

    python benchmarks/real_drives.py PATH... [--work FOLDER] [--table docs/real-drives.md]

The last line of standard output is one JSON object with the figures. Needs the extra ``logs``. Repeating the command
continues where it was interrupted. Only aggregate figures and scenario ids go into the table, none of the recordings.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import waytrace
from explain import LOW, explanation, low_rows, zero_terms
from waytrace.cli.tables import group_rows, interval_text, markdown, number, percent
from waytrace.evaluate import Result, evaluate
from waytrace.formats import import_paths
from waytrace.scenario.store import ScenarioStore
from waytrace.score import TERMS

PLANNERS = ("replay", "constant-velocity", "idm", "expert", "oracle", "shipped")
LISTED = 60
FAITHFUL = "replay in replayed traffic"
"""Log replay with everybody else as recorded: what it is charged with was in the recording, or is our own error."""


def main() -> int:
    arguments = _arguments()
    store = arguments.work / "store"
    imported_file = arguments.work / "import.json"
    if not imported_file.exists():
        report = import_paths(arguments.paths, store, workers=arguments.workers, overwrite=True)
        imported_file.write_text(json.dumps(report.as_dict()))
    imported = json.loads(imported_file.read_text())
    results: dict[str, Result] = {}
    runs = [(name, name, arguments.traffic) for name in arguments.planners]
    for label, name, traffic in [*runs, (FAITHFUL, "replay", "replay")]:
        print(f"{label} ...", file=sys.stderr, flush=True)
        results[label] = evaluate(
            name, store, workers=arguments.workers, traffic=traffic, out=arguments.work / label.replace(" ", "-"),
            overwrite=arguments.overwrite,
        )  # fmt: skip
    arguments.table.write_text(_document(imported, results, arguments.traffic, ScenarioStore.open(store)))
    print(f"Table: {arguments.table}", file=sys.stderr)
    figures = {
        name: {
            "scenarios": len(result.ids),
            "errors": len(result.errors),
            "at_fault_collisions": sum(row["terms"].get("NC", 1.0) < 1.0 for row in result.meta["scenarios"]),
            "sources": {source: group["score"] for source, group in result.meta["sources"].items()},
        }
        for name, result in results.items()
    }
    counts = {key: imported[key] for key in ("files", "drives", "imported")}
    print(json.dumps({"import": {**counts, "refused": len(imported["refused"])}, "planners": figures}))
    return 1 if any(result.errors for result in results.values()) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path, help="files or folders of recorded drives")
    parser.add_argument("--work", type=Path, default=Path("out/real-drives"), help="folder for store and results")
    parser.add_argument("--table", type=Path, default=Path("docs/real-drives.md"))
    parser.add_argument("--planners", nargs="+", default=list(PLANNERS))
    parser.add_argument("--traffic", default="mixed", choices=("replay", "reactive", "mixed"))
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--overwrite", action="store_true", help="evaluate afresh after the code has changed")
    return parser.parse_args()


def _document(imported: dict[str, Any], results: dict[str, Result], traffic: str, store: ScenarioStore) -> str:
    refused = [r for r in imported["refused"] if r["kind"] != "document"]
    by_source = [
        [s, *(str(c[k]) for k in ("drives", "scenarios", "refused"))] for s, c in imported["by_source"].items()
    ]
    parts = [
        "# Recorded drives\n",
        "Made by `python benchmarks/real_drives.py PATH...`; not edited by hand. "
        f"Waytrace {waytrace.__version__}, {date.today().isoformat()}, traffic `{traffic}`, seed 0.\n",
        "Scores are given by source and not pooled with those of generated scenarios. Intervals are 95 %, clustered by "
        "log or road section; with so few clusters they are wide. `replay` and `oracle` know the future and are no "
        "competitors.\n",
        "## Imported\n",
        f"{imported['files']} files, {imported['drives']} drives, {imported['imported']} scenarios, "
        f"{len(refused)} refused.\n",
        markdown(["source", "drives", "scenarios", "refused"], by_source) + "\n",
        *(_refusals(refused)),
        "How right the imports are:\n",
        _quality(imported["quality"]) + "\n",
        "## Scores by source\n",
        markdown(*group_rows(results, "sources")) + "\n",
    ]
    for source in sorted({name for result in results.values() for name in result.meta["sources"]}):
        parts += [f"### {source}\n", _source_table(results, source) + "\n"]
    parts += ["## What failed, and why\n"]
    for name, result in results.items():
        parts += [f"### {name}\n", _failures(result, store)]
    return "\n".join(parts).rstrip() + "\n"


def _refusals(refused: list[dict[str, str]]) -> list[str]:
    if not refused:
        return []
    rows = [[Path(r["file"]).name, r["reason"].replace("|", "\\|")] for r in refused]
    return ["| refused | reason |\n| --- | --- |\n" + "\n".join(f"| {a} | {b} |" for a, b in rows) + "\n"]


def _quality(quality: dict[str, dict[str, Any]]) -> str:
    names = list(dict.fromkeys(name for figures in quality.values() for name in figures))
    rows = [[name, *(_figure(figures.get(name)) for figures in quality.values())] for name in names]
    return markdown(["figure", *quality], rows)


def _figure(value: Any) -> str:
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _source_table(results: dict[str, Result], source: str) -> str:
    groups = {name: result.meta["sources"].get(source) for name, result in results.items()}
    terms = [t for t in TERMS if any(g and t in g["terms"] for g in groups.values())]
    rows = [
        [
            name, interval_text(group), percent(group["at_fault_collision_rate"]), percent(group["off_road_rate"]),
            *(number(group["terms"].get(t), 2) for t in terms),
        ]
        for name, group in groups.items()
        if group
    ]  # fmt: skip
    return markdown(["planner", "score [95 %]", "at fault", "off road", *terms], rows)


def _failures(result: Result, store: ScenarioStore) -> str:
    """Scenarios below one half, with the terms that brought them there, and those the planner broke down on."""
    rows = result.meta["scenarios"]
    lines = [f"- `{e['id']}`: no result, {e['message']}" for e in result.errors]
    lines += [explanation(row) for row in low_rows(rows)]
    if not lines:
        return f"Nothing: no scenario scored below {LOW}.\n"
    causes = Counter(term for row in rows for term in zero_terms(row))
    summary = ", ".join(f"{term} {count}" for term, count in causes.most_common()) or "no term at 0"
    more = [f"- ... and {len(lines) - LISTED} more"] if len(lines) > LISTED else []
    return f"{len(lines)} of {len(store)}: {summary}\n\n" + "\n".join(lines[:LISTED] + more) + "\n"


if __name__ == "__main__":
    sys.exit(main())
