"""One item asked until there is an answer, a filtered one, or none: every attempt noted, the budget kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from .budget import Purse
from .endpoint import Mode, is_public
from .families import Item, Message, Outcome, Reply
from .faults import Fault, Trouble, VendorError
from .journal import Journal
from .request import Request, reply_of, request_of
from .rows import Model, Provider
from .settings import Settings

LONGEST_WAIT_S = 60.0
PROBE = Item(
    "probe/count",
    "probe",
    (Message("user", "Count from 1 to 100, separated by spaces. Nothing else."),),
    most_tokens=512,
)
"""What a streamed probe asks: any model can, so that only its speed differs."""


class StopRunError(Exception):
    """Nothing that follows can do better: no balance, no quota, no valid key, or no vendor behind the endpoint."""


@dataclass(frozen=True)
class Heard:
    """A whole answer."""

    text: str
    """Thinking taken off."""
    response: dict[str, Any]
    """As it came; of a stream the last piece, which says the usage."""
    peer: str
    """Address that answered."""
    first_token_s: float | None = None
    """Of a stream: thinking counts as tokens."""
    tokens_per_s: float | None = None
    """Of a stream, after the first token; None where it came in too few pieces to say."""


class API(Protocol):
    """What answers requests: :class:`~waytrace.providers.wire.VendorAPI`. Both raise ``VendorError``."""

    async def answer(self, request: Request) -> Heard:
        """The answer, whole."""
        ...

    async def timed(self, request: Request) -> Heard:
        """The answer, timed token by token."""
        ...


Send = Callable[[Request], Awaitable[Heard]]


@dataclass(frozen=True)
class Ended:
    """How the asking ended: with a reply, or with one of the outcomes that are not the model's doing."""

    call: int
    reply: Reply | None
    outcome: Literal[Outcome.MODERATION, Outcome.INFRASTRUCTURE] | None
    says: str = ""


@dataclass
class Asker:
    """Asks one model, item by item."""

    api: API
    provider: Provider
    model: Model
    settings: Settings
    purse: Purse
    journal: Journal
    mode: Mode
    raised: bool = False
    """Whether the vendor rejected a temperature, so that its fallback is sent."""

    async def ask(self, item: Item, epoch: int, before: int = 0) -> Ended:
        """Ask until there is an end; ``before`` attempts were made in an earlier run.

        Raises :class:`StopRunError`, and ``BudgetSpentError`` before a request that could cost more than is left.
        """
        attempt = before
        while True:
            attempt += 1
            request = self.request(item)
            call, answer = await self._once(self.api.answer, request, "sample", item.id, epoch, attempt)
            if isinstance(answer, Heard):
                return Ended(call, reply_of(request, answer.text, answer.response), None)
            if answer.fault is Fault.MODERATION:
                return Ended(call, None, Outcome.MODERATION, str(answer))
            if answer.fault is Fault.REJECTED and self._falls_back(answer):
                attempt -= 1
                continue
            if answer.fault is Fault.REJECTED or attempt >= self.settings.attempts:
                return Ended(call, None, Outcome.INFRASTRUCTURE, str(answer))
            await asyncio.sleep(self._wait_s(attempt, answer))

    def request(self, item: Item) -> Request:
        """What is sent for an item now."""
        return request_of(item, self.provider, self.model, self.settings, raised=self.raised)

    async def probe(self) -> None:
        """One streamed request that measures speed. One that fails is noted and measures nothing.

        Raises as :meth:`ask` does.
        """
        await self._once(self.api.timed, self.request(PROBE), PROBE.family, PROBE.id, 0, 1)

    async def _once(
        self, send: Send, request: Request, kind: str, item: str, epoch: int, attempt: int
    ) -> tuple[int, Heard | Trouble]:
        reserved = self.purse.reserve(request)
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        call = self.journal.sent(
            request.to_json(), kind=kind, item=item, epoch=epoch, attempt=attempt, reserved=reserved, at=at
        )
        began = time.perf_counter()
        try:
            heard = await send(request)
        except VendorError as error:
            trouble = error.trouble
            paid = self.purse.settle(reserved, error.response, answered=trouble.status is not None)
            said = {"fault": trouble.fault, "status": trouble.status, "code": trouble.code, "message": trouble.message}
            latency_s = time.perf_counter() - began
            self.journal.ended(call, "trouble", **said, latency_s=latency_s, cost=paid, response=error.response)
            if trouble.fault is Fault.STOP:
                raise StopRunError(f"{self.provider.name} says: {trouble}") from error
            return call, trouble
        latency_s = time.perf_counter() - began
        paid = self.purse.settle(reserved, heard.response, answered=True)
        self.journal.ended(call, "answered", latency_s=latency_s, cost=paid, **asdict(heard))
        if self.mode == "live" and not is_public(heard.peer):
            raise StopRunError(
                f"the answer came from {heard.peer or 'an unknown address'}, which is no public one: a proxy or a "
                "stand-in, so this can be no live run"
            )
        return call, heard

    def _falls_back(self, trouble: Trouble) -> bool:
        """Whether a temperature was rejected that has a fallback; it is sent from now on."""
        said = f"{trouble.code} {trouble.message}".lower()
        if self.raised or self.provider.temperature.fallback is None or "temperature" not in said:
            return False
        self.raised = True
        return True

    def _wait_s(self, attempt: int, trouble: Trouble) -> float:
        if trouble.retry_after_s is not None:
            return trouble.retry_after_s
        return min(float(self.settings.backoff_s * 2 ** (attempt - 1)), LONGEST_WAIT_S)
