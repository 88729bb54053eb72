"""What a report says, before it is Markdown or HTML: live tables, dry-run tables, a choice, the facts behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from .book import STALE_DAYS, WARN_DAYS, Book, age_days
from .cells import Cell, Shown, Table, Words, figure, money, percent, plain, seconds
from .decide import Choice, choose, cost_per_pass_usd
from .endpoint import Mode
from .families import NAMES
from .figures import Measured, figures_of
from .results import Run
from .rows import Price, Provider
from .secrets import key_of

MIX_INPUT_TOKENS, MIX_OUTPUT_TOKENS = 3_000, 1_000
"""Of the request by which prices are set side by side where nothing was measured."""


@dataclass(frozen=True)
class Point:
    """One model in the chart of quality against cost; all are live."""

    name: str
    usd: float
    served: Measured


@dataclass(frozen=True)
class Report:
    """A whole report."""

    on: date
    headline: str
    why: Sequence[str]
    live: Sequence[Table]
    points: Sequence[Point]
    uses: Sequence[tuple[str, str]]
    """Family to what to take for it, and why."""
    dry: Sequence[Table]
    facts: Sequence[Table]
    warnings: Sequence[str]


def report_of(runs: Sequence[Run], book: Book, on: date) -> Report:
    """The report of some runs, or of none: then it says what was not run, and what the documents suggest."""
    live = [run for run in runs if run.mode == "live"]
    dry = [run for run in runs if run.mode == "dry-run"]
    choice = choose(live, book, on)
    if choice.run is not None:
        headline = f"Default: {choice.run.name}"
        why = choice.why
    elif live:
        headline, why = "No recommendation", choice.why
    else:
        headline, why = _from_documents(book, on)
    return Report(
        on, headline, why,
        live=[_overall(live, book, "live"), *_by_family(live, "live")],
        points=_points(live, book, on),
        uses=_uses(live, book, on),
        dry=[_overall(dry, book, "dry-run"), *_by_family(dry, "dry-run")] if dry else [],
        facts=[_runs(runs), price_table(book, on)] if runs else [price_table(book, on)],
        warnings=warnings(book, on),
    )  # fmt: skip


def not_run(provider: Provider) -> str:
    """Why a provider has no figures."""
    if key_of(provider) is None:
        return f"not run ({provider.keys[0]} unset)" if provider.keys else "not run"
    return "not run"


def warnings(book: Book, on: date) -> list[str]:
    """What is old among prices and rates."""
    found = []
    for row in book.prices:
        age = age_days(row.checked_on, on)
        if age > WARN_DAYS:
            stale = ": it decides nothing" if age > STALE_DAYS else ""
            found.append(f"The price of {row.provider} {row.model} was checked {age} days ago{stale}.")
    for rate in book.rates:
        age = age_days(rate.checked_on, on)
        if age > WARN_DAYS or rate.status == "inferred":
            found.append(
                f"The rate {rate.currency} 1 = USD {rate.usd:g} is {rate.status}, {age} days old: {rate.source}."
            )
    return found


def price_table(book: Book, on: date) -> Table:
    """The price book, with who says so and how old it is."""
    rows = [
        [
            Words(str(text))
            for text in (
                p.provider, p.model, p.region, f"{p.currency} {p.input:g}", f"{p.cached:g}", f"{p.output:g}",
                p.effective_from or "not known", p.checked_on, f"{age_days(p.checked_on, on)} days", p.status, p.source,
            )
        ]
        for p in book.prices
    ]  # fmt: skip
    columns = [
        "provider", "model", "region", "input", "cached", "output", "from", "checked", "age", "status", "source"
    ]  # fmt: skip
    return Table("Prices, per million tokens", None, columns, rows, "From documents, not measured.", 11)


def _overall(runs: Sequence[Run], book: Book, mode: Mode) -> Table:
    columns = [
        "model", "right [95 %]", "score", "no answer", "filtered", "valid structure", "over-refusal", "under-refusal",
        "cost", "a passed item", "median", "p95", "first token", "tokens/s", "samples",
    ]  # fmt: skip
    rows: list[list[Cell]] = [[_named(run), *_figures(run, len(columns) - 1)] for run in runs]
    if mode == "live":
        ran = {run.settings["provider"] for run in runs}
        rows += [
            [Words(p.name), Words(not_run(p)), *[Words("")] * (len(columns) - 2)]
            for p in book.providers
            if p.name not in ran
        ]
    note = {
        "live": "Measured. `right` counts items; an unsafe request that the vendor's filter stops counts as right.",
        "dry-run": "An endpoint on this machine or its network answered: these figures say nothing about a provider.",
    }[mode]
    return Table("Live runs" if mode == "live" else "Dry runs", mode, columns, rows, note)


def _figures(run: Run, count: int) -> list[Cell]:
    if not run.calls:
        return [Words("no call was answered"), *[Words("")] * (count - 1)]
    found = figures_of(run)
    return [
        figure(found.served, percent), figure(found.score, percent), figure(found.failed, percent),
        figure(found.filtered, percent), figure(found.schema, percent), figure(found.over_refusal, percent),
        figure(found.under_refusal, percent), figure(found.cost, money), figure(found.cost_per_pass, money),
        figure(found.median_s, seconds), figure(found.p95_s, seconds), figure(found.first_token_s, seconds),
        figure(found.tokens_per_s, plain), Shown(Measured(found.samples, run, found.samples), plain),
    ]  # fmt: skip


def _by_family(runs: Sequence[Run], mode: Mode) -> list[Table]:
    columns = [
        "model", "right [95 %]", "pass", "fail", "refusal", "filtered", "no answer", "a passed item", "p95", "thinking"
    ]  # fmt: skip
    tables = []
    for family in _families(runs):
        rows: list[list[Cell]] = []
        for run in (r for r in runs if r.calls):
            found = figures_of(run, family)
            if not found.samples:
                continue
            counts = [Shown(Measured(n, run, found.samples), plain) for n in found.outcomes.values()]
            rows.append(
                [
                    _named(run), figure(found.served, percent), *counts, figure(found.cost_per_pass, money),
                    figure(found.p95_s, seconds), figure(found.thinking, plain),
                ]
            )  # fmt: skip
        tables.append(Table(f"{family}, {mode}", mode, columns, rows))
    return tables


def _named(run: Run) -> Words:
    state = "" if run.complete else f" (incomplete: {run.manifest['stopped'] or 'cut off'})"
    return Words(f"{run.name}, {run.settings['region']} [{run.folder.name}]{state}")


def _families(runs: Sequence[Run]) -> list[str]:
    there = {row.family for run in runs for row in run.rows}
    return [*(n for n in NAMES if n in there), *sorted(there - set(NAMES))]


def _points(runs: Sequence[Run], book: Book, on: date) -> list[Point]:
    found = []
    for run in (r for r in runs if r.calls and r.complete):
        usd, _ = cost_per_pass_usd(run, book, on)
        served = figures_of(run).served
        if usd is not None and served is not None:
            found.append(Point(run.name, usd, served))
    return found


def _uses(runs: Sequence[Run], book: Book, on: date) -> list[tuple[str, str]]:
    choices: Mapping[str, Choice] = {family: choose(runs, book, on, family) for family in _families(runs)}
    return [(family, choice.why[-1]) for family, choice in choices.items() if choice.run is not None]


def _runs(runs: Sequence[Run]) -> Table:
    columns = ["run", "mode", "endpoint", "began", "temperature sent", "thinking", "asked", "versions"]
    rows = []
    for run in runs:
        manifest, settings = run.manifest, run.settings["settings"]
        fell = " (fell back: 0 was rejected)" if manifest["temperature_fell_back"] else ""
        versions = ", ".join(f"{name} {number}" for name, number in manifest["versions"].items())
        rows.append(
            [
                Words(f"{run.name} [{run.folder.name}]"), Words(run.mode),
                Words(run.settings["endpoint"]), Words(manifest["began"]),
                Words(f"{manifest['temperature_sent']:g}{fell}"), Words(settings["thinking"] or "the vendor's default"),
                Words(run.asked[:12]), Words(versions),
            ]
        )  # fmt: skip
    return Table("Runs", None, columns, rows, "Runs of the same `asked` put the same items and are compared.", 8)


def _from_documents(book: Book, on: date) -> tuple[str, tuple[str, ...]]:
    """What the price book suggests where nothing was measured: cheapest by a usual request, and no word on quality."""
    priced = sorted(
        ((usd, row) for row in book.prices if (usd := _mix_usd(row, book, on)) is not None), key=lambda pair: pair[0]
    )
    lines = [
        "Nothing was measured: this rests on prices alone and says nothing about quality.",
        f"A request of {MIX_INPUT_TOKENS} tokens in and {MIX_OUTPUT_TOKENS} out, thinking not counted, would cost:",
        *(f"{row.provider} {row.model}: USD {usd:.5f} ({row.status}, checked {row.checked_on})" for usd, row in priced),
    ]
    if not priced:
        return "Provisional, from documents: nothing can be said", ("Every price is older than may decide.",)
    first = next((row for usd, row in priced if usd > 0 and row.status != "inferred"), priced[0][1])
    why = "the lowest price that is neither free nor inferred"
    return f"Provisional, from documents: try {first.provider} {first.model} first, {why}", tuple(lines)


def _mix_usd(row: Price, book: Book, on: date) -> float | None:
    rate = book.usd(row.currency)
    current = book.price(row.provider, row.model, row.region, on)
    if rate is None or row is not current or age_days(row.checked_on, on) > STALE_DAYS:
        return None
    return (MIX_INPUT_TOKENS * row.input + MIX_OUTPUT_TOKENS * row.output) / 1e6 * rate.usd
