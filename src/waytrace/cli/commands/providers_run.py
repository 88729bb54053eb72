"""``waytrace providers run``: the benchmark's items put to one model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

if TYPE_CHECKING:
    from waytrace.cli.output import Output


@dataclass
class Options:
    """Put items to a model and score what comes back, within a budget. Repeating the command pays for nothing twice.

    An endpoint on this machine or its network is a dry run, whatever answers there. Without a key it says what it would
    ask and cost, and ends with 2.
    """

    provider: Annotated[str, arg(metavar="NAME|URL")]
    """glm (mlg), minimax (minmax), doubao, one of --table, or the URL of an OpenAI-compatible endpoint."""
    model: Annotated[str | None, arg(metavar="ID", help_behavior_hint="(default: the provider's first)")] = None
    """Id of the model, as the vendor spells it."""
    endpoint: Annotated[str | None, arg(metavar="REGION|URL", help_behavior_hint="(default: the first)")] = None
    """Region of the provider, or a URL in its place: a stand-in on this machine for a rehearsal."""
    family: tuple[str, ...] = ()
    """Families to ask; all by default."""
    epochs: Annotated[int | None, arg(metavar="COUNT", help_behavior_hint="(default: 3, refusal 5)")] = None
    """How often each item is asked."""
    limit: Annotated[int | None, arg(metavar="COUNT", help_behavior_hint="(default: all)")] = None
    """Only the first so many items of each family."""
    budget: Annotated[float, arg(metavar="AMOUNT")] = 10.0
    """Most to spend on this run in all, in the price's currency; what a request can cost at most is set aside first."""
    thinking: Annotated[str | None, arg(metavar="MODE", help_behavior_hint="(default: the vendor's)")] = None
    """How hard to think, in the model's own words; `waytrace providers list` shows them."""
    temperature: float = 0.0
    """Raised to the least that a provider takes; what was sent is recorded."""
    concurrency: int = 4
    """Requests under way at once."""
    plan: bool = False
    """Say what would be asked and what it would cost; send nothing."""
    out: Annotated[Path | None, arg(metavar="FOLDER", help_behavior_hint="(default: out/providers/...)")] = None
    """Folder of the run."""
    table: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: the packaged ones alone)")] = None
    """Rows of your own: providers, prices, rates of exchange (TOML)."""
    json: bool = False
    """One JSON object as the last line of standard output, all else on standard error."""


def run(options: Options, output: Output) -> int:
    """Say what it would cost, ask, and say what came of it; 1 if it stopped before its end, 2 without a key."""
    from waytrace.providers import (
        ProviderError,
        Settings,
        Target,
        endpoint_of,
        families,
        key_of,
        load_book,
        model_of,
        plan_of,
        price_of,
        run_target,
    )  # fmt: skip

    book = load_book(options.table)
    provider = book.provider(options.provider)
    known = families()
    if unknown := [name for name in options.family if name not in known]:
        raise ProviderError(f"There is no family {unknown[0]!r}. There are: {', '.join(known)}.")
    if options.limit is not None and options.limit < 1:
        raise ProviderError("--limit is a number of items, 1 or more.")
    settings = Settings(
        epochs=options.epochs, temperature=options.temperature, thinking=options.thinking,
        concurrency=options.concurrency,
    )  # fmt: skip
    target = Target(
        provider, model_of(provider, options.model), endpoint_of(provider, options.endpoint),
        {name: known[name] for name in options.family or known}, settings, options.limit,
    )  # fmt: skip
    price = price_of(target, book)
    planned = plan_of(target, price)
    likely, most = sum(p.likely for p in planned), sum(p.most for p in planned)
    currency = price.currency if price else ""
    output.say(f"{provider.name} {target.model.id} at {target.endpoint.base}: {target.mode}")
    columns = ["family", "items", "epochs", "requests", "tokens in, about", "tokens out, at most", "about", "at most"]
    output.table(
        columns,
        [
            [
                p.family, str(p.items), str(p.epochs), str(p.samples), f"{p.likely_input:,}", f"{p.most_output:,}",
                *((f"{p.likely:.3f}", f"{p.most:.3f}") if price else ("not billed", "not billed")),
            ]
            for p in planned
        ],
    )  # fmt: skip
    if price:
        output.say(f"In all about {currency} {likely:.2f}, at most {most:.2f}; the budget is {options.budget:g}.")
    record = {
        "provider": provider.name, "model": target.model.id, "mode": target.mode, "currency": currency,
        "likely": likely, "most": most, "requests": sum(p.samples for p in planned),
    }  # fmt: skip
    if options.plan:
        output.finish(record)
        return 0
    if target.mode == "live" and provider.keys and key_of(provider) is None:
        raise ProviderError(
            f"not run ({provider.keys[0]} unset): nothing was sent. It would send {record['requests']} requests for "
            f"about {currency} {likely:.2f} (at most {most:.2f}). Set {provider.keys[0]} and repeat the command."
        )
    if likely > options.budget:
        raise ProviderError(
            f"It would cost about {currency} {likely:.2f}, and the budget is {options.budget:g}: nothing was sent. "
            "Raise --budget, or ask less with --family, --limit or --epochs."
        )
    folder = options.out or Path("out/providers") / _name(provider.name, target.model.id, target.endpoint.region)
    with output.progress("samples") as advance:
        end = run_target(target, book, folder, options.budget, progress=advance)
    output.say(
        f"{end.samples} of {end.of} samples have an end; {end.calls} calls; spent {end.spent:.4f} {end.currency}"
    )
    if end.mode == "dry-run":
        output.say("Dry run: what answered is on this machine or its network, so no figure of it is a provider's.")
    if end.stopped:
        output.say(f"Stopped: {end.stopped}. Repeat the command to go on.")
    output.say(f"Run: {end.folder}")
    output.finish(
        record
        | {"run": str(end.folder), "samples": end.samples, "of": end.of, "spent": end.spent, "stopped": end.stopped}
    )
    return 1 if end.stopped else 0


def _name(provider: str, model: str, region: str) -> str:
    """A folder's name for a run."""
    import re

    return re.sub(r"[^A-Za-z0-9._-]+", "-", f"{provider}-{model}-{region}")
