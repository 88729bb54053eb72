"""``waytrace providers prices``: the price book, and whether it may still decide."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """Show the price book, or check it: 1 where a price or a rate is older than may decide (90 days)."""

    action: Annotated[Positional[Literal["show", "check"]], arg(metavar="show|check")] = "show"
    """show: every price with its date, age and source. check: what is old; nothing is fetched."""
    table: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: the packaged ones alone)")] = None
    """Rows of your own: providers, prices, rates of exchange (TOML)."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Print it; 1 from `check` where something is too old to decide."""
    from datetime import UTC, datetime

    from waytrace.providers import STALE_DAYS, age_days, load_book, price_table, warnings

    book, today = load_book(options.table), datetime.now(UTC).date()
    shown = price_table(book, today)
    if options.action == "show":
        rows = [[cell.text for cell in row[:-1]] for row in shown.rows]
        output.table(shown.columns[:-1], rows, text_columns=len(rows[0]) if rows else 1)
        for row in book.prices:
            output.say(f"{row.provider} {row.model}: {row.source}")
    said = warnings(book, today)
    for line in said:
        output.say(f"warning: {line}")
    old = [f"{row.provider} {row.model}" for row in book.prices if age_days(row.checked_on, today) > STALE_DAYS]
    old += [row.currency for row in book.rates if age_days(row.checked_on, today) > STALE_DAYS]
    output.say(f"Too old to decide: {', '.join(old)}." if old else f"Nothing is older than {STALE_DAYS} days.")
    output.finish({"prices": len(book.prices), "warnings": said, "too_old": old})
    return 1 if old and options.action == "check" else 0
