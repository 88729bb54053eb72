"""A run: every item of some families put to one model, several times. Repeating the command goes on with its folder."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from waytrace import __version__

from . import isolation
from .asking import PROBE, Asker, Ended, StopRunError
from .book import Book, ProviderError
from .budget import BudgetSpentError, Purse
from .endpoint import Mode, mode_of
from .families import Family, Item, Reply
from .journal import SCHEMA, Found, Journal, digest
from .request import Request, reply_of
from .rows import Endpoint, Model, Price, Provider
from .secrets import key_of, scrubber
from .settings import Settings

NO_KEY = "no-key-needed"
"""What is sent as a key to this machine: never a real one."""


@dataclass(frozen=True)
class Target:
    """One model at one endpoint, and what it is asked."""

    provider: Provider
    model: Model
    endpoint: Endpoint
    families: Mapping[str, Family]
    settings: Settings
    limit: int | None = None
    """Only so many items of each family."""

    @cached_property
    def mode(self) -> Mode:
        """``dry-run`` for whatever answers on this machine or its network. Names are resolved once."""
        return mode_of(self.endpoint.base)

    def items(self) -> list[tuple[Family, Item]]:
        """What is asked, in the order of the families."""
        return [(f, item) for f in self.families.values() for item in list(f.items())[: self.limit]]

    def samples(self) -> list[tuple[Family, Item, int]]:
        """Every item as often as it is asked: all once, then all again."""
        most = max((self.settings.epochs_of(name) for name in self.families), default=0)
        return [
            (family, item, epoch)
            for epoch in range(most)
            for family, item in self.items()
            if epoch < self.settings.epochs_of(family.name)
        ]

    def to_json(self) -> dict[str, Any]:
        """What makes it this run and no other."""
        return {
            "schema": SCHEMA, "provider": self.provider.name, "model": self.model.id, "region": self.endpoint.region,
            "endpoint": self.endpoint.base, "mode": self.mode, "limit": self.limit,
            "settings": self.settings.to_json(),
            "epochs": {name: self.settings.epochs_of(name) for name in self.families},
            "families": {name: family.version for name, family in self.families.items()},
            "items": {name: [i.id for f, i in self.items() if f.name == name] for name in self.families},
            "adapter": digest(self.provider.model_dump(mode="json", exclude={"models", "notes", "endpoints"})),
        }  # fmt: skip


@dataclass(frozen=True)
class RunEnd:
    """What a run came to."""

    folder: Path
    mode: Mode
    samples: int
    of: int
    calls: int
    """Sent in this process."""
    spent: float
    currency: str
    stopped: str
    """Why it did not get to the end; empty if it did."""


def run_target(
    target: Target, book: Book, folder: Path, budget: float, *, progress: Callable[[int, int, str], None] | None = None
) -> RunEnd:
    """Ask what has not been asked yet, score it, and say what came of it.

    Raises :class:`ProviderError` without the extra, without a key where one is needed, where nothing says what an
    answer costs, and where the folder holds another run; ``IsolationError`` where a model's code cannot be run.
    """
    need_extra()
    if "coding" in target.families:
        isolation.available()
    from .wire import VendorAPI

    target.settings.body_of(target.model)
    price = price_of(target, book)
    journal = Journal(folder, target.to_json(), scrubber([*book.providers, target.provider]))
    purse = Purse(budget, price, journal.found.spent)
    api = VendorAPI(
        target.provider, target.model.id, target.endpoint.base, key_for(target), target.settings.timeout_s
    )  # fmt: skip
    asker = Asker(api, target.provider, target.model, target.settings, purse, journal, target.mode)
    with journal:
        return asyncio.run(_Run(target, asker, journal.found, progress).to_its_end(api.aclose))


def need_extra() -> None:
    """Raise :class:`ProviderError` where what only calls need is not installed."""
    missing = [name for name in ("inspect_ai", "openai") if find_spec(name) is None]
    if missing:
        raise ProviderError(f"Calls need {missing[0]}, which is not installed: pip install 'waytrace[providers]'.")


def key_for(target: Target) -> str:
    """The key to send: never a real one to this machine. Raises :class:`ProviderError` where there is none."""
    if target.mode == "dry-run" or not target.provider.keys:
        return NO_KEY
    found = key_of(target.provider)
    if found is None:
        raise ProviderError(f"{target.provider.name} needs a key in {target.provider.keys[0]}, which is not set.")
    return found[1]


def price_of(target: Target, book: Book) -> Price | None:
    """What answers cost; None where nothing is billed, on this machine.

    Raises :class:`ProviderError` for a vendor's model without a price: no budget could be kept.
    """
    region = target.endpoint.region
    price = book.price(target.provider.name, target.model.id, region, datetime.now(UTC).date())
    if price is None and target.mode == "live":
        raise ProviderError(
            f"No price is known of {target.model.id} by {target.provider.name} in region {region}, so no budget can be "
            "kept. Add a [[price]] row in a file of your own and name it with --table."
        )
    return price


@dataclass
class _Run:
    target: Target
    asker: Asker
    found: Found
    progress: Callable[[int, int, str], None] | None
    stopped: str = ""

    async def to_its_end(self, close: Callable[[], Awaitable[None]]) -> RunEnd:
        samples = self.target.samples()
        done = set(self.found.scores)
        before = max(self.found.calls, default=0)
        total, self.count = len(samples), len(done)
        began = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            await self._probes()
            await self._all([s for s in samples if (s[1].id, s[2]) not in done], total)
        finally:
            await close()
            self._manifest(began, total)
        purse = self.asker.purse
        return RunEnd(
            self.asker.journal.folder, self.target.mode, self.count, total, self.asker.journal.number - before,
            purse.spent, purse.price.currency if purse.price else "", self.stopped,
        )  # fmt: skip

    async def _all(self, pending: Sequence[tuple[Family, Item, int]], total: int) -> None:
        """All samples, so many at a time. The first reason to stop lets those under way finish and starts no more."""
        queue = iter(pending)
        answered, attempts = self.found.answered(), self.found.attempts()

        async def worker() -> None:
            for family, item, epoch in queue:
                if self.stopped:
                    return
                sample = (item.id, epoch)
                try:
                    if sample in answered:
                        ended = self._recorded(item, answered[sample])
                    else:
                        ended = await self.asker.ask(item, epoch, attempts.get(sample, 0))
                except (StopRunError, BudgetSpentError) as reason:
                    self.stopped = self.stopped or self.asker.journal.scrub.text(str(reason))
                    return
                await self._score(family, item, epoch, ended)
                self.count += 1
                if self.progress:
                    self.progress(self.count, total, item.id)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self.target.settings.concurrency):
                    group.create_task(worker())
        except BaseExceptionGroup as errors:
            self.stopped = f"{type(errors.exceptions[0]).__name__}: {errors.exceptions[0]}"
            raise errors.exceptions[0] from None

    def _recorded(self, item: Item, call: int) -> Ended:
        """The reply of a call that was answered and paid for, and not scored as the process died."""
        events = self.found.calls[call]
        return Ended(call, recorded_reply(self.found, events), None)

    async def _score(self, family: Family, item: Item, epoch: int, ended: Ended) -> None:
        facts: dict[str, Any] = {"item": item.id, "family": family.name, "epoch": epoch, "call": ended.call}
        if ended.reply is None:
            self.asker.journal.score(**facts, outcome=ended.outcome, score=None, details={"says": ended.says})
            return
        verdict = await asyncio.to_thread(family.score, item, ended.reply)
        self.asker.journal.score(
            **facts, outcome=verdict.outcome, score=verdict.score, details=dict(verdict.details)
        )  # fmt: skip

    async def _probes(self) -> None:
        made = sum(events["sent"]["kind"] == PROBE.family for events in self.found.calls.values())
        for _ in range(made, self.target.settings.probes):
            try:
                await self.asker.probe()
            except (StopRunError, BudgetSpentError) as reason:
                self.stopped = self.asker.journal.scrub.text(str(reason))
                return

    def _manifest(self, began: str, total: int) -> None:
        purse = self.asker.purse
        self.asker.journal.close(
            mode=self.target.mode, began=began, ended=datetime.now(UTC).isoformat(timespec="seconds"),
            samples=self.count, of=total, stopped=self.stopped, budget=purse.limit, spent=purse.spent,
            price=purse.price.model_dump(mode="json") if purse.price else None,
            temperature_fell_back=self.asker.raised, temperature_sent=self.asker.request(PROBE).temperature,
            versions=_versions(),
        )  # fmt: skip


def recorded_reply(found: Found, events: Mapping[str, Mapping[str, Any]]) -> Reply:
    """The reply of a recorded call, as it was given to the scorer."""
    answered = events["answered"]
    sent = found.requests[events["sent"]["request"]]
    return reply_of(_sent(sent), answered["text"], answered["response"])


def _sent(record: Mapping[str, Any]) -> Request:
    return Request((), (), record["required"], record["temperature"], record["most_tokens"], {}, record["means"])


def _versions() -> dict[str, str]:
    own = {"waytrace": __version__, "python": platform.python_version()}
    return own | {name: version(name) for name in ("inspect_ai", "openai")}
