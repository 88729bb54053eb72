"""The log of held-out suites: every evaluation on split ``test`` is written down, with its reason."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from .suites import Suite, SuiteError

LOG = "heldout-openings.tsv"
_HEAD = ("time", "suite", "sha256", "planner", "reason")


def openings_file() -> Path:
    """``WAYTRACE_OPENINGS``, else ``heldout-openings.tsv`` in the current folder: a file to commit."""
    return Path(os.environ.get("WAYTRACE_OPENINGS") or LOG)


def note_opening(suite: Suite, planner: str, reason: str) -> int:
    """Write down that ``planner`` is evaluated on a held-out suite; how often this suite has been opened now.

    Raises :class:`SuiteError` where no reason is given: held-out scenes are for figures that will be reported.
    """
    if not reason.strip():
        raise SuiteError(
            f"Suite {suite.name} holds scenes of split 'test', opened for reported figures alone: say which with "
            f"--reason TEXT. It will be noted in {openings_file()}."
        )
    file = openings_file()
    row = (
        datetime.now(UTC).isoformat(timespec="seconds"),
        suite.name,
        suite.sha256[:16],
        planner,
        " ".join(reason.split()),
    )
    with file.open("a") as out:
        if out.tell() == 0:
            out.write("\t".join(_HEAD) + "\n")
        out.write("\t".join(row) + "\n")
    return openings(suite.name)


def openings(name: str) -> int:
    """How often the suite of this name has been opened, by the log."""
    file = openings_file()
    rows = file.read_text().splitlines()[1:] if file.exists() else []
    return sum(row.split("\t")[1:2] == [name] for row in rows)
