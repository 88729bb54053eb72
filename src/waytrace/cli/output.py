"""What a command says: text and tables for a person, one JSON object for a program, progress on standard error."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

Advance = Callable[[int, int, str], None]
"""Called with how many are done, how many there are, and what came last."""

PLAIN_EVERY_S = 5.0
"""Without a terminal, a line of progress at most this often."""


class Output:
    """Where a command's words go. With ``json`` standard output holds the one object given to :meth:`finish`."""

    def __init__(self, *, json: bool = False) -> None:
        self.json = json
        self._stdout = sys.stdout

    def say(self, text: str = "") -> None:
        """A line for a person."""
        print(text, file=sys.stderr if self.json else self._stdout)

    def note(self, text: str) -> None:
        """A line about the work in progress: always standard error."""
        print(text, file=sys.stderr)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], *, text_columns: int = 1) -> None:
        """A table; the first columns are text, the others figures."""
        from rich.box import SIMPLE_HEAD
        from rich.console import Console
        from rich.table import Table

        stream = sys.stderr if self.json else self._stdout
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        for index, column in enumerate(columns):
            table.add_column(column, justify="left" if index < text_columns else "right", no_wrap=True)
        for row in rows:
            table.add_row(*row)
        width = None if stream.isatty() else 160
        Console(file=stream, width=width, highlight=False).print(table)

    def finish(self, record: dict[str, Any]) -> None:
        """The machine-readable outcome, as the last line of standard output. Nothing without ``--json``."""
        if self.json:
            print(json.dumps(record, allow_nan=False), file=self._stdout, flush=True)

    @contextmanager
    def progress(self, title: str) -> Iterator[Advance]:
        """A progress bar on a terminal, plain lines elsewhere; on standard error either way."""
        if not sys.stderr.isatty():
            yield _plain(title)
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            TextColumn("{task.fields[last]}"),
        )  # fmt: skip
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(title, total=None, last="")
            yield lambda done, total, last: bar.update(task, completed=done, total=total, last=last[:40])


def _plain(title: str) -> Advance:
    said = [time.monotonic()]

    def advance(done: int, total: int, last: str) -> None:
        now = time.monotonic()
        if done == total or now - said[0] >= PLAIN_EVERY_S:
            said[0] = now
            print(f"{title}: {done} of {total}", file=sys.stderr, flush=True)

    return advance
