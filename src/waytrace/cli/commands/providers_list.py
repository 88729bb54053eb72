"""``waytrace providers list``: who there is, with what key, at what price."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from waytrace.cli.output import Output
    from waytrace.providers import Price


@dataclass
class Options:
    """List LLM providers: endpoints, SDK, authentication, key set or not, models, prices with date, source and age."""

    table: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: the packaged ones alone)")] = None
    """Rows of your own: providers, prices, rates of exchange (TOML)."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Print a paragraph for each, and a table of models."""
    from datetime import UTC, datetime

    from waytrace.providers import age_days, key_of, load_book

    book, today = load_book(options.table), datetime.now(UTC).date()
    listed = []
    for row in book.providers:
        found = key_of(row)
        key = f"{found[0]} is set" if found else f"{' or '.join(row.keys)} unset" if row.keys else "needs no key"
        said_by = f"{row.status}: {row.source}; checked {row.checked_on}, {age_days(row.checked_on, today)} days ago"
        output.say(f"{row.name}  {row.vendor}" + (f"  (also: {', '.join(row.aliases)})" if row.aliases else ""))
        output.say(f"  key        {key}; {row.auth}")
        for endpoint in row.endpoints:
            output.say(f"  endpoint   {endpoint.base}  {endpoint.region}")
        output.say(f"  sdk        {row.sdk or 'not known'}")
        output.say(f"  structure  {row.structured}; temperature from {row.temperature.least:g}. {row.temperature.note}")
        for note in row.notes:
            output.say(f"  note       {note}")
        output.say(f"  says who   {said_by}")
        output.say()
        listed.append(
            {
                "name": row.name, "aliases": list(row.aliases), "key_set": found is not None, "keys": list(row.keys),
                "endpoints": {e.region: e.base for e in row.endpoints}, "models": [m.id for m in row.models],
                "source": row.source, "status": row.status, "checked_on": str(row.checked_on),
            }
        )  # fmt: skip
    rows = [
        [
            p.name, m.id, f"{m.context_tokens:,}" if m.context_tokens else "-",
            m.thinks + (f": {', '.join(m.modes)}" if m.modes else ""),
            *_prices([q for q in book.prices if (q.provider, q.model) == (p.name, m.id)], today),
        ]
        for p in book.providers for m in p.models
    ]  # fmt: skip
    output.table(
        ["provider", "model", "context", "thinking", "in / cached / out per 1M", "price says"], rows, text_columns=6
    )
    output.finish({"providers": listed})
    return 0


def _prices(prices: Sequence[Price], today: date) -> tuple[str, str]:
    """(amounts, who says so and how old that is) of the newest price."""
    from waytrace.providers import age_days

    newest = max(prices, key=lambda p: p.effective_from or p.checked_on, default=None)
    if newest is None:
        return "not known", ""
    amounts = f"{newest.currency} {newest.input:g} / {newest.cached:g} / {newest.output:g}"
    return amounts, f"{newest.status}, {age_days(newest.checked_on, today)} days old"
